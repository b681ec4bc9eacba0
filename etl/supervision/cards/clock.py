"""One clock of the rule book: which messages start and stop it, and what is judged of its runs.

A clock module says which messages start and stop a run; suspensions and extensions are found here, and all is counted
in `etl.supervision.cards.counting`, for whole columns at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.axes import axis_for
from etl.domain.axis import Axis, Targets
from etl.domain.calendar import Calendar, CalendarBook
from etl.domain.clock import Spans
from etl.domain.night import NEVER, Instants
from etl.domain.profile import LevelRule, Profile
from etl.supervision.cards.counting import Counting, Numbers, Runs, Verdicts
from etl.supervision.history import KIND, Indices, Messages, Moments, Picked

UNITS = ("working_day", "natural_day", "hour", "minute", "month")


@dataclass(frozen=True)
class Clock:
    """One clock of the rule book.

    `run` finds its runs at the moments asked; it sees only messages of `kinds`, and only cases with one of the first of
    these kinds, if `starts` names a column and value with one that holds it. `is_keyed`: a case has several runs,
    told apart by seq. `is_suspended`: special procedures stop it; `is_extendable`: an extension moves its limits.
    """

    name: str
    kinds: tuple[str, ...]
    run: Callable[[Messages, Moments, Picked, Profile], Runs]
    starts: tuple[str, str | bool] | None = None
    is_keyed: bool = False
    is_suspended: bool = False
    is_extendable: bool = False

    def history(self, messages: Messages) -> Messages:
        """What this clock looks at."""
        starts = messages.kind == KIND[self.kinds[0]]
        if self.starts is not None:
            starts &= messages.is_value(*self.starts)
        return messages.of_cases(starts, self.kinds)


def judge(
    messages: Messages,
    moments: Moments,
    picked: Picked,
    clock: Clock,
    rules: tuple[LevelRule, ...],
    profile: Profile,
    book: CalendarBook,
) -> Verdicts:
    """Judge every run of a clock at every moment; `UsageError` for a limit unit the profile cannot count."""
    runs = clock.run(messages, moments, picked, profile)
    specials = specials_of(messages, moments, picked) if clock.is_suspended else NO_SPECIALS
    groups = runs.unit + len(UNITS) * ((runs.given_due != NEVER) + 2 * moments.calendar[runs.moment])
    present = np.flatnonzero(np.bincount(groups)).tolist()

    def judged(group: int, runs: Runs) -> Verdicts:
        unit, is_given = UNITS[group % len(UNITS)], bool(group // len(UNITS) % 2)
        axis = axis_of(profile, unit, is_given, book.version(group // len(UNITS) // 2))
        counting = Counting.of(axis, unit, runs, *spans_of(messages, specials, runs.moment))
        if clock.is_extendable and len(specials.extension):
            counting = counting.extended(extension_days(messages, specials, counting, profile))
        return counting.verdicts(rules)

    if len(present) == 1:
        return judged(present[0], runs)
    out = Verdicts.empty(runs, len(rules))
    for group in present:
        rows = np.flatnonzero(groups == group)
        out.put(rows, judged(group, runs.take(rows)))
    return out


def axis_of(profile: Profile, unit: str, is_given: bool, calendar: Calendar) -> Axis:
    """The measure a limit of this unit is counted on."""
    mode: str = profile.count_mode
    if is_given:
        unit = "hour" if mode == "natural_day" else "working_day"
    elif unit in ("natural_day", "month") or (unit in ("hour", "minute") and mode == "whole_day"):
        mode = "natural_day"
    return axis_for(mode, unit, calendar, roll=profile.start_rule == "roll")


@dataclass(frozen=True)
class Specials:
    """Special procedures per moment, ends paired by seq (NEVER: open); extensions apart, in order of approval."""

    moment: Indices
    message: Indices
    end: Instants
    extension_moment: Indices
    extension: Indices


_NONE = np.zeros(0, np.int64)
NO_SPECIALS = Specials(_NONE, _NONE, _NONE, _NONE, _NONE)


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
    return Specials(moment[rest], message[rest], end[rest], moment[extension], message[extension])


def spans_of(messages: Messages, specials: Specials, moment: Indices) -> tuple[Spans, Numbers]:
    """Suspensions per run and the days approved for each; `moment` is sorted, its runs share its suspensions."""
    run, row = _joined(specials.moment, moment)
    message, end = specials.message[row], specials.end[row]
    begins = messages.occurred[message]
    spans = Spans(run, begins, end, (end == NEVER) | (end == begins))
    return spans, messages.number("approved_days")[message]


def extension_days(messages: Messages, specials: Specials, counting: Counting, profile: Profile) -> Numbers:
    """Days the first valid extension adds: approved by someone, within the maximum, before the statutory boundary."""
    runs, axis = counting.runs, counting.axis
    days = np.zeros(len(runs.moment))
    owner, row = _joined(specials.extension_moment, runs.moment)
    message = specials.extension[row]
    if not len(owner):
        return days
    statutory, promised = runs.limits["statutory"], runs.limits["promised"]
    base = np.where(statutory > 0, statutory, np.where(promised > 0, promised, np.nan))
    limit = axis.distance(np.where(base > 0, base, 0), counting.unit, runs.start)
    targets = counting.suspensions.shift(counting.begin + limit)
    approved = messages.number("approved_days")[message]
    most = np.where(runs.is_joint[owner], profile.extension_days_max_joint, profile.extension_days_max)
    approver = pc.fill_null(messages.table["approver"], "")
    has_approver = pc.not_equal(pc.utf8_trim_whitespace(approver), "").to_numpy()[message]
    too_late = axis.is_over(
        Targets(targets.due[owner], targets.over[owner]), runs.start[owner], messages.occurred[message]
    )
    valid = has_approver & (approved > 0) & (approved <= most) & ~(too_late & (base[owner] > 0))
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
