"""The case clock: acceptance to finish against the promised and the statutory limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.axes import axis_for
from etl.domain.axis import UNKNOWN, Axis, Positions, Targets
from etl.domain.calendar import Calendar, CalendarBook
from etl.domain.clock import Spans, Suspensions, suspend
from etl.domain.night import NEVER, Instants
from etl.domain.profile import LevelRule, Profile
from etl.supervision.history import Indices, Mask, Messages, Moments, Picked

KINDS = ("accept", "finish", "special_start", "special_result")
UNITS = ("working_day", "natural_day", "hour", "minute", "month")
Numbers = npt.NDArray[np.float64]
Counted = Callable[[Targets, Instants], Instants]


@dataclass(frozen=True)
class Verdicts:
    """Per (moment, level rule): does the card hold, and the numbers behind it. Days are NaN without an acceptance."""

    holds: Mask
    reached: Instants
    due: Instants
    is_provisional: Mask
    limit_days: Numbers
    used_days: Numbers
    excluded_days: Numbers


@dataclass(frozen=True)
class Facts:
    """One row per moment that has an acceptance."""

    moment: Indices
    accept: Indices
    start: Instants
    stop: Instants
    promised: Numbers
    statutory: Numbers
    given_due: Instants
    unit: Indices
    is_instant: Mask
    is_joint: Mask


def judge(messages: Messages, moments: Moments, picked: Picked, profile: Profile, book: CalendarBook) -> Verdicts:
    """Judge the case clock at every moment; `UsageError` for a limit unit the profile cannot count."""
    shape = (len(moments), len(profile.levels))
    out = Verdicts(
        holds=np.zeros(shape, np.bool_),
        reached=np.full(shape, NEVER),
        due=np.full(shape, NEVER),
        is_provisional=np.zeros(shape, np.bool_),
        limit_days=np.full(shape, np.nan),
        used_days=np.full(shape[0], np.nan),
        excluded_days=np.full(shape[0], np.nan),
    )
    facts = facts_of(messages, moments, picked)
    specials = specials_of(messages, moments, picked)
    groups = facts.unit + len(UNITS) * ((facts.given_due != NEVER) + 2 * moments.calendar[facts.moment])
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        unit, is_given = UNITS[group % len(UNITS)], bool(group // len(UNITS) % 2)
        calendar = book.version(int(group) // len(UNITS) // 2)
        axis = axis_of(profile, unit, is_given, calendar)
        _judge_group(messages, facts, specials, rows, axis, unit, is_given, profile, out)
    return out


def axis_of(profile: Profile, unit: str, is_given: bool, calendar: Calendar) -> Axis:
    mode: str = profile.count_mode
    if is_given:
        unit = "hour" if mode == "natural_day" else "working_day"
    elif unit in ("natural_day", "month") or (unit in ("hour", "minute") and mode == "whole_day"):
        mode = "natural_day"
    return axis_for(mode, unit, calendar, roll=profile.start_rule == "roll")


def facts_of(messages: Messages, moments: Moments, picked: Picked) -> Facts:
    """Acceptances that promise something; a case without any limit has no clock."""
    accept = picked.one(messages, "accept", len(moments))
    has = accept >= 0
    has[has] = messages.is_passed[accept[has]]
    promised, statutory = messages.number("promised_limit"), messages.number("statutory_limit")
    given_due = messages.instant("promised_due_at")
    is_named = {name: messages.is_value("case_type", name) for name in ("instant", "promised")}
    is_instant = ((promised == 0) & ~is_named["promised"]) | (np.isnan(promised) & is_named["instant"])
    has[has] = ((promised > 0) | (statutory > 0) | (given_due != NEVER) | is_instant)[accept[has]]
    moment = np.flatnonzero(has)
    accept = accept[moment]
    finish = picked.one(messages, "finish", len(moments))[moment]
    unit = pc.index_in(pc.fill_null(messages.table["limit_unit"], "working_day"), value_set=pa.array(UNITS))
    return Facts(
        moment=moment,
        accept=accept,
        start=messages.occurred[accept],
        stop=np.where(finish >= 0, messages.occurred[finish], moments.as_of[moment]),
        promised=promised[accept],
        statutory=statutory[accept],
        given_due=given_due[accept],
        unit=unit.to_numpy().astype(np.int64)[accept],
        is_instant=is_instant[accept],
        is_joint=messages.is_value("joint", True)[accept],
    )


@dataclass(frozen=True)
class Specials:
    """Special procedures per moment, ends paired by seq (NEVER: open); extensions apart, in order of approval."""

    moment: Indices
    message: Indices
    end: Instants
    extension_moment: Indices
    extension: Indices


def specials_of(messages: Messages, moments: Moments, picked: Picked) -> Specials:
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
    return Specials(moment[rest], message[rest], end[rest], moment[extension], message[extension])


def _judge_group(
    messages: Messages,
    facts: Facts,
    specials: Specials,
    rows: Indices,
    axis: Axis,
    unit: str,
    is_given: bool,
    profile: Profile,
    out: Verdicts,
) -> None:
    moment, start, stop = facts.moment[rows], facts.start[rows], facts.stop[rows]
    begin = axis.start(start)
    at_stop = np.maximum(axis.at(np.maximum(stop, start)), begin)
    suspensions = suspensions_of(messages, specials, moment, axis, begin)
    excluded = suspensions.excluded(at_stop)
    out.used_days[moment] = axis.days(at_stop - begin - excluded)
    out.excluded_days[moment] = axis.days(excluded)

    extension = extension_days(messages, facts, specials, rows, axis, unit, begin, suspensions, profile)
    group = _Group(
        axis=axis,
        unit=unit,
        start=start,
        begin=begin,
        suspensions=suspensions,
        extend=axis.distance(extension, axis.day_unit, start),
        limits={"promised": facts.promised[rows], "statutory": facts.statutory[rows]},
        is_instant=facts.is_instant[rows],
        given_due=facts.given_due[rows] if is_given else None,
    )
    for column, rule in enumerate(profile.levels):
        bound = group.bound(rule)
        held = np.flatnonzero(bound.is_ruled & (stop >= start) & bound.is_over(axis, start, stop))
        reached = bound.take(held).reached(axis, start[held])
        provisional = axis.is_provisional(reached)
        out.reached[moment[held], column] = reached
        out.due[moment[held], column] = (
            group.bound(rule.model_copy(update={"offset_days": 0})).take(held).due(axis, start[held])
        )
        out.is_provisional[moment[held], column] = provisional
        # A boundary on days nobody has announced yet never carries a red card.
        out.holds[moment[held], column] = ~provisional if rule.level == "red" else True
        out.limit_days[moment, column] = np.where(bound.is_ruled, axis.days(bound.limit), np.nan)


@dataclass(frozen=True)
class _Bound:
    """Where one level begins, per acceptance. `given` is a due moment that needs no counting (NEVER: counted)."""

    is_ruled: Mask
    limit: Positions
    is_from_start: Mask
    targets: Targets
    given: Instants

    def take(self, rows: Indices) -> _Bound:
        targets = Targets(self.targets.due[rows], self.targets.over[rows])
        return _Bound(self.is_ruled[rows], self.limit[rows], self.is_from_start[rows], targets, self.given[rows])

    def is_over(self, axis: Axis, start: Instants, stop: Instants) -> Mask:
        given = np.where(self.given != NEVER, self.given, start)
        over: Mask = np.where(self.given != NEVER, stop > axis.given(given)[0], axis.is_over(self.targets, start, stop))
        return over | self.is_from_start

    def reached(self, axis: Axis, start: Instants) -> Instants:
        given = axis.given(np.where(self.given != NEVER, self.given, start))[1]
        return self._instants(axis.reached, np.maximum(given, start), start)

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
    """Acceptances counted on one axis."""

    axis: Axis
    unit: str
    start: Instants
    begin: Positions
    suspensions: Suspensions
    extend: Positions
    limits: dict[str, Numbers]
    is_instant: Mask
    given_due: Instants | None

    def bound(self, rule: LevelRule) -> _Bound:
        """Base limit plus offset; a due moment the source gives wins over the promised number."""
        size = len(self.start)
        offset = self.axis.distance(np.full(size, float(rule.offset_days)), self.axis.day_unit, self.start)
        given = np.full(size, NEVER)
        if rule.base == "promised" and self.given_due is not None:
            is_ruled = np.ones(size, np.bool_)
            limit = np.maximum(self.axis.at(self.axis.calendar.clip(self.given_due)) - self.begin, 0) + self.extend
            targets = Targets(*[self.begin + limit + offset] * 2)
            if rule.offset_days == 0:
                given = np.where(self.extend == 0, self.given_due, NEVER)
        else:
            limits = self.limits[rule.base]
            is_ruled = limits > 0
            limit = self.axis.distance(np.where(is_ruled, limits, 0), self.unit, self.start) + self.extend
            targets = self.suspensions.shift(self.begin + limit + offset)
        is_from_start = (limit + offset < 0) & (given == NEVER)
        instant = self.is_instant & ~is_ruled & (rule.base == "promised") & (rule.offset_days == 0)
        if instant.any():
            closing = self.suspensions.shift(np.where(instant, self.axis.close(self.start), self.begin) + self.extend)
            targets = Targets(*(np.where(instant, new, old) for new, old in zip(closing, targets, strict=True)))
            is_ruled = is_ruled | instant
        return _Bound(is_ruled, limit, is_from_start, targets, given)


def suspensions_of(
    messages: Messages, specials: Specials, moment: Indices, axis: Axis, begin: npt.NDArray[np.int64]
) -> Suspensions:
    here = np.searchsorted(moment, specials.moment)
    mine = here < len(moment)
    mine[mine] = moment[here[mine]] == specials.moment[mine]
    owner, message, end = here[mine], specials.message[mine], specials.end[mine]
    begins = messages.occurred[message]
    spans = Spans(owner, begins, end, (end == NEVER) | (end == begins))
    return suspend(axis, begin, spans, messages.number("approved_days")[message])


def extension_days(
    messages: Messages,
    facts: Facts,
    specials: Specials,
    rows: Indices,
    axis: Axis,
    unit: str,
    begin: npt.NDArray[np.int64],
    suspensions: Suspensions,
    profile: Profile,
) -> Numbers:
    """Days the first valid extension adds: approved by someone, within the maximum, before the statutory boundary."""
    days = np.zeros(len(rows))
    moment = facts.moment[rows]
    here = np.searchsorted(moment, specials.extension_moment)
    mine = here < len(moment)
    mine[mine] = moment[here[mine]] == specials.extension_moment[mine]
    owner, message = here[mine], specials.extension[mine]
    if not len(owner):
        return days
    statutory, promised = facts.statutory[rows], facts.promised[rows]
    base = np.where(statutory > 0, statutory, np.where(promised > 0, promised, np.nan))
    targets = suspensions.shift(begin + axis.distance(np.where(base > 0, base, 0), unit, facts.start[rows]))
    approved = messages.number("approved_days")[message]
    most = np.where(facts.is_joint[rows][owner], profile.extension_days_max_joint, profile.extension_days_max)
    approver = pc.fill_null(messages.table["approver"], "")
    has_approver = pc.not_equal(pc.utf8_trim_whitespace(approver), "").to_numpy()[message]
    too_late = axis.is_over(
        Targets(targets.due[owner], targets.over[owner]), facts.start[rows][owner], messages.occurred[message]
    )
    valid = has_approver & (approved > 0) & (approved <= most) & ~(too_late & (base[owner] > 0))
    # One extension only: the earliest valid one (rows come in order of approval).
    owners, first = np.unique(owner[valid], return_index=True)
    days[owners] = approved[valid][first]
    return days
