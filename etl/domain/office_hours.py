"""Office hours as spans of wall time: of one day, and of a region from a date on, by season or for single days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, time
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etl.domain.night import DAY_US
from etl.errors import UsageError

OfficeHours = tuple[tuple[time, time], ...]
OFFICE_HOURS: OfficeHours = ((time(9), time(12)), (time(13, 30), time(17, 30)))
"""09:00-12:00 and 13:30-17:30."""

EPOCH = date(1970, 1, 1).toordinal()


class HoursRuling(NamedTuple):
    """One row of a region's office hours.

    All rows of one region with the same `valid_from` and no `valid_until` are one arrangement: the seasons of a year,
    each from its `season_from` (month, day) until the next, the last one of the year reaching into the next year. The
    next arrangement ends it whole. A row with `valid_until` rules its few dates (a half day) whatever the season.
    """

    valid_from: date
    valid_until: date | None
    season_from: tuple[int, int]
    spans: OfficeHours
    known_from: date


class Schedule(NamedTuple):
    """The sets of hours that occur in one calendar, and which of them each day has (None: every day the first)."""

    hours: tuple[OfficeHours, ...]
    of_day: npt.NDArray[np.int64] | None


EVERYWHERE = Schedule((OFFICE_HOURS,), None)


def schedule(first: int, size: int, layers: Iterable[Sequence[HoursRuling]]) -> Schedule:
    """The hours of `size` days from `first` (days since 1970-01-01): default hours, then layer over layer.

    Args:
        layers: rulings of the province, of the city, of the county, each in order of knowledge.
    """
    kinds: dict[OfficeHours, int] = {OFFICE_HOURS: 0}
    of_day = np.zeros(size, dtype=np.int64)

    def paint(begin: date, until: date | None, spans: OfficeHours) -> None:
        end = size if until is None else until.toordinal() - EPOCH - first + 1
        of_day[max(begin.toordinal() - EPOCH - first, 0) : max(end, 0)] = kinds.setdefault(spans, len(kinds))

    first_year, last_year = (date.fromordinal(day + EPOCH).year for day in (first, first + size - 1))
    for rulings in layers:
        arrangements: dict[date, dict[tuple[int, int], OfficeHours]] = {}
        for ruling in rulings:
            if ruling.valid_until is None:
                arrangements.setdefault(ruling.valid_from, {})[ruling.season_from] = ruling.spans
        for valid_from, seasons in sorted(arrangements.items()):
            years = range(max(valid_from.year, first_year) - 1, last_year + 1)
            begins = [date(year, *season) for year in years for season in sorted(seasons)]
            for begin, following in pairwise([*begins, date.max]):
                if following > valid_from:
                    paint(max(begin, valid_from), None, seasons[begin.month, begin.day])
        for ruling in sorted(rulings, key=lambda one: one.valid_from):
            if ruling.valid_until is not None:
                paint(ruling.valid_from, ruling.valid_until, ruling.spans)
    occurring, of_day = np.unique(of_day, return_inverse=True)
    hours = tuple(kinds)
    return Schedule(tuple(hours[kind] for kind in occurring), of_day if len(occurring) > 1 else None)


def parse_hours(text: str) -> OfficeHours:
    """``09:00-12:00,13:30-17:30`` -> spans in order; `UsageError` when it is anything else."""
    spans = [tuple(part.strip().split("-")) for part in text.split(",")]
    if any(len(span) != 2 or not all(len(moment) == len("HH:MM") for moment in span) for span in spans):
        raise UsageError(f"office hours {text!r} are not spans such as 09:00-12:00,13:30-17:30")
    return parse_spans(spans)


def parse_season(text: str) -> tuple[int, int]:
    """``05-01`` -> (5, 1); `UsageError` for a day not every year has."""
    try:
        begins = date.fromisoformat(f"2001-{text}")  # a year without 29 February
    except ValueError:
        raise UsageError(f"season {text!r} is not a day MM-DD of every year, such as 05-01") from None
    return begins.month, begins.day


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
