"""The case clock's cards, judged again from nothing at every cut-off night.

Reads only canonical messages. Straight loops: for each case, for each night, select what was known, measure, compare.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time
from fractions import Fraction
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.calendar import DAY, Calendar, known_on
from tests.oracle.clock import DayClock, OfficeClock, Span, moment, seconds

SHANGHAI = ZoneInfo("Asia/Shanghai")
CUT_OFF = time(1)
LEVELS = ("reminder", "yellow", "red")
Message = dict[str, Any]


@dataclass(frozen=True)
class Boundary:
    """Where a level of one case is reached, and whether it is exceeded at the moment of judging."""

    level: str
    base: str
    reached: Fraction
    exceeded: bool
    provisional: bool
    used_days: Fraction
    limit_days: Fraction | None


# -------------------- what was known when
def at(value: str) -> Fraction:
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        raise ValueError(f"no zone: {value}")
    return seconds(parsed)


def cut_off_from(instant: Fraction) -> Fraction:
    """The first 01:00 of Shanghai at or after the instant."""
    day = moment(instant, SHANGHAI).date()
    cut = seconds(datetime.combine(day, CUT_OFF, SHANGHAI))
    return cut if cut >= instant else seconds(datetime.combine(day + DAY, CUT_OFF, SHANGHAI))


def cut_off_after(instant: Fraction) -> Fraction:
    cut = cut_off_from(instant)
    return cut if cut > instant else cut_off_from(instant + 1)


def known_at(message: Message) -> Fraction:
    for field in ("loaded_at", "received_at", "written_at", "occurred_at"):
        if message.get(field) is not None:
            return cut_off_from(at(message[field]))
    raise ValueError("a message without any time")


def key(message: Message) -> tuple[Any, ...]:
    return (message["source"], message["case_no"], message["kind"], message["seq"])


def content(message: Message) -> str:
    """What the message says, without when it travelled."""
    return json.dumps(
        {name: value for name, value in message.items() if name not in ("written_at", "received_at", "loaded_at")},
        sort_keys=True,
    )


def admitted(messages: list[Message]) -> list[Message]:
    """One message for each version of each key: the first known; the same version again is a copy or is quarantined."""
    first: dict[tuple[Any, ...], Message] = {}
    for message in sorted(messages, key=known_at):
        first.setdefault((*key(message), message["version"]), message)
    return list(first.values())


def winners(messages: list[Message]) -> list[Message]:
    """The highest version of each key."""
    best: dict[tuple[Any, ...], Message] = {}
    for message in messages:
        if key(message) not in best or message["version"] > best[key(message)]["version"]:
            best[key(message)] = message
    return list(best.values())


# -------------------- one case, one look
def passed_accept(messages: list[Message]) -> Message | None:
    passed = [m for m in messages if m["kind"] == "accept" and m["payload"].get("outcome", "passed") == "passed"]
    return min(passed, key=lambda m: at(m["occurred_at"]), default=None)


def suspensions(messages: list[Message], whole_day: bool) -> list[Span]:
    spans = []
    for start in messages:
        if start["kind"] != "special_start" or start["payload"]["special_kind"] == "extension":
            continue
        begins, ends = at(start["occurred_at"]), None
        for result in messages:
            if result["kind"] == "special_result" and result["seq"] == start["seq"]:
                ends = at(result["occurred_at"])
        if ends == begins:
            ends = None
        if ends is not None and ends < begins:
            continue
        approved = start["payload"].get("approved_days")
        cap = None if approved is None else Fraction(str(approved))
        if whole_day:
            spans.append(Span(local_day(begins), None if ends is None else local_day(ends), cap))
        else:
            spans.append(Span(begins, ends, cap))
    return spans


def local_day(instant: Fraction) -> date:
    return moment(instant, SHANGHAI).date()


class Measure:
    """The clock of one profile, for instants: used days, and where a threshold in days is reached and exceeded."""

    def __init__(self, calendar: Calendar, count_mode: str) -> None:
        self.calendar, self.whole_day = calendar, count_mode == "whole_day"
        self.office, self.days = OfficeClock(calendar), DayClock(calendar)

    def used(self, start: Fraction, end: Fraction, spans: list[Span]) -> Fraction:
        if self.whole_day:
            return self.days.used(local_day(start), local_day(end), spans)
        return self.office.used(start, end, spans)[0]

    def reached(self, start: Fraction, threshold: Fraction, spans: list[Span]) -> Fraction | None:
        if threshold < 0:
            return start
        if self.whole_day:
            due = self.days.due(local_day(start), threshold, spans)
            return None if due is None else seconds(datetime.combine(due + DAY, time(0), SHANGHAI))
        return self.office.boundary(start, threshold, spans)

    def exceeded(self, start: Fraction, end: Fraction, threshold: Fraction, spans: list[Span]) -> bool:
        if threshold < 0:
            return True
        if self.whole_day:
            due = self.days.due(local_day(start), threshold, spans)
            return due is not None and local_day(end) > due
        return self.used(start, end, spans) > threshold

    def provisional(self, reached: Fraction, threshold: Fraction) -> bool:
        """A whole day's boundary is the midnight after its due date; the due date is what a notice can move."""
        day = local_day(reached)
        return self.calendar.provisional(day - DAY if self.whole_day and threshold >= 0 else day)


