"""The weekly bulletin's timetable over the holidays that break simpler ones. Dates are Shanghai dates."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

ZONE = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def following(module: ModuleType, now: str, **about: Any) -> tuple[str, str] | None:
    """(ISO week, moment it runs) of the next run as the scheduler would ask for it at `now`."""
    from airflow.timetables.base import TimeRestriction

    last = about.get("after")
    restriction = TimeRestriction(about.get("earliest"), about.get("latest"), about.get("catchup", False))
    with time_machine.travel(at(now), tick=False):
        info = module.WorkingDayTimetable().next_dagrun_info(
            last_automated_data_interval=module._week(last) if last else None, restriction=restriction
        )
    if info is None:
        return None
    assert info.data_interval.end - info.data_interval.start == timedelta(days=7)
    return f"{info.data_interval.start:%G-W%V}", f"{info.run_after:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("monday", "due"),
    [
        ("2025-09-15", "2025-09-22 08:30"),  # an ordinary week: the Monday after
        ("2025-09-22", "2025-09-29 08:30"),  # ends with the make-up Sunday 09-28, which still belongs to it
        ("2025-09-29", "2025-10-09 08:30"),  # Monday 10-06 to Wednesday 10-08 are National Day
        ("2025-10-06", "2025-10-13 08:30"),  # Saturday 10-11 was worked: no reason to run before the week is over
        ("2026-02-09", "2026-02-24 08:30"),  # the whole next week is Spring Festival
        ("2026-02-16", "2026-02-24 08:30"),  # ... whose own bulletin is due at the same moment
        ("2026-09-28", "2026-10-08 08:30"),
        ("2026-11-16", "2026-11-23 08:30"),
    ],
)
def test_a_week_is_due_on_the_first_working_day_after_it(timetable: ModuleType, monday: str, due: str) -> None:
    assert f"{timetable.WorkingDayTimetable().due_at(date.fromisoformat(monday)):%Y-%m-%d %H:%M}" == due


@pytest.mark.parametrize(
    ("now", "week", "due"),
    [
        ("2025-10-08T12:00", "2025-W39", "2025-09-29 08:30"),  # last day of National Day: nothing newer is due
        ("2025-10-09T08:29", "2025-W39", "2025-09-29 08:30"),
        ("2025-10-09T08:30", "2025-W40", "2025-10-09 08:30"),
        ("2025-10-12T23:00", "2025-W40", "2025-10-09 08:30"),
    ],
)
def test_without_catching_up_the_latest_week_already_due_runs(
    timetable: ModuleType, now: str, week: str, due: str
) -> None:
    assert following(timetable, now, after=date(2025, 8, 4)) == (week, due)
    assert following(timetable, now, earliest=at("2025-01-01T00:00")) == (week, due)


def test_after_the_latest_week_the_next_one_waits_for_its_working_day(timetable: ModuleType) -> None:
    assert following(timetable, "2025-09-29T09:00", after=date(2025, 9, 22)) == ("2025-W40", "2025-10-09 08:30")


def test_both_weeks_of_the_spring_festival_run_whenever_the_scheduler_looks(timetable: ModuleType) -> None:
    for now in ("2026-02-10T09:00", "2026-02-24T08:30", "2026-02-27T10:00"):
        assert following(timetable, now, after=date(2026, 2, 2)) == ("2026-W07", "2026-02-24 08:30")
        assert following(timetable, now, after=date(2026, 2, 9)) == ("2026-W08", "2026-02-24 08:30")


def test_runs_of_the_same_moment_have_different_names(timetable: ModuleType) -> None:
    from airflow.utils.types import DagRunType

    due = timetable.WorkingDayTimetable().due_at(date(2026, 2, 9))
    names = [
        timetable.WorkingDayTimetable().generate_run_id(
            run_type=DagRunType.SCHEDULED, run_after=due, data_interval=timetable._week(monday), partition_key=None
        )
        for monday in (date(2026, 2, 9), date(2026, 2, 16))
    ]
    assert names == ["scheduled__2026-W07", "scheduled__2026-W08"]


def test_going_live_issues_no_bulletin_for_a_week_nobody_recorded(timetable: ModuleType) -> None:
    assert following(timetable, "2025-09-29T09:00") == ("2025-W40", "2025-10-09 08:30")
    assert following(timetable, "2025-09-29T08:29") == ("2025-W39", "2025-09-29 08:30")


def test_a_backfill_takes_the_weeks_whose_monday_lies_in_its_range(timetable: ModuleType) -> None:
    # As the form sends it: midnight of a Monday in UTC is Monday in Shanghai.
    span = {"earliest": datetime.fromisoformat("2025-09-29T00:00+00:00"), "latest": at("2025-10-06T00:00")}
    weeks, last = [], None
    while found := following(timetable, "2026-11-23T12:00", **span, after=last, catchup=True):
        weeks.append(found[0])
        last = date.fromisoformat(f"{found[0]}-1")
    assert weeks == ["2025-W40", "2025-W41"]


def test_by_hand_the_latest_complete_week_is_meant(timetable: ModuleType) -> None:
    interval = timetable.WorkingDayTimetable().infer_manual_data_interval(run_after=at("2025-10-12T23:59"))
    assert f"{interval.start:%G-W%V}" == "2025-W40"


def test_what_the_scheduler_rebuilds_is_the_same_timetable(timetable: ModuleType) -> None:
    original = timetable.WorkingDayTimetable(at=at("2025-01-01T09:15").time())
    rebuilt = timetable.WorkingDayTimetable.deserialize(original.serialize())
    assert rebuilt.due_at(date(2025, 9, 15)) == original.due_at(date(2025, 9, 15)) == at("2025-09-22T09:15")


def test_beyond_the_calendar_nothing_is_guessed(timetable: ModuleType) -> None:
    from etl.errors import CalendarNotCovering

    with pytest.raises(CalendarNotCovering):
        timetable.WorkingDayTimetable().due_at(date(2060, 1, 5))
