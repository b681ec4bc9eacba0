"""Office time in the city, kept simple on purpose: 09:00-12:00 and 13:30-17:30 on working days, UTC+8.

Measured as a coordinate: office seconds since the first working day of the table. 2026: State Council notice
(rest 1-7 October, Saturday 10 October works). The generator needs nothing after the demonstration's last day but
somewhere to put events that it will then drop.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, datetime, time, timedelta, timezone

ZONE = timezone(timedelta(hours=8))
FIRST_DAY, LAST_DAY = date(2026, 10, 9), date(2026, 11, 22)
MORNING, AFTERNOON = 3 * 3600, 4 * 3600
DAY = MORNING + AFTERNOON

_HOLIDAYS = {date(2026, 10, day) for day in range(1, 8)}
_MAKEUP = {date(2026, 10, 10)}


def is_working(day: date) -> bool:
    """Whether offices are open on this date."""
    return day in _MAKEUP or (day.weekday() < 5 and day not in _HOLIDAYS)


WORKING_DAYS = [day for day in (date(2026, 8, 3) + timedelta(days=n) for n in range(330)) if is_working(day)]


def at(day: date, clock: str) -> datetime:
    """`at(date(2026, 11, 18), "09:00")` -> aware instant in the city."""
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=ZONE)


def coordinate(instant: datetime) -> int:
    """Office seconds up to `instant`; a closed moment has the coordinate of the last close."""
    local = instant.astimezone(ZONE)
    index = bisect_right(WORKING_DAYS, local.date()) - 1
    if WORKING_DAYS[index] < local.date():
        return (index + 1) * DAY
    seconds = local.hour * 3600 + local.minute * 60 + local.second
    morning = min(max(seconds - 9 * 3600, 0), MORNING)
    afternoon = min(max(seconds - 13 * 3600 - 1800, 0), AFTERNOON)
    return index * DAY + morning + afternoon


def moment(position: int) -> datetime:
    """The open instant with this coordinate (the later one where a close and an opening share it)."""
    index, seconds = divmod(position, DAY)
    start = at(WORKING_DAYS[index], "09:00") if seconds < MORNING else at(WORKING_DAYS[index], "13:30")
    return start + timedelta(seconds=seconds if seconds < MORNING else seconds - MORNING)


def later(start: datetime, days: float) -> datetime:
    """`start` moved by this many working days of office time (negative: earlier)."""
    return moment(coordinate(start) + round(days * DAY))


def days_between(start: datetime, end: datetime) -> float:
    """Working days of office time from `start` to `end`."""
    return (coordinate(end) - coordinate(start)) / DAY


def working_days_between(first: date, last: date) -> list[date]:
    """Working days from `first` to `last`, both included."""
    return WORKING_DAYS[bisect_left(WORKING_DAYS, first) : bisect_right(WORKING_DAYS, last)]