def three_days_before(due: Fraction, accepted: Fraction, measure: Measure) -> Fraction:
    """The last moment at which 3 working days remain until `due`; acceptance when even then fewer remain."""
    day, left = local_day(due), Fraction(3)
    while True:
        office = measure.office.office(day)
        whole = sum((closes - opens for opens, closes in office), Fraction(0))
        for opens, closes in reversed(office):
            closes = min(closes, due)
            if closes <= opens:
                continue
            if (closes - opens) / whole >= left:
                return max(closes - left * whole, accepted)
            left -= (closes - opens) / whole
        day -= DAY


def instant_due(accepted: Fraction, measure: Measure) -> Fraction:
    """The close of the acceptance day if accepted on a working day before it, else of the next working day."""
    day = local_day(accepted)
    while True:
        office = measure.office.office(day)
        if office and accepted < office[-1][1]:
            return office[-1][1]
        day += DAY


def extension_days(
    messages: list[Message], accept: Message, statutory_reached: Fraction | None, whole_day: bool
) -> Fraction:
    most = 15 if accept["payload"].get("joint") else 10
    for start in messages:
        if start["kind"] != "special_start" or start["payload"]["special_kind"] != "extension":
            continue
        approved, approver = start["payload"].get("approved_days"), start["payload"].get("approver")
        if approved is None or approved > most or not approver:
            continue
        when = at(start["occurred_at"])
        in_time = statutory_reached is None or (when < statutory_reached if whole_day else when <= statutory_reached)
        if in_time:
            return Fraction(str(approved))
    return Fraction(0)


def look(winning: list[Message], as_of: Fraction, calendar: Calendar, count_mode: str) -> dict[str, Boundary]:
    """The boundaries of one case seen at `as_of`, by level; `winning` is one message a key. Empty: no case clock."""
    messages = [m for m in winning if at(m["occurred_at"]) <= as_of]
    accept = passed_accept(messages)
    if accept is None:
        return {}
    accepted = at(accept["occurred_at"])
    finished = min((at(m["occurred_at"]) for m in messages if m["kind"] == "finish"), default=None)
    if finished is not None and finished < accepted:
        return {}
    stop = as_of if finished is None else finished
    measure = Measure(calendar, count_mode)
    spans = suspensions(messages, measure.whole_day)
    used = measure.used(accepted, stop, spans)
    promised = accept["payload"].get("promised_limit")
    statutory = accept["payload"].get("statutory_limit")
    if accept["payload"].get("limit_unit", "working_day") != "working_day":
        raise NotImplementedError("this oracle judges working-day limits only")

    statutory_reached = None
    if statutory:
        statutory_reached = measure.reached(accepted, Fraction(str(statutory)), spans)
    longer = extension_days(messages, accept, statutory_reached, measure.whole_day)

    found: dict[str, Boundary] = {}

    def level(name: str, base: str, limit: float, offset: int) -> None:
        longest = Fraction(str(limit)) + longer
        threshold = longest + offset
        reached = measure.reached(accepted, threshold, spans)
        if reached is not None:
            found[name] = Boundary(
                name,
                base,
                reached,
                measure.exceeded(accepted, stop, threshold, spans),
                measure.provisional(reached, threshold),
                used,
                longest,
            )

    def moment_level(name: str, reached: Fraction, exceeded: bool, limit: Fraction | None) -> None:
        found[name] = Boundary(
            name, "promised", reached, exceeded, calendar.provisional(local_day(reached)), used, limit
        )

    promised_due_at = accept["payload"].get("promised_due_at")
    case_type = accept["payload"].get("case_type")
    if case_type == "instant" or (case_type is None and promised == 0):
        # Time counts again only when the office next opens, so finishing that evening is still the same working day.
        reached = measure.office.boundary(instant_due(accepted, measure), Fraction(0), [])
        assert reached is not None
        moment_level("yellow", reached, stop > reached, Fraction(0))
    elif promised_due_at is not None:
        due = at(promised_due_at)
        moment_level("yellow", max(due, accepted), stop > due, None)
        fewer_than_3 = measure.used(stop, due, []) < 3 if stop < due else True
        moment_level("reminder", three_days_before(due, accepted, measure), fewer_than_3, None)
    elif promised:
        level("reminder", "promised", promised, -3)
        level("yellow", "promised", promised, 0)
    if statutory:
        level("red", "statutory", statutory, 0)
    return found


