"""Two systems of the same records over real nights: missing, extra and wrong records, and what a source deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete
from werkzeug import Response

from etl import sources
from etl.runs import nightly, reconciling, weekly
from etl.settings import settings
from etl.sources.contract import Link, Source
from etl.store.digest import digest
from tests.cli.command import jiancha
from tests.runs.test_a_night import rows
from tests.runs.test_calendar_import import notice
from tests.runs.world import Exchange, Platform, at

pytestmark = pytest.mark.database
MONDAY = date(2026, 11, 16)
NIGHTS = [MONDAY + timedelta(days=number) for number in range(5)]
HOP = "provincial_platform->rsj_entry"
Alter = Callable[..., Source]


@pytest.fixture(autouse=True)
def keyed_again(altered: Alter) -> None:
    """What scjg reports to the platform is keyed again, for the same department, in rsj's database within an hour."""
    entry = Link("rsj_entry", "区级系统（二次录入）", "double_entry", origin="provincial_platform")
    altered("rsj", links=(entry,), department=sources.get("scjg").department)


def run(nights: Iterable[date], code: int = 0) -> None:
    for night in nights:
        assert jiancha("night", "--date", night, "--notify", "never").code == code


def both(platform: Platform, exchange: Exchange, case: str, when: str, **again: Any) -> None:
    """Accepted at the platform, and keyed again half an hour later."""
    platform.accept(case, when)
    keyed(exchange, case, when, **again)


def keyed(exchange: Exchange, case: str, when: str, **more: Any) -> None:
    exchange.accept(case, when, **{"rksj": (at(when) + timedelta(minutes=30)).replace(tzinfo=None)} | more)


def found(engine: Engine, night: object = "infinity") -> list[tuple[Any, ...]]:
    return rows(
        engine,
        "select class, case_no, opened_on::text, closed_on::text, array_to_string(fields, ',') "
        f"from difference_on('{night}') where (upstream, downstream, hop) = ('scjg', 'rsj', '{HOP}') order by 2, 1, 3",
    )


def test_equal_records_are_no_difference_and_missing_extra_and_wrong_ones_are_named_and_closed(
    platform: Platform, exchange: Exchange, ready: Engine
) -> None:
    both(platform, exchange, "same", "2026-11-16 10:00")
    platform.accept("missing", "2026-11-16 10:00")
    keyed(exchange, "extra", "2026-11-16 11:00")
    both(platform, exchange, "wrong", "2026-11-16 12:00", cnsx="9", sqfs="2")
    both(platform, exchange, "another-day", "2026-11-16 13:00", slsj="2026-11-15 13:00:00")
    run(NIGHTS[:1])
    opened = [
        ("wrong", "another-day", "2026-11-16", None, "occurred_at"),
        ("extra", "extra", "2026-11-16", None, ""),
        ("missing", "missing", "2026-11-16", None, ""),
        ("wrong", "wrong", "2026-11-16", None, "channel,promised_limit"),
    ]
    assert found(ready) == opened

    platform.accept("extra", "2026-11-16 11:00", receive_time=at("2026-11-17 09:00").isoformat())
    keyed(exchange, "missing", "2026-11-16 10:00", rksj=at("2026-11-17 09:00").replace(tzinfo=None))
    keyed(exchange, "wrong", "2026-11-16 12:00", sjbbh="2", rksj=at("2026-11-17 09:00").replace(tzinfo=None))
    run(NIGHTS[1:2])
    closed = [opened[0], *((*row[:3], "2026-11-17", row[4]) for row in opened[1:])]
    assert found(ready) == closed
    assert found(ready, NIGHTS[0]) == opened, "what Monday's night knew stays what it knew"
    evidence = "select evidence from v_difference where case_no = 'wrong'"
    assert rows(ready, evidence) == [(["scjg/wrong/accept/0/v1", "rsj/wrong/accept/0/v1"],)]


def test_two_records_of_one_bucket_that_say_what_the_other_should_are_both_wrong(
    platform: Platform, exchange: Exchange, ready: Engine
) -> None:
    ((cases,),) = rows(
        ready,
        "select array_agg(n::text) from generate_series(1, 2000) n group by hashtext(n::text) & 65535 "
        "having count(*) > 1 limit 1",
    )
    platform.accept(cases[0], "2026-11-16 10:00", promised=5)
    platform.accept(cases[1], "2026-11-16 10:00", promised=7)
    keyed(exchange, cases[0], "2026-11-16 10:00", cnsx="7")
    keyed(exchange, cases[1], "2026-11-16 10:00", cnsx="5")
    run(NIGHTS[:1])
    assert found(ready) == sorted(
        (("wrong", case, "2026-11-16", None, "promised_limit") for case in cases[:2]), key=lambda row: row[1]
    )


