"""Nights, cut-offs and weeks: the product's only notion of "when we knew".

Night D closes at its cut-off, D+1 at 01:00 in Asia/Shanghai by default. China has had no daylight saving since
1991, so cut-offs are computed at the fixed offset UTC+8 and vectorise as integers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from etl.errors import UsageError

ZONE = ZoneInfo("Asia/Shanghai")
OFFSET = timedelta(hours=8)
DAY_US = 86_400_000_000
Instants = npt.NDArray[np.int64]
"""Microseconds since 1970-01-01T00:00Z."""

NEVER = np.iinfo(np.int64).max
"""An instant after every other one: "not yet"."""


def to_us(instant: datetime) -> int:
    """Aware instant -> microseconds since the epoch, exactly."""
    if instant.tzinfo is None:
        raise UsageError(f"{instant.isoformat()} has no time zone; give an offset such as +08:00")
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def from_us(instant_us: int) -> datetime:
    """Microseconds since the epoch -> aware instant in Asia/Shanghai."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(instant_us))).astimezone(ZONE)


def cutoff_at(business_on: date, cutoff: time = time(1)) -> datetime:
    """The instant night `business_on` closes."""
    return datetime.combine(business_on + timedelta(days=1), cutoff, tzinfo=ZONE)


def first_cutoffs(instants: Instants, cutoff: time = time(1)) -> Instants:
    """For each instant (us) the first cut-off at or after it (us)."""
    phase = _phase(cutoff)
    return -((phase - instants) // DAY_US) * DAY_US + phase


def last_cutoffs(instants: Instants, cutoff: time = time(1)) -> Instants:
    """For each instant (us) the last cut-off at or before it (us)."""
    phase = _phase(cutoff)
    return (instants - phase) // DAY_US * DAY_US + phase


def night_of(cutoff_instant: datetime) -> date:
    """The business date whose cut-off this instant is (or lies in the day after)."""
    return cutoff_instant.astimezone(ZONE).date() - timedelta(days=1)


def last_cutoff(moment: datetime, cutoff: time = time(1)) -> datetime:
    """The last cut-off at or before this instant."""
    return from_us(int(last_cutoffs(np.array([to_us(moment)]), cutoff)[0]))


def closing_night(moment: datetime, cutoff: time = time(1)) -> date:
    """The night whose cut-off is the first at or after this instant."""
    on = moment.astimezone(ZONE).date()
    before = on - timedelta(days=1)
    return before if moment <= cutoff_at(before, cutoff) else on


def nights(first: date, last: date) -> Iterator[date]:
    """Business dates from `first` to `last`, both included."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)


def week_days(week: str) -> tuple[date, date]:
    """``2026-W47`` -> its Monday and Sunday."""
    try:
        if not re.fullmatch(r"[0-9]{4}-W[0-9]{2}", week):  # one spelling: a week is issued once, under its name
            raise ValueError
        monday = date.fromisocalendar(int(week[:4]), int(week[-2:]), 1)
        return monday, monday + timedelta(days=6)
    except (ValueError, OverflowError):
        raise UsageError(f"week {week!r} is not an ISO week such as 2026-W47") from None


def _phase(cutoff: time) -> int:
    seconds = cutoff.hour * 3600 + cutoff.minute * 60 + cutoff.second
    return (seconds * 1_000_000 - OFFSET // timedelta(microseconds=1)) % DAY_US