def held(winning: list[Message], as_of: Fraction, known_by: Fraction, count_mode: str) -> dict[str, Boundary]:
    """The levels of one case that are exceeded and may carry a card, with the calendar known by `known_by`."""
    boundaries = look(winning, as_of, known_on(local_day(known_by)), count_mode)
    return {name: b for name, b in boundaries.items() if b.exceeded and not (name == "red" and b.provisional)}


# -------------------- the nature
def is_first(message: Message, every: list[Message]) -> bool:
    """Version 1; an accept also when every earlier version only asked for a supplement."""
    if message["version"] == 1:
        return True
    if message["kind"] != "accept":
        return False
    earlier = {m["version"]: m for m in every if key(m) == key(message) and m["version"] < message["version"]}
    return set(earlier) == set(range(1, message["version"])) and all(
        m["payload"].get("outcome") == "supplement" for m in earlier.values()
    )


def nature_of_removed(
    case: list[Message], boundary: Boundary, held_at: Fraction, as_of: Fraction, known_by: Fraction, count_mode: str
) -> str:
    known_now = [m for m in case if known_at(m) <= known_by]
    at_held = [m for m in case if known_at(m) <= held_at]
    if boundary.level not in held(winners(at_held), held_at, known_by, count_mode):
        return "calendar"
    own_night = min(cut_off_after(boundary.reached), as_of)
    suspects = [
        m
        for m in known_now
        if known_at(m) > own_night
        and not (is_first(m, case) and m["written_at"] is not None and at(m["written_at"]) <= boundary.reached)
    ]
    for number in range(1, len(suspects) + 1):
        for unsaid in combinations(suspects, number):
            believed = [m for m in known_now if m not in unsaid]
            if boundary.level in held(winners(believed), as_of, known_by, count_mode):
                return "suspect"
    return "push_delay"


# -------------------- the cards
def judge(
    messages: list[Message],
    as_of: datetime,
    known_by: datetime | None = None,
    profile: str | dict[str, Any] = "hunan",
) -> list[dict[str, Any]]:
    """Cards of the case clock listed at (as_of, known_by), sorted by case and level."""
    count_mode = "office_clock" if isinstance(profile, str) else profile["count_mode"]
    now, known = seconds(as_of), seconds(known_by or as_of)
    cards = []
    for case_no in sorted({m["case_no"] for m in messages}):
        case = admitted([m for m in messages if m["case_no"] == case_no])
        known_now = [m for m in case if known_at(m) <= known]
        standing = held(winners(known_now), now, known, count_mode)

        last_held: dict[str, tuple[Fraction, Boundary]] = {}
        cut = min((known_at(m) for m in case), default=now)
        while cut <= min(now, known):
            known_then = [m for m in case if known_at(m) <= cut]
            for name, boundary in held(winners(known_then), cut, cut, count_mode).items():
                last_held[name] = (cut, boundary)
            cut = cut_off_after(cut)

        for name in LEVELS:
            if name in standing:
                boundary = standing[name]
                own_night = min(cut_off_after(boundary.reached), now, known)
                stood_then = name in held(winners(known_now), now, own_night, count_mode)
                nature = "conduct" if stood_then else "calendar"
            elif name in last_held:
                held_at, boundary = last_held[name]
                nature = nature_of_removed(case, boundary, held_at, now, known, count_mode)
            else:
                continue
            cards.append(
                {
                    "case_no": case_no,
                    "clock": "case",
                    "level": name,
                    "reached_at": moment(boundary.reached, SHANGHAI).isoformat(),
                    "used_days": float(round(boundary.used_days, 6)),
                    "limit_days": None if boundary.limit_days is None else float(boundary.limit_days),
                    "base": boundary.base,
                    "nature": nature,
                    "standing": name in standing or nature == "suspect",
                    "provisional": boundary.provisional,
                }
            )
    return cards
