"""The demonstration city: the same for the same seed, independent of what reads it, and as dirty as life."""

from __future__ import annotations

import ast
import csv
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from city.departments import DEPARTMENTS, REGIONS
from city.hours import DAY, at
from city.items import items
from city.stories import PLANS, THE_STOP

ROOT = Path(__file__).resolve().parents[2]
DISTRICT = REGIONS["511602"]
coordinate, moment, later = DISTRICT.coordinate, DISTRICT.moment, DISTRICT.later


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def contents(folder: Path) -> dict[str, tuple[bytes, float]]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime) for path in files}


def test_the_same_seed_gives_the_same_bytes_and_times_whatever_the_machine(city_folder: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "America/New_York", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "city", "build", "--into", str(tmp_path), "--seed", "1"]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, timeout=60)
    assert contents(tmp_path) == contents(city_folder)


def test_another_seed_gives_other_histories(city_folder: Path, tmp_path: Path) -> None:
    from city.build import build

    build(tmp_path, seed=2)
    accepted = "scjg/accept.jsonl"
    assert (tmp_path / accepted).read_bytes() != (city_folder / accepted).read_bytes()


def test_building_again_refills_an_emptied_drop_folder(city_folder: Path, tmp_path: Path) -> None:
    from city.build import build

    build(tmp_path, seed=1)
    taken = tmp_path / "zrzy" / "done"
    taken.mkdir()
    for path in list((tmp_path / "zrzy").glob("*.csv")):
        path.rename(taken / path.name)
    build(tmp_path, seed=1)
    assert contents(tmp_path) == contents(city_folder)


def test_the_city_imports_nothing_from_the_platform_it_demonstrates() -> None:
    for path in sorted((ROOT / "city").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [name.name for name in node.names] if isinstance(node, ast.Import) else []
            assert not {module.split(".")[0] for module in modules} & {"etl", "expectations", "dags"}, path.name


def test_office_time_stops_at_night_on_rest_days_and_over_lunch() -> None:
    friday = at(date(2026, 11, 13), "17:00")
    assert later(friday, 1.0) == at(date(2026, 11, 16), "17:00")
    assert later(friday, 3600 / DAY) == at(date(2026, 11, 16), "09:30")
    assert later(at(date(2026, 10, 9), "10:00"), 1.0) == at(date(2026, 10, 10), "10:00")
    assert later(at(date(2026, 11, 16), "09:30"), -3600 / DAY) == at(date(2026, 11, 13), "17:00")
    assert coordinate(at(date(2026, 11, 16), "12:00")) == coordinate(at(date(2026, 11, 16), "13:30"))
    for position in range(0, 40 * DAY, 1777):
        assert coordinate(moment(position)) == position


def test_every_department_lives_cases_of_every_planned_sort(city_folder: Path) -> None:
    summary = json.loads((city_folder / "city.json").read_text(encoding="utf-8"))
    assert set(summary["stories"]) == set(DEPARTMENTS)
    for source, stories in summary["stories"].items():
        planned = {plan.story.__name__ for plan in PLANS if source in plan.sources}
        assert set(stories.values()) == planned
        assert (180 if source in ("scjg", "rsj", "zrzy") else 60) <= len(stories) <= 240


def test_items_are_the_catalogues_and_limits_ours() -> None:
    for source in DEPARTMENTS:
        found = items(source)
        assert 10 <= len(found) <= 20
        assert len({item.code for item in found}) == len(found)
        assert all(item.promised <= item.statutory for item in found)
        assert any(item.promised == 0 for item in found)


def test_nothing_leaves_scjg_for_31_hours_and_decisions_in_time_look_late(city_folder: Path) -> None:
    began, ended = THE_STOP
    assert ended - began == timedelta(hours=31)
    stuck = []
    for path in (city_folder / "scjg").glob("*.jsonl"):
        for row in lines(path):
            received = datetime.fromisoformat(row["receive_time"])
            assert not began < received < ended
            written = datetime.strptime(row["cd_time"], "%Y%m%d%H%M%S").replace(tzinfo=began.tzinfo)
            if began <= written < ended:
                assert received >= ended
                stuck.append(received)
    assert len(stuck) >= 50
    assert sorted(stuck)[int(len(stuck) * 0.95)] < ended + timedelta(hours=1)

    stories = json.loads((city_folder / "city.json").read_text(encoding="utf-8"))["stories"]["scjg"]
    accepted = {row["project_no"]: row for row in lines(city_folder / "scjg" / "accept.jsonl") if "project_no" in row}
    eve = [row for row in lines(city_folder / "scjg" / "result.jsonl") if _story(stories, row) == "eve_of_the_stop"]
    assert len(eve) == 8
    for row in eve:
        start, end = (
            datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=began.tzinfo)
            for text in (accepted[row["project_no"]]["accept_date"], row["result_date"])
        )
        limit = accepted[row["project_no"]]["promise_limit"]
        left = limit * DAY - (coordinate(end) - coordinate(start))
        assert 0 < left < 3600
        assert end.date() == date(2026, 11, 18)
        assert later(start, limit) < at(date(2026, 11, 19), "01:00")
        assert datetime.fromisoformat(row["receive_time"]) > at(date(2026, 11, 19), "16:00")


