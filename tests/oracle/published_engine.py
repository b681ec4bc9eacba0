"""The published engine's arithmetic, date by date, from its description and nothing else."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from fractions import Fraction

from tests.oracle.calendar import known_on

Span = tuple[datetime, datetime, Fraction | None]
"""Begin, end and approved days of a suspension; wall times of Shanghai without a zone."""
HOURS = ((time(9), time(12)), (time(13, 30), time(17, 30)))
DAY_SECONDS = 7 * 3600


def seconds_between(on: date, begin: time, end: time) -> float:
    """Office seconds of a date between two wall times, worked or not."""
    total = 0.0
    for opens, closes in HOURS:
        low, high = max(opens, begin), min(closes, end)
        if low < high:
            total += (datetime.combine(on, high) - datetime.combine(on, low)).total_seconds()
    return total


def used(start: datetime, end: datetime) -> Fraction:
    """Days between two moments by the formula."""
    dates = rest = 0
    day = start.date()
    while day <= end.date():
        dates += 1
        rest += not known_on(None).works(day)
        day += timedelta(days=1)
    first = seconds_between(start.date(), start.time(), time.max)
    last = seconds_between(end.date(), time.min, end.time())
    return Fraction(dates - rest - 2) + Fraction(first) / DAY_SECONDS + Fraction(last) / DAY_SECONDS


def compared(start: datetime, end: datetime, spans: list[Span]) -> int:
    """What the engine compares with a limit: without suspensions, rounded up to whole days."""
    left = used(start, end)
    for begin, until, approved in spans:
        lost = used(begin, until)
        left -= lost if approved is None else min(lost, approved)
    return math.ceil(left)
