"""One clock of the rule book: which messages start and stop it, and what is judged of its runs.

A clock module says which messages start and stop a run; suspensions and extensions are found here, and all is counted
in `etl.supervision.cards.counting`, for whole columns at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow.compute as pc

from etl.domain.axes import axis_for
from etl.domain.axis import Axis, Targets
from etl.domain.calendar import Calendar, CalendarBook
from etl.domain.clock import Spans
from etl.domain.night import NEVER, Instants
from etl.domain.profile import LEVELS, Profile, ProfileBook
from etl.supervision.cards.counting import Counting, Numbers, Runs, Verdicts, is_countable
from etl.supervision.history import KIND, Indices, Messages, Moments, Picked
from etl.supervision.places import calendars_of, places_of

UNITS = ("working_day", "natural_day", "hour", "minute", "month")


@dataclass(frozen=True)
class Clock:
    """One clock of the rule book.

    `run` finds its runs and their limits (those of base `fixed` are the profile's) at the moments asked; it sees only
    messages of `kinds`, and only cases with one of the first of these kinds, or, if `starts` names a column and its
    value, with a message that holds it. `is_keyed`: a case has several runs, told apart by seq. `is_suspended`: special
    procedures stop it; `is_extendable`: an extension moves its limits.
    """

    name: str
    kinds: tuple[str, ...]
    run: Callable[[Messages, Moments, Picked], Runs]
    starts: tuple[str, str | bool] | None = None
    is_keyed: bool = False
    is_suspended: bool = False
    is_extendable: bool = False

    def history(self, messages: Messages) -> Messages:
        """What this clock looks at."""
        starts = messages.kind == KIND[self.kinds[0]] if self.starts is None else messages.is_value(*self.starts)
        return messages.of_cases(starts, self.kinds)


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
    version = profiles.version_of(moments.rules[runs.moment], runs.start)
    out = Verdicts.empty(runs, version)
    specials = specials_of(messages, moments, picked) if clock.is_suspended else NO_SPECIALS
    own = np.where(runs.given_due != NEVER, GIVEN, np.where(runs.is_instant, INSTANT, COUNTED))
    calendars, calendar = calendars_of(book, moments.calendar[runs.moment], places_of(messages, runs.subject, book))
    groups = runs.unit + len(UNITS) * (own + 3 * (calendar + len(calendars) * version))
    for group in np.flatnonzero(np.bincount(groups[version >= 0])).tolist():
        rows = np.flatnonzero(groups == group)
        unit, promise = UNITS[group % len(UNITS)], group // len(UNITS) % 3
        ruled_by, where = divmod(group // len(UNITS) // 3, len(calendars))
        profile, known = profiles.versions[ruled_by], calendars[where]
        fixed = {"fixed": np.full(len(rows), profile.fixed(clock.name))}
        mine = runs if len(rows) == len(version) else runs.take(rows)
        mine = replace(mine, limits={**mine.limits, **fixed})
        spans = spans_of(messages, specials, mine.moment)
        axis, rules = axis_of(profile, unit, COUNTED, known), profile.rules(clock.name)
        counted = None if axis is None else Counting.of(axis, unit, mine, *spans)
        parts, set_by_day = [(counted, rules)], None
        if promise != COUNTED:  # what the source or the office's day sets, and beside it what is counted
            told = axis_of(profile, unit, promise, known)
            set_by_day = None if told is None else Counting.of(told, told.day_unit, mine, *spans)
            parts = [
                (counted, tuple(rule for rule in rules if rule.base != "promised")),
                (set_by_day, tuple(rule for rule in rules if rule.base == "promised")),
            ]
        is_extended = clock.is_extendable and len(specials.extension) > 0
        days = extension_days(messages, mine, specials, counted, set_by_day, unit, profile) if is_extended else None
        for counting, ruled in parts:
            if counting is not None:
                part = counting if days is None else counting.extended(days)
                out.put(rows, part.verdicts(ruled), [LEVELS.index(rule.level) for rule in ruled])
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


def spans_of(messages: Messages, specials: Specials, moment: Indices) -> tuple[Spans, Numbers]:
    """Suspensions per run and the days approved for each; `moment` is sorted, its runs share its suspensions."""
    run, row = joined(specials.moment, moment)
    message, until = specials.message[row], specials.until[row]
    spans = Spans(run, messages.occurred[message], until, until == NEVER)
    return spans, messages.number("approved_days")[message]


def extension_days(
    messages: Messages,
    runs: Runs,
    specials: Specials,
    counting: Counting | None,
    set_by_day: Counting | None,
    unit: str,
    profile: Profile,
) -> Numbers:
    """Days the first valid extension adds: approved by someone, within the maximum, before the statutory boundary.

    Where nothing is counted (`counting`), before the due moment given, or the close of the day (`set_by_day`).
    """
    days = np.zeros(len(runs.moment))
    owner, row = joined(specials.extension_moment, runs.moment)
    message = specials.extension[row]
    if not len(owner):
        return days
    approved = messages.number("approved_days")[message]
    most = np.where(runs.is_joint[owner], profile.extension_days_max_joint, profile.extension_days_max)
    approver = pc.fill_null(messages.texts("approver", message), "")
    has_approver = pc.not_equal(pc.utf8_trim_whitespace(approver), "").to_numpy()
    valid = has_approver & (approved > 0) & (approved <= most)
    statutory, promised = runs.limits["statutory"], runs.limits["promised"]
    base = np.where(statutory > 0, statutory, promised)
    has_base = is_countable(base, unit)
    start = runs.start[owner]
    approved_at = np.maximum(messages.occurred[message], start)
    if counting is not None:
        limit = counting.axis.distance(np.where(has_base, base, 0), unit, runs.start)
        due, over = counting.suspensions.shift(counting.begin + limit)
        valid &= ~(has_base[owner] & counting.axis.is_over(Targets(due[owner], over[owner]), start, approved_at))
    if set_by_day is not None:
        axis = set_by_day.axis
        if (runs.given_due != NEVER).all():
            is_over = approved_at > axis.given(runs.given_due)[0][owner]
        else:
            due, over = set_by_day.suspensions.shift(axis.close(runs.start))
            is_over = axis.is_over(Targets(due[owner], over[owner]), start, approved_at)
        valid &= has_base[owner] | ~is_over
    # One extension only: the earliest valid one (rows come in order of approval).
    owners, first = np.unique(owner[valid], return_index=True)
    days[owners] = approved[valid][first]
    return days


def joined(theirs: Indices, ours: Indices) -> tuple[Indices, Indices]:
    """Two sorted columns of moments -> every (our row, their row) of equal moments, by our row."""
    first, last = np.searchsorted(theirs, ours), np.searchsorted(theirs, ours, side="right")
    count = last - first
    run = np.repeat(np.arange(len(ours)), count)
    return run, np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)


def units_of(messages: Messages, rows: Indices) -> Indices:
    """The unit (index into `UNITS`) of each message's limit; working days where it says none."""
    return messages.code("limit_unit", UNITS, "working_day")[rows]


def earliest(*instants: Instants) -> Instants:
    """The earliest of several columns of instants."""
    first: Instants = np.minimum.reduce(instants)
    return first
