"""Office hours of a day as spans of wall time."""

from __future__ import annotations

from datetime import time

from etl.domain.night import DAY_US
from etl.errors import UsageError

OfficeHours = tuple[tuple[time, time], ...]
OFFICE_HOURS: OfficeHours = ((time(9), time(12)), (time(13, 30), time(17, 30)))
"""09:00-12:00 and 13:30-17:30."""


def parse_spans(spans: object) -> OfficeHours:
    """``[["09:00","12:00"],…]`` -> spans in order; `UsageError` when empty, reversed or overlapping."""
    try:
        parsed = tuple((_clock_time(begin), _clock_time(end)) for begin, end in spans)  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise UsageError(f"office hours {spans!r} are not a list of [HH:MM, HH:MM]") from error
    flat = [moment for span in parsed for moment in span]
    if not parsed or any(microseconds(begin) >= microseconds(end, is_end=True) for begin, end in parsed):
        raise UsageError(f"office hours {spans!r} are empty or reversed")
    if any(microseconds(flat[i], is_end=True) > microseconds(flat[i + 1]) for i in range(1, len(flat) - 1, 2)):
        raise UsageError(f"office hours {spans!r} overlap or are out of order")
    return parsed


def _clock_time(text: str) -> time:
    return time.max if text == "24:00" else time.fromisoformat(text)


def microseconds(moment: time, *, is_end: bool = False) -> int:
    """Wall time -> microseconds after midnight; the end of a day is 24:00."""
    if is_end and moment == time.max:
        return DAY_US
    return ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 1_000_000 + moment.microsecond
