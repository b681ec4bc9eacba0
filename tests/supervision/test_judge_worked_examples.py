"""Worked examples of the case clock: promised 7, statutory 10, accepted Monday 2018-10-15 10:00, no holidays near.

Each holds for the oracle and for the fast judge alike.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from tests.oracle import judge as oracle
from tests.oracle.cases import Case, shanghai
from tests.oracle.profiles import HUNAN, WHOLE_DAYS

Message = dict[str, Any]
Card = dict[str, Any]
Judge = Callable[..., list[Card]]


def by_oracle(
    messages: list[Message], as_of: datetime, known_by: datetime | None = None, count_mode: str = "office_clock"
) -> list[Card]:
    return oracle.judge(messages, as_of, known_by, HUNAN if count_mode == "office_clock" else WHOLE_DAYS)


def by_fast_judge(
    messages: list[Message], as_of: datetime, known_by: datetime | None = None, count_mode: str = "office_clock"
) -> list[Card]:
    from etl.store.profiles import profile
    from etl.supervision.judge import judge_messages

    return judge_messages(messages, as_of, known_by, profile("hunan").model_copy(update={"count_mode": count_mode}))


@pytest.fixture(params=[by_oracle, by_fast_judge], ids=["oracle", "fast"])
def judge(request: pytest.FixtureRequest) -> Judge:
    chosen: Judge = request.param
    return chosen


def accepted(promised: float = 7, statutory: float = 10, **more: Any) -> Case:
    return Case().accept("2018-10-15 10:00", promised, statutory, **more)


def cards(judge: Judge, case: Case, as_of: str, known_by: str | None = None) -> dict[str, Card]:
    listed = judge(case.messages, shanghai(as_of), None if known_by is None else shanghai(known_by))
    return {card["level"]: card for card in listed if card["clock"] == "case"}


def standing(judge: Judge, case: Case, as_of: str, known_by: str | None = None) -> list[str]:
    return [level for level, card in cards(judge, case, as_of, known_by).items() if card["standing"]]


def test_an_unfinished_case_is_reminded_one_second_after_three_days_remain(judge: Judge) -> None:
    assert standing(judge, accepted(), "2018-10-19 10:00:00") == []
    assert standing(judge, accepted(), "2018-10-19 10:00:01") == ["reminder"]


@pytest.mark.parametrize(
    ("finished", "levels"),
    [
        ("2018-10-24 10:00:00", ["reminder"]),
        ("2018-10-24 10:00:01", ["reminder", "yellow"]),
        ("2018-10-29 10:00:00", ["reminder", "yellow"]),
        ("2018-10-29 10:00:01", ["reminder", "yellow", "red"]),
    ],
)
def test_one_second_past_the_limit_is_overdue_and_the_limit_itself_is_not(
    judge: Judge, finished: str, levels: list[str]
) -> None:
    found = cards(judge, accepted().finish(finished), "2018-11-10 10:00")
    assert list(found) == levels
    assert {card["nature"] for card in found.values()} == {"conduct"}


def test_each_card_names_the_instant_its_boundary_was_reached_and_the_limit_it_broke(judge: Judge) -> None:
    found = cards(judge, accepted().finish("2018-10-29 10:00:01"), "2018-11-10 10:00")
    reached = {level: card["reached_at"][:19] for level, card in found.items()}
    assert reached == {
        "reminder": "2018-10-19T10:00:00",
        "yellow": "2018-10-24T10:00:00",
        "red": "2018-10-29T10:00:00",
    }
    assert {level: (card["base"], card["limit_days"]) for level, card in found.items()} == {
        "reminder": ("promised", 7),
        "yellow": ("promised", 7),
        "red": ("statutory", 10),
    }


@pytest.mark.parametrize("ended", ["2018-10-19 10:00", "2018-10-24 10:00"])
@pytest.mark.parametrize(
    ("finished", "levels"),
    [
        ("2018-10-24 10:00:00", []),
        ("2018-10-24 10:00:01", ["reminder"]),
        ("2018-10-29 10:00:00", ["reminder"]),
        ("2018-10-29 10:00:01", ["reminder", "yellow"]),
        ("2018-11-01 10:00:00", ["reminder", "yellow"]),
        ("2018-11-01 10:00:01", ["reminder", "yellow", "red"]),
    ],
)
def test_three_approved_days_of_special_procedure_move_every_boundary_three_days_even_when_it_lasts_six(
    judge: Judge, ended: str, finished: str, levels: list[str]
) -> None:
    case = accepted().special("2018-10-16 10:00", ended, 3).finish(finished)
    assert list(cards(judge, case, "2018-11-20 10:00")) == levels


def test_the_same_facts_are_late_by_office_hours_and_in_time_by_whole_days(judge: Judge) -> None:
    messages = accepted().finish("2018-10-24 15:00").messages
    by_hours = judge(messages, shanghai("2018-11-10 10:00"))
    assert "yellow" in {card["level"] for card in by_hours}
    by_days = judge(messages, shanghai("2018-11-10 10:00"), count_mode="whole_day")
    assert "yellow" not in {card["level"] for card in by_days}


def test_by_whole_days_each_level_begins_on_the_day_after_its_last_day(judge: Judge) -> None:
    """Promised 7, statutory 10 from Monday 10-15: days 4, 7 and 10 are 10-19, 10-24 and 10-29."""
    found = judge(accepted().messages, shanghai("2018-11-10 10:00"), count_mode="whole_day")
    assert {card["level"]: card["reached_at"][:19] for card in found} == {
        "reminder": "2018-10-20T00:00:00",
        "yellow": "2018-10-25T00:00:00",
        "red": "2018-10-30T00:00:00",
    }


def late_arrival() -> Case:
    """Finished in time at 10-23 15:00; the record is written then and arrives three days later."""
    return accepted().finish("2018-10-23 15:00", received="2018-10-26 15:00")


def test_a_finish_that_arrives_late_lets_a_reminder_and_then_a_yellow_card_appear(judge: Judge) -> None:
    assert standing(judge, late_arrival(), "2018-10-24 01:00") == ["reminder"]
    assert standing(judge, late_arrival(), "2018-10-25 01:00") == ["reminder", "yellow"]


def test_the_yellow_card_is_withdrawn_as_a_push_delay_once_the_finish_has_arrived(judge: Judge) -> None:
    assert cards(judge, late_arrival(), "2018-10-26 01:00")["yellow"]["standing"]
    found = cards(judge, late_arrival(), "2018-10-27 01:00")
    assert (found["yellow"]["nature"], found["yellow"]["standing"]) == ("push_delay", False)
    assert (found["reminder"]["nature"], found["reminder"]["standing"]) == ("conduct", True)


def test_a_card_nobody_was_there_to_issue_is_not_withdrawn_and_a_doubtful_one_is_found_all_the_same() -> None:
    from etl.domain.message import parse, table
    from etl.store.calendars import packaged
    from etl.store.profiles import profile
    from etl.supervision.judge import judge_table, with_known_at

    def levels(case: Case, *frozen: str) -> dict[str, str]:
        messages, as_of = with_known_at(table(list(map(parse, case.messages)))), shanghai("2018-10-27 01:00")
        nights, rules = {"health": [shanghai(f"{night} 01:00") for night in frozen]}, profile("hunan")
        cards = judge_table(messages, as_of, as_of, rules, packaged().book(rules.calendar), frozen=nights).to_pylist()
        return {card["level"]: card["nature"] for card in cards if card["clock"] == "case"}

    frozen = ("2018-10-25", "2018-10-26")
    assert (
        levels(late_arrival()) == levels(late_arrival(), frozen[0]) == {"reminder": "conduct", "yellow": "push_delay"}
    )
    assert levels(late_arrival(), *frozen) == {"reminder": "conduct"}
    entered_late = accepted().finish("2018-10-23 15:00", written="2018-10-26 14:00", received="2018-10-26 15:00")
    assert levels(entered_late, *frozen) == {"reminder": "conduct", "yellow": "suspect"}


def test_judging_a_past_night_again_still_shows_what_was_believed_then(judge: Judge) -> None:
    then = cards(judge, late_arrival(), "2018-10-25 01:00", known_by="2018-10-25 01:00")
    assert (then["yellow"]["nature"], then["yellow"]["standing"]) == ("conduct", True)


def test_a_past_moment_judged_with_todays_knowledge_shows_the_withdrawal(judge: Judge) -> None:
    found = cards(judge, late_arrival(), "2018-10-25 01:00", known_by="2018-10-27 01:00")
    assert (found["yellow"]["nature"], found["yellow"]["standing"]) == ("push_delay", False)


def test_a_second_version_that_rescues_the_case_leaves_the_card_standing_for_a_person_to_decide(judge: Judge) -> None:
    case = accepted().finish("2018-10-25 15:00").finish("2018-10-23 15:00", version=2, received="2018-10-26 15:00")
    found = cards(judge, case, "2018-10-27 01:00")
    assert (found["yellow"]["nature"], found["yellow"]["standing"]) == ("suspect", True)


def test_a_second_version_without_a_first_is_suspect_too(judge: Judge) -> None:
    case = accepted().finish("2018-10-23 15:00", version=2, received="2018-10-26 15:00")
    assert cards(judge, case, "2018-10-27 01:00")["yellow"]["nature"] == "suspect"


@pytest.mark.parametrize("written", ["2018-10-24 10:00:01", None])
def test_a_first_version_written_after_the_boundary_or_at_an_unknown_time_is_suspect(
    judge: Judge, written: str | None
) -> None:
    case = accepted().finish("2018-10-23 15:00", written=written, received="2018-10-26 15:00")
    assert cards(judge, case, "2018-10-27 01:00")["yellow"]["nature"] == "suspect"


def test_a_rescuing_second_version_is_suspect_even_when_the_acceptance_itself_was_written_late(judge: Judge) -> None:
    case = accepted(written="2018-10-25 10:00").finish("2018-10-26 15:00")
    case.finish("2018-10-23 15:00", version=2, written="2018-10-30 09:00")
    found = cards(judge, case, "2018-11-05 10:00")
    assert (found["yellow"]["nature"], found["yellow"]["standing"]) == ("suspect", True)


def test_two_doubtful_records_that_decide_together_are_found_among_many(judge: Judge) -> None:
    case = accepted().finish("2018-10-23 09:00", written="2018-10-29 09:00")
    case = case.finish("2018-10-23 16:00", version=2, written="2018-10-30 09:00")
    for seq in range(1, 13):
        case.special("2018-10-25 11:00", None, 1, seq=seq)
    yellow = cards(judge, case, "2018-11-01 01:00")["yellow"]
    both = {"health/CASE-1/finish/0/v1", "health/CASE-1/finish/0/v2"}
    assert yellow["nature"] == "suspect"
    assert yellow["deciding"] in (sorted(both), [frozenset(both)])


def inspected_late(*, until: str = "2018-10-22 10:00") -> Case:
    """Inspected for up to three days as promised, which moves its end to 2018-10-29 10:00; told on 10-26 only."""
    case = accepted().special("2018-10-17 10:00", until, 3)
    for message in case.messages[1:]:
        message["received_at"] = shanghai("2018-10-26 10:00").isoformat()
    return case


@pytest.mark.parametrize("judged", ["2018-10-27 01:00", "2018-10-29 01:00", "2018-10-30 01:00", "2018-12-10 01:00"])
@pytest.mark.parametrize("version", [1, 2])
def test_a_card_withdrawn_for_a_late_suspension_is_no_other_card_once_the_true_end_has_passed(
    judge: Judge, judged: str, version: int
) -> None:
    yellow = cards(judge, inspected_late().finish("2018-10-25 09:00", version=version), judged)["yellow"]
    start = "health/CASE-1/special_start/1/v1"
    assert (yellow["nature"], yellow["standing"]) == ("push_delay", False)
    assert yellow["deciding"] in ([start], [frozenset([start])])


@pytest.mark.parametrize(("written", "nature"), [("2018-10-25 09:00", "push_delay"), ("2018-10-25 11:00", "suspect")])
def test_a_finish_is_entered_late_when_it_is_after_the_boundary_there_would_be_without_it(
    judge: Judge, written: str, nature: str
) -> None:
    # A day of inspection: the true end is 2018-10-25 10:00, and on 2018-10-26 nobody knew of either record.
    case = inspected_late(until="2018-10-18 10:00")
    case.finish("2018-10-25 09:00", written=written, received="2018-10-26 10:00")
    assert cards(judge, case, "2018-10-27 01:00")["yellow"]["nature"] == nature


def test_a_finish_entered_after_the_true_end_is_suspect(judge: Judge) -> None:
    case = inspected_late().finish("2018-10-25 09:00", written="2018-10-30 09:00")
    assert cards(judge, case, "2018-10-31 01:00")["yellow"]["nature"] == "suspect"


def test_two_entries_that_each_come_too_late_do_not_excuse_each_other(judge: Judge) -> None:
    case = accepted().finish("2018-10-23 15:00", written="2018-10-25 09:00").special("2018-10-17 10:00", None, 3)
    case.messages[-1] |= {name: shanghai("2018-10-30 09:00").isoformat() for name in ("written_at", "received_at")}
    assert cards(judge, case, "2018-10-31 01:00")["yellow"]["nature"] == "suspect"


def test_hindsight_gives_the_cards_of_a_case_that_was_still_unknown_at_that_moment(judge: Judge) -> None:
    case = accepted(received="2018-10-28 10:00")
    assert cards(judge, case, "2018-10-26 10:00") == {}
    assert standing(judge, case, "2018-10-26 10:00", known_by="2018-11-05 10:00") == ["reminder", "yellow"]


def test_a_newer_version_that_lies_after_the_moment_asked_for_does_not_bring_the_older_one_back(judge: Judge) -> None:
    """Version 1 said finished on 10-23; version 2 says 10-29. Seen from 11-05, the case was unfinished on 10-26."""
    case = accepted().finish("2018-10-23 15:00").finish("2018-10-29 15:00", version=2)
    assert standing(judge, case, "2018-10-26 10:00", known_by="2018-11-05 10:00") == ["reminder", "yellow"]


def test_the_same_version_told_differently_later_changes_nothing(judge: Judge) -> None:
    case = accepted().finish("2018-10-26 15:00").finish("2018-10-23 15:00", received="2018-10-30 10:00")
    assert cards(judge, case, "2018-11-05 10:00")["yellow"]["nature"] == "conduct"


def test_a_record_that_arrived_before_its_own_night_leaves_no_trace_of_a_card(judge: Judge) -> None:
    case = accepted().finish("2018-10-23 15:00", received="2018-10-24 23:00")
    assert list(cards(judge, case, "2018-10-27 01:00")) == ["reminder"]


def test_overlapping_suspensions_count_once(judge: Judge) -> None:
    """10-16 10:00–10-19 10:00 and 10-17 10:00–10-22 10:00 exclude 4 working days, not 6."""
    case = accepted().special("2018-10-16 10:00", "2018-10-19 10:00", None, seq=1)
    case.special("2018-10-17 10:00", "2018-10-22 10:00", None, seq=2).finish("2018-10-30 10:00:01")
    yellow = cards(judge, case, "2018-11-20 10:00")["yellow"]
    assert yellow["reached_at"][:19] == "2018-10-30T10:00:00"


def test_an_extension_moves_both_limits(judge: Judge) -> None:
    case = accepted().extension("2018-10-20 10:00", 5).finish("2018-11-05 10:00:01")
    found = cards(judge, case, "2018-11-20 10:00")
    assert {level: card["reached_at"][:10] for level, card in found.items()} == {
        "reminder": "2018-10-26",
        "yellow": "2018-10-31",
        "red": "2018-11-05",
    }


@pytest.mark.parametrize(
    ("days", "approver", "occurred"),
    [(5, None, "2018-10-20 10:00"), (11, "张某", "2018-10-20 10:00"), (5, "张某", "2018-10-29 10:00:01")],
)
def test_an_extension_unapproved_beyond_the_maximum_or_after_the_statutory_boundary_adds_nothing(
    judge: Judge, days: float, approver: str | None, occurred: str
) -> None:
    found = cards(judge, accepted().extension(occurred, days, approver), "2018-11-20 10:00")
    assert found["red"]["reached_at"][:19] == "2018-10-29T10:00:00"


@pytest.mark.parametrize(
    ("accepted_at", "in_time", "late"),
    [
        ("2018-10-15 10:00", "2018-10-15 17:30", "2018-10-16 09:00:01"),
        ("2018-10-15 10:00", "2018-10-15 21:00", "2018-10-16 09:00:01"),
        ("2018-10-15 17:30", "2018-10-16 17:30", "2018-10-17 09:00:01"),
        ("2018-10-19 18:00", "2018-10-22 17:30", "2018-10-23 09:00:01"),
        ("2018-10-20 10:00", "2018-10-22 17:30", "2018-10-23 09:00:01"),
    ],
)
def test_an_instant_case_is_due_by_the_close_of_its_working_day(
    judge: Judge, accepted_at: str, in_time: str, late: str
) -> None:
    case = {"promised": 0, "statutory": 0, "case_type": "instant"}
    assert cards(judge, Case().accept(accepted_at, **case).finish(in_time), "2018-11-20 01:00") == {}
    assert list(cards(judge, Case().accept(accepted_at, **case).finish(late), "2018-11-20 01:00")) == ["yellow"]


def test_a_limit_used_up_at_close_is_broken_from_the_next_opening_on(judge: Judge) -> None:
    """Promised 5 from Monday 09:00 is used up on Friday at 17:30; a weekend later the first second is too late."""
    case = Case().accept("2018-10-15 09:00", 5, 10)
    assert "yellow" not in cards(judge, case, "2018-10-22 09:00:00")
    yellow = cards(judge, case, "2018-10-22 09:00:01")["yellow"]
    assert yellow["reached_at"][:19] == "2018-10-22T09:00:00"


def test_a_due_moment_given_by_the_source_wins_and_suspensions_do_not_move_it(judge: Judge) -> None:
    case = accepted(promised_due_at="2018-10-26T16:00:00+08:00").special("2018-10-16 10:00", "2018-10-18 10:00", None)
    found = cards(judge, case, "2018-10-29 01:00")
    assert {level: card["reached_at"][:19] for level, card in found.items()} == {
        "reminder": "2018-10-23T16:00:00",
        "yellow": "2018-10-26T16:00:00",
    }


def test_a_red_card_whose_boundary_no_notice_has_settled_is_not_given(judge: Judge) -> None:
    case = Case().accept("2026-12-14 10:00", 5, 15)
    found = cards(judge, case, "2027-01-20 01:00")
    assert list(found) == ["reminder", "yellow"]
    assert [card["provisional"] for card in found.values()] == [False, False]
    later = cards(judge, Case().accept("2026-12-21 10:00", 7, 15), "2027-01-20 01:00")
    assert [card["provisional"] for card in later.values()] == [False, True]


def test_a_request_for_supplements_that_arrives_after_all_changes_nothing_said_before_it_came(judge: Judge) -> None:
    """Version 2 of the own acceptance comes alone and ends the card of another system's; version 1 comes later."""
    platform = Case(source="platform", department="health").accept("2018-10-15 10:00", 7, 10)
    own = Case(source="health", department="health")
    own.accept("2018-10-20 10:00", 7, 10, version=2, written="2018-10-20 10:00", received="2018-10-25 15:00")
    before = platform.messages + own.messages
    own.accept("2018-10-16 10:00", 7, 10, outcome="supplement", received="2018-11-10 10:00")
    after = platform.messages + own.messages
    asked = shanghai("2018-10-26 01:00")
    for messages in (before, after):
        (yellow,) = (card for card in judge(messages, asked) if card["level"] == "yellow")
        assert (yellow["nature"], yellow["standing"]) == ("suspect", True)


