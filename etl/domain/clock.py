"""Suspensions and limits on an axis: the arithmetic every clock shares.

All arrays are aligned with cases unless they belong to suspensions, which name their case by `owner`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etl.domain.axis import FAR, Axis, Positions, Targets
from etl.domain.night import Instants

Owners = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Suspensions:
    """Disjoint position intervals [begin, end] per case, sorted by (owner, begin)."""

    owner: Owners
    begin: Positions
    end: Positions

    def excluded(self, stops: Positions) -> Positions:
        """How much lies before each case's stop position."""
        inside = np.clip(np.minimum(self.end, stops[self.owner]) - self.begin, 0, None)
        running = np.concatenate(([0], np.cumsum(inside)))  # whole numbers throughout: exact at any size
        cases = np.arange(len(stops))
        return running[np.searchsorted(self.owner, cases, "right")] - running[np.searchsorted(self.owner, cases)]

    def shift(self, targets: Positions) -> Targets:
        """Move targets behind the suspensions that begin before them."""
        due, over = targets.copy(), targets.copy()
        first = np.searchsorted(self.owner, np.arange(len(targets)))
        count = np.searchsorted(self.owner, np.arange(len(targets)), side="right") - first
        for step in range(int(count.max(initial=0))):
            case = np.flatnonzero(count > step)
            row = first[case] + step
            begin, length = self.begin[row], self.end[row] - self.begin[row]
            due[case] += np.where(due[case] > begin, length, 0)
            over[case] += np.where(over[case] >= begin, length, 0)
        return Targets(np.minimum(due, FAR), np.minimum(over, FAR))


def merge(owner: Owners, begin: Positions, end: Positions) -> Suspensions:
    """Union of intervals per owner; empty and reversed ones vanish, touching ones join."""
    keep = end > begin
    owner, begin, end = owner[keep], begin[keep], end[keep]
    order = np.lexsort((begin, owner))
    owner, begin, end = owner[order], begin[order], end[order]
    if not len(owner):
        return Suspensions(owner, begin, end)
    # A running maximum that restarts at each owner: ranks of the ends, packed behind the owner's number.
    rank_to_end, rank = np.unique(end, return_inverse=True)
    group = np.cumsum(np.concatenate(([0], (owner[1:] != owner[:-1]).astype(np.int64))))
    running = np.maximum.accumulate(group * len(rank_to_end) + rank)
    reach = rank_to_end[running - group * len(rank_to_end)]
    is_first = np.concatenate(([True], (owner[1:] != owner[:-1]) | (begin[1:] > reach[:-1])))
    is_last = np.concatenate((is_first[1:], [True]))
    return Suspensions(owner[is_first], begin[is_first], reach[is_last])


@dataclass(frozen=True)
class Spans:
    """Suspensions as recorded: case number, instants, and whether the end is still missing (`end` is then ignored)."""

    owner: Owners
    begin: Instants
    end: Instants
    is_open: npt.NDArray[np.bool_]


def suspend(axis: Axis, begin: Positions, spans: Spans, approved_days: npt.NDArray[np.float64]) -> Suspensions:
    """Clip spans to each case's clock start, cap each in the clock's own measure (NaN: uncapped), then merge.

    An open span runs to its cap, or without one for ever: whoever measures stops earlier anyway.
    """
    low, high = axis.suspension(spans.begin, np.where(spans.is_open, spans.begin, spans.end))
    low = np.maximum(low, begin[spans.owner])
    high = np.where(spans.is_open, FAR, high)
    is_capped = ~np.isnan(approved_days)
    cap = axis.distance(np.where(is_capped, approved_days, 0), axis.day_unit, spans.begin)
    return merge(spans.owner, low, np.where(is_capped, np.minimum(high, low + cap), high))
