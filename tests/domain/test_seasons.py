"""A working day counts one whatever its length: office hours that change with the season."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from etl.domain.axis import Targets
from etl.domain.calendar import custom
from etl.domain.night import from_us, to_us
from etl.domain.office_axis import OfficeAxis
from etl.errors import UsageError

SHANGHAI = ZoneInfo("Asia/Shanghai")
WINTER = ((time(9), time(12)), (time(13, 30), time(17, 30)))
SUMMER = ((time(9), time(12)), (time(15), time(18)))
FRIDAY_MORNING_ONLY = ((time(9), time(12)),)


def at(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))


@pytest.fixture
def axis() -> OfficeAxis:
    return OfficeAxis(custom([], []), WINTER, seasons=((5, 1, SUMMER), (10, 1, WINTER)))


def used(axis: OfficeAxis, begin: str, end: str) -> float:
    first, last = axis.at(np.array([at(begin)])), axis.at(np.array([at(end)]))
    return float(axis.days(last - first)[0])


def test_a_summer_day_and_a_winter_day_both_count_one(axis: OfficeAxis) -> None:
    assert used(axis, "2026-04-30 09:00", "2026-04-30 17:30") == 1
    assert used(axis, "2026-05-04 09:00", "2026-05-04 18:00") == 1
    assert used(axis, "2026-04-30 09:00", "2026-05-05 12:00") == 3.5  # Thursday, Friday, Monday, half of Tuesday


def test_a_limit_ends_at_the_same_share_of_a_day_of_another_length(axis: OfficeAxis) -> None:
    start = np.array([at("2026-04-30 13:30")])  # 3 of 7 winter hours gone
    target = axis.start(start) + axis.distance(np.array([1.0]), "working_day", start)
    due = from_us(int(axis.due(Targets(target, target), start)[0]))
    # 3/7 of the six summer hours of Friday 1 May is 2 h 34 min 17.142858 s, rounded up to the microsecond.
    expected = datetime(2026, 5, 1, 9, tzinfo=SHANGHAI) + timedelta(microseconds=-(-6 * 3600 * 1_000_000 * 3 // 7))
    assert due == expected


def test_hours_cannot_be_counted_over_days_of_different_length() -> None:
    odd = OfficeAxis(custom([], []), WINTER, seasons=((5, 1, FRIDAY_MORNING_ONLY),))
    with pytest.raises(UsageError, match="one length"):
        odd.distance(np.array([5.0]), "hour", np.array([at("2026-05-04 09:00")]))


def test_a_make_up_sunday_is_worked_and_a_holiday_is_not() -> None:
    axis = OfficeAxis(custom([date(2026, 5, 1)], [date(2026, 5, 3)]), WINTER)
    assert used(axis, "2026-05-01 09:00", "2026-05-03 17:30") == 1
