"""Building permits with 3,340 activities that have a due date: 144 late by the instant, 142 by the local date.

The log's terms do not let it be kept here: the tests run where JIANCHA_REAL_DATA has it. Everything is counted a second
time from the log itself, which only this module parses for that.
"""

from __future__ import annotations

import gzip
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from etl.domain.night import cutoff_at
from tests.oracle.calendar import known_on
from tests.real.bpi_2015_export import export
from tests.real.conftest import Raw, Register
from tests.real.nights import cards, counts, night, night_after, put
from tests.real.sources.bpi_2015 import activities, applications

ZONE, SHANGHAI = ZoneInfo("Europe/Amsterdam"), ZoneInfo("Asia/Shanghai")
NAME = "BPIC15_1.xes.gz"
DROPPED_AT = datetime(2015, 8, 2, tzinfo=ZONE)  # the last event is of the day before
DAY = timedelta(days=1)


@dataclass
class Application:
    """What one trace says, by this module's own reading."""

    number: str
    began: datetime
    ended: datetime | None
    due: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    at: dict[str, datetime] = field(default_factory=dict)
    extension: str = ""


@pytest.mark.database
@pytest.mark.parametrize(("reading", "late"), [("instant", 144), ("local_date", 142)])
def test_a_night_gives_a_card_to_every_activity_done_after_its_due_date(
    ready: Engine, register: Register, raw: Raw, reading: Literal["instant", "local_date"], late: int
) -> None:
    source = activities(reading)
    put(register(source), "activities.csv", export(raw(NAME))["activities.csv"], DROPPED_AT)
    assert night(night_after(DROPPED_AT)).code == 0

    log = applications_of(raw(NAME))
    due = {f"{one.number}/{code}": pair for one in log for code, pair in one.due.items()}
    found = counts(source.name)
    assert (len(log), len(due), found["accepted"], found["unexplained"]) == (1199, 3340, 3340, 0)
    expected = {
        name
        for name, (due_at, done_at) in due.items()
        if (done_at > due_at if reading == "instant" else _local(done_at) > _local(due_at))
    }
    assert len(expected) == late
    assert {card["case_no"] for card in cards(ready, source.name)} == expected


@pytest.mark.database
def test_a_night_takes_the_logs_interruptions_and_extensions_out_of_the_limit(
    ready: Engine, register: Register, raw: Raw
) -> None:
    source, files = applications(), export(raw(NAME))
    folder, on = register(source), night_after(DROPPED_AT)
    for name in ("applications.csv", "procedures.csv"):
        put(folder, name, files[name], DROPPED_AT)
    assert night(on).code == 0

    log = applications_of(raw(NAME))
    as_of = cutoff_at(on)
    found = counts(source.name)
    records = sum(code in one.at for one in log for code in (*PAIRS, *PAIRS.values(), "06_VD_020"))
    assert (found["accepted"], found["quarantined"], found["unexplained"]) == (len(log) + records, 0, 0)
    assert (len(log), records) == (1199, 707)
    late = {one.number: excluded_days(one, as_of) for one in log if is_late(one, as_of)}
    assert {card["case_no"]: card["excluded_days"] for card in cards(ready, source.name)} == late
    without = {
        (interrupted, extended): sum(is_late(one, as_of, interrupted=interrupted, extended=extended) for one in log)
        for interrupted in (True, False)
        for extended in (True, False)
    }
    assert without == {(True, True): len(late), (True, False): 675, (False, True): 715, (False, False): 766}
    assert (len(late), sum(map(bool, late.values()))) == (612, 160)


# What interrupts the limit and what ends that.
PAIRS = {"08_AWB45_020_2": "08_AWB45_040", "11_AH_II_035": "11_AH_II_145", "07_OPS_055": "07_OPS_075"}


def is_late(one: Application, as_of: datetime, *, interrupted: bool = True, extended: bool = True) -> bool:
    """Eight weeks of days after the first, days interrupted left out, moved off rest days, plus a valid extension."""
    stopped = stopped_days(one, as_of) if interrupted else set()
    due = _due(_here(one.began), 56, stopped, as_of)
    if extended and one.extension and _here(one.at["06_VD_020"]) <= due:
        due = _due(_here(one.began), 56 + int(one.extension), stopped, as_of)
    return _here(one.ended or as_of) > due


def stopped_days(one: Application, as_of: datetime) -> set[date]:
    """Every day of an interruption from its first up to, not including, the day handling goes on."""
    stopped: set[date] = set()
    for begins, ends in PAIRS.items():
        if begins in one.at:
            until = one.at.get(ends)
            # No end, or one entered at the very instant of the beginning: the day we ask on is interrupted too.
            last = max(one.ended or as_of, as_of) + DAY if until in (None, one.at[begins]) else until
            first = _here(one.at[begins])
            stopped |= {first + DAY * n for n in range((_here(last) - first).days)}
    return stopped


def excluded_days(one: Application, as_of: datetime) -> int:
    """Interrupted days among those that were counted."""
    return sum(_here(one.began) < day <= _here(one.ended or as_of) for day in stopped_days(one, as_of))


def _due(began: date, days: int, stopped: set[date], as_of: datetime) -> date:
    day = began
    while days:
        day += DAY
        days -= day not in stopped
    while not known_on(as_of.date()).works(day):
        day += DAY
    return day


@cache
def applications_of(log: Path) -> list[Application]:
    """Every trace of the log."""
    space = {"x": "http://www.xes-standard.org/"}
    with gzip.open(log) as content:
        root = xml.parse(content).getroot()
    found = []
    for trace in root.iterfind("x:trace", space):
        said = {child.get("key"): child.get("value") for child in trace.iterfind("*")}
        ended = said.get("endDate")
        one = Application(str(said["concept:name"]), _at(said["startDate"]), _at(ended) if ended else None)
        for event in trace.iterfind("x:event", space):
            value = {child.get("key"): child.get("value") for child in event}
            code, done = str(value["concept:name"]), _at(value["time:timestamp"])
            one.at[code] = done
            if "dueDate" in value:
                one.due[code] = (_at(value["dueDate"]), done)
            if code == "06_VD_020":
                one.extension = str(value["question"])
        found.append(one)
    return found


def _at(value: str | None) -> datetime:
    return datetime.fromisoformat(str(value)).astimezone(UTC)


def _local(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()


def _here(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()
