"""How links and their incidents read, in the bulletin and on the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal

from etl.domain.chinese import PUSH_CLASS, PUSH_STATE
from etl.publish.wording import ENTRY, NONE, day, duration, minute, number, percent, titled
from etl.store.outbox import Row

LINK_COLUMNS = ("数据源", "环节", "应到", "已到", "迟报", "按时率", "P50", "P95", "最长")
OURS = "->supervision"
LINK_FIGURES = LINK_COLUMNS[2:]
INCIDENT_COLUMNS = ("类别", "环节", "起", "止", "记录", "最长时延", "发现", "恢复", "依据")


def link_cells(row: Row, titles: Mapping[str, str]) -> tuple[str, ...]:
    """One source and hop; what has no limit is never late, and is not said to be on time either."""
    has_limit = is_hop(row)
    return (
        titled(row["source"], titles),
        titled(row["hop"], titles),
        str(row["due_count"]),
        str(row["message_count"]),
        str(row["late_count"]) if has_limit else NONE,
        percent(row["due_count"] - row["late_count"], row["due_count"]) if has_limit else NONE,
        *(duration(row[column]) for column in ("p50_seconds", "p95_seconds", "max_seconds")),
    )


def incident_cells(row: Row, titles: Mapping[str, str]) -> tuple[str, ...]:
    """One incident; a stand-still from when something waited until the first arrival."""
    evidence = (row["evidence"] or (NONE,))[0]
    return (
        PUSH_CLASS[row["class"]] + ("（停滞）" if row["is_standstill"] else ""),
        titled(row["hop"], titles),
        minute(row["began_at"]),
        minute(row["ended_at"]),
        str(row["record_count"]),
        duration(row["longest_seconds"]),
        day(row["opened_on"]),
        day(row["closed_on"]) if row["closed_on"] else PUSH_STATE[row["state"]],
        f"{row['detail']}（{evidence}）" if row["detail"] else evidence,
    )


def standstill(row: Row, titles: Mapping[str, str]) -> str:
    """``甲 → 乙自 … 至 … 停滞约 31 小时，迟报 113 条``."""
    hours = Decimal((row["ended_at"] - row["began_at"]) // timedelta(seconds=1)) / 3600
    return (
        f"{titled(row['hop'], titles)}自 {minute(row['began_at'])} 至 {minute(row['ended_at'])} "
        f"停滞约 {number(hours, 0 if hours >= 10 else 1)} 小时，迟报 {row['record_count']} 条"
    )


def queue(row: Row, titles: Mapping[str, str]) -> str:
    """``甲办结后补报：…（如 甲/办件/finish/0/v1）``."""
    return f"{titled(row['source'], titles)}{PUSH_CLASS[row['class']]}：{row['detail']}（如 {row['evidence'][0]}）"


def reassigned(cards: Iterable[tuple[str, str, int]], titles: Mapping[str, str]) -> list[str]:
    """(hop that answers, level, cards) -> a line per hop: how many cards of each level it took over."""
    counts: dict[str, Counter[str]] = {}
    for hop, level, count in cards:
        counts.setdefault(hop, Counter())[level] += count
    return [
        f"{titled(hop, titles)}：红牌 {mine['red']} 张、黄牌 {mine['yellow']} 张、预警 {mine['reminder']} 次"
        for hop, mine in counts.items()
    ]


def is_told(row: Row) -> bool:
    """Whether a bulletin tells of it: entry, and every hop; the last one to us only where something was late."""
    return row["hop"].startswith(ENTRY) or (is_hop(row) and (row["late_count"] > 0 or not row["hop"].endswith(OURS)))


def is_hop(row: Row) -> bool:
    """Whether it is about a hop, and not about entry or the whole way."""
    return "->" in row["hop"]
