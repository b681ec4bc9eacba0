"""一 总体情况: what came in, what was finished, how fast, and which cards it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection

from etl.domain.chinese import LEVEL
from etl.publish.chapter import Chapter, Section, Table, Week
from etl.publish.speed import speed
from etl.publish.wording import change, percent
from etl.store import outbox
from etl.store.outbox import Row


def compile(connection: Connection, week: Week) -> Chapter:
    """Totals of the week beside those of the week before."""
    now, before = (_totals(connection, each) for each in (week, week.before()))
    pace = speed(connection, week)
    past = speed(connection, week.before())
    rows = [
        ("受理（件）", str(now["accepted"]), str(before["accepted"]), change(now["accepted"], before["accepted"])),
        ("办结（件）", str(now["finished"]), str(before["finished"]), change(now["finished"], before["finished"])),
        ("办结率", percent(now["finished"], now["accepted"]), percent(before["finished"], before["accepted"]), ""),
        ("法定提速率", pace.by_use, past.by_use, ""),
        ("承诺提速率", pace.by_promise, past.by_promise, ""),
    ]
    issued = {level: now["standing", level] + now["withdrawn", level] for level in LEVEL}
    cards = []
    for level, name in (*LEVEL.items(), ("all", "合计")):
        standing, withdrawn = now["standing", level], now["withdrawn", level]
        earlier = before["standing", level] + before["withdrawn", level]
        total = standing + withdrawn
        cards.append((name, str(standing), str(withdrawn), str(total), str(earlier), change(total, earlier)))
    return Chapter(
        paragraphs=(
            f"本周受理办件 {now['accepted']} 件，办结 {now['finished']} 件，"
            f"办结率 {percent(now['finished'], now['accepted'])}；"
            f"法定提速率 {pace.by_use}，承诺提速率 {pace.by_promise}。",
            f"本周发出红牌 {issued['red']} 张、黄牌 {issued['yellow']} 张、预警 {issued['reminder']} 次，"
            f"其中撤回 {now['withdrawn', 'all']} 张（次）。",
        ),
        tables=(
            Table(
                "办件情况",
                ("指标", "本周", "上周", "环比"),
                tuple(rows),
                ("本周", "上周", "环比"),
                f"提速率按本周办结且承诺、法定时限均以工作日计的 {pace.cases} 件计算，已用时间扣除特别程序。",
            ),
            Table(
                "发牌情况",
                ("级别", "在册", "撤回", "合计", "上周合计", "环比"),
                tuple(cards),
                ("在册", "撤回", "合计", "上周合计", "环比"),
                "同一时钟在册的牌只计最高一级。",
            ),
        ),
    )


def _totals(connection: Connection, week: Week) -> Counter[object]:
    totals: Counter[object] = Counter()
    cases: Sequence[Row] = outbox.rows(connection, "week_cases", **week.parameters())
    for row in cases:
        totals["accepted"] += row["accepted"]
        totals["finished"] += row["finished"]
    for row in outbox.rows(connection, "week_cards", **week.parameters()):
        for level in (row["level"], "all"):
            totals["standing", level] += row["standing_cards"]
            totals["withdrawn", level] += row["withdrawn_cards"]
    return totals


SECTION = Section(1, "总体情况", compile)
