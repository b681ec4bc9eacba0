"""Deadlines and office times computed by other programs, and worked examples: oracle and fast clock alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import clock as oracle

Request = dict[str, Any]
Answer = dict[str, Any]
VECTORS = Path(__file__).parents[1] / "vectors"


def vectors(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / name).read_text(encoding="utf-8"))["vectors"]
    return found


def by_oracle(requests: list[Request]) -> Iterator[Answer]:
    for request in requests:
        try:
            yield oracle.answer(request)
        except ValueError as bad:
            yield {"id": request.get("id"), "error": str(bad)}


def by_fast_clock(requests: list[Request]) -> Iterator[Answer]:
    from etl.domain.clock_request import answer_all
    from etl.store.calendars import packaged

    return iter(answer_all(requests, packaged()))


@pytest.fixture(params=[by_oracle, by_fast_clock], ids=["oracle", "fast"])
def answers(request: pytest.FixtureRequest) -> Callable[[list[Request]], list[Answer]]:
    return lambda requests: list(request.param(requests))


Answers = Callable[[list[Request]], list[Answer]]


def test_every_due_date_of_the_vectors_is_met_under_both_start_rules(answers: Answers) -> None:
    requests, expected = [], []
    for vector in vectors("cn_deadline.json"):
        for rule, convention in (("next_day", "due_convention_A"), ("roll", "due_convention_B")):
            plain = {
                "id": len(requests),
                "mode": "whole_day",
                "start": vector["accepted_on"],
                "limit": vector["limit_working_days"],
                "unit": "working_day",
                "start_rule": rule,
            }
            requests.append(plain)
            expected.append(vector[convention])
            suspension = vector["suspension"]
            if suspension:
                span = {"from": suspension["suspended_from"], "to": suspension["resumed_on"], "approved_days": None}
                requests.append({**plain, "id": len(requests), "suspensions": [span]})
                expected.append(suspension[convention])
    got = answers(requests)
    assert len(requests) >= 600
    wrong = [(q, a, due) for q, a, due in zip(requests, got, expected, strict=True) if a.get("due") != due]
    assert wrong == []


def test_every_office_time_of_the_vectors_is_met(answers: Answers) -> None:
    requests, expected = [], []
    for n, vector in enumerate(vectors("cn_hour.json")):
        common = {"id": n, "mode": "office_clock", "start": vector["from"]}
        if vector["op"] == "add_working_minutes":
            requests.append({**common, "limit": vector["minutes"], "unit": "minute"})
            expected.append(("due", vector["to"]))
        else:
            requests.append({**common, "limit": 1, "unit": "working_day", "end": vector["to"]})
            expected.append(("used_seconds", vector["seconds"]))
    wrong = [
        (q, a, value)
        for q, a, (field, value) in zip(requests, answers(requests), expected, strict=True)
        if a.get(field) != value
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2025-09-24", 7, "2025-10-10"),
        ("2025-09-24", 20, "2025-10-28"),
        ("2025-09-01", 20, "2025-09-28"),
        ("2025-09-01", 30, "2025-10-17"),
        ("2025-09-01", 45, "2025-11-07"),
        ("2025-09-01", 60, "2025-11-28"),
    ],
)
def test_whole_days_step_over_national_day_and_count_the_make_up_sunday(
    answers: Answers, start: str, days: int, due: str
) -> None:
    [answer] = answers([{"id": 1, "mode": "whole_day", "start": start, "limit": days, "unit": "working_day"}])
    assert (answer["due"], answer["provisional"]) == (due, False)


OFFICE = {"mode": "office_clock", "start": "2018-10-15T10:00:00+08:00", "limit": 7, "unit": "working_day"}


@pytest.mark.parametrize(
    ("end", "overdue"), [("2018-10-24T10:00:00+08:00", False), ("2018-10-24T10:00:01+08:00", True)]
)
def test_one_second_beyond_the_limit_is_overdue_and_the_limit_is_not(answers: Answers, end: str, overdue: bool) -> None:
    [answer] = answers([{"id": 1, **OFFICE, "end": end}])
    assert answer["due"] == "2018-10-24T10:00:00+08:00"
    assert answer["overdue"] is overdue


def test_a_limit_used_up_at_close_is_due_at_that_close_and_not_overdue_until_the_office_opens(answers: Answers) -> None:
    friday = {**OFFICE, "start": "2018-10-19T09:00:00+08:00", "limit": 1}
    night, morning = answers(
        [
            {"id": 1, **friday, "end": "2018-10-22T09:00:00+08:00"},
            {"id": 2, **friday, "end": "2018-10-22T09:00:01+08:00"},
        ]
    )
    assert night["due"] == morning["due"] == "2018-10-19T17:30:00+08:00"
    assert (night["overdue"], morning["overdue"]) == (False, True)


def test_the_same_facts_are_late_by_office_hours_and_in_time_by_whole_days(answers: Answers) -> None:
    facts = {**OFFICE, "end": "2018-10-24T15:00:00+08:00"}
    by_hours, by_days = answers([{"id": 1, **facts}, {"id": 2, **facts, "mode": "whole_day"}])
    assert (by_hours["overdue"], by_days["overdue"]) == (True, False)
    assert by_days["due"] == "2018-10-24"


def test_overlapping_suspensions_exclude_four_working_days_not_six(answers: Answers) -> None:
    spans = [
        {"from": "2018-10-16T10:00:00+08:00", "to": "2018-10-19T10:00:00+08:00", "approved_days": None},
        {"from": "2018-10-17T10:00:00+08:00", "to": "2018-10-22T10:00:00+08:00", "approved_days": None},
    ]
    [answer] = answers([{"id": 1, **OFFICE, "suspensions": spans, "end": "2018-10-24T10:00:00+08:00"}])
    assert answer["due"] == "2018-10-30T10:00:00+08:00"
    assert answer["used_days"] == 3


def test_a_suspension_longer_than_approved_excludes_only_the_approved_days(answers: Answers) -> None:
    span = {"from": "2018-10-16T10:00:00+08:00", "to": "2018-10-24T10:00:00+08:00", "approved_days": 3}
    [answer] = answers([{"id": 1, **OFFICE, "suspensions": [span]}])
    assert answer["due"] == "2018-10-29T10:00:00+08:00"


def test_an_open_suspension_without_approved_days_leaves_no_due_moment(answers: Answers) -> None:
    span = {"from": "2018-10-16T10:00:00+08:00", "to": None, "approved_days": None}
    [answer] = answers([{"id": 1, **OFFICE, "suspensions": [span], "as_of": "2018-12-03T10:00:00+08:00"}])
    assert (answer["due"], answer["used_days"], answer["overdue"]) == (None, 1, False)


def test_equal_instants_mean_open_and_equal_dates_exclude_nothing(answers: Answers) -> None:
    moment = "2018-10-16T10:00:00+08:00"
    open_span = {"from": moment, "to": moment, "approved_days": 3}
    empty = {"from": "2018-10-16", "to": "2018-10-16", "approved_days": 3}
    by_hours, by_days = answers(
        [
            {"id": 1, **OFFICE, "suspensions": [open_span]},
            {"id": 2, **OFFICE, "mode": "whole_day", "start": "2018-10-15", "suspensions": [empty]},
        ]
    )
    assert by_hours["due"] == "2018-10-29T10:00:00+08:00"
    assert by_days["due"] == "2018-10-24"


@pytest.mark.parametrize("mode", ["office_clock", "whole_day", "natural_day"])
def test_a_suspension_that_does_not_say_its_end_is_open(answers: Answers, mode: str) -> None:
    unit = "natural_day" if mode == "natural_day" else "working_day"
    asked = {"id": 1, "mode": mode, "start": "2018-10-15", "limit": 7, "unit": unit}
    unsaid, said = answers([{**asked, "suspensions": [{"from": "2018-10-16", **end}]} for end in ({}, {"to": None})])
    assert unsaid == said
    assert said["due"] is None


def test_a_natural_limit_that_ends_on_a_rest_day_moves_to_the_next_working_day(answers: Answers) -> None:
    """2025-09-24 + 7 natural days is 10-01; the holiday lasts until 10-08."""
    start = {"mode": "natural_day", "start": "2025-09-24", "limit": 7, "unit": "natural_day"}
    last, next_day = answers(
        [
            {"id": 1, **start, "end": "2025-10-09T23:59:59+08:00"},
            {"id": 2, **start, "end": "2025-10-10T00:00:01+08:00"},
        ]
    )
    assert (last["overdue"], next_day["overdue"]) == (False, True)


def test_a_month_ends_on_the_corresponding_date_or_the_last_of_a_shorter_month(answers: Answers) -> None:
    """2025-01-31 + 1 month is 02-28, a Friday."""
    month = {"mode": "natural_day", "start": "2025-01-31", "limit": 1, "unit": "month"}
    in_time, late = answers(
        [
            {"id": 1, **month, "end": "2025-02-28T23:59:59+08:00"},
            {"id": 2, **month, "end": "2025-03-01T00:00:01+08:00"},
        ]
    )
    assert (in_time["overdue"], late["overdue"]) == (False, True)


def test_natural_hours_run_through_the_night_and_are_not_moved(answers: Answers) -> None:
    night = {"mode": "natural_day", "start": "2025-10-01T20:00:00+08:00", "limit": 12, "unit": "hour"}
    [answer] = answers([{"id": 1, **night}])
    assert answer["due"] == "2025-10-02T08:00:00+08:00"


@pytest.mark.parametrize(
    ("known_at", "due"),
    [("2015-05-12", "2015-09-07"), ("2015-05-13", "2015-09-08"), (None, "2015-09-08")],
)
def test_an_amended_notice_counts_from_the_day_it_was_known(answers: Answers, known_at: str | None, due: str) -> None:
    """From Monday 2015-08-31, five days: 09-03 and 09-04 became holidays, Sunday 09-06 a working day."""
    request = {"id": 1, "mode": "whole_day", "start": "2015-08-31", "limit": 5, "unit": "working_day"}
    if known_at is not None:
        request["calendar_known_at"] = known_at
    [answer] = answers([request])
    assert answer["due"] == due


@pytest.mark.parametrize(
    ("limit", "due", "provisional"), [(4, "2026-12-28", False), (5, "2026-12-29", True), (8, "2027-01-04", True)]
)
def test_a_due_date_is_provisional_from_29_december_before_a_year_without_a_notice(
    answers: Answers, limit: int, due: str, provisional: bool
) -> None:
    [answer] = answers([{"id": 1, "mode": "whole_day", "start": "2026-12-22", "limit": limit, "unit": "working_day"}])
    assert (answer["due"], answer["provisional"]) == (due, provisional)


def test_a_custom_calendar_is_never_provisional(answers: Answers) -> None:
    custom = {"holidays": ["2027-01-01"], "makeup_days": ["2027-01-02"]}
    [answer] = answers(
        [{"id": 1, "mode": "whole_day", "start": "2026-12-31", "limit": 1, "unit": "working_day", "calendar": custom}]
    )
    assert (answer["due"], answer["provisional"]) == ("2027-01-02", False)


GOOD = {"id": "good", **OFFICE}
BAD: dict[str, dict[str, Any]] = {
    "an unknown mode": {"mode": "lunar_day"},
    "no start": {"start": None},
    "a start that is not a date": {"start": "15/10/2018"},
    "a date that does not exist": {"start": "2018-02-30"},
    "an unknown unit": {"unit": "fortnight"},
    "natural days by the office clock": {"unit": "natural_day"},
    "months by the office clock": {"unit": "month"},
    "working days in natural time": {"mode": "natural_day"},
    "hours by whole days": {"mode": "whole_day", "unit": "hour"},
    "no limit": {"limit": None},
    "a limit in words": {"limit": "seven"},
    "a negative limit": {"limit": -1},
    "an unknown start rule": {"start_rule": "previous_day"},
    "an unknown timezone": {"timezone": "Asia/Changsha-West"},
    "an unknown calendar": {"calendar": "atlantis"},
    "office hours that end before they begin": {"hours": [["12:00", "09:00"]]},
    "office hours that overlap": {"hours": [["09:00", "13:00"], ["12:00", "17:00"]]},
    "no office hours at all": {"hours": []},
    "a suspension that ends before it begins": {
        "suspensions": [{"from": "2018-10-17T10:00:00+08:00", "to": "2018-10-16T10:00:00+08:00"}]
    },
    "a suspension without a beginning": {"suspensions": [{"to": "2018-10-16T10:00:00+08:00"}]},
    "a start the calendar does not cover": {"start": "1949-10-01T10:00:00+08:00"},
    "a timezone that is a folder of zones": {"timezone": "Asia"},
    "a timezone with too long a name": {"timezone": "x" * 5000},
    "holidays that are no list": {"calendar": {"holidays": 5}},
    "holidays in words": {"calendar": {"makeup_days": ["tomorrow"]}},
    "a list of knowledge dates": {"calendar_known_at": []},
    "an object for a knowledge date": {"calendar_known_at": {}},
    "a knowledge date with something behind it": {"calendar_known_at": "2026-11-20garbage"},
}


ABSURD: dict[str, dict[str, Any]] = {
    "a start before all time": {"start": "0001-01-01T00:00:00+08:00"},
    "a start at the end of all time": {"mode": "natural_day", "unit": "hour", "start": "9999-12-31T23:59:59-08:00"},
    "a limit that ends after all time": {"mode": "natural_day", "unit": "hour", "limit": 1e9},
    "one of another country": {"mode": "natural_day", "unit": "hour", "limit": 1e9, "timezone": "America/New_York"},
    "a limit of months from before the calendar": {"mode": "natural_day", "unit": "month", "start": "0001-01-01"},
}
"""What the oracle, which steps, would not come to the end of."""


@pytest.mark.parametrize("change", ABSURD.values(), ids=ABSURD.keys())
def test_a_request_that_leads_out_of_all_time_is_answered_with_an_error(change: dict[str, Any]) -> None:
    bad, after = by_fast_clock([{**GOOD, "id": "bad", **change}, GOOD])
    assert (bad["id"], after["due"]) == ("bad", "2018-10-24T10:00:00+08:00")
    assert bad["error"]


@pytest.mark.parametrize("change", BAD.values(), ids=BAD.keys())
def test_a_bad_request_is_answered_with_an_error_and_the_rest_go_on(answers: Answers, change: dict[str, Any]) -> None:
    first, bad, last = answers([GOOD, {**GOOD, "id": "bad", **change}, {**GOOD, "id": "after"}])
    assert bad["id"] == "bad"
    assert isinstance(bad["error"], str)
    assert bad["error"]
    assert "due" not in bad
    assert (first["id"], last["id"]) == ("good", "after")
    assert first["due"] == last["due"] == "2018-10-24T10:00:00+08:00"