def test_a_difference_within_its_grace_is_none_and_one_that_outlasts_it_opens_on_that_night(
    platform: Platform, exchange: Exchange, ready: Engine
) -> None:
    platform.accept("in-time", "2026-11-16 23:50", receive_time=at("2026-11-17 00:30").isoformat())
    platform.accept("late", "2026-11-16 23:50", receive_time=at("2026-11-17 00:30").isoformat())
    run(NIGHTS[:1])
    assert found(ready) == [], "its hour is not over at the cut-off"
    keyed(exchange, "in-time", "2026-11-16 23:50", rksj=at("2026-11-17 01:20").replace(tzinfo=None))
    run(NIGHTS[1:2])
    assert found(ready) == [("missing", "late", "2026-11-17", None, "")]


def test_a_day_its_region_was_closed_is_no_working_day_of_a_nightly_links_grace(
    platform: Platform, exchange: Exchange, ready: Engine, altered: Alter, tmp_path: Path
) -> None:
    links = [replace(link, mode="nightly") for link in sources.get("rsj").links]
    altered("rsj", links=tuple(links))
    path = notice(tmp_path, "511600,2026-11-17,holiday,台风停工,2026-台风,2026-11-16")
    assert jiancha("calendar", "import", path, "--yes").code == 0
    platform.accept("A", "2026-11-16 10:00")
    run(NIGHTS[:2])
    assert found(ready) == [], "by noon of the next working day, which is Wednesday"
    run(NIGHTS[2:3])
    assert found(ready) == [("missing", "A", "2026-11-18", None, "")]


def test_nothing_is_concluded_from_an_incomplete_night_and_the_next_complete_one_says_it(
    platform: Platform, exchange: Exchange, ready: Engine
) -> None:
    both(platform, exchange, "monday", "2026-11-16 10:00")
    run(NIGHTS[:1])
    platform.accept("tuesday", "2026-11-17 10:00")
    keyed(exchange, "tuesday", "2026-11-17 10:00")
    keyed(exchange, "extra", "2026-11-17 10:00")
    platform.broken["accept"] = Response("down", status=500)
    run(NIGHTS[1:2], code=3)
    assert found(ready) == []
    del platform.broken["accept"]
    run(NIGHTS[2:3])
    assert found(ready) == [("extra", "extra", "2026-11-18", None, "")]


def test_a_night_reconciled_again_by_itself_in_any_order_says_the_same(
    platform: Platform, exchange: Exchange, ready: Engine
) -> None:
    both(platform, exchange, "same", "2026-11-16 10:00")
    platform.accept("missing", "2026-11-16 10:00")
    keyed(exchange, "missing", "2026-11-16 10:00", rksj=at("2026-11-18 09:00").replace(tzinfo=None))
    both(platform, exchange, "wrong", "2026-11-17 12:00", cnsx="9")
    run(NIGHTS[2:3])
    expected, told = digest(ready, "ledger"), found(ready)
    assert [row[:4] for row in told] == [
        ("missing", "missing", "2026-11-16", "2026-11-18"),
        ("wrong", "wrong", "2026-11-17", None),
    ]
    for night in (NIGHTS[1], NIGHTS[0], NIGHTS[2], NIGHTS[1]):
        with ready.begin() as connection:
            for table in ("reconciled_night", "difference_event"):
                connection.exec_driver_sql(f"delete from {table} where business_on = '{night}'")
        assert digest(ready, "ledger") != expected
        assert nightly.reconcile(night)["nights"] == len(reconciling.declared_pairs())
        assert (found(ready), digest(ready, "ledger")) == (told, expected)


