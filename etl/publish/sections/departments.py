"""二 红黄牌情况: who handled how much and got which cards."""

from __future__ import annotations

from collections import Counter, defaultdict

from sqlalchemy import Connection

from etl.publish.chapter import Bars, Chapter, Section, Table, Week
from etl.publish.privacy import one_line
from etl.publish.wording import NONE, percent
from etl.store import outbox

COLUMNS = ("部门", "受理", "办结", "红牌", "黄牌", "预警", "撤回", "红黄牌率")


def compile(connection: Connection, week: Week) -> Chapter:
    """One line a department, most red cards first, and a total."""
    departments: dict[str, Counter[str]] = defaultdict(Counter)
    for row in outbox.rows(connection, "week_cases", **week.parameters()):
        departments[one_line(row["department"] or NONE)].update(accepted=row["accepted"], finished=row["finished"])
    for row in outbox.rows(connection, "week_cards", **week.parameters()):
        counted = {row["level"]: row["standing_cards"], "withdrawn": row["withdrawn_cards"]}
        departments[one_line(row["department"] or NONE)].update(counted)
    shown = sorted(
        ((name, counts) for name, counts in departments.items() if any(counts.values())),
        key=lambda entry: (-entry[1]["red"], -entry[1]["yellow"], -entry[1]["reminder"], entry[0]),
    )
    total: Counter[str] = sum((counts for _, counts in shown), Counter())
    carded = [(name, counts) for name, counts in shown if counts["red"] or counts["yellow"]]
    return Chapter(
        paragraphs=(
            f"本周 {len(carded)} 个部门有在册红黄牌，合计红牌 {total['red']} 张、黄牌 {total['yellow']} 张。"
            if carded
            else "本周各部门均无在册红黄牌。",
        ),
        tables=(
            Table(
                "各部门红黄牌",
                COLUMNS,
                tuple(_line(name, counts) for name, counts in [*shown, ("合计", total)]),
                COLUMNS[1:],
                "红黄牌率为在册红黄牌数与办结件数之比。",
            ),
        ),
        chart=Bars(
            "在册红黄牌（张）",
            (("红牌", "#c0161c"), ("黄牌", "#e0a100")),
            tuple((name, (counts["red"], counts["yellow"])) for name, counts in carded),
        )
        if carded
        else None,
    )


def _line(name: str, counts: Counter[str]) -> tuple[str, ...]:
    figures = (counts[key] for key in ("accepted", "finished", "red", "yellow", "reminder", "withdrawn"))
    return (name, *map(str, figures), percent(counts["red"] + counts["yellow"], counts["finished"]))


SECTION = Section(2, "红黄牌情况", compile)
