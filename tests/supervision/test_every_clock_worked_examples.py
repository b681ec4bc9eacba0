"""Worked examples of the clocks beside the case's own, on the same weeks without holidays as those of the case clock.

Expected boundaries are written out by hand: Monday 2018-10-15 10:00 plus so many working days at 10:00.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from etl.domain.message import parse, table
from etl.store.calendars import packaged
from etl.store.profiles import profile
from etl.supervision.difference import changes, event
from etl.supervision.judge import CARDS, judge_messages, judge_table, with_known_at
from tests.oracle.cases import Case, shanghai

BEGAN = "2018-10-15 10:00"
LATER = "2018-11-30 10:00"


def levels(case: Case, clock: str, as_of: str = LATER, rules: str = "hunan") -> list[str]:
    """Standing cards of one clock: level, boundary and key."""
    cards = judge_messages(case.messages, shanghai(as_of), None, profile(rules))
    return [
        f"{card['clock_key']}{card['level']} {card['reached_at'][5:16]}"
        for card in cards
        if card["clock"] == clock and card["standing"]
    ]


def told(case: Case, as_of: str, rules: str = "hunan", *, in_force_from: date = date(2018, 1, 1)) -> list[str]:
    """The cards of a night that a mail tells of: clock and level."""
    messages = with_known_at(table(list(map(parse, case.messages))))
    book, moment = packaged().book("cn"), shanghai(as_of)
    cards = judge_table(messages, moment, moment, profile(rules), book)
    events = [event(change, in_force_from) for change in changes(CARDS.empty_table(), cards)]
    return [f"{one['clock']} {one['level']}" for one in events if one["is_told"]]


def stage(
    case: Case, ended: str | None, *, reported: str = "", began: str = BEGAN, limit: float = 2, seq: int = 1
) -> Case:
    payload: dict[str, Any] = {"name": "审核", "began_at": shanghai(began).isoformat(), "limit": limit, "handler": "甲"}
    return case.add("stage", ended or reported, payload | {"outcome": "passed" if ended else None}, seq=seq)


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ("2018-10-24 10:00:00", ["1reminder 10-19T10:00"]),
        ("2018-10-24 10:00:01", ["1reminder 10-19T10:00", "1yellow 10-24T10:00"]),
        ("2018-10-25 10:00:01", ["1reminder 10-19T10:00", "1yellow 10-24T10:00", "1red 10-25T10:00"]),
    ],
)
def test_a_special_procedure_is_held_to_its_approved_days(ended: str, expected: list[str]) -> None:
    assert levels(Case().special(BEGAN, ended, 7), "special") == expected


def test_a_special_procedure_runs_on_after_a_normal_finish_and_ends_with_a_void_one() -> None:
    for outcome, expected in (("granted", 3), ("refused", 3), ("voided", 1), ("returned", 1), ("withdrawn", 1)):
        case = Case().accept(BEGAN, 20, 40).special(BEGAN, None, 7).finish("2018-10-22 10:00", outcome)
        assert len(levels(case, "special")) == expected, outcome


def test_a_procedure_without_approved_days_an_empty_one_and_an_extension_have_no_clock() -> None:
    case = Case().accept(BEGAN, 20, 40).special(BEGAN, None, None).special(BEGAN, None, 0, seq=2).extension(BEGAN, 5)
    assert levels(case, "special") == []


def test_two_procedures_of_a_case_have_a_clock_each() -> None:
    case = Case().special(BEGAN, "2018-10-16 10:00", 7).special(BEGAN, "2018-10-24 15:00", 7, seq=2)
    assert levels(case, "special") == ["2reminder 10-19T10:00", "2yellow 10-24T10:00"]


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        ("2018-10-17 10:00:00", []),
        ("2018-10-17 10:00:01", ["reminder 10-17T10:00"]),
        ("2018-10-22 10:00:01", ["reminder 10-17T10:00", "yellow 10-22T10:00"]),
        ("2018-10-24 10:00:01", ["reminder 10-17T10:00", "yellow 10-22T10:00", "red 10-24T10:00"]),
    ],
)
@pytest.mark.parametrize("kind", ["pre_accept", "accept", "finish"])
def test_an_online_application_is_answered_within_two_days(answered: str, expected: list[str], kind: str) -> None:
    case = Case().add("apply", BEGAN, {"channel": "online"})
    if kind == "pre_accept":
        case.add("pre_accept", answered, {"outcome": "refused", "reason": "材料不齐"})
    else:
        case = case.accept(answered, 7, 10) if kind == "accept" else case.finish(answered, "returned")
    assert levels(case, "pre_accept") == expected


def test_an_application_at_the_window_has_no_pre_acceptance_clock() -> None:
    assert levels(Case().add("apply", BEGAN, {"channel": "window"}), "pre_accept") == []


@pytest.mark.parametrize(
    ("issued", "expected"), [("2018-10-18 10:00:00", []), ("2018-10-18 10:00:01", ["yellow 10-18T10:00"])]
)
def test_a_required_certificate_follows_within_three_days(issued: str, expected: list[str]) -> None:
    case = Case().accept(BEGAN, 7, 10, certificate_required=True).finish(BEGAN)
    case.add("certificate", issued, {})
    assert levels(case, "certificate") == expected


def test_no_certificate_is_owed_for_a_refusal_or_where_none_is_required() -> None:
    for required, outcome in ((True, "refused"), (False, "granted")):
        case = Case().accept(BEGAN, 7, 10, certificate_required=required).finish(BEGAN, outcome)
        assert levels(case, "certificate") == []


def test_a_stage_is_yellow_past_its_own_limit_though_the_case_is_in_time() -> None:
    assert levels(stage(Case(), "2018-10-17 10:00:00"), "stage") == []
    assert levels(stage(Case(), "2018-10-17 10:00:01"), "stage") == ["1yellow 10-17T10:00"]
    case = stage(stage(Case(), "2018-10-16 10:00"), "2018-10-18 10:00:01", seq=2, began="2018-10-16 10:00")
    assert levels(case, "stage") == ["2yellow 10-18T10:00"]


def test_an_open_stage_runs_on_until_the_case_finishes() -> None:
    still_open = stage(Case(), None, reported=BEGAN)
    assert levels(still_open, "stage", "2018-10-17 10:00") == []
    assert levels(still_open, "stage", "2018-10-17 10:00:01") == ["1yellow 10-17T10:00"]
    assert levels(still_open.finish("2018-10-17 09:00"), "stage") == []


def test_a_special_procedure_stops_the_stage_it_falls_into() -> None:
    case = stage(Case().special("2018-10-16 10:00", "2018-10-18 10:00", 5), "2018-10-19 10:00:01")
    assert levels(case, "stage") == ["1yellow 10-19T10:00"]


@pytest.mark.parametrize("kind", ["consultation", "complaint"])
@pytest.mark.parametrize(
    ("replied", "expected"),
    [
        ("2018-10-22 10:00:00", ["reminder 10-17T10:00"]),
        ("2018-10-22 10:00:01", ["reminder 10-17T10:00", "yellow 10-22T10:00"]),
        (None, ["reminder 10-17T10:00", "yellow 10-22T10:00", "red 10-23T10:00"]),
    ],
)
def test_a_consultation_or_complaint_is_answered_within_its_limit(
    kind: str, replied: str | None, expected: list[str]
) -> None:
    case = Case().add("inquiry", BEGAN, {"inquiry_kind": kind, "limit": 5, "limit_unit": "working_day"})
    if replied:
        case.add("reply", replied, {"outcome": "answered"})
    assert levels(case, kind) == expected
    assert levels(case, "case") == []


def test_percent_is_yellow_from_nine_tenths_on_and_red_past_the_promise() -> None:
    # 10 days from Monday 10-15: nine are used up on Friday 10-26, the promise on Monday 10-29.
    case = Case().accept(BEGAN, 10, 20)
    assert levels(case, "case", "2018-10-25 23:00", "percent") == []
    assert levels(case, "case", "2018-10-26 00:00", "percent") == ["yellow 10-26T00:00"]
    assert levels(case, "case", "2018-10-30 00:00", "percent") == ["yellow 10-26T00:00", "red 10-30T00:00"]


def test_nine_tenths_met_after_a_weekend_are_met_on_monday() -> None:
    # 5 days from Monday 10-15: 4.5 are met on the fifth day, Monday 10-22, not on the Saturday after the fourth.
    assert levels(Case().accept(BEGAN, 5, 20), "case", "2018-10-22 01:00", "percent") == ["yellow 10-22T00:00"]
    assert levels(Case().accept(BEGAN, 5, 20), "case", "2018-10-21 23:00", "percent") == []


def test_prompt_reminds_on_the_last_working_day_before_the_due_day_and_knows_no_yellow() -> None:
    # 6 days from Monday 10-15: due Tuesday 10-23, the working day before is Monday 10-22.
    case = Case().accept(BEGAN, 6, 20)
    assert levels(case, "case", "2018-10-21 23:00", "prompt") == []
    assert levels(case, "case", "2018-10-23 23:00", "prompt") == ["reminder 10-22T00:00"]
    assert levels(case, "case", "2018-10-24 00:00", "prompt") == ["reminder 10-22T00:00", "red 10-24T00:00"]


def test_a_late_certificate_record_withdraws_its_card_as_a_push_delay() -> None:
    case = Case().accept(BEGAN, 7, 10, certificate_required=True).finish(BEGAN)
    case.add("certificate", "2018-10-17 15:00", {}, written="2018-10-17 15:00", received="2018-10-22 15:00")
    (card,) = [
        card
        for card in judge_messages(case.messages, shanghai("2018-10-24 01:00"), None)
        if card["clock"] == "certificate"
    ]
    assert (card["level"], card["standing"], card["nature"]) == ("yellow", False, "push_delay")
    assert card["deciding"] == card["evidence"][-1:]


def test_a_stage_told_to_end_later_was_open_until_then() -> None:
    """Reported open on Monday, closed on Friday; asked on Friday what stood on Thursday, and on Thursday itself."""
    case = stage(Case(), None, reported=BEGAN)
    payload: dict[str, Any] = {"name": "审核", "began_at": shanghai(BEGAN).isoformat(), "limit": 2, "handler": "甲"}
    case.add("stage", "2018-10-19 10:00", payload | {"outcome": "passed"}, seq=1, version=2)
    for known_by in ("2018-10-18 11:00", "2018-10-25 01:00"):
        (card,) = judge_messages(case.messages, shanghai("2018-10-18 10:00"), shanghai(known_by))
        assert (card["clock"], card["level"], card["nature"], card["standing"]) == ("stage", "yellow", "conduct", True)


def test_an_open_procedure_stops_a_stage_only_until_the_case_finishes() -> None:
    case = Case().accept(BEGAN, 20, 40).special("2018-10-16 10:00", None, None).finish("2018-10-18 10:00")
    assert levels(stage(case, "2018-10-19 10:00:00"), "stage") == []
    case = Case().accept(BEGAN, 20, 40).special("2018-10-16 10:00", None, None).finish("2018-10-18 10:00")
    assert levels(stage(case, "2018-10-19 10:00:01"), "stage") == ["1yellow 10-19T10:00"]


def test_where_the_application_names_no_channel_the_acceptance_does() -> None:
    for channel, said, expected in (
        (None, "online", ["reminder 10-17T10:00"]),
        (None, "window", []),
        ("online", "window", ["reminder 10-17T10:00"]),
        ("window", "online", []),
    ):
        case = Case().add("apply", BEGAN, {"channel": channel}).accept("2018-10-18 10:00", 7, 10, channel=said)
        assert levels(case, "pre_accept") == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(None, ["pre_accept reminder"]), ("pre_accept", []), ("accept", []), ("finish", [])],
)
def test_a_reminder_of_an_answered_application_is_not_told(answer: str | None, expected: list[str]) -> None:
    case = Case().add("apply", BEGAN, {"channel": "online"})
    if answer == "accept":
        case.accept("2018-10-17 11:00", 20, 40)
    elif answer is not None:
        case.add(answer, "2018-10-17 11:00", {"outcome": "granted" if answer == "finish" else "passed"})
    assert told(case, "2018-10-18 01:00") == expected


def test_a_reminder_of_a_procedure_that_has_its_result_is_not_told_and_one_that_outlives_its_case_is() -> None:
    assert told(Case().special(BEGAN, "2018-10-19 14:00", 7), "2018-10-20 01:00") == []
    running = Case().accept("2018-10-15 09:00", 20, 40).special(BEGAN, None, 7).finish("2018-10-17 14:00")
    assert told(running, "2018-10-20 01:00") == ["special reminder"]


def test_a_reminder_of_a_finished_case_or_of_an_answered_complaint_is_not_told_and_a_yellow_card_always_is() -> None:
    assert told(Case().accept(BEGAN, 2, 40).finish("2018-10-17 11:00"), "2018-10-18 01:00") == ["case yellow"]
    complaint = {"inquiry_kind": "complaint", "limit": 5, "limit_unit": "working_day"}
    asked = Case().add("inquiry", BEGAN, complaint)
    assert told(asked, "2018-10-18 01:00") == ["complaint reminder"]
    assert told(asked.add("reply", "2018-10-17 14:00", {"outcome": "answered"}), "2018-10-18 01:00") == []


def test_nothing_is_told_of_a_boundary_before_the_rules_were_in_force() -> None:
    assert told(Case().accept(BEGAN, 2, 40), "2018-10-18 01:00", in_force_from=date(2018, 10, 17)) == ["case yellow"]
