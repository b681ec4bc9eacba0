"""May a night's feed be believed when it says that nothing more came? Judged by how much a source usually brings.

A feed can be read to its end, agree with its own counts, and still lack a night's records: an export that ran empty, a
replica that stands still, a table nobody fills any more. What a night brought is therefore held against earlier nights
of its kind, working or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from etl.domain.chinese import KIND

Counts = npt.NDArray[np.int64]

HISTORY = {True: 20, False: 8}
"""How many earlier nights are looked back on, of working days and of rest days: about four weeks."""
LEAST_NIGHTS = {True: 10, False: 5}
"""Fewer than these say nothing."""
LEAST_MEDIAN = 20
"""A usual volume below this says nothing about one night: no records can be chance."""
CHANCE = 0.0001
"""How improbable a silence must be before it is none by chance."""
HABIT = 0.9
"""On this share of its working days at least a source must bring something for its silence to mean anything."""
TOTAL = "各类消息合计"


@dataclass(frozen=True)
class Doubt:
    """Why a night's feed is not believed: a state of `feed`, and since which night and on what ground (Chinese)."""

    state: str
    detail: str


def volume_doubt(first: date, is_working: npt.NDArray[np.bool_], counts: Mapping[str, Counts]) -> Doubt | None:
    """The doubt about the last of some nights, if any.

    Args:
        first: the first night; one element of every array is one night from it on.
        is_working: whether its day is worked.
        counts: per kind of message how many arrived for it, by the knowledge of the last one.

    Below the band is what is less than a quarter of the median, and less than half of the least but one, of the last
    `HISTORY` nights of its kind that were believed, all kinds of message together or one alone. Of a source that brings
    something on nearly every working day, no record at all for so many of them that it has a chance below `CHANCE` is
    silence, however small the source. A feed once doubted stays so until a night that could be doubted is not: a quiet
    Sunday proves nothing.
    """
    total = np.sum(list(counts.values()), axis=0)
    found = [_silent(is_working, total, first)]
    found += [_low(is_working, total, first, TOTAL)]
    found += [_low(is_working, mine, first, KIND[kind]) for kind, mine in sorted(counts.items())]
    return next((doubt for doubt in found if doubt), None)


def band(earlier: list[int], is_working: bool) -> float | None:
    """Fewer records than this are too few after such believed nights of the same kind; None: nothing can be said."""
    recent = earlier[-HISTORY[is_working] :]
    if len(recent) < LEAST_NIGHTS[is_working] or (median := float(np.median(recent))) < LEAST_MEDIAN:
        return None
    return min(median / 4, _least(recent) / 2)


def _least(recent: list[int]) -> int:
    """The least but one: a single bad night must not open the door for others."""
    return sorted(recent)[1]


def _low(is_working: npt.NDArray[np.bool_], counts: Counts, first: date, title: str) -> Doubt | None:
    believed: dict[bool, list[int]] = {True: [], False: []}
    since, detail = -1, ""
    for number, (works, count) in enumerate(zip(is_working.tolist(), counts.tolist(), strict=True)):
        earlier = believed[works]
        if (least := band(earlier, works)) is not None:
            if count >= least:
                since = -1
            elif since < 0:
                since = number
                recent = earlier[-HISTORY[works] :]
                detail = (
                    f"{title}仅到 {count} 条，此前 {len(recent)} 个{'工作日' if works else '休息日'}"
                    f"中位数 {np.median(recent):g} 条、次少 {_least(recent)} 条，低于下限 {least:g} 条"
                )
        if since < 0:
            earlier.append(count)
    if since < 0:
        return None
    on = first + timedelta(days=since)
    state = "silent" if title == TOTAL and not counts[since:].any() else "low"
    return Doubt(state, f"{on} 之夜{detail}；恢复常量或经来源单位确认之前，不以其缺少记录为据")


def _silent(is_working: npt.NDArray[np.bool_], counts: Counts, first: date) -> Doubt | None:
    brought = np.flatnonzero(counts)
    if not len(brought):
        return None
    last = int(brought[-1])
    habit = (counts[: last + 1] > 0)[is_working[: last + 1]][-HISTORY[True] :]
    quiet = int(is_working[last + 1 :].sum())
    if len(habit) < LEAST_NIGHTS[True] or habit.mean() < HABIT or not quiet:
        return None
    if (1 - int(habit.sum()) / (len(habit) + 2)) ** quiet >= CHANCE:  # a habit of twenty days is no certainty
        return None
    on = first + timedelta(days=last)
    return Doubt(
        "silent",
        f"{on} 之夜以来连续 {quiet} 个工作日没有任何记录，此前 {len(habit)} 个工作日中有 {int(habit.sum())} 个有记录；"
        "恢复报送或经来源单位确认之前，不以其缺少记录为据",
    )