def test_the_version_that_arrived_first_counts_wherever_it_stands_in_the_file(judge: Judge) -> None:
    case = accepted().finish("2018-10-26 15:00").finish("2018-10-23 15:00", received="2018-10-30 10:00")
    for messages in (case.messages, case.messages[::-1]):
        found = {card["level"]: card for card in judge(messages, shanghai("2018-11-05 10:00"))}
        assert (found["yellow"]["nature"], found["yellow"]["standing"]) == ("conduct", True)


def test_a_case_that_is_no_case_any_more_shows_the_cards_of_its_past_nights(judge: Judge) -> None:
    case = accepted().accept("2018-10-15 10:00", 7, 10, version=2, outcome="refused", received="2018-10-26 15:00")
    found = cards(judge, case, "2018-11-05 10:00")
    assert {level: (card["nature"], card["standing"]) for level, card in found.items()} == {
        "reminder": ("suspect", True),
        "yellow": ("suspect", True),
    }


@pytest.mark.parametrize("unit", ["natural_day", "hour", "month", "working_day"])
def test_beside_a_due_moment_the_statutory_limit_counts_in_its_own_unit(judge: Judge, unit: str) -> None:
    case = accepted(7, 1, promised_due_at="2018-10-26T16:00:00+08:00", limit_unit=unit)
    found = cards(judge, case, "2018-11-30 10:00")
    assert found["yellow"]["reached_at"][:19] == "2018-10-26T16:00:00"
    red = {"natural_day": "10-17T00:00", "hour": "10-15T11:00", "month": "11-16T00:00", "working_day": "10-16T10:00"}
    assert found["red"]["reached_at"][5:16] == red[unit]


