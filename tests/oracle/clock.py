"""One clock, one request, answered by walking day after day with exact fractions.

Inside, an instant is a Fraction of seconds since 1970 and a local day is a `date`; only the answer is rounded.
"""

from __future__ import annotations

import calendar as month_table
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import ceil, inf, isfinite
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.calendar import DAY, Calendar, CustomCalendar, known_on

OFFICE_UNITS = {"hour": Fraction(3600), "minute": Fraction(60)}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE_HOURS = ((time(9), time(12)), (time(13, 30), time(17, 30)))
UNITS = {
    "office_clock": ("working_day", "hour", "minute"),
    "whole_day": ("working_day",),
    "natural_day": ("natural_day", "month", "hour", "minute"),
}


def seconds(moment: datetime) -> Fraction:
    return Fraction((moment.astimezone(UTC) - EPOCH) // timedelta(microseconds=1), 1_000_000)


def moment(instant: Fraction, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(microseconds=ceil(instant * 1_000_000))).astimezone(zone)


@dataclass(frozen=True)
class Span:
    """A suspension. `start` and `end` are instants (office, wall time) or dates (whole days); end None = open."""

    start: Any
    end: Any
    cap: Fraction | None


# -------------------- time inside office hours
class OfficeClock:
    def __init__(
        self, calendar: Calendar | CustomCalendar, hours: Any = OFFICE_HOURS, zone: ZoneInfo = SHANGHAI
    ) -> None:
        self.calendar, self.hours, self.zone = calendar, hours, zone

    def local_day(self, instant: Fraction) -> date:
        return moment(instant, self.zone).date()

    def office(self, day: date) -> list[tuple[Fraction, Fraction]]:
        """The office hours of one local day, as instants; empty on a rest day."""
        if not self.calendar.works(day):
            return []
        return [(self.instant(day, opens), self.instant(day, closes)) for opens, closes in self.hours]

    def instant(self, day: date, clock: time) -> Fraction:
        midnight = clock == time.max  # 24:00
        return seconds(
            datetime.combine(day + DAY, time(0), self.zone) if midnight else datetime.combine(day, clock, self.zone)
        )

    def pieces(self, start: Fraction) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
        """Office time from `start` on: (from, to, office seconds of that day), for ever."""
        day = self.local_day(start)
        while True:
            office = self.office(day)
            whole = sum((closes - opens for opens, closes in office), Fraction(0))
            for opens, closes in office:
                if closes > start:
                    yield max(opens, start), closes, whole
            day += DAY

    def excluded(self, start: Fraction, spans: list[Span]) -> list[tuple[Fraction, Any]]:
        """Each span clipped to the clock's start, then capped from there; then all of them merged."""
        cut = []
        for span in spans:
            opens = max(span.start, start)
            closes = inf if span.end is None else span.end
            if closes <= opens or span.cap == 0:
                continue
            if span.cap is not None:
                left = span.cap
                for a, b, whole in self.pieces(opens):
                    if a >= closes:
                        break
                    if (b - a) / whole >= left:
                        closes = min(closes, a + left * whole)
                        break
                    left -= (b - a) / whole
            cut.append((opens, closes))
        merged: list[tuple[Fraction, Any]] = []
        for opens, closes in sorted(cut):
            if merged and opens <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], closes))
            else:
                merged.append((opens, closes))
        return merged

    def counted(self, start: Fraction, spans: list[Span]) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
        """Like `pieces`, without the excluded time; ends only where an exclusion never does."""
        excluded = self.excluded(start, spans)
        for opens, closes, whole in self.pieces(start):
            at = opens
            for gap_from, gap_to in excluded:
                if gap_to <= at or gap_from >= closes:
                    continue
                if gap_from > at:
                    yield at, gap_from, whole
                at = gap_to
                if at == inf:
                    return
                if at >= closes:
                    break
            if at < closes:
                yield at, closes, whole

    def used(self, start: Fraction, end: Fraction, spans: list[Span]) -> tuple[Fraction, Fraction]:
        """Used (days, seconds) at `end`."""
        days = total = Fraction(0)
        for opens, closes, whole in self.counted(start, spans):
            if opens >= end:
                break
            part = min(closes, end) - opens
            days += part / whole
            total += part
        return days, total

    def due(self, start: Fraction, limit: Fraction, spans: list[Span], unit: str = "working_day") -> Fraction | None:
        """The earliest instant at which the limit is used; None when an open suspension never lets it."""
        if limit == 0:
            return start
        left = limit
        for opens, closes, whole in self.counted(start, spans):
            length = whole if unit == "working_day" else OFFICE_UNITS[unit]
            if (closes - opens) / length >= left:
                return opens + left * length
            left -= (closes - opens) / length
        return None

    def boundary(self, start: Fraction, threshold: Fraction, spans: list[Span]) -> Fraction | None:
        """The instant whose every following moment has used more than `threshold` days: the last one not overdue.

        Differs from `due` when the threshold is used up at a close (or where a suspension begins): time only counts
        again later, so the boundary is the next opening.
        """
        if threshold < 0:
            return start
        left = threshold
        for opens, closes, whole in self.counted(start, spans):
            if (closes - opens) / whole > left:
                return opens + left * whole
            left -= (closes - opens) / whole
        return None


