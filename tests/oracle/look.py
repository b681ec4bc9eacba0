"""One look at one case: what was known, which clocks ran, and which levels they had reached."""

from __future__ import annotations

import calendar as month_table
from dataclasses import dataclass
from datetime import date, datetime, time
from fractions import Fraction
from math import ceil, floor
from typing import Any

from tests.oracle.calendar import DAY, Calendar
from tests.oracle.profiles import Profile, Rule
from tests.oracle.runs import Message, Run, at, every, occurred, runs, the_one
from tests.oracle.stepping import SHANGHAI, Dates, Steps, as_known, count, local, local_day, office_steps, second

CUT_OFF = time(1)
KINDS = {
    "case": ("accept", "finish", "special_start", "special_result"),
    "stage": ("stage", "finish", "special_start", "special_result"),
    "special": ("special_start", "special_result", "finish"),
    "pre_accept": ("apply", "pre_accept", "accept", "finish"),
    "certificate": ("accept", "finish", "certificate"),
    "consultation": ("inquiry", "reply"),
    "complaint": ("inquiry", "reply"),
}
Which = tuple[str, str, str]
"""Clock, clock key and level of a card."""


@dataclass(frozen=True)
class Boundary:
    """Where a level of one run is reached, and whether it is exceeded when the run stops."""

    rule: Rule
    about: Message
    reached: int
    due: int | None
    exceeded: bool
    provisional: bool
    used_days: Fraction
    excluded_days: Fraction
    limit_days: Fraction


# -------------------- what was known when
def cut_off_from(instant: int) -> int:
    """The first 01:00 of Shanghai at or after the instant."""
    day = local_day(instant)
    cut = second(datetime.combine(day, CUT_OFF, SHANGHAI))
    return cut if cut >= instant else second(datetime.combine(day + DAY, CUT_OFF, SHANGHAI))


def cut_off_after(instant: int) -> int:
    return cut_off_from(instant + 1)


def arrived(message: Message) -> int:
    times = (message.get(name) for name in ("loaded_at", "received_at", "written_at", "occurred_at"))
    return next(at(time) for time in times if time is not None)


def known_at(message: Message) -> int:
    return cut_off_from(arrived(message))


def key(message: Message) -> tuple[Any, ...]:
    return (message["source"], message["case_no"], message["kind"], message["seq"])


def name_of(message: Message) -> str:
    return "/".join(map(str, (*key(message), f"v{message['version']}")))


def admitted(messages: list[Message]) -> list[Message]:
    """One message for each version of each key: the first to arrive; what comes later is a copy or is quarantined."""
    first: dict[tuple[Any, ...], Message] = {}
    for message in sorted(messages, key=arrived):
        first.setdefault((*key(message), message["version"]), message)
    return list(first.values())


def winners(messages: list[Message], as_of: int) -> list[Message]:
    """The highest version of each key, if it has happened; an open stage stays open until its end has happened."""
    best: list[Message] = []
    for record in sorted({key(message) for message in messages}, key=str):
        versions = sorted((m for m in messages if key(m) == record), key=lambda m: m["version"])
        newest = versions[-1]
        if occurred(newest) > as_of and newest["kind"] == "stage" and newest["payload"].get("outcome") is not None:
            still = [m for m in versions if m["payload"].get("outcome") is None and occurred(m) <= as_of]
            newest = still[-1] if still else newest
        if occurred(newest) <= as_of:
            best.append(newest)
    return best


# -------------------- one run against its levels
def months_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, month_table.monthrange(year, month + 1)[1]))


def kind_of_count(mode: str, unit: str) -> str | None:
    """By what a limit of a unit is counted; None where the mode has no meaning for it."""
    if unit in ("natural_day", "month"):
        return "natural"
    if unit == "working_day":
        return {"office_clock": "office", "whole_day": "working"}.get(mode)
    return "office" if mode == "office_clock" else "wall"


def own_kind(run: Run, mode: str) -> str | None:
    """What a run is counted by: a due moment and an instant case in the profile's own measure, whatever their unit."""
    if run.given_due is not None:
        return {"office_clock": "office", "whole_day": "working", "natural_day": "wall"}[mode]
    if run.is_instant:
        return {"office_clock": "office", "whole_day": "working", "natural_day": "natural"}[mode]
    return kind_of_count(mode, run.unit)


def is_limit(limit: float | None, unit: str) -> bool:
    """More than nothing; months are whole ones."""
    return limit is not None and limit > 0 and (unit != "month" or limit == int(limit))


def steps_of(limit: float, unit: str, counter: Steps | Dates) -> Fraction:
    number = Fraction(str(limit))
    if unit == "month":
        begin = local_day(counter.begin)
        return Fraction((months_after(begin, int(number)) - begin).days)
    if unit in ("hour", "minute"):
        assert isinstance(counter, Steps)
        return number * (3600 if unit == "hour" else 60) / counter.step
    return number * counter.per_day


def closing(run: Run, counter: Steps | Dates) -> int:
    """Steps until the end of the working day of the start, if there is any of it left, else of the next one."""
    if isinstance(counter, Dates):
        day = counter.zero
        while not counter.calendar.works(day):
            day += DAY
        if counter.kind == "natural":
            return (day - counter.zero).days
        return int(day > counter.zero)
    day = local_day(run.start)
    while True:
        left = [step for step in office_steps(counter.calendar, day, counter.step) if step >= run.start]
        if left:
            return len(left)
        day += DAY


