"""Office hours and local closures in the ledger: imported, checked, judged by from the next night on."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.cli.command import jiancha
from tests.cli.test_without_a_database import refused
from tests.runs.test_a_night import rows
from tests.runs.world import Platform

NIGHT, NEXT = date(2026, 11, 17), date(2026, 11, 18)
HEADER = "region,valid_from,season_from,spans,known_from"
CARDS = """select business_on, event, level, reached_at at time zone 'Asia/Shanghai', calendar_version
from card_event order by seq"""


@pytest.fixture
def hours(tmp_path: Path):  # type: ignore[no-untyped-def]
    def write(*lines: str, header: str = HEADER) -> Path:
        path = tmp_path / "office_hours.csv"
        path.write_text("\n".join((header, *lines)), encoding="utf-8")
        return path

    return write


def test_a_night_is_judged_by_the_hours_of_the_sources_region(platform: Platform, ready: Engine, hours) -> None:  # type: ignore[no-untyped-def]
    imported = jiancha("reference", "import", hours('510000,2026-01-01,01-01,"08:00-12:00,14:00-18:00",2026-01-01'))
    assert (imported.code, imported.out) == (0, "office_hours.csv: 1 new rows\n")
    platform.accept("A", "2026-11-13 07:00", promised=1, statutory=20)
    assert jiancha("night", "--date", NIGHT).code == 0
    assert [(row[2], f"{row[3]:%m-%d %H:%M}", row[4]) for row in rows(ready, CARDS)] == [
        ("reminder", "11-13 07:00", "cn@2025-11-04+51@2026-01-01"),
        ("yellow", "11-16 08:00", "cn@2025-11-04+51@2026-01-01"),
    ]
    assert jiancha("explain", "A", "--json").only["calendar_version"] == "cn@2025-11-04+51@2026-01-01"


def test_hours_imported_after_a_night_count_from_the_next_one_and_importing_again_changes_nothing(
    platform: Platform,
    ready: Engine,
    hours,  # type: ignore[no-untyped-def]
) -> None:
    platform.accept("A", "2026-11-13 16:00", promised=1, statutory=20)
    platform.finish("A", "2026-11-16 16:30")
    assert jiancha("night", "--date", NIGHT).code == 0
    path = hours('511602,2026-11-16,01-01,"09:00-12:00,15:00-19:00",2026-01-01')
    imported = jiancha("reference", "import", path)
    assert (imported.code, imported.out) == (0, "office_hours.csv: 1 new rows\n")
    assert "known_from=2026-11-19" in imported.err
    before = jiancha("ledger", "digest").out
    assert jiancha("reference", "import", path).out == "office_hours.csv: 0 new rows\n"
    assert jiancha("ledger", "digest").out == before
    assert jiancha("night", "--date", NEXT).code == 0
    told = rows(
        ready, "select business_on, event, nature, standing from card_event where level = 'yellow' order by seq"
    )
    assert told == [
        (date(2026, 11, 16), "issued", "conduct", True),  # due Monday 16:00 by the hours known then
        (NEXT, "withdrawn", "calendar", False),  # 17:30 by Monday's new hours
    ]


def test_a_lag_in_working_days_is_counted_by_the_hours_of_the_records_region(
    platform: Platform,
    ready: Engine,
    hours,  # type: ignore[no-untyped-def]
) -> None:
    """Three and a half hours after the default close are nothing; of a day of nine hours they are a part."""
    jiancha("reference", "import", hours('511602,2026-11-17,01-01,"09:00-12:00,15:00-21:00",2026-01-01'))
    for case_no, day in (("before", "2026-11-16"), ("after", "2026-11-17")):
        platform.accept(
            case_no, f"{day} 17:30", cd_time=f"{day}T17:30:00".translate(str.maketrans("", "", "-T:")),
            receive_time=f"{day}T21:00:00+08:00",
        )  # fmt: skip
        assert jiancha("night", "--date", day).code == 0
    late = "select case_no, lag_seconds, lag_working_days::float8 from push_finding where class = 'late' order by 1"
    assert rows(ready, late) == [("after", 12_600, 0.388889), ("before", 12_600, 0)]
    told = jiancha("explain", "after", "--json").only["records"]
    assert [record["transport_days"] for record in told] == [0.388889]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("511602,2026-01-01,01-01,9-12,2026-01-01", "row 2: office hours '9-12' are not spans such as"),
        ('511602,2026-01-01,01-01,"09:00-12:00,11:00-13:00",2026-01-01', "row 2: office hours"),
        ("511602,2026-01-01,01-01,12:00-09:00,2026-01-01", "empty or reversed"),
        ("511602,2026-01-01,01-01,09:00-12:00,13:30-17:30,2026-01-01", "row 2: more cells than headings"),
        ("511602,2026-01-01,02-29,09:00-12:00,2026-01-01", "row 2: season '02-29' is not a day MM-DD"),
        ("511602,2026-13-01,01-01,09:00-12:00,2026-01-01", "row 2: valid_from '2026-13-01' is not a date"),
        ("511602,2026-01-01,01-01,09:00-12:00,", "row 2: known_from missing"),
        ("顺庆,2026-01-01,01-01,09:00-12:00,2026-01-01", "row 2: region '顺庆' is not a region code"),
        ("511602,2026-01-01,05-01,09:00-12:00,2026-01-01", "region 511602: from 2026-01-01 there is one season only"),
    ],
)
def test_hours_nobody_can_count_with_are_refused_by_row(ready: Engine, hours, line: str, said: str) -> None:  # type: ignore[no-untyped-def]
    ended = jiancha("reference", "import", hours(line))
    assert (ended.code, ended.out) == (1, "office_hours.csv: 0 new rows\n")
    assert said in ended.err
    assert rows(ready, "select count(*) from office_hours") == [(0,)]


def test_a_half_day_is_a_row_with_its_last_date(ready: Engine, hours) -> None:  # type: ignore[no-untyped-def]
    from etl.domain.office_axis import OfficeAxis
    from etl.store.calendars import stored

    header = "region,valid_from,valid_until,spans,known_from"
    assert (
        jiancha("reference", "import", hours("51,2026-11-20,2026-11-20,09:00-12:00,2026-01-01", header=header)).code
        == 0
    )
    axis = OfficeAxis(stored(ready).book("cn").known(None, "511602"))
    assert axis.day == 21 * 3600 * 1_000_000, "the common measure of seven hours and three"
    refused_row = jiancha(
        "reference", "import", hours("51,2026-11-20,2026-11-19,09:00-12:00,2026-01-01", header=header)
    )
    assert (refused_row.code, "row 2: valid_until 2026-11-19" in refused_row.err) == (1, True)
    refused(jiancha("reference", "import", hours("51,x", header="region,colour")), 2, "columns unknown: ['colour']")