# -------------------- whole days
class DayClock:
    """Counts dates after the start date: working dates, or every date when `natural`."""

    def __init__(self, calendar: Calendar | CustomCalendar, *, natural: bool = False, roll: bool = False) -> None:
        self.calendar, self.natural, self.roll = calendar, natural, roll

    def counts(self, day: date) -> bool:
        return self.natural or self.calendar.works(day)

    def day_zero(self, start: date) -> date:
        while self.roll and not self.calendar.works(start):
            start += DAY
        return start

    def walk(self, start: date, spans: list[Span]) -> Iterator[tuple[date, bool]]:
        """(date, does it count) for each date after day zero; ends where an uncapped open suspension begins."""
        left = [span.cap for span in spans]
        day = self.day_zero(start)
        while True:
            day += DAY
            suspended = False
            for n, span in enumerate(spans):
                if day < span.start or (span.end is not None and day >= span.end):
                    continue
                if left[n] is None:
                    suspended = True
                    if span.end is None:
                        return
                elif left[n] >= 1 and self.counts(day):
                    left[n] -= 1
                    suspended = True
            yield day, self.counts(day) and not suspended

    def used(self, start: date, end: date, spans: list[Span]) -> Fraction:
        days = 0
        if end > self.day_zero(start):
            for day, counts in self.walk(start, spans):
                if day > end:
                    break
                days += counts
        return Fraction(days)

    def due(self, start: date, limit: Fraction, spans: list[Span]) -> date | None:
        """The last date of the limit; None when an open suspension never lets it come."""
        if limit == 0:
            return self.day_zero(start)
        used = 0
        for day, counts in self.walk(start, spans):
            used += counts
            if used >= limit:
                return day
        return None


# -------------------- wall time
class WallClock(OfficeClock):
    """Hours and minutes that run day and night: office hours that never close, a day being 24 hours."""

    def pieces(self, start: Fraction) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
        at = start
        while True:
            yield at, at + 86400, Fraction(86400)
            at += 86400


# -------------------- request
def parse_time(value: Any, zone: ZoneInfo, field: str) -> date | datetime:
    if not isinstance(value, str):
        raise ValueError(f"{field}: a date or an instant is needed, not {value!r}")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return date.fromisoformat(value)
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?", value):
        raise ValueError(f"{field}: neither a date nor an instant: {value!r}")
    parsed = datetime.fromisoformat(value)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)


def as_instant(value: date | datetime, zone: ZoneInfo) -> Fraction:
    return seconds(value if isinstance(value, datetime) else datetime.combine(value, time(0), zone))


def as_day(value: date | datetime, zone: ZoneInfo) -> date:
    return value.astimezone(zone).date() if isinstance(value, datetime) else value


def parse_number(value: Any, field: str) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise ValueError(f"{field}: a number of at least 0 is needed, not {value!r}")
    return Fraction(str(value))


def parse_hours(value: Any) -> list[tuple[time, time]]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"hours: a list of [from, to] is needed, not {value!r}")
    hours = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError(f"hours: [from, to] is needed, not {pair!r}")
        for clock in pair:
            if not isinstance(clock, str) or not re.fullmatch(r"\d{2}:\d{2}", clock):
                raise ValueError(f"hours: HH:MM is needed, not {clock!r}")
        opens, closes = (time.max if clock == "24:00" else time.fromisoformat(clock) for clock in pair)
        hours.append((opens, closes))
    for opens, closes in hours:
        if opens >= closes:
            raise ValueError(f"hours: {opens} is not before {closes}")
    for (_, closes), (opens, _) in zip(sorted(hours), sorted(hours)[1:], strict=False):
        if opens < closes:
            raise ValueError("hours overlap")
    return sorted(hours)


def parse_calendar(request: dict[str, Any], zone: ZoneInfo) -> Calendar | CustomCalendar:
    known = None
    if request.get("calendar_known_at") is not None:
        known = as_day(parse_time(request["calendar_known_at"], zone, "calendar_known_at"), SHANGHAI)
    given = request.get("calendar", "cn")
    if given == "cn":
        return known_on(known)
    if not isinstance(given, dict) or set(given) - {"holidays", "makeup_days"}:
        raise ValueError(f"calendar: cn, or holidays and makeup_days, not {given!r}")
    days = {key: {date.fromisoformat(day) for day in given.get(key, [])} for key in ("holidays", "makeup_days")}
    return CustomCalendar(days["holidays"], days["makeup_days"])