def _story(stories: dict[str, str], row: dict[str, Any]) -> str | None:
    return stories.get(row.get("project_no", ""))


def test_records_usually_arrive_within_the_hour(city_folder: Path) -> None:
    with sqlite3.connect(city_folder / "rsj.sqlite") as database:
        rows = database.execute("select xtsj, rksj from ex_sp union all select xtsj, rksj from ex_sl").fetchall()
    lags = sorted(datetime.fromisoformat(received) - datetime.fromisoformat(written) for written, received in rows)
    assert lags[0] > timedelta(0)
    assert lags[int(len(lags) * 0.9)] <= timedelta(hours=1)
    assert lags[-1] > timedelta(hours=1)


def test_a_nightly_file_bears_the_instant_it_was_dropped(city_folder: Path) -> None:
    files = sorted((city_folder / "zrzy").iterdir())
    assert Counter(path.name.split("_")[0] for path in files) == dict.fromkeys(
        ("受理", "过程", "特别程序", "补正", "办结"), 45
    )
    for path in files:
        day = datetime.strptime(path.stem[-8:], "%Y%m%d").date()  # noqa: DTZ007
        assert path.stat().st_mtime == at(day, "23:30").timestamp()
    quiet = (city_folder / "zrzy" / "受理_20261121.csv").read_bytes().decode("gb18030")
    assert next(csv.reader(quiet.splitlines()))[:2] == ["办件编号", "版本"]
    assert len(quiet.splitlines()) == 1


@pytest.mark.parametrize("source", DEPARTMENTS)
def test_every_source_has_dirty_rows_of_every_sort(city_folder: Path, source: str) -> None:
    sorts = {"field_count"} if DEPARTMENTS[source].form.endswith("_files") else set()
    dirt = json.loads((city_folder / "city.json").read_text(encoding="utf-8"))["dirt"]
    usual = {"unknown_code", "bad_time", "far_future", "poison_character", "missing_key", "bad_number", "rewritten"}
    assert {row["what"] for row in dirt if row["source"] == source} >= usual | sorts


def test_dirt_is_really_on_the_wire(city_folder: Path) -> None:
    applications = lines(city_folder / "scjg" / "apply.jsonl")
    assert any("\x00" in (row["applyer_name"] or "") for row in applications)
    assert any("project_no" not in row for row in lines(city_folder / "scjg" / "process.jsonl"))
    versions = Counter((row.get("project_no"), row["data_version"]) for row in lines(city_folder / "scjg/result.jsonl"))
    assert max(versions.values()) == 2
    with sqlite3.connect(city_folder / "rsj.sqlite") as database:
        assert database.execute("select count(*) from ex_sb where instr(sqrmc, char(1)) > 0").fetchone() == (1,)
        assert database.execute("select max(bjsj) like '2099%' from ex_bj").fetchone() == (1,)
    assert b"\x00" in b"".join(path.read_bytes() for path in (city_folder / "zrzy").glob("受理_*.csv"))


def test_some_names_cannot_be_written_in_two_bytes(city_folder: Path) -> None:
    with sqlite3.connect(city_folder / "rsj.sqlite") as database:
        names = "".join(name for (name,) in database.execute("select sqrmc from ex_sb"))
    rare = [character for character in names if len(character.encode("gb18030")) == 4]
    assert rare
    for path in (city_folder / "scjg").glob("*.jsonl"):
        path.read_text(encoding="utf-8").encode("gbk")


def test_reference_files_name_departments_items_and_whom_to_tell(city_folder: Path) -> None:
    from python_calamine import CalamineWorkbook

    folder = city_folder / "reference"
    with (folder / "departments.csv").open(encoding="utf-8", newline="") as file:
        departments = list(csv.DictReader(file))
    with (folder / "recipients.csv").open(encoding="utf-8", newline="") as file:
        recipients = list(csv.DictReader(file))
    head, *rows = CalamineWorkbook.from_path(folder / "items.xlsx").get_sheet_by_index(0).to_python()
    assert list(departments[0]) == ["code", "name", "region", "valid_from"]
    assert head == [
        *("item_code", "name", "department", "promised_limit", "statutory_limit", "limit_unit", "limit_text"),
        "valid_from",
    ]
    codes = {row["code"] for row in departments}
    assert {row[2] for row in rows} == codes
    assert {row["department"] for row in recipients if row["role"] == "department"} == codes
    assert {row["role"] for row in recipients} == {"department", "supervision", "operations"}
    assert all(row["email"].endswith(".example") for row in recipients)
