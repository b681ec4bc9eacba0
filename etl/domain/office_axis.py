"""Time inside office hours on working days (mode `office_clock`)."""

from __future__ import annotations

import math
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from etl.domain.axis import FAR, Positions, Targets, exact, provisional
from etl.domain.calendar import Calendar, Days
from etl.domain.night import DAY_US, ZONE, Instants
from etl.domain.office_hours import OfficeHours, Schedule, microseconds
from etl.domain.zone import Zone
from etl.errors import CalendarNotCovering, UsageError


class OfficeAxis:
    """Time inside office hours on working days (mode `office_clock`).

    Args:
        calendar: working days and their office hours.
        hours: the same office hours on every working day instead.
        in_hours: measure office hours as they pass, where days differ in length; a day then is the one it starts on.
    """

    day_unit = "working_day"

    def __init__(
        self,
        calendar: Calendar,
        hours: OfficeHours | None = None,
        zone: ZoneInfo = ZONE,
        *,
        in_hours: bool = False,
    ) -> None:
        self.calendar = calendar
        self._local = Zone(zone)
        kinds, of_day = calendar.schedule if hours is None else Schedule((hours,), None)
        self._spans = [
            [(microseconds(begin), microseconds(end, is_end=True)) for begin, end in spans] for spans in kinds
        ]
        lengths = [sum(end - begin for begin, end in spans) for spans in self._spans]
        self._lengths = np.array(lengths)
        self._in_hours = in_hours and len(set(lengths)) > 1
        self.day = max(lengths) if self._in_hours else math.lcm(*lengths)
        if self.day * len(calendar.is_working) >= FAR:
            raise UsageError("office hours differ so oddly between days that they have no small common multiple")
        self._kind = np.zeros(len(calendar.is_working), dtype=np.int64) if of_day is None else of_day
        scale = np.array([1 if self._in_hours else self.day // length for length in lengths])
        self._scale = np.where(calendar.is_working, scale[self._kind], 0)
        self._is_scaled = bool((scale > 1).any())
        self._before: Positions = np.concatenate(([0], np.cumsum(self._scale * self._lengths[self._kind])))
        # Per number of working days the last table position before which there are no more; -1 working days: the first.
        self._last = np.append(
            0, np.searchsorted(self._before, np.arange(self._before[-1] // self.day + 1) * self.day, "right") - 1
        )

    def start(self, starts: Instants) -> Positions:
        return self.at(starts)

    def at(self, instants: Instants) -> Positions:
        local = self._local.to_local(instants)
        days = local // DAY_US
        index = self.calendar.index(days)
        return self._before.take(index) + self._counted(index, local - days * DAY_US) * self._scale.take(index)

    def suspension(self, begins: Instants, ends: Instants) -> tuple[Positions, Positions]:
        return self.at(begins), self.at(ends)

    def distance(self, limits: npt.NDArray[np.float64], unit: str, starts: Instants) -> Positions:
        if unit == "working_day":
            if not self._in_hours:
                return exact(limits, self.day)
            kind = self._kind[self.calendar.index(self._local.to_local(starts) // DAY_US)]
            every = np.stack([exact(limits, int(length)) for length in self._lengths])
            return every[kind, np.arange(len(kind))]
        seconds = {"hour": 3600, "minute": 60}.get(unit)
        if seconds is None:
            raise UsageError(f"office_clock cannot count in {unit}")
        if not self._in_hours and len(set(self._lengths.tolist())) > 1:
            raise UsageError("days of different length are no measure of hours; make the axis with in_hours")
        return exact(limits, seconds * 1_000_000)

    def due(self, targets: Targets, starts: Instants) -> Instants:
        return np.where(self.at(starts) >= targets.due, starts, self._inverse(targets.due, "left"))

    def reached(self, targets: Targets, starts: Instants) -> Instants:
        return np.where(self.at(starts) > targets.over, starts, self._inverse(targets.over, "right"))

    def met(self, targets: Targets, starts: Instants) -> Instants:
        return self.due(targets, starts)

    def is_over(self, targets: Targets, starts: Instants, stops: Instants) -> npt.NDArray[np.bool_]:
        return self.at(stops) > targets.over

    def days(self, positions: Positions) -> npt.NDArray[np.float64]:
        return positions / self.day

    def seconds(self, positions: Positions) -> npt.NDArray[np.float64]:
        """Distances -> office seconds; exact while all days have one length."""
        return positions / 1_000_000

    def is_provisional(self, boundaries: Instants) -> npt.NDArray[np.bool_]:
        return provisional(self.calendar, self._local.to_local(boundaries))

    def given(self, moments: Instants) -> tuple[Instants, Instants]:
        return moments, moments

    def close(self, starts: Instants) -> Positions:
        local = self._local.to_local(starts)
        index = self.calendar.index(local // DAY_US)
        closes = np.array([spans[-1][1] for spans in self._spans])[self._kind[index]]
        open_today = self.calendar.is_working[index] & (local % DAY_US < closes)
        last_day: Days = np.where(open_today, index, self._next_working(index))
        return self._before.take(last_day + 1)

    def next_working_noon(self, moments: Instants) -> Instants:
        """12:00 of the first working day after each moment's date."""
        index = self.calendar.index(self._local.to_local(moments) // DAY_US)
        return self._local.to_instant((self._next_working(index) + self.calendar.first) * DAY_US + DAY_US // 2)

    def of_date(self, instants: Instants) -> tuple[Instants, Instants]:
        """Office microseconds of each instant's date, gone by then and in all; on a rest day as if it were worked."""
        local = self._local.to_local(instants)
        days = local // DAY_US
        index = self.calendar.index(days)
        return self._counted(index, local - days * DAY_US), self._lengths[self._kind[index]]

    def working_days(self, first: Instants, last: Instants) -> Days:
        """Working dates from the date of one instant to that of another, both included."""
        begin, end = (self.calendar.index(self._local.to_local(moments) // DAY_US) for moments in (first, last))
        count: Days = np.concatenate(([0], np.cumsum(self.calendar.is_working)))
        return count[end + 1] - count[begin]

    def _next_working(self, index: Days) -> Days:
        following: Days = np.searchsorted(self._before, self._before[index + 1], side="right") - 1
        if (following >= len(self._scale)).any():
            raise CalendarNotCovering(f"calendar {self.calendar.version} ends before the next working day")
        return following

    def _counted(self, index: Days, offset: Instants) -> Instants:
        counted = np.zeros_like(offset)
        for kind, spans in enumerate(self._spans):
            here = np.zeros_like(offset)
            for begin, end in spans:
                here += np.clip(offset - begin, 0, end - begin)
            counted = here if len(self._spans) == 1 else np.where(self._kind[index] == kind, here, counted)
        return counted

    def _inverse(self, targets: Positions, side: Literal["left", "right"]) -> Instants:
        """The first (left) or last (right) instant at which the measure stands at the target."""
        # Working days fully before the target; exactly full days end at the end of the last (left) or are over (right).
        begun = targets if side == "right" else targets - 1
        if self._in_hours:
            index = np.maximum(np.searchsorted(self._before, begun, side="right") - 1, 0)
        else:
            index = self._last.take(begun // self.day + 1, mode="clip")
        if (index >= len(self._scale)).any():
            raise CalendarNotCovering(f"a limit ends beyond calendar {self.calendar.version}; load the missing years")
        into_day = targets - self._before.take(index)
        if self._is_scaled:
            into_day = -(-into_day // np.maximum(self._scale[index], 1))  # microseconds, rounded up
        moment = np.zeros_like(into_day)
        for kind, spans in enumerate(self._spans):
            left, here = into_day, np.full_like(into_day, spans[0][0])
            for begin, end in spans:
                enters = left >= 0 if side == "right" else left > 0
                here = np.where(enters, begin + np.minimum(left, end - begin), here)
                left = left - (end - begin)
            moment = here if len(self._spans) == 1 else np.where(self._kind[index] == kind, here, moment)
        return self._local.to_instant((index + self.calendar.first) * DAY_US + moment)
