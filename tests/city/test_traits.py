"""What each of the neighbouring departments is there for, read from the files as the platform under test reads them."""

from __future__ import annotations

import csv
import json
import sqlite3
from datetime import date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from city.departments import DEPARTMENTS, REGIONS
from city.hours import DAY, ZONE, at, is_working
from city.items import items
from city.population import events
from city.stories import THE_SILENCE

TIMES = {
    **{"ex_sb": "sbsj", "ex_ysl": "yslsj", "ex_sl": "slsj", "ex_sp": "sbgsj", "ex_bj": "bjsj"},
    **{"ex_tbcxsq": "tbcxksrq", "ex_tbcxjg": "tbcxjsrq", "ex_bzgz": "bzgzsj", "ex_bzsl": "bzsj", "ex_lq": "lqsj"},
}


def rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(file) as database:
        return database.execute(query).fetchall()


def arrivals(folder: Path) -> list[datetime]:
    lines = chain.from_iterable(path.read_text(encoding="utf-8").splitlines() for path in folder.glob("*.jsonl"))
    return sorted(datetime.fromisoformat(json.loads(line)["receive_time"]) for line in lines)


def stories(city_folder: Path, source: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((city_folder / "city.json").read_text(encoding="utf-8"))["stories"][source]
    return found


def test_jtj_sends_every_working_day_and_from_one_evening_on_nothing(city_folder: Path) -> None:
    received = arrivals(city_folder / "jtj")
    assert received[-1] <= THE_SILENCE + timedelta(hours=7)
    days = {instant.date() for instant in received}
    november = [date(2026, 11, day) for day in range(2, 17)]
    assert {day for day in november if is_working(day)} <= days, "it normally sends"
    still = arrivals(city_folder / "wsny")
    assert sum(instant > THE_SILENCE + timedelta(days=1) for instant in still) > 30, "the platform goes on answering"
    after = [event for event in events("jtj", 1) if event.at > THE_SILENCE + timedelta(days=1)]
    assert len(after) > 30, "and the department goes on working"


def test_decisions_jtj_took_in_time_after_it_fell_silent_are_nowhere_to_be_read(city_folder: Path) -> None:
    named = stories(city_folder, "jtj")
    cut_off = {case for case, story in named.items() if story == "cut_off_by_silence"}
    assert len(cut_off) == 4

    def cases(stream: str) -> set[str]:
        text = (city_folder / "jtj" / f"{stream}.jsonl").read_text(encoding="utf-8")
        return {json.loads(line).get("project_no") for line in text.splitlines()}

    assert cut_off <= cases("accept")
    assert not cut_off & cases("result")


def test_zjj_tells_a_case_only_once_it_is_decided_in_one_row_of_that_night(city_folder: Path) -> None:
    told: dict[str, dict[str, str]] = {}
    for path in sorted((city_folder / "zjj").iterdir()):
        for row in csv.DictReader(path.read_bytes().decode("gb18030").splitlines()):
            if row["流水号"] in stories(city_folder, "zjj"):
                told.setdefault(row["流水号"], row)
                assert row["接收时间"][:10].replace("-", "") == path.stem[-8:]
    for row in told.values():
        assert row["受理时间"] <= row["办结时间"] <= row["录入时间"] <= row["接收时间"]
    waited = [row["办结时间"][:10] > row["受理时间"][:10] for row in told.values()]
    assert sum(waited) > 30, "acceptances arrive days after they happened"
    happened = events("zjj", 1)
    decided = {
        event.case.number for event in happened if event.kind == "finish" and event.at < at(date(2026, 11, 21), "00:00")
    }
    assert set(told) == decided
    assert len({event.case.number for event in happened} - set(told)) >= 7, "and of open cases nobody hears"


def test_every_record_of_syj_is_keyed_twice_days_apart_and_within_office_hours(city_folder: Path) -> None:
    pairs = list(
        chain.from_iterable(rows(city_folder / "syj.sqlite", f"select xtsj, rksj from {name}") for name in TIMES)
    )
    lags = sorted(
        (datetime.fromisoformat(again).replace(tzinfo=ZONE), datetime.fromisoformat(first).replace(tzinfo=ZONE))
        for first, again in pairs
    )
    hours = REGIONS["510000"]
    days = sorted(hours.days_between(first, again) for again, first in lags)
    assert len(days) > 300
    assert 0.5 < days[len(days) // 2] < 2.5, "the usual record is keyed again a working day or two later"
    assert sum(hours.is_open(again) for again, _ in lags) / len(lags) > 0.98


def test_decisions_syj_took_in_time_look_late_until_they_are_keyed_again(city_folder: Path) -> None:
    named = stories(city_folder, "syj")
    late = [case for case, story in named.items() if story == "keyed_again_too_late"]
    assert len(late) == 4
    hours = REGIONS["510000"]
    for case in late:
        ((accepted, promised),) = rows(
            city_folder / "syj.sqlite", f"select slsj, cnsx from ex_sl where sblsh = '{case}'"
        )
        found = rows(city_folder / "syj.sqlite", f"select bjsj, rksj from ex_bj where sblsh = '{case}'")
        for finished, again in found:
            began, ended, keyed = (
                datetime.fromisoformat(text).replace(tzinfo=ZONE) for text in (accepted, finished, again)
            )
            assert hours.days_between(began, ended) < promised < hours.days_between(began, keyed)
    assert found


def test_the_exchange_platform_has_what_syj_keyed_but_for_a_few_rows_lost_altered_or_sent_again(
    city_folder: Path,
) -> None:
    alike = lost = altered = repeated = days_late = 0
    for name in TIMES:
        with sqlite3.connect(city_folder / "syj.sqlite") as database:
            database.execute("attach ? as platform", (str(city_folder / "syj_exchange.sqlite"),))
            columns = [column for _, column, *_ in database.execute(f"pragma table_info({name})")]
            said = [column for column in columns if column not in ("xtsj", "rksj", "sjbbh")]
            key = [column for column in columns if column in ("sblsh", "spxh", "tbcxxh", "bzxh")]
            same = " and ".join(f"a.{column} is b.{column}" for column in said)
            both = f"main.{name} a {{}} join platform.{name} b on {' and '.join(f'a.{k} = b.{k}' for k in key)}"
            both += " and a.rksj = b.xtsj and {}"
            clean = "a.rksj < '2026-11-22'"
            ((one, other, late),) = database.execute(
                f"select sum({same}), sum(not ({same})), sum(julianday(b.rksj) - julianday(a.rksj) > 1.9) from "
                + both.format("", "a.sjbbh = b.sjbbh")
            )
            alike, altered, days_late = alike + one, altered + other, days_late + late
            ((gone,),) = database.execute(
                f"select count(*) from {both.format('left', 'true')} where b.sblsh is null and {clean}"
            )
            ((again,),) = database.execute(f"select count(*) from {both.format('', 'a.sjbbh < b.sjbbh')} where {same}")
            lost, repeated = lost + gone, repeated + again
            ((unheard,),) = database.execute(
                f"select count(*) from platform.{name} b where not exists "
                f"(select 1 from main.{name} a where a.sblsh = b.sblsh)"
            )
            assert unheard == 0, "it makes nothing up"
    assert alike > 350
    assert min(lost, altered, repeated, days_late) >= 3
    assert lost < 40
    assert altered < 20


def test_yuechi_works_from_three_in_summer_and_from_half_past_one_in_winter(city_folder: Path) -> None:
    midday = {"summer": 0, "winter": 0}
    happened: list[datetime] = []
    for name, column in TIMES.items():
        happened += [
            datetime.fromisoformat(text).replace(tzinfo=ZONE)
            for (text,) in rows(city_folder / "ycsp.sqlite", f"select {column} from {name} where sblsh <> ''")
            if "2026-10-09" < text < "2026-11-23"
        ]
    hours = REGIONS["511621"]
    for instant in happened:
        clock = f"{instant:%H:%M}"
        if "13:30" < clock < "15:00":
            midday["summer" if instant.date() < date(2026, 11, 1) else "winter"] += 1
        if clock > "17:31":
            assert instant.date() < date(2026, 11, 1), "in winter the doors close at half past five"
    assert midday["winter"] > 20
    assert midday["summer"] <= 2, "applications may be put on paper at any time, officials rest"
    assert sum(hours.is_open(instant) for instant in happened) / len(happened) > 0.98


def test_a_day_is_a_day_in_every_season() -> None:
    hours = REGIONS["511621"]
    friday = at(date(2026, 10, 30), "16:30")
    assert hours.later(friday, 0.5) == at(date(2026, 11, 2), "10:45") + timedelta(0), "half of six hours and of seven"
    assert hours.days_between(at(date(2026, 10, 30), "09:00"), at(date(2026, 10, 30), "18:00")) == 1
    assert hours.days_between(at(date(2026, 11, 2), "09:00"), at(date(2026, 11, 2), "17:30")) == 1
    assert hours.coordinate(at(date(2026, 10, 30), "12:00")) == hours.coordinate(at(date(2026, 10, 30), "15:00"))
    for position in range(40 * DAY, 80 * DAY, 1777):
        assert abs(hours.coordinate(hours.moment(position)) - position) <= 1


def test_office_hours_are_delivered_for_every_region_as_people_keep_them(city_folder: Path) -> None:
    with (city_folder / "reference" / "office_hours.csv").open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    assert list(told[0]) == ["region", "valid_from", "season_from", "spans", "known_from"]
    assert {(row["region"], row["season_from"]): row["spans"] for row in told} == {
        ("510000", "01-01"): "09:00-12:00,13:30-17:30",
        ("511602", "01-01"): "09:00-12:00,13:30-17:30",
        ("511621", "01-01"): "09:00-12:00,13:30-17:30",
        ("511621", "05-01"): "09:00-12:00,15:00-18:00",
        ("511621", "11-01"): "09:00-12:00,13:30-17:30",
        ("511622", "01-01"): "09:00-12:00,13:30-17:30",
    }
    assert all(row["known_from"] < row["valid_from"] for row in told)


@pytest.mark.parametrize(("source", "region", "place"), [("ycsp", "511621", "岳池县"), ("wsny", "511622", "武胜县")])
def test_a_countys_cases_codes_and_people_are_the_countys(
    city_folder: Path, source: str, region: str, place: str
) -> None:
    with (city_folder / "reference" / "departments.csv").open(encoding="utf-8", newline="") as file:
        (row,) = [row for row in csv.DictReader(file) if row["code"] == DEPARTMENTS[source].code]
    assert (row["name"][:3], row["region"]) == (place, region)
    assert all(f"-{region}000000-" in item.code for item in items(source))
    assert {case[:6] for case in stories(city_folder, source)} == {region}
    if source == "ycsp":
        assert rows(city_folder / "ycsp.sqlite", "select distinct xzqhdm from ex_sl") == [(region,)]
    else:
        text = (city_folder / "wsny" / "accept.jsonl").read_text(encoding="utf-8")
        assert {json.loads(line)["area_code"] for line in text.splitlines()} == {region}
