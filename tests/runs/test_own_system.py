"""A case several registered systems report: the department's own is believed, as their modules declare their ways."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from etl import sources
from etl.sources.contract import Link, Source
from tests.cli.command import jiancha
from tests.runs.test_a_night import night, rows
from tests.runs.world import Exchange, Platform

NIGHT = date(2026, 11, 16)


def test_the_system_whose_records_pass_through_another_is_the_departments_own(
    platform: Platform, exchange: Exchange, ready: Engine, altered: Callable[..., Source]
) -> None:
    altered("rsj", links=(Link("scjg", "区市监局"),))
    platform.accept("both", "2026-11-09 15:00", promised=5, statutory=20)  # overdue tonight, if it were believed
    exchange.accept("both", "2026-11-10 15:00", promised=5, statutory=20)
    platform.accept("alone", "2026-11-09 15:00", promised=5, statutory=20)

    assert night(NIGHT).code == 0

    found = rows(ready, "select case_no, source, level from v_card where level <> 'reminder' order by 1")
    assert found == [("alone", "scjg", "yellow")]
    evidence = rows(ready, "select distinct source, evidence[1] from v_card_event where case_no = 'both'")
    assert evidence == [("scjg", "rsj/both/accept/0/v1")]  # kept under the name of who told of the case first


def test_of_two_systems_on_ways_of_their_own_the_earlier_acceptance_counts(
    platform: Platform, exchange: Exchange, ready: Engine
) -> None:
    platform.accept("both", "2026-11-09 15:00", promised=5, statutory=20)
    exchange.accept("both", "2026-11-10 15:00", promised=5, statutory=20)
    assert night(NIGHT).code == 0
    assert rows(ready, "select source, level from v_card where level <> 'reminder'") == [("scjg", "yellow")]


@pytest.fixture
def keyed_twice(platform: Platform, exchange: Exchange, altered: Callable[..., Source]) -> tuple[Platform, Exchange]:
    """The department's own system, whose records the platform passes on."""
    altered("rsj", links=(Link("scjg", "区市监局"),), department=sources.get("scjg").department)
    return platform, exchange


def at_ten(day: int) -> datetime:
    return datetime(2026, 11, day, 10)  # noqa: DTZ001  the exchange's columns have no zone


def nights(number: int) -> list[int]:
    return [night(NIGHT + timedelta(days=days)).code for days in range(number)]


def test_while_one_of_two_systems_is_not_complete_nothing_is_concluded_from_the_other(
    keyed_twice: tuple[Platform, Exchange], ready: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for feed in keyed_twice:
        feed.accept("both", "2026-11-13 10:00", promised=2, statutory=20)
        feed.accept("usual", "2026-11-16 10:00")
    keyed_twice[1].finish("both", "2026-11-16 15:00")  # which never reaches the platform
    assert nights(1) == [0]
    address = os.environ.pop("JIANCHA_CONNECTION_RSJ")
    monkeypatch.setenv("JIANCHA_CONNECTION_RSJ", address + "_gone")
    assert night(NIGHT + timedelta(days=1)).code == 3
    assert night(NIGHT + timedelta(days=2)).code == 3
    assert rows(ready, "select level from card_event where level <> 'reminder'") == []
    monkeypatch.setenv("JIANCHA_CONNECTION_RSJ", address)
    assert night(NIGHT + timedelta(days=3)).code == 0
    assert rows(ready, "select level from card_event where level <> 'reminder'") == []


def test_a_card_stays_the_one_it_is_when_the_departments_own_system_speaks_later(
    keyed_twice: tuple[Platform, Exchange], ready: Engine
) -> None:
    platform, exchange = keyed_twice
    platform.accept("both", "2026-11-16 09:00", promised=2, statutory=20)
    exchange.accept("both", "2026-11-16 09:00", promised=2, statutory=20, rksj=at_ten(19))
    exchange.finish("both", "2026-11-17 15:00", rksj=at_ten(20))
    assert nights(6) == [0] * 6
    yellow = rows(ready, "select event, business_on from card_event where level = 'yellow' order by seq")
    assert yellow == [("issued", date(2026, 11, 18)), ("withdrawn", date(2026, 11, 20))]
    assert rows(ready, "select state, nature from v_card where level = 'yellow'") == [("withdrawn", "push_delay")]


def test_the_bulletin_counts_a_case_in_the_week_its_own_system_says(
    platform: Platform, exchange: Exchange, ready: Engine, altered: Callable[..., Source]
) -> None:
    altered("scjg", links=(Link("rsj", "区人社局"),))
    platform.accept("both", "2026-11-06 15:00")
    exchange.accept("both", "2026-11-09 15:00")
    assert night(NIGHT).code == 0
    assert "本周受理办件 0 件" in Path(jiancha("week", "--week", "2026-W46").only["html"]).read_text(encoding="utf-8")