@pytest.mark.parametrize("unit", ["natural_day", "hour", "month", None])
def test_an_instant_case_is_due_at_the_close_whatever_its_unit(judge: Judge, unit: str | None) -> None:
    case = accepted(0, 0, case_type="instant", limit_unit=unit)
    assert cards(judge, case, "2018-10-16 09:00:00") == {}
    assert cards(judge, case, "2018-10-16 09:00:01")["yellow"]["reached_at"][:19] == "2018-10-16T09:00:00"


def test_a_month_and_a_half_is_no_limit_and_one_case_with_it_stops_no_other(judge: Judge) -> None:
    odd = Case("ODD").accept("2018-10-15 10:00", 1.5, 2, limit_unit="month")
    found = judge([*odd.messages, *accepted().messages], shanghai("2018-12-20 10:00"))
    assert [(card["case_no"], card["level"]) for card in found] == [
        ("CASE-1", "reminder"),
        ("CASE-1", "yellow"),
        ("CASE-1", "red"),
        ("ODD", "red"),
    ]


def test_an_extension_moves_a_due_moment_by_its_working_days(judge: Judge) -> None:
    case = accepted(promised_due_at="2018-10-26T16:00:00+08:00").extension("2018-10-20 10:00", 5)
    assert cards(judge, case, "2018-11-30 10:00")["yellow"]["reached_at"][:19] == "2018-11-02T16:00:00"


