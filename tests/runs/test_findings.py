"""Findings by rules other than time over real nights: a difference, told once, the same in any order of nights."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from etl.sources.contract import Link, Source
from tests.cli.command import jiancha
from tests.cli.test_card import mails, text_of
from tests.cli.test_without_a_database import refused
from tests.runs.test_a_night import rows
from tests.runs.world import Exchange, Platform

pytestmark = pytest.mark.database
NIGHT = date(2026, 11, 16)
NIGHTS = [NIGHT + timedelta(days=number) for number in range(4)]
EVENTS = "select rule, case_no, business_on, event from finding_event order by 1, 2, 3, 4"


def night(on: date, *options: str) -> None:
    assert jiancha("night", "--date", on, *options).code == 0


def refuse(platform: Platform, case_no: str, day: str, **more: object) -> None:
    """A case refused without a word of reason, as it reaches the platform that day."""
    received = {"receive_time": f"{day}T11:00:00+08:00"}
    platform.accept(case_no, "2026-11-16 09:00", **received)
    platform.finish(case_no, f"{day} 10:00", **{"result_type": "1", "reason": None} | received | more)


def test_a_finding_is_opened_told_once_and_cleared_by_the_record_that_puts_it_right(
    platform: Platform, addressed: None, ready: Engine
) -> None:
    platform.accept("quiet", "2026-11-16 09:00")
    night(NIGHTS[0])
    refuse(platform, "silent", "2026-11-17")
    night(NIGHTS[1])
    (mail,) = mails("A", NIGHTS[1])
    assert "发现1】" in mail["Subject"]
    assert "问题：不予受理、不予许可、退回、作废未说明理由；办件编号：silent" in text_of(mail)
    assert "行政许可法第三十八条" in text_of(mail)
    found = jiancha("findings", "--open", "--rule", "reason_missing", "--json").only
    assert (found["case_no"], found["opened_on"], found["cleared_on"]) == ("silent", str(NIGHTS[1]), None)
    night(NIGHTS[2])
    assert mails("A", NIGHTS[2]) == [], "told once"

    platform.finish("silent", "2026-11-17 10:00", result_type="1", reason="材料不实", data_version=2,
                    receive_time="2026-11-19T11:00:00+08:00")  # fmt: skip
    night(NIGHTS[3])
    assert [event for event in rows(ready, EVENTS) if event[0] == "reason_missing"] == [
        ("reason_missing", "silent", NIGHTS[1], "opened"), ("reason_missing", "silent", NIGHTS[3], "cleared"),
    ]  # fmt: skip
    assert jiancha("findings", "--cleared", "--rule", "reason_missing", "--json").only["cleared_on"] == str(NIGHTS[3])
    assert jiancha("findings", "--department", "区市监局").out.count("silent") == 1
    refused(jiancha("findings", "--rule", "no_such"), 2, "no rule 'no_such'; known: ")


def test_a_finding_that_comes_by_time_alone_is_found_on_a_finished_case(platform: Platform, ready: Engine) -> None:
    platform.accept("undelivered", "2026-11-02 09:00")
    platform.finish("undelivered", "2026-11-03 09:00")
    for on in (NIGHT, NIGHT + timedelta(days=1), NIGHT + timedelta(days=2)):
        night(on)
    late = [event[1:] for event in rows(ready, EVENTS) if event[0] == "delivered_late"]
    assert late == [("undelivered", date(2026, 11, 17), "opened")], "ten working days after 3 November are over"


def test_an_item_is_found_once_however_many_cases_show_it(platform: Platform, addressed: None) -> None:
    night(NIGHTS[0])
    for number, on in enumerate(("2026-11-17", "2026-11-18")):
        platform.accept(f"case-{number}", f"{on} 09:00", promised=30, statutory=20)
    night(NIGHTS[1])
    night(NIGHTS[2])
    found = jiancha("findings", "--rule", "promise_beyond_law", "--json").only
    assert (found["case_no"], found["case_count"], found["opened_on"]) == (None, 2, str(NIGHTS[1]))
    assert sum(text_of(mail).count("承诺时限超过法定时限") for mail in mails("A")) == 1


def test_what_was_there_before_the_source_went_live_or_was_put_right_before_anybody_heard_is_told_to_nobody(
    platform: Platform, addressed: None
) -> None:
    refuse(platform, "old", "2026-11-12")
    night(NIGHTS[0])
    assert jiancha("findings", "--rule", "reason_missing", "--json").only["opened_on"] == "2026-11-12"
    refuse(platform, "never", "2026-11-17")
    night(NIGHTS[1], "--notify", "never")
    night(NIGHTS[2])
    assert [mail for mail in mails("A") if "未说明理由" in text_of(mail)] == []


def test_nights_missed_and_made_up_for_in_any_order_find_the_same(
    platform: Platform, ready: Engine, another_ledger: Callable[[], Engine]
) -> None:
    for number, on in enumerate(("2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19")):
        refuse(platform, f"case-{number}", on)
    platform.finish("case-1", "2026-11-17 10:00", result_type="1", reason="补", data_version=2,
                    receive_time="2026-11-18T12:00:00+08:00")  # fmt: skip
    found = []
    for engine, order in ((ready, (0, 3, 1, 2)), (another_ledger, (0, 3, 2, 1))):
        ledger = engine if isinstance(engine, Engine) else engine()
        for number in order:
            night(NIGHTS[number], "--notify", "never")
        found.append(rows(ledger, "select * from finding_event order by 1, 2, 3, 4"))
    assert len(found[0]) >= 3
    assert found[0] == found[1]


def test_what_a_record_in_quarantine_may_put_right_is_found_when_a_person_says_that_it_will_not(
    platform: Platform, ready: Engine
) -> None:
    night(NIGHTS[0])
    received = {"receive_time": "2026-11-17T11:00:00+08:00"}
    for case_no in ("bare", "unread"):
        platform.accept(case_no, "2026-11-17 09:00", **received)
        platform.finish(case_no, "2026-11-17 10:00", cert_no="A1", cert_date="20261117100000", **received)
    platform.add("process", "unread", "2026-11-17 09:45", "event_end_time", process_name=None, **received)
    assert jiancha("night", "--date", NIGHTS[1]).code == 1, "a row was set aside"
    assert rows(ready, "select case_no, kinds from quarantine") == [("unread", ["stage"])]
    bare = [event[1:] for event in rows(ready, EVENTS) if event[0] == "finished_without_stage"]
    assert bare == [("bare", NIGHTS[1], "opened")], "the other case may yet prove to have its stage"
    night(NIGHTS[2])
    assert jiancha("source", "dismiss", "scjg", "unread", "--date", NIGHTS[3]).only == {"dismissed": 1}
    night(NIGHTS[3])
    found = [event[1:] for event in rows(ready, EVENTS) if event[0] == "finished_without_stage"]
    assert found == [*bare, ("unread", NIGHTS[3], "opened")], "though the case was long over"


def test_a_finding_rests_on_the_record_of_the_departments_own_system(
    platform: Platform, exchange: Exchange, ready: Engine, altered: Callable[..., Source]
) -> None:
    altered("rsj", links=(Link("scjg", "区市监局"),))
    for case_no in ("both", "alone"):
        refuse(platform, case_no, "2026-11-16")
    exchange.accept("both", "2026-11-16 09:00")
    exchange.finish("both", "2026-11-16 10:30", bjjgdm="1", bjjgms="材料不实", zfhthyy="材料不实")
    night(NIGHTS[0])
    assert [event[1] for event in rows(ready, EVENTS) if event[0] == "reason_missing"] == ["alone"]


def test_no_department_hears_of_a_finding_twice_when_the_night_runs_again(platform: Platform, addressed: None) -> None:
    night(NIGHTS[0])
    refuse(platform, "silent", "2026-11-17")
    for _ in range(2):
        night(NIGHTS[1])
    night(NIGHTS[0], "--notify", "never")
    night(NIGHTS[2])
    assert sum("silent" in text_of(mail) for mail in mails("A")) == 1
