"""Push findings over real nights: one incident an outage, opened and closed by what each night knew, in any order."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from etl.sources.contract import Link, Source
from etl.store.digest import digest
from tests.cli.command import jiancha
from tests.runs.conftest import Feeds
from tests.runs.test_a_night import rows
from tests.runs.world import Exchange, Platform, at

pytestmark = pytest.mark.database
MONDAY = date(2026, 11, 16)
NIGHTS = [MONDAY + timedelta(days=number) for number in range(5)]
HOP = "scjg->provincial_platform"
Alter = Callable[..., Source]


def run(nights: Iterable[date], source: str = "scjg") -> None:
    for night in nights:
        assert jiancha("night", "--date", night, "--source", source, "--notify", "never").code == 0


def sent(platform: Platform, case: str, when: str, received: str, **more: Any) -> None:
    platform.accept(case, when, receive_time=at(received).isoformat(), **more)


def outage(platform: Platform) -> None:
    """Nothing arrives from Tuesday 09:05 to Wednesday 14:00; one more record is late by itself on Thursday."""
    sent(platform, "monday", "2026-11-16 10:00", "2026-11-16 10:05")
    sent(platform, "before", "2026-11-17 09:00", "2026-11-17 09:05")
    for hour in (10, 11, 15):
        sent(platform, f"held-{hour}", f"2026-11-17 {hour}:00", "2026-11-18 14:00")
    sent(platform, "held-short", "2026-11-18 13:40", "2026-11-18 14:00")
    sent(platform, "flushed", "2026-11-18 09:00", "2026-11-18 14:20")
    sent(platform, "after", "2026-11-18 16:00", "2026-11-18 16:05")
    sent(platform, "by-itself", "2026-11-19 09:00", "2026-11-19 12:00")
    sent(platform, "meanwhile-1", "2026-11-19 10:00", "2026-11-19 10:05")
    sent(platform, "meanwhile-2", "2026-11-19 10:50", "2026-11-19 10:55")
    sent(platform, "meanwhile-3", "2026-11-19 11:30", "2026-11-19 11:35")
    sent(platform, "friday", "2026-11-20 10:00", "2026-11-20 10:05")


def incidents(engine: Engine, night: object = "infinity", source: str = "scjg") -> list[tuple[Any, ...]]:
    return rows(
        engine,
        "select hop, class, is_standstill, opened_on::text, closed_on::text, state, "
        "to_char(began_at at time zone 'Asia/Shanghai', 'DD HH24:MI'), "
        "to_char(ended_at at time zone 'Asia/Shanghai', 'DD HH24:MI'), record_count, longest_seconds, level "
        f"from push_finding_on('{night}') where source = '{source}' order by began_at, class",
    )


# Written a minute after it happened: 10:01 on Tuesday to 14:00 on Wednesday is 27 h 59 min.
STOOD = (HOP, "late", True, "2026-11-18", "2026-11-19", "recovered", "17 10:01", "18 14:00", 4, 100_740, "yellow")
OPEN = (*STOOD[:4], None, "late", *STOOD[6:])
ALONE = (HOP, "late", False, "2026-11-19", "2026-11-20", "recovered", "19 09:01", "19 12:00", 1, 10_740, "warn")


def test_an_outage_is_one_incident_that_each_night_sees_by_what_it_knew(
    platform: Platform, ready: Engine, another_ledger: Callable[[], Engine]
) -> None:
    outage(platform)
    run(NIGHTS)
    assert incidents(ready) == [STOOD, ALONE]
    assert incidents(ready, NIGHTS[1]) == [], "on Tuesday night nobody knew of what was on its way"
    assert incidents(ready, NIGHTS[2]) == [OPEN]
    assert incidents(ready, NIGHTS[3]) == [STOOD, (*ALONE[:4], None, "late", *ALONE[6:])]
    held = rows(ready, "select case_no from push_finding where standstill_until is not null order by 1")
    assert [case for (case,) in held] == ["flushed", "held-10", "held-11", "held-15"]
    daily = rows(
        ready,
        "select business_on::text, message_count, late_count, on_time_percent::float, max_seconds, waiting_count, "
        f"backlog_seconds from v_link_lag_daily where hop = '{HOP}' order by 1",
    )
    assert daily == [
        ("2026-11-16", 1, 0, 100.0, 240, 0, None),
        ("2026-11-17", 1, 0, 100.0, 240, 3, 14 * 3600 + 59 * 60),
        ("2026-11-18", 6, 4, 33.33, 100_740, 0, None),
        ("2026-11-19", 4, 1, 75.0, 10_740, 0, None),
        ("2026-11-20", 1, 0, 100.0, 240, 0, None),
    ]

    reconstructed = another_ledger()
    run(NIGHTS[-1:])
    assert incidents(reconstructed) == [STOOD, ALONE], "a first load gives each record the night it had arrived by"
    what = "select to_jsonb(t) from {} t order by to_jsonb(t)::text"
    for table in ("link_lag", "push_finding", "silence"):
        assert rows(reconstructed, what.format(table)) == rows(ready, what.format(table)), table


def test_nights_made_up_for_in_any_order_give_the_same_ledger(
    platform: Platform, ready: Engine, another_ledger: Callable[[], Engine]
) -> None:
    outage(platform)
    first, *missed, last = NIGHTS
    run([first, last, *missed])
    expected, found = digest(ready), incidents(ready)
    assert [row[:4] for row in found if row[0] == "provincial_platform->supervision"] == [
        ("provincial_platform->supervision", "late", True, str(last))
    ], "what the missed nights did not pull answers to us"
    other = another_ledger()
    run([first, last, *reversed(missed), missed[0]])
    assert incidents(other) == found
    assert digest(other) == expected


def test_a_place_between_is_dated_by_the_source_that_reads_there(feeds: Feeds, ready: Engine, altered: Alter) -> None:
    links = (Link("frontend_database", "区级前置库"), Link("provincial_platform", "省政务服务一体化平台", "nightly"))
    altered("scjg", links=links)
    platform, exchange = feeds.scjg, feeds.rsj
    # Both tell of the same records: the first stood at the district, the second on the way to it, the third nowhere.
    for case, district, province in (
        ("A", "2026-11-16 10:05", "2026-11-17 14:00"),
        ("B", "2026-11-16 13:00", "2026-11-16 13:05"),
        ("C", "2026-11-16 10:05", "2026-11-16 10:10"),
    ):
        exchange.accept(case, "2026-11-16 10:00", rksj=at(district).replace(tzinfo=None))
        sent(platform, case, "2026-11-16 10:00", province)
    sent(platform, "D", "2026-11-16 10:00", "2026-11-17 14:00")
    for night in NIGHTS[:2]:
        for source in ("rsj", "scjg"):
            run([night], source)
    late = rows(ready, "select case_no, source, hop, lag_seconds from push_finding where class = 'late' order by 1, 2")
    assert late == [
        ("A", "scjg", "frontend_database->provincial_platform", 27 * 3600 + 55 * 60),
        ("B", "rsj", "rsj->frontend_database", 2 * 3600 + 59 * 60),
        ("D", "scjg", "scjg->provincial_platform", 27 * 3600 + 59 * 60),
    ]


def test_a_place_dated_only_later_is_measured_from_then_on(
    platform: Platform, exchange: Exchange, ready: Engine, altered: Alter
) -> None:
    altered("scjg", links=(Link("frontend_database", "区级前置库"), Link("provincial_platform", "省平台")))
    sent(platform, "A", "2026-11-16 10:00", "2026-11-16 16:00")
    exchange.accept("A", "2026-11-16 10:00", rksj=at("2026-11-16 15:50").replace(tzinfo=None))
    run(NIGHTS[:1], "scjg")
    run(NIGHTS[1:2], "rsj")
    names = "'rsj->frontend_database', 'frontend_database->provincial_platform', 'scjg->provincial_platform'"
    hops = rows(
        ready,
        f"select business_on::text, source, hop, late_count from link_lag where hop in ({names}) order by 1, 2, 3",
    )
    assert hops == [
        ("2026-11-16", "rsj", "rsj->frontend_database", 1),
        ("2026-11-16", "scjg", "frontend_database->provincial_platform", 0),
    ]


def test_what_is_told_again_out_of_order_and_back_dated_is_named_with_its_records(
    platform: Platform, ready: Engine
) -> None:
    late = {"data_version": 2, "cd_time": "20261118090000", "receive_time": at("2026-11-18 09:05").isoformat()}
    sent(platform, "moved", "2026-11-12 10:00", "2026-11-12 10:05", promised=1, statutory=5)
    platform.finish("moved", "2026-11-16 16:00")
    platform.finish("moved", "2026-11-13 09:00", **late)
    sent(platform, "turned", "2026-11-16 09:00", "2026-11-17 09:00")
    platform.finish("turned", "2026-11-16 10:00")
    run(NIGHTS[:4])
    found = rows(ready, "select class, hop, evidence from v_push_finding where class <> 'late' order by 1")
    assert found == [
        ("back_dated", "entry:scjg", ["scjg/moved/finish/0/v2"]),
        ("out_of_order", HOP, ["scjg/turned/accept/0/v1"]),
        ("resent", "entry:scjg", ["scjg/moved/finish/0/v2"]),
    ]


def test_the_report_counts_what_was_due_and_names_who_answers(platform: Platform, ready: Engine) -> None:
    outage(platform)
    run(NIGHTS)
    tuesday = jiancha("delays", "--from", NIGHTS[0], "--to", NIGHTS[1], "--json").only
    (hop,) = (row for row in tuesday["links"] if row["hop"] == HOP)
    assert {name: hop[name] for name in ("due_count", "message_count", "late_count", "backlog_seconds")} == {
        "due_count": 5,
        "message_count": 2,
        "late_count": 3,
        "backlog_seconds": 14 * 3600 + 59 * 60,
    }
    week = jiancha("delays", "--json").only
    (hop,) = (row for row in week["links"] if row["hop"] == HOP)
    lags = [*[240] * 7, 1140, 10_740, 19_140, 82_740, 97_140, 100_740]
    assert [hop["p50_seconds"], hop["p95_seconds"], hop["max_seconds"]] == [lags[6], lags[12], lags[12]]
    assert (hop["due_count"], hop["late_count"], hop["backlog_seconds"]) == (13, 5, None)
    assert [incident["record_count"] for incident in week["incidents"]] == [4, 1]
    heat = jiancha("delays", "--heat").only
    (line,) = (link for link in heat["links"] if link["hop"] == HOP)
    assert line["title"] == "区市监局 → 省政务服务一体化平台"
    for night, cell in zip(heat["nights"], line["cells"], strict=True):
        alone = jiancha("delays", "--from", night, "--to", night, "--json").only["links"]
        told = [row for row in alone if row["hop"] == HOP and row["due_count"]]
        assert (cell is not None) == bool(told)
        for row in told:
            for name in ("due_count", "late_count", "p95_seconds", "p95_working_days"):
                assert cell[name] == row[name]
            assert cell["on_time_percent"] == f"{100 * (row['due_count'] - row['late_count']) / row['due_count']:.2f}"
    assert {cell["on_time_percent"] for cell in line["cells"] if cell} >= {"75.00", "100.00"}
    shown = jiancha("delays").out
    assert "区市监局 → 省政务服务一体化平台" in shown
    assert "迟报（停滞）" in shown
    assert orjson.dumps(week)
    assert jiancha("delays", "--source", "rsj", "--json").only["links"] == []


def test_a_feed_is_late_until_its_first_complete_night_which_is_the_recovery(ready: Engine) -> None:
    states = ["complete", "failed", "partial", "complete", "complete"]
    with ready.begin() as connection:
        for night, state in zip(NIGHTS, states, strict=True):
            connection.exec_driver_sql(
                "insert into feed (source, business_on, state, known_basis) values ('scjg', %s, %s, 'night')",
                (night, state),
            )
    found = rows(ready, "select state from v_feed_state where source = 'scjg' order by business_on")
    assert [state for (state,) in found] == ["fresh", "late", "late", "recovered", "fresh"]


def test_the_mail_about_an_interrupted_feed_names_the_hop_that_stands_still(
    platform: Platform, ready: Engine, addressed: None
) -> None:
    sent(platform, "monday", "2026-11-16 10:00", "2026-11-16 10:05")
    run(NIGHTS[:1])
    platform.data_until = at("2026-11-17 20:00")
    assert jiancha("night", "--date", NIGHTS[1], "--source", "scjg").code == 3
    (mail,) = rows(ready, "select convert_from(content, 'utf8') from notice where mail_kind = 'C'")
    message = email.message_from_string(mail[0], policy=email.policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    assert "区市监局 → 省政务服务一体化平台 | 迟到" in body.get_content()


def test_an_incident_goes_on_over_a_night_that_brought_nothing_and_ends_with_one_that_brought_something_else(
    ready: Engine,
) -> None:
    late, quiet, again, fine, anew = NIGHTS
    with ready.begin() as connection:
        for night, is_late in ((late, True), (again, True), (fine, False), (anew, True)):
            connection.exec_driver_sql(
                "insert into link_lag (business_on, source, hop, department, kind, message_count, late_count, "
                "negative_count) values (%s, 'scjg', %s, '', 'accept', 2, %s, 0)",
                (night, HOP, int(is_late)),
            )
            if is_late:
                connection.exec_driver_sql(
                    "insert into push_finding (source, case_no, kind, seq, version, hop, class, business_on, "
                    "department, set_out_at, reached_at, lag_seconds, lag_working_days, level) "
                    "values ('scjg', %s, 'accept', 0, 1, %s, 'late', %s, '', %s, %s, 7200, 0.2, 'warn')",
                    (str(night), HOP, night, at(f"{night} 09:00"), at(f"{night} 11:00")),
                )

    def seen(night: date) -> list[tuple[Any, ...]]:
        return rows(
            ready,
            "select opened_on, closed_on, state, record_count, evidence "
            f"from push_finding_on('{night}') order by opened_on",
        )

    keys = [f"scjg/{night}/accept/0/v1" for night in (late, again, anew)]
    assert seen(late) == seen(quiet) == [(late, None, "late", 1, keys[:1])]
    assert seen(again) == [(late, None, "late", 2, keys[:2])]
    assert seen(fine) == [(late, fine, "recovered", 2, keys[:2])]
    assert seen(anew) == [(late, fine, "recovered", 2, keys[:2]), (anew, None, "late", 1, keys[2:])]
