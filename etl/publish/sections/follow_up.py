"""六 督办与整改: what was followed up, appealed and decided, and what still waits."""

from __future__ import annotations

from sqlalchemy import Connection

from etl.publish.chapter import Chapter, Section, Table, Week
from etl.publish.privacy import one_line
from etl.publish.wording import NONE
from etl.store import outbox

FIGURES = {
    "followed_up": "督办",
    "issued": "人工发牌",
    "appealed": "申诉",
    "upheld": "维持",
    "revoked": "撤牌",
    "escalated": "提级",
    "closed": "销号",
}


def compile(connection: Connection, week: Week) -> Chapter:
    """One line a department, a total, and what is open at the end of the week."""
    rows = outbox.rows(connection, "week_decisions", **week.parameters())
    owed = outbox.row(connection, "week_owed", **week.parameters())
    total = {name: sum(row[name] for row in rows) for name in FIGURES}
    lines = [(one_line(row["department"] or NONE), *(str(row[name]) for name in FIGURES)) for row in rows]
    if lines:
        lines.append(("合计", *(str(total[name]) for name in FIGURES)))
    return Chapter(
        paragraphs=(
            f"本周督办 {total['followed_up']} 件，收到申诉 {total['appealed']} 件，维持 {total['upheld']} 件，"
            f"撤牌 {total['revoked']} 件，提级 {total['escalated']} 件，销号 {total['closed']} 件。",
            f"截至本周末，待人工决定的红黄牌 {owed['undecided']} 张，尚未反馈的红黄牌 {owed['unanswered']} 张。",
        ),
        tables=(Table("督办与处理", ("部门", *FIGURES.values()), tuple(lines), tuple(FIGURES.values())),),
    )


SECTION = Section(6, "督办与整改", compile)
