"""What every clock shares: when it ran, against which limits, and how its level rules are judged by that.

A clock module says which messages start and stop a run; counting, suspensions and boundaries are done here, for whole
columns at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.axes import axis_for
from etl.domain.axis import UNKNOWN, Axis, Positions, Targets
from etl.domain.calendar import Calendar, CalendarBook
from etl.domain.clock import Spans, Suspensions, suspend
from etl.domain.night import NEVER, Instants
from etl.domain.profile import LEVELS, LevelRule, Profile, ProfileBook
from etl.supervision.history import Indices, Mask, Messages, Moments, Picked
from etl.supervision.places import calendars_of, places_of

BASES = ("promised", "statutory", "stage", "approved", "fixed")
UNITS = ("working_day", "natural_day", "hour", "minute", "month")
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
class Clock:
    """One clock of the rule book.

    `run` finds its runs and their limits (those of base `fixed` are the profile's) at the moments asked; it sees only
    messages of `kinds`. `is_keyed`: a case has several runs, told apart by seq. `is_suspended`: special procedures stop
    it; `is_extendable`: an extension moves its limits.
    """

    name: str
    kinds: tuple[str, ...]
    run: Callable[[Messages, Moments, Picked], Runs]
    is_keyed: bool = False
    is_suspended: bool = False
    is_extendable: bool = False


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

    def row_of(self, moment: Indices, key: Indices) -> Indices:
        """The row of each (moment, key); -1 where that clock does not run."""
        if not len(self.runs.moment):
            return np.full(len(moment), -1)
        width = int(max(self.runs.key.max(), key.max(initial=0))) + 1
        keys, wanted = self.runs.moment * width + self.runs.key, moment * width + key
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[at] == wanted, at, -1)


def judge(
    messages: Messages,
    moments: Moments,
    picked: Picked,
    clock: Clock,
    profiles: ProfileBook,
    book: CalendarBook,
) -> Verdicts:
    """Judge every run of a clock at every moment; a limit the profile cannot count gives no card."""
    runs = clock.run(messages, moments, picked)
    size = len(runs.moment)
    shape = (size, len(LEVELS))
    out = Verdicts(
        runs=runs,
        version=profiles.version_of(moments.rules[runs.moment], runs.start),
        base=np.zeros(shape, np.int64),
        holds=np.zeros(shape, np.bool_),
        reached=np.full(shape, NEVER),
        due=np.full(shape, NEVER),
        is_provisional=np.zeros(shape, np.bool_),
        limit_days=np.full(shape, np.nan),
        used_days=np.full(size, np.nan),
        excluded_days=np.full(size, np.nan),
    )
    specials = specials_of(messages, moments, picked) if clock.is_suspended else NO_SPECIALS
    own = np.where(runs.given_due != NEVER, GIVEN, np.where(runs.is_instant, INSTANT, COUNTED))
    calendars, calendar = calendars_of(book, moments.calendar[runs.moment], places_of(messages, runs.subject, book))
    groups = runs.unit + len(UNITS) * (own + 3 * (calendar + len(calendars) * out.version))
    for group in np.unique(groups[out.version >= 0]).tolist():
        rows = np.flatnonzero(groups == group)
        unit = UNITS[group % len(UNITS)]
        version, where = divmod(group // len(UNITS) // 3, len(calendars))
        profile = profiles.versions[version]
        rules = profile.rules(clock.name)
        fixed = {"fixed": np.full(len(rows), profile.fixed_days.get(clock.name, np.nan))}
        mine = runs.take(rows)
        mine = replace(mine, limits={**mine.limits, **fixed})
        counted = axis_of(profile, unit, COUNTED, calendars[where])
        days = np.zeros(len(rows))
        if clock.is_extendable:
            days = extension_days(messages, mine, specials, counted, unit, profile)
        parts = [(counted, unit, rules)]
        if own[rows[0]] != COUNTED:  # what the source or the office's day sets, and beside it what is counted
            told = axis_of(profile, unit, int(own[rows[0]]), calendars[where])
            parts = [
                (axis, by_unit, tuple(rule for rule in rules if (rule.base == "promised") == is_promise))
                for axis, by_unit, is_promise in ((counted, unit, False), (told, told.day_unit if told else "", True))
            ]
        for axis, by_unit, ruled in parts:
            if axis is not None:
                _judge_group(messages, mine, rows, specials, axis, by_unit, days, ruled, out)
    return out


COUNTED, GIVEN, INSTANT = 0, 1, 2
"""How a run's promise is told: a number of a unit, the due moment itself, or at once."""


def axis_of(profile: Profile, unit: str, promise: int, calendar: Calendar) -> Axis | None:
    """The measure a limit of this unit is counted on; None where the profile's mode has no meaning for the unit."""
    mode: str = profile.count_mode
    if promise == COUNTED:
        if mode == "natural_day" and unit == "working_day":
            return None
        if unit in ("natural_day", "month") or (unit in ("hour", "minute") and mode == "whole_day"):
            mode = "natural_day"
    elif mode == "natural_day":
        unit = "hour" if promise == GIVEN else "natural_day"
    else:
        unit = "working_day"
    return axis_for(mode, unit, calendar, roll=profile.start_rule == "roll")


def is_countable(limits: Numbers, unit: str) -> Mask:
    """Where there is a limit to count by; months are counted whole only."""
    countable: Mask = limits > 0
    return countable & (limits == np.floor(limits)) if unit == "month" else countable


@dataclass(frozen=True)
class Specials:
    """Special procedures per moment, ends paired by seq (NEVER: open); extensions apart, in order of approval.

    `until`: how long they stop other clocks; an open one until the case finishes.
    """

    moment: Indices
    message: Indices
    end: Instants
    until: Instants
    extension_moment: Indices
    extension: Indices


_NONE = np.zeros(0, np.int64)
NO_SPECIALS = Specials(_NONE, _NONE, _NONE, _NONE, _NONE, _NONE)


def specials_of(messages: Messages, moments: Moments, picked: Picked) -> Specials:
    """Every special procedure known at each moment."""
    moment, message = picked.many(messages, "special_start")
    is_extension = messages.is_value("special_kind", "extension")[message]
    end_moment, end_message = picked.many(messages, "special_result")
    # Both lists are sorted by (moment, seq): a packed key finds each start's result.
    width = int(messages.seq.max(initial=0)) + 1
    keys, ends = moment * width + messages.seq[message], end_moment * width + messages.seq[end_message]
    at = np.searchsorted(ends, keys)
    paired = at < len(ends)
    paired[paired] = ends[at[paired]] == keys[paired]
    end = np.full(len(moment), NEVER)
    end[paired] = messages.occurred[end_message[at[paired]]]
    order = np.lexsort((messages.occurred[message], moment))
    extension = order[is_extension[order]]
    rest = np.flatnonzero(~is_extension)
    finish = picked.one(messages, "finish", len(moments))[moment]
    finished = np.where(finish >= 0, messages.occurred[finish], NEVER)
    until = np.where((end == NEVER) | (end == messages.occurred[message]), finished, end)
    return Specials(moment[rest], message[rest], end[rest], until[rest], moment[extension], message[extension])


def _judge_group(
    messages: Messages,
    runs: Runs,
    rows: Indices,
    specials: Specials,
    axis: Axis,
    unit: str,
    extension: Numbers,
    rules: tuple[LevelRule, ...],
    out: Verdicts,
) -> None:
    begin = axis.start(runs.start)
    at_stop = np.maximum(axis.at(np.maximum(runs.stop, runs.start)), begin)
    suspensions = suspensions_of(messages, specials, runs.moment, axis, begin)
    excluded = suspensions.excluded(at_stop)
    out.used_days[rows] = axis.days(at_stop - begin - excluded)
    out.excluded_days[rows] = axis.days(excluded)

    extend = axis.distance(extension, axis.day_unit, runs.start)
    group = _Group(axis, unit, runs, begin, suspensions, extend)
    for rule in rules:
        column, bound = LEVELS.index(rule.level), group.bound(rule)
        out.base[rows, column] = BASES.index(rule.base)
        held = np.flatnonzero(bound.is_ruled & (runs.stop >= runs.start) & bound.is_over(axis, runs.start, runs.stop))
        reached = bound.take(held).reached(axis, runs.start[held])
        provisional = axis.is_provisional(reached + bound.is_met_enough)  # a day met is the day that counts
        out.reached[rows[held], column] = reached
        due = group.bound(rule.model_copy(update={"offset_days": 0, "percent": 100, "comparison": ">"})).take(held)
        out.due[rows[held], column] = due.due(axis, runs.start[held])
        out.is_provisional[rows[held], column] = provisional
        # A boundary on days nobody has announced yet never carries a red card.
        out.holds[rows[held], column] = ~provisional if rule.level == "red" else True
        out.limit_days[rows, column] = np.where(bound.is_ruled, axis.days(bound.limit), np.nan)


@dataclass(frozen=True)
class _Bound:
    """Where one level begins, per run. `given` is a due moment that needs no counting (NEVER: counted).

    `is_met_enough`: using up the target reaches the level, nothing need exceed it.
    """

    is_met_enough: bool
    is_ruled: Mask
    limit: Positions
    is_from_start: Mask
    targets: Targets
    given: Instants

    def take(self, rows: Indices) -> _Bound:
        targets = Targets(self.targets.due[rows], self.targets.over[rows])
        columns = (self.is_ruled[rows], self.limit[rows], self.is_from_start[rows], targets, self.given[rows])
        return _Bound(self.is_met_enough, *columns)

    def is_over(self, axis: Axis, start: Instants, stop: Instants) -> Mask:
        if self.is_met_enough:
            met: Mask = axis.at(np.maximum(stop, start)) >= self.targets.due
            return met | self.is_from_start
        given = np.where(self.given != NEVER, self.given, start)
        over: Mask = np.where(self.given != NEVER, stop > axis.given(given)[0], axis.is_over(self.targets, start, stop))
        return over | self.is_from_start

    def reached(self, axis: Axis, start: Instants) -> Instants:
        given = axis.given(np.where(self.given != NEVER, self.given, start))[1]
        return self._instants(axis.met if self.is_met_enough else axis.reached, np.maximum(given, start), start)

    def due(self, axis: Axis, start: Instants) -> Instants:
        return self._instants(axis.due, self.given, start)

    def _instants(self, counted: Counted, given: Instants, start: Instants) -> Instants:
        """Each row from its own source: the start itself, a given moment, or counting (NEVER: it never ends)."""
        out = np.where(self.is_from_start, start, np.where(self.given != NEVER, given, NEVER))
        rows = np.flatnonzero(~self.is_from_start & (self.given == NEVER) & (self.targets.due < UNKNOWN))
        out[rows] = counted(Targets(self.targets.due[rows], self.targets.over[rows]), start[rows])
        return out


@dataclass(frozen=True)
class _Group:
    """Runs counted on one axis."""

    axis: Axis
    unit: str
    runs: Runs
    begin: Positions
    suspensions: Suspensions
    extend: Positions

    def bound(self, rule: LevelRule) -> _Bound:
        """Base limit, its share and offset; a due moment the source gives wins over the promised number."""
        start = self.runs.start
        size = len(start)
        offset = self.axis.distance(np.full(size, float(rule.offset_days)), self.axis.day_unit, start)
        given = np.full(size, NEVER)
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
        if is_given:
            targets = Targets(*[self.begin + threshold] * 2)
            if rule.is_plain:
                given = np.where(self.extend == 0, self.runs.given_due, NEVER)
        else:
            targets = self.suspensions.shift(self.begin + threshold)
        is_from_start = (threshold < 0) & (given == NEVER)
        instant = self.runs.is_instant & ~is_ruled & (rule.base == "promised") & rule.is_plain
        if instant.any():
            closing = self.suspensions.shift(np.where(instant, self.axis.close(start), self.begin) + self.extend)
            targets = Targets(*(np.where(instant, new, old) for new, old in zip(closing, targets, strict=True)))
            is_ruled = is_ruled | instant
        return _Bound(rule.comparison == ">=", is_ruled, limit, is_from_start, targets, given)


def suspensions_of(
    messages: Messages, specials: Specials, moment: Indices, axis: Axis, begin: Positions
) -> Suspensions:
    """Merged suspensions per run; `moment` is sorted, and every run of a moment has that moment's suspensions."""
    run, row = _joined(specials.moment, moment)
    message, until = specials.message[row], specials.until[row]
    spans = Spans(run, messages.occurred[message], until, until == NEVER)
    return suspend(axis, begin, spans, messages.number("approved_days")[message])


def extension_days(
    messages: Messages,
    runs: Runs,
    specials: Specials,
    axis: Axis | None,
    unit: str,
    profile: Profile,
) -> Numbers:
    """Days the first valid extension adds: approved by someone, within the maximum, before the statutory boundary."""
    days = np.zeros(len(runs.moment))
    owner, row = _joined(specials.extension_moment, runs.moment)
    message = specials.extension[row]
    if not len(owner):
        return days
    approved = messages.number("approved_days")[message]
    most = np.where(runs.is_joint[owner], profile.extension_days_max_joint, profile.extension_days_max)
    approver = pc.fill_null(messages.table["approver"], "")
    has_approver = pc.not_equal(pc.utf8_trim_whitespace(approver), "").to_numpy()[message]
    valid = has_approver & (approved > 0) & (approved <= most)
    statutory, promised = runs.limits["statutory"], runs.limits["promised"]
    base = np.where(statutory > 0, statutory, promised)
    has_base = is_countable(base, unit)
    if axis is not None:
        begin = axis.start(runs.start)
        targets = begin + axis.distance(np.where(has_base, base, 0), unit, runs.start)
        due, over = suspensions_of(messages, specials, runs.moment, axis, begin).shift(targets)
        approved_at = np.maximum(messages.occurred[message], runs.start[owner])
        valid &= ~(has_base[owner] & axis.is_over(Targets(due[owner], over[owner]), runs.start[owner], approved_at))
    # One extension only: the earliest valid one (rows come in order of approval).
    owners, first = np.unique(owner[valid], return_index=True)
    days[owners] = approved[valid][first]
    return days


def _joined(theirs: Indices, ours: Indices) -> tuple[Indices, Indices]:
    """Two sorted columns of moments -> every (our row, their row) of equal moments, by our row."""
    first, last = np.searchsorted(theirs, ours), np.searchsorted(theirs, ours, side="right")
    count = last - first
    run = np.repeat(np.arange(len(ours)), count)
    return run, np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)


def units_of(messages: Messages, rows: Indices) -> Indices:
    """The unit (index into `UNITS`) of each message's limit; working days where it says none."""
    unit = pc.index_in(pc.fill_null(messages.table["limit_unit"], "working_day"), value_set=pa.array(UNITS))
    units: Indices = unit.to_numpy().astype(np.int64)[rows]
    return units


def earliest(*instants: Instants) -> Instants:
    """The earliest of several columns of instants."""
    first: Instants = np.minimum.reduce(instants)
    return first
