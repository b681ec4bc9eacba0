"""A record that is here and cannot be used earns nobody a card: its case stands still until somebody has looked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine

from etl.domain.night import cutoff_at
from etl.runs import judged_nights
from etl.sources.sets import national
from etl.sources.sets import provincial as module
from tests.cli.command import jiancha
from tests.runs.test_a_night import night, rows
from tests.runs.test_knowledge import FIFTH, FIRST, FOURTH, SECOND, THIRD, digest, mailed
from tests.runs.world import Platform

CASE = "in-time"
RECEIVED = "2026-11-17T10:00:00+08:00"
EVENTS = "select business_on, event, level from v_card_event where case_no = '{}' order by seq"


def events(engine: Engine, case_no: str = CASE) -> list[tuple[Any, ...]]:
    return rows(engine, EVENTS.format(case_no))


def levels(on: date, known_by: date) -> set[tuple[str, str]]:
    """What is judged of every case, as of a night and with the knowledge of another one."""

    cards = judged_nights.judge_at(on, cutoff_at(on), cutoff_at(known_by)).to_pylist()
    return {(card["case_no"], card["level"]) for card in cards if card["standing"]}


@pytest.fixture
def unreadable(platform: Platform) -> Platform:
    """Due on the second day at 15:00, finished that morning, and the way it ended is a code nobody declared."""
    platform.accept(CASE, "2026-11-10 15:00", promised=5, statutory=20)
    platform.accept("overdue", "2026-11-10 15:00", promised=5, statutory=20)
    platform.finish(CASE, "2026-11-17 10:00", result_type="6")
    return platform


def learn_the_code(altered: Callable[..., Any]) -> None:
    codes = vars(module.CODES) | {"finished": {**module.CODES.finished, "6": "other"}}
    altered("scjg", dialect=national.dialect(type(module.CODES)(**codes)))


def replay(on: date) -> dict[str, int]:
    counts: dict[str, int] = jiancha("source", "replay", "scjg", "--date", on).only
    return counts


def test_a_finish_that_cannot_be_read_gives_no_card_and_takes_none_back(unreadable: Platform, ready: Engine) -> None:
    for day in (FIRST, SECOND, THIRD, FOURTH):
        night(day)
    kept = rows(ready, "select case_no, kinds, state, settled_at from quarantine")
    assert kept == [(CASE, ["finish"], "open", None)]
    assert {level for _, _, level in events(ready)} == {"reminder"}, "it was due before the record came"
    assert [kind for _, kind, _ in events(ready)] == ["issued"]
    assert "yellow" in {level for _, _, level in events(ready, "overdue")}


def test_once_it_is_read_the_card_nobody_earned_still_does_not_exist(
    unreadable: Platform, ready: Engine, altered: Callable[..., Any]
) -> None:
    for day in (FIRST, SECOND, THIRD):
        night(day)
    learn_the_code(altered)
    assert replay(FOURTH)["accepted"] == 1
    for day in (FOURTH, FIFTH):
        night(day)
    assert [(kind, level) for _, kind, level in events(ready)] == [("issued", "reminder")]
    assert rows(ready, "select state, settled_at from quarantine") == [("replayed", cutoff_at(FOURTH))]
    for known_by in (SECOND, THIRD, FOURTH, FIFTH):
        assert (CASE, "yellow") not in levels(THIRD, known_by)
        assert ("overdue", "yellow") in levels(THIRD, known_by)


@pytest.mark.parametrize("written", ["20261120090000", None])
def test_a_row_that_was_here_in_time_is_not_suspected_of_having_been_entered_late(
    platform: Platform, ready: Engine, altered: Callable[..., Any], written: str | None
) -> None:
    platform.accept(CASE, "2026-11-10 15:00", promised=5, statutory=20)
    platform.finish(CASE, "2026-11-13 10:00", result_type="6", cd_time=written, receive_time=RECEIVED)
    for day in (FIRST, SECOND, THIRD):
        night(day)
    learn_the_code(altered)
    replay(THIRD)
    night(FOURTH)
    assert not [level for _, _, level in events(ready) if level == "yellow"]


def test_when_a_person_dismisses_the_row_the_case_is_judged_without_it_from_that_night_on(
    unreadable: Platform, ready: Engine
) -> None:
    for day in (FIRST, SECOND, THIRD):
        night(day)
    assert jiancha("source", "dismiss", "scjg", CASE, "--date", THIRD).only == {"dismissed": 1}
    night(THIRD)
    night(FOURTH)
    assert events(ready)[1:] == [(THIRD, "issued", "yellow")]
    reached = rows(ready, f"select reached_at from v_card_event where case_no = '{CASE}' and level = 'yellow'")
    assert reached[0][0].isoformat(timespec="minutes").startswith("2026-11-17T")
    assert (CASE, "yellow") not in levels(SECOND, SECOND)
    assert (CASE, "yellow") in levels(SECOND, THIRD)
    refused = jiancha("source", "dismiss", "scjg", CASE, "--date", THIRD)
    assert (refused.code, "no quarantined row" in refused.err) == (2, True)


def test_a_corrected_record_frees_the_case_without_anybody_dismissing_the_row_it_corrects(
    unreadable: Platform, ready: Engine
) -> None:
    for day in (FIRST, SECOND):
        night(day)
    unreadable.finish(CASE, "2026-11-17 10:00", data_version=2, receive_time="2026-11-18T10:00:00+08:00")
    night(THIRD)
    found = events(ready)
    assert ("issued", "yellow") not in [(kind, level) for day, kind, level in found if day < THIRD]
    assert rows(ready, "select state from quarantine") == [("open",)]
    again = jiancha("explain", CASE, "--json").only
    assert again["doubts"] == []
    assert again["is_finished"]


def test_what_an_unreadable_record_cannot_change_is_judged_on(platform: Platform, ready: Engine) -> None:
    platform.accept(CASE, "2026-11-10 15:00", promised=5, statutory=20)
    platform.rows["apply"].append(
        platform.rows["accept"][0]
        | {"apply_date": "20261117090000", "apply_type": "??", "applyer_name": "王明", "receive_time": RECEIVED}
    )
    for day in (FIRST, SECOND):
        night(day)
    assert rows(ready, "select kinds from quarantine") == [(["apply"],)]
    assert (SECOND, "issued", "yellow") in events(ready), "the case's clock needs no application"


def test_a_finish_with_a_control_character_is_known_by_its_case_all_the_same(platform: Platform, ready: Engine) -> None:
    platform.accept(CASE, "2026-11-10 15:00", promised=5, statutory=20)
    platform.finish(CASE, "2026-11-17 10:00", reason="a\x0bb")
    for day in (FIRST, SECOND, THIRD):
        night(day)
    assert rows(ready, "select reason, case_no from quarantine") == [("poison_character", CASE)]
    assert [level for _, _, level in events(ready)] == ["reminder"]


def test_a_row_without_a_readable_case_holds_up_nobody(platform: Platform, ready: Engine) -> None:
    platform.accept("overdue", "2026-11-10 15:00", promised=5, statutory=20)
    platform.finish(None, "2026-11-17 10:00")
    platform.finish("a\x0bb", "2026-11-17 10:00")
    for day in (FIRST, SECOND):
        night(day)
    assert rows(ready, "select case_no from quarantine") == [(None,), (None,)]
    assert (SECOND, "issued", "yellow") in events(ready, "overdue")


def test_a_first_load_with_an_unreadable_finish_gives_no_card_for_any_night_before(
    unreadable: Platform, ready: Engine
) -> None:
    night(FOURTH)
    assert events(ready) == []
    assert {level for _, _, level in events(ready, "overdue")} == {"reminder", "yellow"}
    assert jiancha("source", "dismiss", "scjg", CASE, "--date", FIFTH).only == {"dismissed": 1}
    night(FIFTH)
    assert {(day, level) for day, _, level in events(ready)} == {(FIFTH, "reminder"), (FIFTH, "yellow")}


def test_whatever_order_nights_are_run_in_the_ledger_is_the_same(
    unreadable: Platform, ready: Engine, altered: Callable[..., Any]
) -> None:
    from etl.store.ledger import doubts

    for day in (FIRST, SECOND, THIRD):
        night(day, "--notify", "never")
    learn_the_code(altered)
    replay(FOURTH)
    night(FOURTH, "--notify", "never")
    told, found = digest(), events(ready)
    ((since, until),) = [(row["since"], row["until"]) for row in doubts(ready)]
    assert (since, until) == (cutoff_at(SECOND), cutoff_at(FOURTH))
    for day in (THIRD, FIRST, FOURTH, SECOND):
        night(day, "--notify", "never")
    assert (digest(), events(ready)) == (told, found)


def test_the_explanation_of_a_case_that_stands_still_says_why(unreadable: Platform, ready: Engine) -> None:
    for day in (FIRST, SECOND, THIRD):
        night(day)
    ended = jiancha("explain", CASE)
    assert (
        "该件有一条未通过校验的办结记录（代码不在约定范围），自 2026-11-18 01:00 起已隔离；"
        "重放或者排除之前，不因缺少该记录发牌、撤牌，有关的牌维持隔离之前的结论"
    ) in ended.out
    assert "到黄牌界限" not in ended.out
    found = jiancha("explain", CASE, "--json").only["doubts"]
    assert found == [
        {"source": "scjg", "kinds": ["finish"], "reason": "unknown_code", "since": "2026-11-18T01:00:00+08:00"}
    ]
    assert jiancha("explain", CASE, "--as-of", cutoff_at(FIRST).isoformat(), "--json").only["doubts"] == []


def test_the_department_is_told_once_of_each_row_set_aside(
    unreadable: Platform, ready: Engine, addressed: None
) -> None:
    for day in (FIRST, SECOND, THIRD):
        night(day)
    told = [line for line in mailed().splitlines() if "未通过校验" in line]
    assert len(told) == 1
    assert f"办件编号：{CASE}" in told[0]
    assert "办结记录：代码不在约定范围（result_type 为 '6'）；核实之前，不因缺少该记录对该件发牌、撤牌" in told[0]


def test_a_row_of_a_page_that_had_to_wait_is_told_with_the_night_that_admitted_it(
    platform: Platform, ready: Engine, addressed: None, altered: Callable[..., Any]
) -> None:
    night(FIRST)
    for number in range(12):
        platform.finish(f"coded-{number}", "2026-11-17 10:00", result_type="6")
    platform.finish(CASE, "2026-11-17 11:00", result_type="70")
    assert night(SECOND).code == 3, "most of its rows are refused alike"
    assert CASE not in mailed()
    learn_the_code(altered)
    for day in (THIRD, FOURTH):
        night(day)
    told = [line for line in mailed().splitlines() if "未通过校验" in line]
    assert len(told) == 1
    assert f"办件编号：{CASE}" in told[0]