def parse_spans(request: dict[str, Any], zone: ZoneInfo, by_day: bool) -> list[Span]:
    spans = []
    for row in request.get("suspensions") or []:
        start = parse_time(row["from"], zone, "suspension from")
        end = None if row.get("to") is None else parse_time(row["to"], zone, "suspension to")
        cap = None if row.get("approved_days") is None else parse_number(row["approved_days"], "approved_days")
        if end is not None and as_instant(end, zone) < as_instant(start, zone):
            raise ValueError("a suspension ends before it starts")
        if start == end and (isinstance(start, datetime) or not by_day):
            end = None
        convert = as_day if by_day else as_instant
        spans.append(Span(convert(start, zone), None if end is None else convert(end, zone), cap))
    return spans


def corresponding_date(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, month_table.monthrange(year, month + 1)[1]))


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one clock request; ValueError when the request is bad or beyond the calendar."""
    try:
        return _answer(request)
    except (KeyError, TypeError, OverflowError, AttributeError) as wrong:
        raise ValueError(f"bad request: {wrong!r}") from wrong


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    mode, unit = request["mode"], request["unit"]
    if mode not in UNITS or unit not in UNITS[mode]:
        raise ValueError(f"unit {unit!r} in mode {mode!r}")
    try:
        zone = ZoneInfo(request.get("timezone") or "Asia/Shanghai")
    except Exception as unknown:
        raise ValueError(f"timezone {request['timezone']!r}") from unknown
    if request.get("start_rule", "next_day") not in ("next_day", "roll"):
        raise ValueError(f"start_rule {request['start_rule']!r}")
    hours = parse_hours(request["hours"]) if request.get("hours") is not None else OFFICE_HOURS
    calendar = parse_calendar(request, zone)
    limit = parse_number(request["limit"], "limit")
    start = parse_time(request["start"], zone, "start")
    at_text = request.get("end") or request.get("as_of")
    at = None if at_text is None else parse_time(at_text, zone, "end")
    by_day = unit in ("natural_day", "month") or mode == "whole_day"
    if by_day and limit.denominator != 1:
        raise ValueError("a limit counted in dates is a whole number")
    spans = parse_spans(request, zone, by_day)

    used_days: Fraction | None = None
    used_seconds: Fraction | None = None
    overdue: bool | None = None
    if by_day:
        first = as_day(start, zone)
        clock = DayClock(calendar, natural=mode == "natural_day", roll=request.get("start_rule") == "roll")
        if mode == "natural_day":
            clock.roll = False
        if unit == "month":
            limit = Fraction((corresponding_date(first, int(limit)) - first).days)
        last = clock.due(first, limit, spans)
        while mode == "natural_day" and last is not None and not calendar.works(last):
            last += DAY
        if at is not None:
            used_days = clock.used(first, as_day(at, zone), spans)
            overdue = last is not None and as_day(at, zone) > last
        due_day, due = last, None if last is None else last.isoformat()
        if mode == "natural_day" and last is not None:
            due = datetime.combine(last, time(23, 59, 59), zone).isoformat()
    else:
        began = as_instant(start, zone)
        office = WallClock(calendar, hours, zone) if mode == "natural_day" else OfficeClock(calendar, hours, zone)
        reached = office.due(began, limit, spans, unit)
        if at is not None:
            stop = as_instant(at, zone)
            used_days, used_seconds = office.used(began, stop, spans)
            if mode == "natural_day":
                overdue = reached is not None and stop > reached
            else:
                overdue = limit < (used_days if unit == "working_day" else used_seconds / OFFICE_UNITS[unit])
        due = None if reached is None else moment(reached, zone).isoformat()
        due_day = None if reached is None else office.local_day(reached)
    calendar.works(as_day(start, zone))  # a start outside the calendar is an error even when no day is counted
    return {
        "id": request.get("id"),
        "due": due,
        "used_days": None if used_days is None else float(round(used_days, 6)),
        "used_seconds": None if used_seconds is None or mode != "office_clock" else float(used_seconds),
        "overdue": overdue,
        "provisional": due_day is not None and calendar.provisional(due_day),
        "calendar_version": "oracle",
    }


def due_by_stepping(request: dict[str, Any], step_seconds: int) -> datetime:
    """The first step after the start at which the limit is used up: no arithmetic on limits at all."""
    zone = ZoneInfo(request.get("timezone") or "Asia/Shanghai")
    at = parse_time(request["start"], zone, "start")
    assert isinstance(at, datetime)
    while True:
        used = answer({**request, "end": at.isoformat()})
        if used["used_days"] >= request["limit"]:
            return at
        at = (at.astimezone(UTC) + timedelta(seconds=step_seconds)).astimezone(zone)
