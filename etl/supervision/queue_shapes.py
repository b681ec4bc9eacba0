"""How records queued on their way, told from when they were written and when they arrived: what a sender does wrong.

A late record says that something is slow; the shape of a night's arrivals says what to look for in the sender.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etl.domain.night import NEVER, Instants

SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
LEAST_RECORDS = 20
"""Fewer records of a night that show a shape show nothing."""
LEAST_HELD = 10
"""Fewer that waited behind another say nothing of it."""
NEARLY_ALL = 0.95
LEAST_TICK = 30 * SECOND
SAME_NIGHTS = 5
"""So many nights with the very same count are no chance."""
BLOCKED = 26 * HOUR
"""A nightly sender holds everything for a day."""
OLD, TIMES_USUAL = 5 * DAY, 5


@dataclass(frozen=True)
class Shape:
    """What a night's arrivals of one source show: a class, in how many records, a sentence (Chinese), some of them."""

    name: str
    record_count: int
    detail: str
    records: tuple[int, ...]


def queue_shapes(
    case: npt.NDArray[np.int64],
    is_finish: npt.NDArray[np.bool_],
    written: Instants,
    received: Instants,
    before: int,
    nights: Sequence[tuple[int, int]],
) -> list[Shape]:
    """Shapes of one source's arrivals of one night.

    Args:
        case, is_finish, written, received: per record; equal cases are equal numbers, instants in us.
        before: when the last record before this night's arrived (us); NEVER: unknown.
        nights: per earlier night, in order, and for this one: records that arrived, the longest wait among them (s).
    """
    order = np.lexsort((written, received))
    case, is_finish, written, received = case[order], is_finish[order], written[order], received[order]
    if not len(case):
        return []
    if burst := _backfill(written, received, nights):
        found: list[Shape | None] = [burst]
    else:
        found = [
            # One a tick is a cap too, and says more.
            _one_per_tick(written, received) or _starved(written, received, nights),
            _finished_only(case, is_finish, written, received),
            _blocked_head(written, received, before),
        ]
    return [
        Shape(shape.name, shape.record_count, shape.detail, tuple(order[list(shape.records)].tolist()))
        for shape in found
        if shape
    ]


def _one_per_tick(written: Instants, received: Instants) -> Shape | None:
    """Whatever waits passes one at a time, always as long after the one before."""
    gap = np.diff(received)
    waited = np.flatnonzero(written[1:] < received[:-1])
    if len(waited) < LEAST_RECORDS:
        return None
    tick = float(np.median(gap[waited]))
    is_even = np.abs(gap[waited] - tick) <= max(3 * SECOND, tick * 0.02)
    if tick < LEAST_TICK or is_even.mean() < NEARLY_ALL or gap.min() < tick / 2:
        return None
    longest = int((received - written).max())
    return Shape(
        "one_per_tick",
        len(waited),
        f"排队的 {len(waited)} 条记录每隔 {tick / SECOND:.0f} 秒恰好到达一条，从不两条同到，最长等待 {_time(longest)}；"
        "请检查发送程序每次只取一条的限流设置",
        tuple((waited[:3] + 1).tolist()),
    )


def _finished_only(
    case: npt.NDArray[np.int64], is_finish: npt.NDArray[np.bool_], written: Instants, received: Instants
) -> Shape | None:
    """Nothing of a case arrives before it is decided."""
    # In order of arrival, so `first` is the first to arrive.
    cases, first, of = np.unique(case, return_index=True, return_inverse=True)
    decided = np.full(len(cases), NEVER)
    finishes = np.flatnonzero(is_finish)
    np.minimum.at(decided, of[finishes], received[finishes])
    begun = np.full(len(cases), NEVER)
    np.minimum.at(begun, of, written)
    ended = np.full(len(cases), 0)
    np.maximum.at(ended, of[finishes], written[finishes])
    is_begun = np.bincount(of, minlength=len(cases)) > 1
    together = is_begun & (decided != NEVER) & (decided - received[first] <= 15 * MINUTE)
    lasted = (ended - begun)[together]
    if together.sum() < LEAST_HELD or together.mean() < NEARLY_ALL or np.median(lasted) < 12 * HOUR:
        return None
    return Shape(
        "finished_only",
        int(together.sum()),
        f"本夜 {len(cases)} 件办件中 {int(together.sum())} 件的受理与办结同时到达，而两者相隔中位数 "
        f"{_time(int(np.median(lasted)))}；办结之前没有任何记录报来，请改为受理后即时报送",
        tuple(first[together][:3].tolist()),
    )


def _starved(written: Instants, received: Instants, nights: Sequence[tuple[int, int]]) -> Shape | None:
    """Exactly as many records every night, and what arrives last has waited longer every time."""
    recent = [night for night in nights if night[0]][-SAME_NIGHTS:]
    counts, waits = [count for count, _ in recent], [wait for _, wait in recent]
    is_same = len(recent) == SAME_NIGHTS and len(set(counts)) == 1 and counts[0] >= SAME_NIGHTS
    if not is_same or waits[-1] <= waits[0] or waits[-1] * SECOND < DAY:
        return None
    longest = np.argsort(written - received, kind="stable")[:3]
    return Shape(
        "starved",
        counts[0],
        f"连续 {SAME_NIGHTS} 夜每夜恰好到达 {counts[0]} 条，最长等待由 {_time(waits[0] * SECOND)}增至 "
        f"{_time(waits[-1] * SECOND)}；每夜条数上限低于产生量，积压只增不减，请提高上限",
        tuple(longest.tolist()),
    )


def _blocked_head(written: Instants, received: Instants, before: int) -> Shape | None:
    """Nothing passes until one record does, and then all that waited behind it in the order of writing."""
    head = int(np.argmax(received - written))
    wait = int(received[head] - written[head])
    if wait < BLOCKED or before == NEVER or before > written[head] + HOUR or received[0] < received[head]:
        return None
    behind = np.flatnonzero((received <= received[head] + 30 * MINUTE) & (written < received[head]))
    if len(behind) < LEAST_HELD or np.mean(np.diff(written[behind]) >= 0) < NEARLY_ALL:
        return None
    return Shape(
        "blocked_head",
        len(behind),
        f"一条记录等待 {_time(wait)}期间没有任何记录通过，其一到达，{len(behind)} 条随即按写入先后依次到达；"
        "请先查该条记录何以屡发不成，再查同期链路",
        (head, *behind[behind != head][:2].tolist()),
    )


def _backfill(written: Instants, received: Instants, nights: Sequence[tuple[int, int]]) -> Shape | None:
    """Far more than usual on one night, and nearly all of it old."""
    old = np.flatnonzero(received - written > OLD)
    usual = float(np.median([count for count, _ in nights[:-1]])) if len(nights) > 1 else 0.0
    if len(old) < 2 * LEAST_RECORDS or len(old) * 2 < len(written) or len(written) < TIMES_USUAL * usual:
        return None
    span = int(written[old].max() - written[old].min())
    took = int(received[old].max() - received[old].min())
    if span < DAY or took > 6 * HOUR:
        return None
    return Shape(
        "backfill",
        len(old),
        f"{_time(took)}内到达 {len(old)} 条五天以前的旧记录（写入时间跨 {span / DAY:.0f} 天），"
        f"平日每夜 {usual:g} 条；请说明此前何以未报",
        tuple(old[:3].tolist()),
    )


def _time(us: int) -> str:
    for size, unit in ((DAY, "天"), (HOUR, "小时"), (MINUTE, "分钟")):
        if us >= size:
            return f"{us / size:.1f} {unit}"
    return f"{us // SECOND} 秒"
