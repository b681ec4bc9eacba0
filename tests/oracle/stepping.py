"""Time counted by trying every step: no arithmetic on limits, only lists of the steps that count.

A step is a minute or a second of office time or of wall time, or a date. Instants are whole seconds since 1970.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tests.oracle.calendar import AMENDED, DAY, HOLIDAY_LAW, NOTICE, Calendar, known_on

SHANGHAI = ZoneInfo("Asia/Shanghai")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OFFICE_HOURS = ((time(9), time(12)), (time(13, 30), time(17, 30)))
REVISIONS = sorted({*NOTICE.values(), *(on for on, _ in AMENDED.values()), *(law[1] for law in HOLIDAY_LAW)})
HORIZON = 400  # dates: a count that has not ended after as many is given up


def second(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(seconds=1)


def local(instant: int) -> datetime:
    return (EPOCH + timedelta(seconds=instant)).astimezone(SHANGHAI)


def local_day(instant: int) -> date:
    return local(instant).date()


def midnight(day: date) -> int:
    return second(datetime.combine(day, time(0), SHANGHAI))


def as_known(day: date) -> Calendar:
    """The calendar known on a day: the one of the newest notice by then."""
    return known_on(max((on for on in REVISIONS if on <= day), default=day))


@lru_cache(maxsize=256)
def office_steps(calendar: Calendar, day: date, step: int) -> tuple[int, ...]:
    """The beginning of every step of a day's office hours."""
    if not calendar.works(day):
        return ()
    hours = [[second(datetime.combine(day, clock, SHANGHAI)) for clock in span] for span in OFFICE_HOURS]
    return tuple(at for opens, closes in hours for at in range(opens, closes, step))


@lru_cache(maxsize=64)
def wall_steps(day: date, step: int) -> tuple[int, ...]:
    return tuple(range(midnight(day), midnight(day + DAY), step))


@dataclass(frozen=True)
class Span:
    """A suspension: instants; `end` None = open; `cap` in days, None = without."""

    start: int
    end: int | None
    cap: float | None


class Steps:
    """A count of time by steps from a start on, suspensions left out. `kind`: office or wall."""

    def __init__(self, kind: str, calendar: Calendar, start: int, spans: tuple[Span, ...], step: int) -> None:
        self.kind, self.calendar, self.begin, self.spans, self.step = kind, calendar, start, spans, step
        self.per_day = 86_400 // step if kind == "wall" else 7 * 3600 // step
        self.counted: list[int] = []
        self.excluded: list[int] = []
        self.seen_to = start
        self._walk = self._every_day()

    def _steps(self, day: date) -> tuple[int, ...]:
        return wall_steps(day, self.step) if self.kind == "wall" else office_steps(self.calendar, day, self.step)

    def _every_day(self) -> Iterator[None]:
        left = [None if span.cap is None else span.cap * self.per_day for span in self.spans]
        day = local_day(self.begin)
        while True:
            for at in self._steps(day):
                if at < self.begin:
                    continue
                suspended = False
                for n, span in enumerate(self.spans):
                    if at < span.start or (span.end is not None and at >= span.end):
                        continue
                    rest = left[n]
                    if rest is None:
                        suspended = True
                    elif rest >= 1:
                        left[n] = rest - 1
                        suspended = True
                (self.excluded if suspended else self.counted).append(at)
            day += DAY
            self.seen_to = midnight(day)
            yield

    def _see(self, until: int) -> None:
        while self.seen_to < until:
            next(self._walk)

    def used(self, stop: int) -> int:
        self._see(stop)
        return bisect_left(self.counted, stop)

    def left_out(self, stop: int) -> int:
        self._see(stop)
        return bisect_left(self.excluded, stop)

    def _step(self, number: int) -> int | None:
        """The beginning of the counted step of this number; None where an open suspension never lets it come."""
        while len(self.counted) <= number:
            endless = any(s.end is None and s.cap is None and s.start <= self.seen_to for s in self.spans)
            if endless or self.seen_to > self.begin + HORIZON * 86_400:
                return None
            next(self._walk)
        return self.counted[number]

    def due(self, steps: int) -> int | None:
        """The first moment at which so many steps are used."""
        if steps <= 0:
            return self.begin
        last = self._step(steps - 1)
        return None if last is None else last + self.step

    def over(self, steps: int) -> int | None:
        """The last moment at which no more than so many steps are used."""
        if steps < 0:
            return self.begin
        return self.due(steps) if self.kind == "wall" else self._step(steps)

    met = due

    def exceeded(self, steps: int, stop: int) -> bool:
        if self.kind == "wall":
            due = self.due(steps)
            return steps < 0 or (due is not None and stop > due)
        return self.used(stop) > steps

    def provisional(self, reached: int, *, is_met: bool) -> bool:
        return self.calendar.provisional(local_day(reached))


