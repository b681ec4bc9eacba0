"""四 数据推送情况: how fast records moved, where they stood still, and which cards were the data's fault."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Connection

from etl.domain.chinese import FEED, LEVEL, PUSH_CLASS
from etl.domain.night import nights
from etl.publish import links
from etl.publish.chapter import Chapter, Section, Table, Week
from etl.publish.privacy import one_line
from etl.publish.wording import NONE, duration, minute, percent, silence, titled
from etl.store import feeds, outbox

NO_RECORD = "无记录"
RECONCILED = ("missing", "wrong", "extra", "deleted")


def compile(connection: Connection, week: Week) -> Chapter:
    """Links, standstills, cards withdrawn as push delay, and the state of every feed on each night."""
    standstills = outbox.rows(connection, "week_standstills", **week.parameters())
    reassigned = outbox.rows(connection, "week_reassigned", **week.parameters())
    differences = outbox.rows(connection, "differences", **week.parameters())
    queues = outbox.rows(connection, "week_queue_shapes", **week.parameters())
    shown = [row for row in week.links if links.is_told(row)]
    hops = [row for row in shown if links.is_hop(row)]
    due, sent, late = (sum(row[column] for row in hops) for column in ("due_count", "message_count", "late_count"))
    withdrawn = sum(row[level] for row in reassigned for level in LEVEL)
    cards = ((row["responsible_hop"], level, row[level]) for row in reassigned for level in LEVEL)
    answering = "；".join(links.reassigned(cards, week.titles))
    return Chapter(
        paragraphs=(
            f"本周各环节应到 {due} 条次，已到 {sent} 条次，迟报 {late} 条次，按时率 {percent(due - late, due)}；"
            f"因推送延时撤回红黄牌与预警 {withdrawn} 张（次）"
            + (f"，责任转由下列环节承担：{answering}。" if answering else "。"),
            *(f"停滞：{links.standstill(row, week.titles)}。" for row in standstills[:3]),
            *(f"排队形态：{links.queue(row, week.titles)}。" for row in queues),
            *(
                f"静默：{titled(row['source'], week.titles)}自 {silence(row['first_on'], row['working_days'])}，"
                "其间接口正常应答，须查明原因并补报。"
                for row in feeds.silent(connection, week.last)
            ),
            *([_reconciled(differences)] if differences else []),
        ),
        tables=(
            Table(
                "各环节时延",
                links.LINK_COLUMNS,
                tuple(links.link_cells(row, week.titles) for row in shown),
                links.LINK_FIGURES,
                "按本周为我方掌握的消息逐条计算，含休息时间；“录入”为业务发生至写入本系统；至电子监察平台"
                "的环节自可以掌握的第一个截止时刻起算，无迟报的不列。",
            ),
            Table(
                "停滞",
                ("数据源", "环节", "停滞起", "恢复", "时长", "迟报"),
                tuple(
                    (
                        titled(row["source"], week.titles),
                        titled(row["hop"], week.titles),
                        minute(row["began_at"]),
                        minute(row["ended_at"]),
                        duration(row["seconds"]),
                        f"{row['record_count']} 条",
                    )
                    for row in standstills
                ),
                ("时长", "迟报"),
                "停滞指已有记录待推送而无一到达、因而迟报的时段；同一停滞所误的记录并为一项。",
            ),
            Table(
                "因推送延时撤回的牌",
                ("原发牌部门", "责任环节", "红牌", "黄牌", "预警"),
                tuple(
                    (
                        one_line(row["department"] or NONE),
                        titled(row["responsible_hop"], week.titles),
                        *(str(row[level]) for level in LEVEL),
                    )
                    for row in reassigned
                ),
                ("红牌", "黄牌", "预警"),
            ),
            *([_differences(differences, week)] if differences else []),
            _feeds(connection, week),
        ),
    )


def _reconciled(differences: Sequence[outbox.Row]) -> str:
    counts = {name: [row for row in differences if row["class"] == name] for name in RECONCILED}
    said = "、".join(
        f"{PUSH_CLASS[name]} {sum(row['opened'] for row in found)} {'件' if name == 'deleted' else '条'}"
        for name, found in counts.items()
        if found
    )
    standing = sum(row["standing"] for row in differences)
    return f"对账：本周新发现{said}；截至本周末尚有 {standing} 项未更正，须由责任环节核实补报或更正。"


def _differences(differences: Sequence[outbox.Row], week: Week) -> Table:
    return Table(
        "对账差异",
        ("数据源", "环节", "类别", "本周发现", "本周更正", "周末未了"),
        tuple(
            (
                titled(row["source"], week.titles),
                titled(row["hop"], week.titles),
                PUSH_CLASS[row["class"]],
                *(str(row[name]) for name in ("opened", "closed", "standing")),
            )
            for row in differences
        ),
        ("本周发现", "本周更正", "周末未了"),
        "漏报指上游系统已有、逾推送时限下游系统仍没有的记录；错报指两系统同一记录的业务内容不一致；上游未见指仅下游系统有的"
        "记录；来源删除指先后两夜的全量清单中均不再出现的办件。只依据两系统当夜数据均完整的核对。",
    )


def _feeds(connection: Connection, week: Week) -> Table:
    states: dict[str, dict[date, str]] = {}
    for row in outbox.rows(connection, "week_feeds", **week.parameters()):
        states.setdefault(row["source"], {})[row["business_on"]] = FEED[row["state"]]
    days = tuple(nights(week.first, week.last))
    return Table(
        "数据接入逐日状态",
        ("数据源", *(f"{on:%m-%d}" for on in days)),
        tuple(
            (titled(source, week.titles), *(found.get(on, NO_RECORD) for on in days))
            for source, found in states.items()
        ),
    )


SECTION = Section(4, "数据推送情况", compile)
