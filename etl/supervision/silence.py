"""静默: a source that normally sends, is read to its end, and has sent nothing for some working days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from etl.domain.calendar import Calendar

SILENT_WORKING_DAYS = 3
HABIT_WORKING_DAYS = 10
"""Who brought something on half of so many working days up to the last message normally sends."""


@dataclass(frozen=True)
class Silence:
    """The night that last brought something, the first silent working day, and how many there were up to the night."""

    last_on: date
    first_on: date
    working_days: int


def silence(brought_on: Sequence[date], night: date, calendar: Calendar) -> Silence | None:
    """The silence a source is in on a night, if any.

    Args:
        brought_on: nights up to this one that brought something, in order, at least one.
        calendar: of the source's region, as known on the night.
    """
    last_on = brought_on[-1]
    last, now = calendar.index_of(last_on), calendar.index_of(night)
    quiet = np.flatnonzero(calendar.is_working[last + 1 : now + 1])
    if len(quiet) < SILENT_WORKING_DAYS:
        return None
    usual = np.flatnonzero(calendar.is_working[: last + 1])[-HABIT_WORKING_DAYS:]
    sent = np.isin(usual, [last - (last_on - day).days for day in brought_on]).sum()
    if 2 * sent < len(usual):
        return None
    return Silence(last_on, last_on + timedelta(days=1 + int(quiet[0])), len(quiet))
