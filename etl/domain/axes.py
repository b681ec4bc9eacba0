"""Which axis a counting mode uses for a unit."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from etl.domain.axis import Axis
from etl.domain.calendar import Calendar
from etl.domain.date_axis import DateAxis, WallAxis
from etl.domain.night import ZONE
from etl.domain.office_axis import OfficeAxis
from etl.domain.office_hours import OfficeHours
from etl.errors import UsageError


def axis_for(
    mode: str,
    unit: str,
    calendar: Calendar,
    *,
    hours: OfficeHours | None = None,
    roll: bool = False,
    zone: ZoneInfo = ZONE,
) -> Axis:
    """The axis a counting mode uses for a unit; `UsageError` for a pair that has no meaning."""
    if mode == "office_clock" and unit in ("working_day", "hour", "minute"):
        return OfficeAxis(calendar, hours, zone, in_hours=unit != "working_day")
    if mode == "whole_day" and unit == "working_day":
        return DateAxis(calendar, working=True, roll=roll, zone=zone)
    if mode == "natural_day" and unit in ("natural_day", "month"):
        return DateAxis(calendar, working=False, zone=zone)
    if mode == "natural_day" and unit in ("hour", "minute"):
        return WallAxis(calendar, zone)
    raise UsageError(f"mode {mode!r} cannot count in unit {unit!r}")
