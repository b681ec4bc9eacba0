"""A year without a notice, its notice imported, amendments and local closures: what is said before and done after."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.cli.command import jiancha
from tests.cli.test_without_a_database import refused
from tests.runs.test_a_night import rows
from tests.runs.world import Platform

NIGHT, NEXT = date(2027, 1, 8), date(2027, 1, 9)
HEADER = "calendar,on_date,kind,name,notice,known_from"
# What a notice of 2027 might say; the dates of the feasts are those fixed by law.
NEW_YEAR = ("cn,2027-01-01,holiday,元旦,2027,2026-12-05", "cn,2027-01-03,makeup,元旦,2027,2026-12-05")
EVENTS = "select business_on, event, level, nature, provisional, standing from card_event order by seq"


def notice(folder: Path, *lines: str, name: str = "notice.csv", header: str = HEADER) -> Path:
    path = folder / name
    path.write_text("\n".join((header, *lines)), encoding="utf-8")
    return path


@pytest.fixture
def judged(platform: Platform, ready: Engine) -> Platform:
    """A case overdue in a year nobody has announced, judged once."""
    platform.accept("A", "2026-12-23 10:00", promised=3, statutory=6)
    assert jiancha("night", "--date", NIGHT).code == 0
    return platform


def test_a_red_card_waits_for_the_notice_of_its_year_and_comes_with_it(
    judged: Platform, ready: Engine, tmp_path: Path
) -> None:
    before = rows(ready, EVENTS)
    assert {row[2] for row in before} == {"reminder", "yellow"}, "no red on days nobody has announced"
    path = notice(tmp_path, *NEW_YEAR)
    preview = jiancha("calendar", "import", path)
    assert preview.code == 0
    assert "将新发 1 张，撤回 0 张" in preview.out
    assert "未导入" in preview.out
    assert rows(ready, "select count(*) from calendar_day where notice = '2027'") == [(0,)]
    assert jiancha("night", "--date", NIGHT).code == 0
    assert rows(ready, EVENTS) == before, "a preview changes nothing"

    applied = jiancha("calendar", "import", path, "--yes", "--json")
    *changes, counts = applied.lines
    assert (applied.code, counts["counts"]["issued"], counts["counts"]["resolved"]) == (0, 1, 1)
    assert [(line["change"], line["level"], line["nature"]) for line in changes if line["change"] == "issued"] == [
        ("issued", "red", "calendar")
    ]
    assert "known_from=2027-01-10" in applied.err, "the nights judged without it stay as they are"
    assert rows(ready, "select distinct known_from from calendar_day where notice = '2027'") == [(date(2027, 1, 10),)]

    assert jiancha("night", "--date", NEXT).code == 0
    assert rows(ready, EVENTS)[: len(before)] == before, "nothing is deleted"
    assert rows(ready, EVENTS)[len(before) :] == [(NEXT, "issued", "red", "calendar", False, True)]
    assert jiancha("ledger", "verify").code == 0
    assert rows(ready, "select count(*) from card_event where event = 'void'") == [(0,)]
    refused(jiancha("calendar", "import", path), 2, "nothing new; the ledger knows every ruling of notice 2027")


def test_a_typhoon_told_afterwards_withdraws_the_card_of_its_region(
    platform: Platform, ready: Engine, tmp_path: Path
) -> None:
    platform.accept("A", "2026-11-10 10:00", promised=3, statutory=20)
    platform.finish("A", "2026-11-14 09:30")
    assert jiancha("night", "--date", "2026-11-17").code == 0
    path = notice(tmp_path, "511600,2026-11-12,holiday,台风停工,2026-台风,2026-11-12")
    assert "撤回 1 张" in jiancha("calendar", "import", path, "--yes").out
    assert jiancha("night", "--date", "2026-11-18").code == 0
    yellow = rows(ready, "select event, nature, calendar_version from card_event where level = 'yellow' order by seq")
    assert yellow == [
        ("issued", "conduct", "cn@2025-11-04"),
        ("withdrawn", "calendar", "cn@2025-11-04+5116@2026-11-19"),
    ]
    elsewhere = notice(tmp_path, "430100,2026-11-13,holiday,台风停工,2026-台风,2026-11-19", name="elsewhere.csv")
    assert "界限移动 0 个" in jiancha("calendar", "import", elsewhere).out


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "there are no rows in it"),
        (
            ("cn,2026-10-01,holiday,国庆节,2026,2025-11-04",),
            "nothing new; the ledger knows every ruling",
        ),
        (("cn,2026-10-01,makeup,国庆节,2026,2025-11-04",), "cn/2026-10-01 of 2025-11-04 is known otherwise; give"),
        (("cn,2027-01-01,off,元旦,2027,2026-12-05",), "row 2: kind 'off'; known: holiday, makeup, workday"),
        (("cn,2027-13-01,holiday,元旦,2027,2026-12-05",), "row 2: month must be in 1..12"),
        (("cn,2027-01-01,holiday,元旦,2027,",), "row 2: every row has one value each for"),
        ((*NEW_YEAR, "cn,2027-01-01,makeup,元旦,2027,2026-12-05"), "row 4: 2027-01-01 was ruled on in row 2 already"),
        (("us,2027-01-01,holiday,元旦,2027,2026-12-05",), "row 2: calendar 'us'; known: cn, or the code of a region"),
        (("cn,2027-01-01,holiday,元旦,通知,2026-12-05",), "row 2: notice '通知' does not start with the year"),
        (
            ("511602,2026-11-24,workday,更正,2026-更正,2026-11-20",),
            "row 2: workday takes back a ruling",
        ),
    ],
)
def test_a_calendar_file_that_is_wrong_is_refused_whole(
    ready: Engine, tmp_path: Path, lines: tuple[str, ...], said: str
) -> None:
    before = rows(ready, "select count(*) from calendar_day")
    refused(jiancha("calendar", "import", notice(tmp_path, *lines), "--yes"), 2, said)
    assert rows(ready, "select count(*) from calendar_day") == before


def test_other_headings_another_encoding_and_no_file_are_refused(ready: Engine, tmp_path: Path) -> None:
    refused(
        jiancha("calendar", "import", notice(tmp_path, header="date,kind")), 2, "the headings are not calendar, on_date"
    )
    (tmp_path / "gbk.csv").write_bytes("calendar,元旦".encode("gbk"))
    refused(jiancha("calendar", "import", tmp_path / "gbk.csv"), 2, "not CSV in UTF-8")
    refused(jiancha("calendar", "import", tmp_path / "none.csv"), 2, "No such file")


def test_the_state_of_the_calendar_says_what_is_provisional_already(ready: Engine, tmp_path: Path) -> None:
    facts = jiancha("calendar", "status", "--date", "2026-11-23", "--json").only
    assert facts["next_year_announced"] is False
    assert facts["provisional_from"] == "2026-12-29"
    assert facts["provisional_for_accepted_from"] == "2026-12-01", "accepted on 11-30 it is due on 12-28"
    known = {one["notice"]: one["known_from"] for one in facts["notices"]}
    assert (known["2026"], known["2020"]) == ("2025-11-04", "2019-11-21")
    text = jiancha("calendar", "status", "--date", "2026-11-23").out
    assert "2027 年放假安排未公布" in text
    assert jiancha("calendar", "import", notice(tmp_path, *NEW_YEAR), "--yes").code == 0
    after = jiancha("calendar", "status", "--date", "2026-12-05", "--json").only
    assert (after["next_year_announced"], after["provisional_from"]) == (True, "2027-12-29")
    assert jiancha("calendar", "status", "--date", "2026-12-04", "--json").only["next_year_announced"] is False


def test_a_profile_and_an_items_limits_are_tried_out_before_anybody_changes_them(
    platform: Platform, ready: Engine, tmp_path: Path
) -> None:
    from etl.store.profiles import FOLDER

    refused(jiancha("impact", "--item", "other", "--promised", 1), 2, "no night has been judged yet")
    platform.accept("A", "2026-11-10 10:00", promised=3, statutory=20)
    platform.accept("B", "2026-11-16 10:00", promised=9, statutory=20, task_code="other")
    assert jiancha("night", "--date", "2026-11-17").code == 0
    before = jiancha("ledger", "digest").out
    text = (FOLDER / "hunan.toml").read_text(encoding="utf-8").replace('"2018.1"', '"2026.1"')
    later = tmp_path / "hunan.toml"
    yellow = 'level = "yellow", base = "promised"'
    later.write_text(text.replace(yellow, f"{yellow}, offset_days = 3", 1), encoding="utf-8")
    *changes, told = jiancha("impact", "--profile", later, "--json").lines
    assert {(line["change"], line["case_no"], line["level"], line["nature"]) for line in changes} == {
        ("withdrawn", "A", "yellow", "rule"),
        ("moved", "A", "yellow", "conduct"),  # overdue by either, a year ahead
        ("moved", "B", "yellow", "conduct"),
    }  # fmt: skip
    assert told == {"counts": {"cases": 2, "moved": 2, "issued": 0, "withdrawn": 1, "resolved": 0}}
    later.write_text(text, encoding="utf-8")
    assert "界限移动 0 个" in jiancha("impact", "--profile", later).out, "a version that says the same"

    *_, told = jiancha("impact", "--item", "other", "--promised", 1, "--json").lines
    assert (told["counts"]["cases"], told["counts"]["issued"]) == (1, 2)
    refused(jiancha("impact", "--item", "nobody's", "--promised", 1), 2, "no case of item nobody's is known")
    refused(jiancha("impact", "--item", "other"), 2, "--item goes with --promised")
    refused(jiancha("impact"), 2, "give one of --profile, --calendar, --item")
    refused(jiancha("impact", "--profile", FOLDER / "percent.toml"), 2, "no source is judged by profile percent")
    assert jiancha("ledger", "digest").out == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'count_mode = "office_clock"',
            'count_mode = "office"',
            "count_mode: Input should be 'office_clock'",
        ),
        ('version = "2018.1"', 'versoin = "2018.1"', "versoin: no such field; allowed: name, version, in_force_from"),
        ('base = "statutory"', 'base = "stage"', "clock case has base promised or statutory, not stage"),
        ("offset_days = 5", "offset = 5", "levels.9.offset: no such field; allowed: clock, level, base"),
        ('calendar = "cn"', 'calendar = "cn"\nin_force_from = "soon"', "in_force_from: Input should be a valid date"),
        ('name = "hunan"', 'name "hunan"', "not TOML"),
    ],
)
def test_a_slip_in_a_profile_names_the_file_the_field_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    from etl.store.profiles import FOLDER

    path = tmp_path / "typo.toml"
    path.write_text((FOLDER / "hunan.toml").read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    empty: Any = tmp_path / "none.jsonl"
    empty.write_text("")
    ended = jiancha("judge", "--messages", empty, "--as-of", "2026-11-17T01:00:00+08:00", "--profile", path)
    refused(ended, 2, said)
    assert "typo.toml" in ended.err
