"""A case several registered systems report: the department's own is believed, as their modules declare their ways."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from sqlalchemy import Engine

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
    assert evidence == [("rsj", "rsj/both/accept/0/v1")]


def test_of_two_systems_on_ways_of_their_own_the_earlier_acceptance_counts(
    platform: Platform, exchange: Exchange, ready: Engine
) -> None:
    platform.accept("both", "2026-11-09 15:00", promised=5, statutory=20)
    exchange.accept("both", "2026-11-10 15:00", promised=5, statutory=20)
    assert night(NIGHT).code == 0
    assert rows(ready, "select source, level from v_card where level <> 'reminder'") == [("scjg", "yellow")]


def test_the_bulletin_counts_a_case_in_the_week_its_own_system_says(
    platform: Platform, exchange: Exchange, ready: Engine, altered: Callable[..., Source]
) -> None:
    altered("scjg", links=(Link("rsj", "区人社局"),))
    platform.accept("both", "2026-11-06 15:00")
    exchange.accept("both", "2026-11-09 15:00")
    assert night(NIGHT).code == 0
    assert "本周受理办件 0 件" in Path(jiancha("week", "--week", "2026-W46").only["html"]).read_text(encoding="utf-8")
