"""Counting runs on an axis: how much each used, and at which levels.

Columns in, columns out: no messages, no I/O. What a clock shares with every other one once it is known when it ran.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from etl.domain.axis import UNKNOWN, Axis, Positions, Targets
from etl.domain.clock import Spans, Suspensions, suspend
from etl.domain.night import NEVER, Instants
from etl.domain.profile import LEVELS, LevelRule
from etl.supervision.history import Indices, Mask

BASES = ("promised", "statutory", "stage", "approved", "fixed")
Numbers = npt.NDArray[np.float64]
Counted = Callable[[Targets, Instants], Instants]


@dataclass(frozen=True)
class Runs:
    """Runs of one clock, one row per (moment, key), sorted by both.

    `subject` is the message a card of the run is described by; `limits` are per base, in `unit`, NaN where nothing is
    promised; `given_due` is a due moment the source gives itself (NEVER: none).
    """

    moment: Indices
    key: Indices
    subject: Indices
    start: Instants
    stop: Instants
    limits: Mapping[str, Numbers]
    unit: Indices
    given_due: Instants
    is_instant: Mask
    is_joint: Mask

    @classmethod
    def of(
        cls,
        moment: Indices,
        subject: Indices,
        start: Instants,
        stop: Instants,
        limits: Mapping[str, Numbers],
        *,
        key: Indices | None = None,
        unit: Indices | None = None,
    ) -> Runs:
        """Runs that are counted only; in working days unless `unit` says otherwise."""
        zero = np.zeros(len(moment), np.int64)
        return cls(
            moment=moment,
            key=zero if key is None else key,
            subject=subject,
            start=start,
            stop=stop,
            limits=limits,
            unit=zero if unit is None else unit,
            given_due=zero + NEVER,
            is_instant=zero > 0,
            is_joint=zero > 0,
        )

    def take(self, rows: Indices | Mask) -> Runs:
        """The runs at these rows."""
        columns = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "limits"}
        limits = {base: values[rows] for base, values in self.limits.items()}
        return Runs(limits=limits, **{name: values[rows] for name, values in columns.items()})


@dataclass(frozen=True)
class Verdicts:
    """Per (run, level in the order of `LEVELS`): does the card hold, and the numbers behind it.

    `version` is the profile's version that judges each run (-1: none), `base` what each level rests on, in `BASES`.
    """

    runs: Runs
    version: Indices
    base: Indices
    holds: Mask
    reached: Instants
    due: Instants
    is_provisional: Mask
    limit_days: Numbers
    used_days: Numbers
    excluded_days: Numbers

    @classmethod
    def empty(cls, runs: Runs, version: Indices) -> Verdicts:
        """Nothing holds yet, and days are still to be filled in; a level's numbers lie side by side."""
        size = len(runs.moment)

        def columns(value: float, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
            return np.full((len(LEVELS), size), value, dtype).T

        return cls(
            runs=runs,
            version=version,
            base=columns(0, np.int64),
            holds=columns(False, np.bool_),
            reached=columns(NEVER, np.int64),
            due=columns(NEVER, np.int64),
            is_provisional=columns(False, np.bool_),
            limit_days=columns(np.nan, np.float64),
            used_days=np.full(size, np.nan),
            excluded_days=np.full(size, np.nan),
        )

    def put(self, rows: Indices, part: Verdicts, levels: Sequence[int]) -> None:
        """Fill in what was found for some of the runs at some levels."""
        self.used_days[rows], self.excluded_days[rows] = part.used_days, part.excluded_days
        for name in ("base", "holds", "reached", "due", "is_provisional", "limit_days"):
            mine, found = getattr(self, name), getattr(part, name)
            for level in levels:
                mine[rows, level] = found[:, level]

    def row_of(self, moment: Indices, key: Indices) -> Indices:
        """The row of each (moment, key); -1 where that clock does not run."""
        if not len(self.runs.moment):
            return np.full(len(moment), -1)
        width = int(max(self.runs.key.max(), key.max(initial=0))) + 1
        keys, wanted = self.runs.moment * width + self.runs.key, moment * width + key
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[at] == wanted, at, -1)


def is_countable(limits: Numbers, unit: str) -> Mask:
    """Where there is a limit to count by; months are counted whole only."""
    countable: Mask = limits > 0
    return countable & (limits == np.floor(limits)) if unit == "month" else countable


@dataclass(frozen=True)
class _Bound:
    """Where one level begins, per run. `given`: due moments that need no counting (NEVER: counted; None: all are).

    `is_met_enough`: using up the target reaches the level, nothing need exceed it.
    """

    is_met_enough: bool
    is_ruled: Mask
    limit: Positions
    is_from_start: Mask
    targets: Targets
    given: Instants | None

    @cached_property
    def _is_never_at_start(self) -> bool:
        return not self.is_from_start.any()

    def is_over(self, axis: Axis, start: Instants, stop: Instants) -> Mask:
        if self.is_met_enough:
            met: Mask = axis.at(np.maximum(stop, start)) >= self.targets.due
            return met | self.is_from_start
        over = axis.is_over(self.targets, start, stop) | self.is_from_start
        if self.given is not None:
            is_given = self.given != NEVER
            over = np.where(is_given, stop > axis.given(np.where(is_given, self.given, start))[0], over)
        return over

    def reached(self, axis: Axis, start: Instants, rows: Indices) -> Instants:
        """The boundary of these rows, whose runs start at `start`."""
        given = None if self.given is None else self.given[rows]
        if given is not None:
            is_given = given != NEVER
            boundary = axis.given(np.where(is_given, given, start))[1]
            given = np.where(is_given, np.maximum(boundary, start), NEVER)
        return self._instants(axis.met if self.is_met_enough else axis.reached, given, start, rows)

    def due(self, axis: Axis, start: Instants, rows: Indices) -> Instants:
        """When these rows, whose runs start at `start`, are due."""
        return self._instants(axis.due, None if self.given is None else self.given[rows], start, rows)

    def _instants(self, counted: Counted, given: Instants | None, start: Instants, rows: Indices) -> Instants:
        """Each row from its own source: the start itself, a given moment, or counting (NEVER: it never ends)."""
        targets = Targets(self.targets.due[rows], self.targets.over[rows])
        if given is None and self._is_never_at_start and targets.due.max(initial=0) < UNKNOWN:
            return counted(targets, start)
        out = np.where(self.is_from_start[rows], start, NEVER if given is None else given)
        uncounted = np.flatnonzero((out == NEVER) & (targets.due < UNKNOWN))
        if len(uncounted) == len(out):
            return counted(targets, start)
        out[uncounted] = counted(Targets(targets.due[uncounted], targets.over[uncounted]), start[uncounted])
        return out