def test_the_hop_that_kept_the_finish_for_three_working_days_answers_for_the_withdrawn_card(judge: Judge) -> None:
    from etl.domain.night import to_us
    from etl.domain.office_axis import OfficeAxis
    from etl.store.calendars import packaged
    from etl.supervision.delays import DEFAULT_LINK, late_by

    yellow = cards(judge, late_arrival(), "2018-10-27 01:00")["yellow"]
    assert yellow["responsible_hop"] == "health->platform"
    written, received = (np.array([to_us(shanghai(text))]) for text in ("2018-10-23 15:00", "2018-10-26 15:00"))
    is_late, lag_days, levels, _ = late_by(written, received, [DEFAULT_LINK], OfficeAxis(packaged().cn()))
    assert (is_late.tolist(), lag_days.tolist(), levels) == ([True], [3.0], ["yellow"])


@pytest.mark.parametrize(
    ("ended", "own"),
    [("2018-10-19 10:00", ["reminder"]), ("2018-10-24 10:00", ["reminder", "yellow", "red"])],
)
def test_a_procedure_of_three_approved_days_has_cards_of_its_own(judge: Judge, ended: str, own: list[str]) -> None:
    """Begun 10-16 10:00: the limit of three days, minus three, is passed at once; six days pass red too."""
    listed = judge(accepted().special("2018-10-16 10:00", ended, 3).messages, shanghai("2018-11-20 10:00"))
    assert [card["level"] for card in listed if card["clock"] == "special"] == own