def test_an_incident_names_the_records_in_the_delays_and_in_the_bulletin(
    platform: Platform, exchange: Exchange, ready: Engine
) -> None:
    for number in range(7):
        platform.accept(f"missing-{number}", "2026-11-16 10:00")
    both(platform, exchange, "wrong", "2026-11-16 12:00", cnsx="9")
    run(NIGHTS[:1])
    incidents = "select class, hop, record_count, array_length(evidence, 1), state from v_push_finding order by 1"
    assert [row for row in rows(ready, incidents) if row[0] in ("missing", "wrong")] == [
        ("missing", HOP, 7, 5, "late"),
        ("wrong", HOP, 1, 1, "late"),
    ]
    shown = jiancha("delays").out
    assert "漏报" in shown
    assert "错报" in shown
    answer = jiancha("reconcile", MONDAY, "--json").only
    (pair,) = [pair for pair in answer["pairs"] if pair["downstream"] == "rsj"]
    assert {name: pair[name] for name in ("missing", "extra", "wrong")} == {"missing": 7, "extra": 0, "wrong": 1}
    text = jiancha("reconcile", MONDAY).out
    assert "missing-3" in text
    assert "承诺时限" in text
    (opened,) = [row for row in jiancha("status", "--json").only["reconciliation"] if row["class"] == "wrong"]
    assert opened == {"source": "rsj", "upstream": "scjg", "class": "wrong", "records": 1}
    run([date(2026, 11, 22)])
    chapter = weekly.compile_bulletin("2026-W47")
    page = next((settings().var_dir / "bulletins").glob("*.html")).read_text(encoding="utf-8")
    assert "本周新发现漏报 7 条、错报 1 条；截至本周末尚有 8 项未更正" in page, chapter


@pytest.fixture
def keeping(altered: Alter) -> None:
    """rsj purges nothing."""
    from etl.sources.sets import exchange

    altered("rsj", kind=replace(exchange.TABLES, keeps_rows=True))


def delete_case(exchange: Exchange, case: str) -> None:
    with exchange.engine.begin() as connection:
        for table in exchange.tables.values():
            connection.execute(delete(table).where(table.c.sblsh == case))


def absences(engine: Engine) -> list[tuple[Any, ...]]:
    return rows(engine, "select case_no, business_on::text, event from case_absence order by 1, 2")


def deleted(engine: Engine) -> list[tuple[Any, ...]]:
    return rows(
        engine,
        "select source, case_no, absent_on::text, opened_on::text, closed_on::text from v_deleted_case order by 2, 4",
    )


@pytest.mark.usefixtures("keeping")
def test_a_case_is_deleted_when_two_full_listings_of_different_nights_lack_it(
    exchange: Exchange, ready: Engine
) -> None:
    for case in ("kept", "gone", "gone-once"):
        exchange.accept(case, "2026-11-16 10:00")
    run(NIGHTS[:1])
    delete_case(exchange, "gone")
    delete_case(exchange, "gone-once")
    run(NIGHTS[1:2])
    run(NIGHTS[1:2])
    assert deleted(ready) == [], "the same night again is no second confirmation"
    exchange.accept("gone-once", "2026-11-16 10:00")
    run(NIGHTS[2:3])
    tombstone = ("rsj", "gone", "2026-11-17", "2026-11-18", None)
    assert deleted(ready) == [tombstone]
    assert ("gone-once", "2026-11-18", "returned") in absences(ready)
    assert rows(ready, "select case_no from message where case_no = 'gone'") == [("gone",)], "nothing is deleted here"
    incident = "select source, opened_on::text, state, evidence from v_push_finding where class = 'deleted'"
    assert rows(ready, incident) == [("rsj", "2026-11-18", "late", ["rsj/gone"])]

    exchange.accept("gone", "2026-11-16 10:00")
    run(NIGHTS[3:4])
    assert deleted(ready) == [(*tombstone[:4], "2026-11-19")]
    delete_case(exchange, "gone")
    run(NIGHTS[4:5])
    assert deleted(ready) == [(*tombstone[:4], "2026-11-19")], "two confirmations again"


@pytest.mark.usefixtures("keeping")
def test_an_incomplete_night_confirms_no_absence(
    exchange: Exchange, ready: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for case in ("kept", "gone"):
        exchange.accept(case, "2026-11-16 10:00")
    run(NIGHTS[:1])
    delete_case(exchange, "gone")
    run(NIGHTS[1:2])
    finish = exchange.tables["finish"]
    finish.drop(exchange.engine)
    run(NIGHTS[2:3], code=3)
    assert absences(ready) == [("gone", "2026-11-17", "absent")]
    finish.create(exchange.engine)
    run(NIGHTS[3:4])
    assert deleted(ready) == [("rsj", "gone", "2026-11-17", "2026-11-19", None)]


def test_a_source_that_may_purge_its_rows_is_not_asked_what_it_holds(exchange: Exchange, ready: Engine) -> None:
    exchange.accept("purged", "2026-11-16 10:00")
    run(NIGHTS[:1])
    delete_case(exchange, "purged")
    run(NIGHTS[1:4])
    assert rows(ready, "select * from case_listing") == []
    assert deleted(ready) == []
