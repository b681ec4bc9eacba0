"""Suspensions and limits on an axis: the arithmetic every clock shares.

All arrays are aligned with cases unless they belong to suspensions, which name their case by `owner`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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

    @cached_property
    def _heads(self) -> Owners:
        return _heads(self.owner)

    @cached_property
    def _counted(self) -> Positions:
        """How much was counted before each interval began, from position 0 of its case on."""
        before = np.cumsum(self.end - self.begin) - (self.end - self.begin)
        count = np.diff(np.append(self._heads, len(self.owner)))
        counted: Positions = self.begin - (before - np.repeat(before[self._heads], count))
        return counted

    def _add(self, totals: Positions, amounts: Positions) -> Positions:
        """Totals per case plus amounts per interval; whole numbers throughout: exact at any size."""
        out = totals.copy()
        out[self.owner[self._heads]] += np.add.reduceat(amounts, self._heads)
        return out

    def excluded(self, stops: Positions) -> Positions:
        """How much lies before each case's stop position."""
        nothing = np.zeros(len(stops), np.int64)
        if not len(self.owner):
            return nothing
        return self._add(nothing, np.maximum(np.minimum(self.end, stops[self.owner]) - self.begin, 0))

    def shift(self, targets: Positions) -> Targets:
        """Move targets behind the suspensions that begin before them."""
        if not len(self.owner):
            return Targets(targets, targets)
        # Intervals are disjoint and in order: those a target moves behind are a case's first ones.
        length, target = self.end - self.begin, targets[self.owner]
        due = self._add(targets, np.where(target > self._counted, length, 0))
        over = self._add(targets, np.where(target >= self._counted, length, 0))
        return Targets(np.minimum(due, FAR, out=due), np.minimum(over, FAR, out=over))


def merge(owner: Owners, begin: Positions, end: Positions) -> Suspensions:
    """Union of intervals per owner; empty and reversed ones vanish, touching ones join."""
    keep = end > begin
    owner, begin, reach = owner[keep], begin[keep], end[keep]
    if not len(owner):
        return Suspensions(owner, begin, reach)
    if (owner[1:] < owner[:-1]).any():
        order = np.argsort(owner, kind="stable")
        owner, begin, reach = owner[order], begin[order], reach[order]
    is_same = owner[1:] == owner[:-1]
    # Few owners have several intervals; only those may be out of order.
    if (is_same & (begin[1:] < begin[:-1])).any():
        several = np.flatnonzero(np.append(is_same, False) | np.append(False, is_same))
        order = several[np.lexsort((begin[several], owner[several]))]
        begin[several], reach[several] = begin[order], reach[order]
    # The furthest end so far, which starts anew with each owner.
    heads = _heads(owner)
    count = np.diff(np.append(heads, len(owner)))
    for turn in range(1, int(count.max())):
        row = heads[count > turn] + turn
        reach[row] = np.maximum(reach[row], reach[row - 1])
    is_first = np.append(True, ~is_same | (begin[1:] > reach[:-1]))
    is_last = np.append(is_first[1:], True)
    return Suspensions(owner[is_first], begin[is_first], reach[is_last])


def _heads(owner: Owners) -> Owners:
    """The first row of each owner; owners are sorted."""
    return np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))


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
