"""Whole days (modes `whole_day` and `natural_day`) and plain elapsed time."""

from __future__ import annotations

import calendar as gregorian
from datetime import date
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from etl.domain.axis import FAR, Positions, Targets, exact, provisional
from etl.domain.calendar import Calendar, Days
from etl.domain.night import DAY_US, NEVER, ZONE, Instants
from etl.domain.office_hours import EPOCH
from etl.domain.zone import Zone
from etl.errors import UsageError


class DateAxis:
    """Whole days: the start date is not counted, a limit ends with its last day (modes `whole_day`, `natural_day`).

    Args:
        working: count working days only; else all days, and move a due date off a rest day.
        roll: a start on a rest day counts from the next working day (which then is day 0).
    """

    def __init__(self, calendar: Calendar, *, working: bool, roll: bool = False, zone: ZoneInfo = ZONE) -> None:
        self.calendar = calendar
        self.day_unit = "working_day" if working else "natural_day"
        self._working, self._roll, self._local = working, roll, Zone(zone)

    @cached_property
    def _count(self) -> Positions:
        return np.cumsum(self.calendar.is_working)

    @cached_property
    def _next_working(self) -> Days:
        """Per day the first working day on or after it; past the last one, the day after the calendar."""
        every = np.arange(len(self.calendar.is_working))
        end = len(every)
        return np.minimum.accumulate(np.where(self.calendar.is_working, every, end)[::-1])[::-1]

    @cached_property
    def _due_dates(self) -> Days:
        """First date at each position, counted from `_origin`; last, the day after the calendar for all beyond it."""
        working = np.flatnonzero(self.calendar.is_working)
        index = np.concatenate(([0], working)) if self._working else self._next_working
        return np.append(index, len(self.calendar.is_working)) + self.calendar.first

    @cached_property
    def _midnights(self) -> Instants:
        """The end of each of `_due_dates`; for the last, an instant after every other one."""
        return np.append(self._local.to_instant((self._due_dates[:-1] + 1) * DAY_US), NEVER)

    @property
    def _origin(self) -> int:
        return 0 if self._working else self.calendar.first

    def _dates(self, instants: Instants) -> Days:
        return self._local.to_local(instants) // DAY_US

    def start(self, starts: Instants) -> Positions:
        days = self._dates(starts)
        if self._roll:
            days = self._next_working[self.calendar.index(days)] + self.calendar.first
        return self._position(days)

    def at(self, instants: Instants) -> Positions:
        return self._position(self._dates(instants))

    def suspension(self, begins: Instants, ends: Instants) -> tuple[Positions, Positions]:
        # Calendar dates in [begin, end): the day handling resumes counts again.
        return self._position(self._dates(begins) - 1), self._position(self._dates(ends) - 1)

    def distance(self, limits: npt.NDArray[np.float64], unit: str, starts: Instants) -> Positions:
        if unit == self.day_unit:
            # A clipped limit ends beyond every calendar, which `due` refuses and `is_over` never reaches.
            return np.clip(np.floor(limits), -FAR / 4, FAR / 4).astype(np.int64)
        if unit == "month" and not self._working:
            days = self._dates(starts)
            whole = zip(days.tolist(), limits.tolist(), strict=True)
            return np.array([_months_after(day, limit) - day for day, limit in whole], dtype=np.int64)
        raise UsageError(f"{'whole_day' if self._working else 'natural_day'} cannot count in {unit}")

    def due(self, targets: Targets, starts: Instants) -> Instants:
        return self.reached(targets, starts) - 1_000_000

    def reached(self, targets: Targets, starts: Instants) -> Instants:
        # `clip` on both sides: a target before the table is its first day, one behind it lies beyond the calendar.
        index = targets.due - self._origin
        reached = self._midnights.take(index, mode="clip")
        # No limit ends before the day it starts; only a start on a rest day or a limit cut short can get there.
        if len(reached) and (reached.max() == NEVER or (reached <= starts).any()):
            due_dates = np.maximum(self._due_dates.take(index, mode="clip"), self._dates(starts))
            self.calendar.index(due_dates)
            return self._local.to_instant((due_dates + 1) * DAY_US)
        return reached

    def met(self, targets: Targets, starts: Instants) -> Instants:
        index = targets.due - self._origin
        days = self._due_dates.take(index, mode="clip") if self._working else targets.due
        return np.maximum(self._local.to_instant(days * DAY_US), starts)

    def is_over(self, targets: Targets, starts: Instants, stops: Instants) -> npt.NDArray[np.bool_]:
        due_dates = self._due_dates.take(targets.due - self._origin, mode="clip")
        return self._dates(stops) > np.maximum(due_dates, self._dates(starts))

    def days(self, positions: Positions) -> npt.NDArray[np.float64]:
        return positions.astype(np.float64)

    def is_provisional(self, boundaries: Instants) -> npt.NDArray[np.bool_]:
        # The boundary is the midnight after the last day, which is the day that counts.
        return provisional(self.calendar, self._local.to_local(boundaries - 1))

    def given(self, moments: Instants) -> tuple[Instants, Instants]:
        midnight = self._local.to_instant((self._dates(moments) + 1) * DAY_US)
        return midnight - 1, midnight

    def close(self, starts: Instants) -> Positions:
        days = self._next_working[self.calendar.index(self._dates(starts))] + self.calendar.first
        return self._position(days)

    def _position(self, days: Days) -> Positions:
        return self._count.take(self.calendar.index(days)) if self._working else days