class Dates:
    """A count of dates after the start date: working dates, or all of them (`kind`: working, natural)."""

    per_day = 1

    def __init__(self, kind: str, calendar: Calendar, start: int, spans: tuple[Span, ...], step: int = 0) -> None:
        self.kind, self.calendar, self.begin, self.spans = kind, calendar, start, spans
        self.counted: list[date] = []
        self.excluded: list[date] = []
        self.zero = self.seen_to = local_day(start)
        self._walk = self._every_date()

    def _every_date(self) -> Iterator[None]:
        left = [span.cap for span in self.spans]
        while True:
            day = self.seen_to + DAY
            if self.kind == "natural" or self.calendar.works(day):
                suspended = False
                for n, span in enumerate(self.spans):
                    if day < local_day(span.start) or (span.end is not None and day >= local_day(span.end)):
                        continue
                    rest = left[n]
                    if rest is None:
                        suspended = True
                    elif rest >= 1:
                        left[n] = rest - 1
                        suspended = True
                (self.excluded if suspended else self.counted).append(day)
            self.seen_to = day
            yield

    def _see(self, until: date) -> None:
        while self.seen_to < until:
            next(self._walk)

    def used(self, stop: int) -> int:
        self._see(local_day(stop))
        return bisect_right(self.counted, local_day(stop))

    def left_out(self, stop: int) -> int:
        self._see(local_day(stop))
        return bisect_right(self.excluded, local_day(stop))

    def _date(self, number: int) -> date | None:
        if number <= 0:
            return self.zero
        while len(self.counted) < number:
            endless = any(s.end is None and s.cap is None and local_day(s.start) <= self.seen_to for s in self.spans)
            if endless or self.seen_to > self.zero + HORIZON * DAY:
                return None
            next(self._walk)
        return self.counted[number - 1]

    def _last(self, number: int) -> date | None:
        """The last date of a limit; natural days that end on a rest day end on the next working day."""
        last = self._date(number)
        while self.kind == "natural" and last is not None and not self.calendar.works(last):
            last += DAY
        return last

    def due(self, days: int) -> int | None:
        last = self._last(days)
        return None if last is None else midnight(last + DAY) - 1

    def over(self, days: int) -> int | None:
        if days < 0:
            return self.begin
        last = self._last(days)
        return None if last is None else midnight(last + DAY)

    def met(self, days: int) -> int | None:
        day = self._date(days)
        return None if day is None else max(midnight(day), self.begin)

    def exceeded(self, days: int, stop: int) -> bool:
        last = self._last(days)
        return days < 0 or (last is not None and local_day(stop) > last)

    def provisional(self, reached: int, *, is_met: bool) -> bool:
        """The boundary is the midnight after the date that counts."""
        return self.calendar.provisional(local_day(reached if is_met else reached - 1))


@lru_cache(maxsize=4_000)
def count(kind: str, calendar: Calendar, start: int, spans: tuple[Span, ...], step: int) -> Steps | Dates:
    made = Steps if kind in ("office", "wall") else Dates
    return made(kind, calendar, start, spans, step)
