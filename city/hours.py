"""Office time in the city: working days and each region's office hours, which may change with the season; UTC+8.

Measured as a coordinate: every working day is DAY units long whatever its hours are, so that moving by days means the
same in every season. 2026: State Council notice (rest 1-7 October, Saturday 10 October works). The generator needs
nothing after the demonstration's last day but somewhere to put events that it will then drop.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone

ZONE = timezone(timedelta(hours=8))
FIRST_DAY, LAST_DAY = date(2026, 10, 9), date(2026, 11, 22)
DAY = 7 * 3600

_HOLIDAYS = {date(2026, 10, day) for day in range(1, 8)}
_MAKEUP = {date(2026, 10, 10)}


def is_working(day: date) -> bool:
    """Whether offices are open on this date."""
    return day in _MAKEUP or (day.weekday() < 5 and day not in _HOLIDAYS)


WORKING_DAYS = [day for day in (date(2026, 8, 3) + timedelta(days=n) for n in range(330)) if is_working(day)]


def at(day: date, clock: str) -> datetime:
    """`at(date(2026, 11, 18), "09:00")` -> aware instant in the city."""
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=ZONE)


def working_days_between(first: date, last: date) -> list[date]:
    """Working days from `first` to `last`, both included."""
    return WORKING_DAYS[bisect_left(WORKING_DAYS, first) : bisect_right(WORKING_DAYS, last)]


class OfficeHours:
    """When the offices of one region are open.

    Args:
        seasons: MM-DD from which hours hold -> those hours, from 01-01 on: ``{"01-01": "09:00-12:00,13:30-17:30"}``.
    """

    def __init__(self, seasons: Mapping[str, str]) -> None:
        self.seasons = dict(sorted(seasons.items()))
        parsed = {first: _spans(text) for first, text in self.seasons.items()}
        starts = list(parsed)
        self._open = [parsed[starts[bisect_right(starts, f"{day:%m-%d}") - 1]] for day in WORKING_DAYS]
        self._seconds = [sum(end - start for start, end in spans) for spans in self._open]

    def coordinate(self, instant: datetime) -> int:
        """Position of `instant`; a closed moment has the position of the last close."""
        local = instant.astimezone(ZONE)
        index = bisect_right(WORKING_DAYS, local.date()) - 1
        if WORKING_DAYS[index] < local.date():
            return (index + 1) * DAY
        now = local.hour * 3600 + local.minute * 60 + local.second
        worked = sum(min(max(now - start, 0), end - start) for start, end in self._open[index])
        return index * DAY + worked * DAY // self._seconds[index]

    def moment(self, position: int) -> datetime:
        """The open instant with this position (the later one where a close and an opening share it)."""
        index, units = divmod(position, DAY)
        worked = -(-units * self._seconds[index] // DAY)
        opening = at(WORKING_DAYS[index], "00:00")
        for start, end in self._open[index]:
            if worked < end - start:
                return opening + timedelta(seconds=start + worked)
            worked -= end - start
        return opening + timedelta(seconds=end)

    def later(self, start: datetime, days: float) -> datetime:
        """`start` moved by this many working days of office time (negative: earlier)."""
        return self.moment(self.coordinate(start) + round(days * DAY))

    def days_between(self, start: datetime, end: datetime) -> float:
        """Working days of office time from `start` to `end`."""
        return (self.coordinate(end) - self.coordinate(start)) / DAY

    def is_open(self, instant: datetime) -> bool:
        """Whether somebody is there, the moment of closing included."""
        local = instant.astimezone(ZONE)
        now = local.hour * 3600 + local.minute * 60 + local.second
        return is_working(local.date()) and any(
            start <= now <= end for start, end in self._open[bisect_left(WORKING_DAYS, local.date())]
        )


def _spans(text: str) -> list[tuple[int, int]]:
    return [(_seconds(start), _seconds(end)) for start, _, end in (part.partition("-") for part in text.split(","))]


def _seconds(clock: str) -> int:
    moment = time.fromisoformat(clock)
    return moment.hour * 3600 + moment.minute * 60