class WallAxis:
    """Elapsed time, day and night (hours and minutes of mode `natural_day`)."""

    day_unit = "natural_day"

    def __init__(self, calendar: Calendar, zone: ZoneInfo = ZONE) -> None:
        self.calendar = calendar
        self._local = Zone(zone)

    def start(self, starts: Instants) -> Positions:
        return starts

    def at(self, instants: Instants) -> Positions:
        return instants

    def suspension(self, begins: Instants, ends: Instants) -> tuple[Positions, Positions]:
        return begins, ends

    def distance(self, limits: npt.NDArray[np.float64], unit: str, starts: Instants) -> Positions:
        seconds = {"hour": 3600, "minute": 60, "natural_day": 86_400}.get(unit)
        if seconds is None:
            raise UsageError(f"elapsed time cannot count in {unit}")
        return exact(limits, seconds * 1_000_000)

    def due(self, targets: Targets, starts: Instants) -> Instants:
        return np.maximum(targets.due, starts)

    def reached(self, targets: Targets, starts: Instants) -> Instants:
        return self.due(targets, starts)

    def met(self, targets: Targets, starts: Instants) -> Instants:
        return self.due(targets, starts)

    def is_over(self, targets: Targets, starts: Instants, stops: Instants) -> npt.NDArray[np.bool_]:
        return stops > self.due(targets, starts)

    def days(self, positions: Positions) -> npt.NDArray[np.float64]:
        return positions / DAY_US

    def is_provisional(self, boundaries: Instants) -> npt.NDArray[np.bool_]:
        return provisional(self.calendar, self._local.to_local(boundaries))

    def given(self, moments: Instants) -> tuple[Instants, Instants]:
        return moments, moments

    def close(self, starts: Instants) -> Positions:
        raise UsageError("elapsed time has no office close; an instant case needs office_clock or whole_day")


def _months_after(day: int, months: float) -> int:
    if months != int(months):
        raise UsageError(f"a limit of {months} months is not a whole number of months")
    begin = date.fromordinal(day + EPOCH)
    year, month = divmod(begin.year * 12 + begin.month - 1 + int(months), 12)
    year = min(year, 9000)  # beyond every calendar, which `due` refuses
    last = gregorian.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(begin.day, last)).toordinal() - EPOCH
