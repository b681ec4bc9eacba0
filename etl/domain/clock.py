"""Suspensions and limits on an axis: the arithmetic every clock shares.

All arrays are aligned with cases unless they belong to suspensions, which name their case by `owner`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

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

    def excluded(self, stops: Positions) -> Positions:
        """How much lies before each case's stop position."""
        out = np.zeros(len(stops), np.int64)
        if len(self.owner):
            inside = np.maximum(np.minimum(self.end, stops[self.owner]) - self.begin, 0)
            out[self.owner[self._heads]] = np.add.reduceat(inside, self._heads)
        return out

    def shift(self, targets: Positions) -> Targets:
        """Move targets behind the suspensions that begin before them."""
        if not len(self.owner):
            return Targets(targets, targets)
        due, over = targets.copy(), targets.copy()
        for row in _turns(self._heads, len(self.owner)):
            case = self.owner[row]
            begin, length = self.begin[row], self.end[row] - self.begin[row]
            due[case] += np.where(due[case] > begin, length, 0)
            over[case] += np.where(over[case] >= begin, length, 0)
        return Targets(np.minimum(due, FAR), np.minimum(over, FAR))


def merge(owner: Owners, begin: Positions, end: Positions) -> Suspensions:
    """Union of intervals per owner; empty and reversed ones vanish, touching ones join."""
    keep = end > begin
    owner, begin, reach = owner[keep], begin[keep], end[keep]
    if not len(owner):
        return Suspensions(owner, begin, reach)
    in_order = (owner[1:] > owner[:-1]) | ((owner[1:] == owner[:-1]) & (begin[1:] >= begin[:-1]))
    if not in_order.all():
        order = np.lexsort((begin, owner))
        owner, begin, reach = owner[order], begin[order], reach[order]
    # The furthest end so far, which starts anew with each owner.
    for row in islice(_turns(_heads(owner), len(owner)), 1, None):
        reach[row] = np.maximum(reach[row], reach[row - 1])
    is_first = np.ones(len(owner), np.bool_)
    is_first[1:] = (owner[1:] != owner[:-1]) | (begin[1:] > reach[:-1])
    is_last = np.append(is_first[1:], True)
    return Suspensions(owner[is_first], begin[is_first], reach[is_last])


def _heads(owner: Owners) -> Owners:
    """The first row of each owner; owners are sorted."""
    return np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))


def _turns(heads: Owners, size: int) -> Iterator[Owners]:
    """Every owner's first row, then every second row of those who have one, and so on."""
    count = np.diff(np.append(heads, size))
    for turn in range(int(count.max())):
        heads, count = heads[count > turn], count[count > turn]
        yield heads + turn


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
