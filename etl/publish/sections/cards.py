"""三 红黄牌明细: every yellow and red card of the week, at most 200, with what kind of delay it is."""

from __future__ import annotations

from sqlalchemy import Connection

from etl.domain.chinese import CLOCK, LEVEL, NATURE, STATE
from etl.publish.chapter import Chapter, Section, Table, Week
from etl.publish.privacy import one_line, redact
from etl.publish.wording import NONE, day, minute, number, titled
from etl.store import outbox
from etl.store.outbox import Row

MOST = 200
COLUMNS = (
    *("级别", "部门", "办件编号", "事项名称", "监察内容", "时限（日）", "已用（日）", "到界时间", "发牌日"),
    *("超时性质", "状态"),
)


def compile(connection: Connection, week: Week) -> Chapter:
    """Standing cards before withdrawn ones, red before yellow, the longest delay first."""
    cards = outbox.rows(connection, "week_card_list", most=MOST, **week.parameters())
    total = cards[0]["total"] if cards else 0
    if not cards:
        return Chapter(paragraphs=("本周无红黄牌。",))
    return Chapter(
        paragraphs=(f"本周红黄牌 {total} 张" + (f"，此处列出前 {MOST} 张。" if total > MOST else "。"),),
        tables=(
            Table("红黄牌明细", COLUMNS, tuple(_line(card, week) for card in cards), ("时限（日）", "已用（日）")),
        ),
    )


def _line(card: Row, week: Week) -> tuple[str, ...]:
    nature = NATURE[card["nature"]]
    if card["responsible_hop"]:
        nature += f"（{titled(card['responsible_hop'], week.titles)}）"
    return (
        LEVEL[card["level"]],
        one_line(card["department"] or NONE),
        one_line(card["case_no"]),
        redact(card["item_name"] or NONE),
        CLOCK[card["clock"]],
        number(card["limit_days"]),
        number(card["used_days"]),
        minute(card["reached_at"]),
        day(card["issued_on"]),
        nature,
        _state(card["state"]) + ("·暂定" if card["provisional"] else ""),
    )


def _state(code: str) -> str:
    """What counts stands on the books, whatever people are still deciding about it."""
    if code in ("withdrawn", "revoked"):
        return STATE[code]
    return "在册" if code == "issued" else f"在册·{STATE[code]}"


SECTION = Section(3, "红黄牌明细", compile)