@pytest.mark.parametrize(
    ("more", "approved", "is_moved"),
    [
        ({"promised_due_at": "2018-10-17T17:00:00+08:00"}, "2018-10-17 17:00", True),
        ({"promised_due_at": "2018-10-17T17:00:00+08:00"}, "2018-10-17 19:00", False),
        ({"case_type": "instant"}, "2018-10-15 17:00", True),
        ({"case_type": "instant"}, "2018-10-16 09:00:01", False),
    ],
)
def test_an_extension_that_comes_after_the_due_moment_or_the_close_moves_nothing(
    judge: Judge, more: dict[str, Any], approved: str, is_moved: bool
) -> None:
    case = Case().accept("2018-10-15 10:00", 0 if "case_type" in more else None, 0, **more).extension(approved, 5)
    assert ("yellow" not in cards(judge, case, "2018-10-19 10:00")) == is_moved


def test_who_asked_for_supplements_in_time_has_answered_whatever_the_record_says_later(judge: Judge) -> None:
    case = Case().add("apply", "2018-10-15 10:00", {"channel": "online"})
    case.accept("2018-10-16 10:00", None, None, outcome="supplement").accept("2018-10-30 10:00", 7, 10, version=2)
    found = judge(case.messages, shanghai("2018-10-31 01:00"))
    assert [card for card in found if card["clock"] == "pre_accept"] == []
