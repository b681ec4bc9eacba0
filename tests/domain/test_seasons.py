"""A working day counts one whatever its length: office hours that change with the season."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from etl.domain.axis import Targets
from etl.domain.calendar import Calendar, CalendarBook, CalendarDay, StatutoryDay, custom
from etl.domain.night import from_us, to_us
from etl.domain.office_axis import OfficeAxis
from etl.domain.office_hours import OFFICE_HOURS, HoursRuling
from etl.errors import UsageError

SHANGHAI = ZoneInfo("Asia/Shanghai")
WINTER = ((time(9), time(12)), (time(13, 30), time(17, 30)))
SUMMER = ((time(9), time(12)), (time(15), time(18)))
FRIDAY_MORNING_ONLY = ((time(9), time(12)),)


def at(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI))


def hours(
    valid_from: str,
    spans: object,
    season: tuple[int, int] = (1, 1),
    *,
    until: str | None = None,
    known: str = "2020-01-01",
) -> HoursRuling:
    begin, known_from = date.fromisoformat(valid_from), date.fromisoformat(known)
    return HoursRuling(begin, None if until is None else date.fromisoformat(until), season, spans, known_from)  # type: ignore[arg-type]


SEASONS = [hours("2020-01-01", SUMMER, (5, 1)), hours("2020-01-01", WINTER, (10, 1))]


def book(rows: dict[str, list[HoursRuling]], local: dict[str, list[CalendarDay]] | None = None) -> CalendarBook:
    """A calendar of 2025 to 2027 with one holiday, notices of all years, and these regions."""
    days = [
        CalendarDay(date(year, 1, 1), "holiday", "元旦", str(year), date(2019, 11, 1)) for year in (2025, 2026, 2027)
    ]
    return CalendarBook("cn", days, [StatutoryDay(date(2025, 1, 1), "元旦", date(2000, 1, 1))], local, rows)


def calendar(rows: dict[str, list[HoursRuling]], region: str | None, known: str | None = None) -> Calendar:
    return book(rows).known(None if known is None else date.fromisoformat(known), region)


def closes(rows: dict[str, list[HoursRuling]], region: str | None, day: str, known: str | None = None) -> str:
    """When the office of a region closes that day: the end of the day an instant case is due at."""
    axis = OfficeAxis(calendar(rows, region, known))
    start = np.array([at(f"{day} 00:00")])
    end = axis.close(start)
    return f"{from_us(int(axis.due(Targets(end, end), start)[0])):%m-%d %H:%M}"


@pytest.fixture
def axis() -> OfficeAxis:
    return OfficeAxis(calendar({"43": SEASONS}, "430102"))


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
    rows = {"43": [*SEASONS, hours("2026-05-08", FRIDAY_MORNING_ONLY, until="2026-05-08")]}
    with pytest.raises(UsageError, match="in_hours"):
        OfficeAxis(calendar(rows, "43")).distance(np.array([5.0]), "hour", np.array([at("2026-05-04 09:00")]))


def test_a_limit_in_hours_counts_office_hours_as_they_pass_over_days_of_different_length() -> None:
    rows = {"43": [*SEASONS, hours("2026-05-08", FRIDAY_MORNING_ONLY, until="2026-05-08")]}
    axis = OfficeAxis(calendar(rows, "43"), in_hours=True)
    start = np.array([at("2026-05-07 16:00")])  # two summer hours, three of the half Friday, then Monday
    for limit, due in ((2.0, "05-07 18:00"), (5.0, "05-08 12:00"), (6.5, "05-11 10:30")):
        target = axis.start(start) + axis.distance(np.array([limit]), "hour", start)
        assert f"{from_us(int(axis.due(Targets(target, target), start)[0])):%m-%d %H:%M}" == due
    day = axis.distance(np.array([1.0, 1.0]), "working_day", np.array([at("2026-04-30 09:00"), at("2026-05-08 09:00")]))
    assert (day / 3_600_000_000).tolist() == [7, 3], "a day is the one it starts on"
    assert f"{from_us(int(axis.next_working_noon(np.array([at('2026-05-08 16:00')]))[0])):%m-%d %H:%M}" == "05-11 12:00"


def test_hours_are_those_of_the_nearest_place_in_force_that_day_as_known_then() -> None:
    rows = {
        "430000": [hours("2026-01-01", SUMMER)],
        "430102": [hours("2026-03-02", FRIDAY_MORNING_ONLY, known="2026-03-10")],
    }
    assert closes(rows, None, "2026-03-11") == closes(rows, "510000", "2026-03-11") == "03-11 17:30"
    assert closes(rows, "430103", "2026-03-11") == closes(rows, "430100000000", "2026-03-11") == "03-11 18:00"
    assert closes(rows, "430102", "2026-02-27") == "02-27 18:00", "the province's until its own begin"
    assert closes(rows, "430102", "2026-03-11") == closes(rows, "430102003", "2026-03-11") == "03-11 12:00"
    assert closes(rows, "430102", "2026-03-11", known="2026-03-09") == "03-11 18:00", "not known yet"
    assert calendar(rows, "430102").version == "cn@2019-11-01+43@2020-01-01+430102@2026-03-10"
    assert calendar(rows, "510000").version == "cn@2019-11-01"


def test_the_next_arrangement_ends_the_seasons_of_the_one_before_and_a_single_day_stays_a_day() -> None:
    rows = {
        "43": [
            *SEASONS,
            hours("2026-06-01", OFFICE_HOURS),
            hours("2026-06-03", FRIDAY_MORNING_ONLY, until="2026-06-04"),
        ]
    }
    expected = {
        "2026-01-05": "17:30",  # the winter that began in October reaches into the year
        "2026-05-29": "18:00",
        "2026-06-02": "17:30",
        "2026-06-03": "12:00",
        "2026-06-04": "12:00",
        "2026-06-05": "17:30",
        "2027-05-06": "17:30",
    }
    assert {day: closes(rows, "43", day)[-5:] for day in expected} == expected


def test_a_region_closes_for_itself_and_takes_its_closure_back() -> None:
    def off(region: str, day: str, kind: str, known: str) -> CalendarDay:
        return CalendarDay(date.fromisoformat(day), kind, f"{region} 台风", "2026-local", date.fromisoformat(known))

    local = {
        "430000": [off("430000", "2026-07-20", "holiday", "2026-07-19")],
        "430100": [
            off("430100", "2026-07-20", "makeup", "2026-07-20"),
            off("430100", "2026-07-21", "holiday", "2026-07-19"),
            off("430100", "2026-07-21", "workday", "2026-07-21"),
        ],
    }  # fmt: skip
    closing = book({}, local)

    def works(region: str | None, day: str, known: str) -> bool:
        return closing.known(date.fromisoformat(known), region).is_working_day(date.fromisoformat(day))

    assert not works("430200", "2026-07-20", "2026-07-19")
    assert works("430200", "2026-07-20", "2026-07-18")
    assert works(None, "2026-07-20", "2026-07-30")
    assert [works("430102", "2026-07-20", f"2026-07-{known}") for known in (19, 20)] == [False, True]
    assert [works("430102", "2026-07-21", f"2026-07-{known}") for known in (19, 21)] == [False, True]
    assert closing.known(None, "430200").rulings[date(2026, 7, 20)].name == "430000 台风"
    assert closing.version(closing.revision(date(2026, 7, 20)), "43") is closing.version(
        closing.revision(date(2026, 7, 19)), "43"
    )
    assert closing.fingerprint(date(2026, 7, 20)) != closing.fingerprint(date(2026, 7, 19))
    assert closing.fingerprint(date(2026, 7, 18)) == book({}).fingerprint(date(2026, 7, 18))


def test_a_make_up_sunday_is_worked_and_a_holiday_is_not() -> None:
    axis = OfficeAxis(custom([date(2026, 5, 1)], [date(2026, 5, 3)]), WINTER)
    assert used(axis, "2026-05-01 09:00", "2026-05-03 17:30") == 1