def extension(run: Run, mode: str, calendar: Calendar, step: int) -> float:
    """The days of the first extension that is approved, within the maximum and not after the statutory boundary."""
    statutory, promised = run.limits.get("statutory") or 0, run.limits.get("promised")
    limit = statutory if statutory > 0 else promised
    kind = kind_of_count(mode, run.unit)
    for start in run.extensions:
        days, approver = start["payload"].get("approved_days"), start["payload"].get("approver")
        if days is None or not 0 < days <= (15 if run.is_joint else 10) or not (approver or "").strip():
            continue
        approved, own = max(occurred(start), run.start), own_kind(run, mode)
        if limit is not None and is_limit(limit, run.unit):
            if kind is not None:
                counter = count(kind, calendar, run.start, run.spans, step)
                if counter.exceeded(floor(steps_of(limit, run.unit, counter)), approved):
                    continue
        elif run.given_due is not None:
            if local_day(approved) > local_day(run.given_due) if own == "working" else approved > run.given_due:
                continue
        elif run.is_instant and own is not None:
            counter = count(own, calendar, run.start, run.spans, step)
            if counter.exceeded(closing(run, counter), approved):
                continue
        return float(days)
    return 0


def boundary(run: Run, rule: Rule, profile: Profile, calendar: Calendar, step: int) -> Boundary | None:
    """How a level of a run stands; None where it has no limit or never comes."""
    longer = extension(run, profile.mode, calendar, step) if run.clock == "case" else 0
    is_given = run.given_due is not None and rule.base == "promised"
    is_instant = run.is_instant and rule.base == "promised"
    kind = kind_of_count(profile.mode, run.unit) if not (is_given or is_instant) else own_kind(run, profile.mode)
    used_kind = own_kind(run, profile.mode)
    if kind is None or used_kind is None:
        return None
    counter = count(kind, calendar, run.start, () if is_given else run.spans, step)
    more = Fraction(str(longer)) * counter.per_day
    shown: Fraction | None = None
    if is_given:
        limit = Fraction(counter.used(max(run.given_due or 0, run.start))) + more
    elif is_instant:
        if rule.offset or rule.percent != 100 or rule.meets:
            return None
        limit, shown = closing(run, counter) + more, more
    elif is_limit(run.limits.get(rule.base), run.unit):
        limit = steps_of(run.limits[rule.base] or 0, run.unit, counter)
        if isinstance(counter, Dates):
            limit = Fraction(floor(limit))
        limit += more
    else:
        return None
    threshold = limit * rule.percent / 100 + rule.offset * counter.per_day
    steps = ceil(threshold) if rule.meets else floor(threshold)
    is_plain = not (rule.offset or rule.meets) and rule.percent == 100
    reached: int | None
    if is_given and is_plain and not longer:
        assert run.given_due is not None
        if kind == "working":
            reached = max(second(datetime.combine(local_day(run.given_due) + DAY, time(0), SHANGHAI)), run.start)
            exceeded = local_day(run.stop) > local_day(run.given_due)
        else:
            reached, exceeded = max(run.given_due, run.start), run.stop > run.given_due
    elif rule.meets:
        reached = run.start if threshold < 0 else counter.met(steps)
        exceeded = threshold < 0 or (reached is not None and run.stop >= reached)
    else:
        reached, exceeded = counter.over(steps), counter.exceeded(steps, run.stop)
    if reached is None:
        return None
    counted = count(used_kind, calendar, run.start, run.spans, step)
    due = run.given_due if is_given and not longer else counter.due(floor(limit))
    return Boundary(
        rule,
        run.about,
        reached,
        due,
        exceeded,
        counter.provisional(reached, is_met=rule.meets or (steps < 0 and not (is_given and is_plain and not longer))),
        Fraction(counted.used(run.stop), counted.per_day),
        Fraction(counted.left_out(run.stop), counted.per_day),
        (limit if shown is None else shown) / counter.per_day,
    )


def boundaries(messages: list[Message], as_of: datetime, profile: Profile, step: int) -> list[datetime]:
    """Where the levels of a case's clocks are reached, exceeded or not, and when they are due."""
    now, told = second(as_of), admitted(messages)
    found = [
        boundary(run, rule, profile, as_known(as_of.date()), step)
        for run in runs(winners(told, now), now, profile.fixed, told)
        for rule in profile.rules
        if rule.clock == run.clock
    ]
    moments = {moment for one in found if one is not None for moment in (one.reached, one.due) if moment is not None}
    return [local(moment - moment % step) for moment in moments]


class Case:
    """One case's messages and the rules it is judged by; asked at any moment, with any knowledge."""

    def __init__(self, messages: list[Message], profile: Profile, step: int) -> None:
        self.messages, self.profile, self.step = admitted(messages), profile, step

    def held(self, believed: list[Message], as_of: int, calendar: Calendar) -> dict[Which, Boundary]:
        """The levels that are exceeded and may carry a card."""
        found = {}
        for run in runs(winners(believed, as_of), as_of, self.profile.fixed, believed):
            for rule in self.profile.rules:
                if rule.clock != run.clock:
                    continue
                one = boundary(run, rule, self.profile, calendar, self.step)
                if one is not None and one.exceeded and not (rule.level == "red" and one.provisional):
                    found[run.clock, run.key, rule.level] = one
        return found

    def known(self, by: int) -> list[Message]:
        return [m for m in self.messages if known_at(m) <= by]

    def evidence(self, which: Which, as_of: int, known_by: int) -> set[str]:
        """What the verdict rests on: everything of the clock's kinds, of its own steps only the run's."""
        clock, seq, _ = which
        rests = winners(self.known(known_by), as_of)
        names = set()
        for kind in KINDS[clock]:
            kept = [m for m in rests if m["kind"] == kind]
            if kind in ("stage", "special_start", "special_result"):
                own = kind == "stage" or clock == "special"
                kept = [m for m in every(kept, kind) if not own or str(m["seq"]) == seq]
            else:
                kept = [m for m in [the_one(kept, kind)] if m is not None]
            names |= {name_of(m) for m in kept}
        return names