@dataclass(frozen=True)
class Counting:
    """Runs on one axis, their limits in `unit`: where each begins, what is not counted, what extends its limits."""

    axis: Axis
    unit: str
    runs: Runs
    begin: Positions
    suspensions: Suspensions
    extend: Positions

    @classmethod
    def of(cls, axis: Axis, unit: str, runs: Runs, spans: Spans, approved_days: Numbers) -> Counting:
        """Runs with the suspensions recorded of them (`etl.domain.clock.suspend`); nothing is extended."""
        begin = axis.start(runs.start)
        suspensions = suspend(axis, begin, spans, approved_days)
        return cls(axis, unit, runs, begin, suspensions, np.zeros(1, np.int64))

    def extended(self, days: Numbers) -> Counting:
        """With days added to the limits of each run."""
        return replace(self, extend=self.axis.distance(days, self.axis.day_unit, self.runs.start))

    def verdicts(self, rules: tuple[LevelRule, ...]) -> Verdicts:
        """How every level rule is judged at the stop of every run."""
        axis, start, stop = self.axis, self.runs.start, self.runs.stop
        out = Verdicts.empty(self.runs, np.zeros(len(start), np.int64))
        at_stop = np.maximum(axis.at(np.maximum(stop, start)), self.begin)
        excluded = self.suspensions.excluded(at_stop)
        out.used_days[:] = axis.days(at_stop - self.begin - excluded)
        out.excluded_days[:] = axis.days(excluded)
        is_run = stop >= start
        bounds: dict[LevelRule, _Bound] = {}

        def bound_of(rule: LevelRule) -> _Bound:
            rule = rule.model_copy(update={"level": "yellow"})  # levels of one rule have one bound
            if rule not in bounds:
                bounds[rule] = self._bound(rule)
            return bounds[rule]

        for rule in rules:
            column, bound = LEVELS.index(rule.level), bound_of(rule)
            out.base[:, column] = BASES.index(rule.base)
            held = np.flatnonzero(bound.is_ruled & is_run & bound.is_over(axis, start, stop))
            begun = start[held]
            reached = bound.reached(axis, begun, held)
            # A day met is the day that counts, and so is the start's own.
            provisional = axis.is_provisional(reached + (bound.is_met_enough | bound.is_from_start[held]))
            out.reached[held, column] = reached
            plain = bound_of(rule.model_copy(update={"offset_days": 0, "percent": 100, "comparison": ">"}))
            out.due[held, column] = plain.due(axis, begun, held)
            out.is_provisional[held, column] = provisional
            # A boundary on days nobody has announced yet never carries a red card.
            out.holds[held, column] = ~provisional if rule.level == "red" else True
            out.limit_days[:, column] = np.where(bound.is_ruled, axis.days(bound.limit), np.nan)
        return out

    def _bound(self, rule: LevelRule) -> _Bound:
        """Base limit, its share and offset; a due moment the source gives wins over the promised number."""
        start = self.runs.start
        size = len(start)
        offset = self.axis.distance(np.array([float(rule.offset_days)]), self.axis.day_unit, start[:1])
        given = None
        is_given = rule.base == "promised" and bool((self.runs.given_due != NEVER).any())
        if is_given:
            is_ruled = np.ones(size, np.bool_)
            due = self.axis.calendar.clip(self.runs.given_due)
            limit = np.maximum(self.axis.at(due) - self.begin, 0) + self.extend
        else:
            limits = self.runs.limits.get(rule.base, np.full(size, np.nan))
            is_ruled = is_countable(limits, self.unit)
            limit = self.axis.distance(np.where(is_ruled, limits, 0), self.unit, start) + self.extend
        threshold = rule.threshold(limit, offset)
        is_from_start = threshold < 0
        if is_given:
            targets = Targets(*[self.begin + threshold] * 2)
            if rule.is_plain:
                given = np.where(self.extend == 0, self.runs.given_due, NEVER)
                is_from_start &= given == NEVER
        else:
            targets = self.suspensions.shift(self.begin + threshold)
        if rule.base == "promised" and rule.is_plain:
            instant = self.runs.is_instant & ~is_ruled
            if instant.any():
                closing = self.suspensions.shift(np.where(instant, self.axis.close(start), self.begin) + self.extend)
                targets = Targets(*(np.where(instant, new, old) for new, old in zip(closing, targets, strict=True)))
                is_ruled = is_ruled | instant
        return _Bound(rule.comparison == ">=", is_ruled, limit, is_from_start, targets, given)
