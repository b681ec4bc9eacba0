"""Records in quarantine, by hand: their case stands still, and once they are read they were here since they came."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from etl.domain.message import parse, table
from etl.store.calendars import packaged
from etl.store.profiles import profile, profile_book
from etl.supervision.delays import DEFAULT_LINK, LinkLimit, Route
from etl.supervision.findings import find_table
from etl.supervision.judge import judge_table, with_known_at
from etl.supervision.question import Doubt
from tests.oracle.cases import Case, shanghai

CAME, READ = shanghai("2018-10-24 01:00"), shanghai("2018-10-29 01:00")
FINISH = Doubt("CASE-1", frozenset({"finish"}), CAME, READ)


def case(**finish: Any) -> pa.Table:
    """Finished in time; the record came on the night before the boundary and was read five nights later."""
    told = Case().accept("2018-10-15 10:00", 7, 20).finish("2018-10-23 10:00", **finish).messages
    told[1]["loaded_at"] = CAME.isoformat()
    messages = with_known_at(table([parse(message) for message in told]))
    return known_from(messages, READ)


def known_from(messages: pa.Table, moment: datetime) -> pa.Table:
    known = messages["known_at"].to_pylist()
    known[1] = moment
    return messages.set_column(messages.schema.get_field_index("known_at"), "known_at", [known])


def levels(messages: pa.Table, known_by: str, *doubts: Doubt, as_of: str | None = None) -> dict[str, tuple[str, bool]]:
    rules = profile_book("hunan")
    at, known = shanghai(as_of or known_by), shanghai(known_by)
    cards = judge_table(messages, at, known, rules, packaged().book(rules.calendar), doubts=doubts).to_pylist()
    return {card["level"]: (card["nature"], card["standing"]) for card in cards}


REMINDER = {"reminder": ("conduct", True)}


def test_while_the_finish_cannot_be_read_nothing_follows_from_its_absence() -> None:
    assert levels(case(), "2018-10-26 01:00") == REMINDER | {"yellow": ("conduct", True)}, "were there no doubt"
    for night in ("2018-10-25 01:00", "2018-10-26 01:00", "2018-10-28 01:00"):
        assert levels(case(), night, FINISH) == REMINDER
    assert levels(case(), "2018-10-28 01:00", FINISH, as_of="2018-10-16 01:00") == {}


@pytest.mark.parametrize("written", ["2018-10-23 10:00", None, "2018-10-26 10:00"])
def test_a_finish_that_came_in_time_ends_no_card_and_is_not_doubted_however_it_was_written(written: str | None) -> None:
    """Nobody could have written what had come already; a clock that says so is wrong."""
    assert levels(case(written=written, received="2018-10-23 10:00"), "2018-10-29 01:00", FINISH) == REMINDER


def test_a_correction_that_came_after_the_boundary_leaves_the_card_suspect_for_all_its_quarantine() -> None:
    messages = case(version=2)
    late = shanghai("2018-10-26 01:00")
    loaded = messages["loaded_at"].to_pylist()
    loaded[1] = late
    messages = messages.set_column(messages.schema.get_field_index("loaded_at"), "loaded_at", [loaded])
    doubt = FINISH._replace(since=late)
    assert levels(messages, "2018-10-28 01:00", doubt)["yellow"] == ("conduct", True), (
        "it was there before the row came"
    )
    assert levels(messages, "2018-10-29 01:00", doubt)["yellow"] == ("suspect", True)


def test_a_record_of_a_first_load_that_cannot_be_read_leaves_its_case_unjudged() -> None:
    doubt = FINISH._replace(since=None, until=None)
    assert levels(case(), "2018-10-28 01:00", doubt) == {}


def test_a_second_doubt_that_begins_before_the_first_ends_goes_on_holding_the_case_where_the_first_did() -> None:
    second = Doubt("CASE-1", frozenset({"special_start"}), shanghai("2018-10-27 01:00"), None)
    assert levels(case(), "2018-11-05 01:00", FINISH, second) == REMINDER


def test_a_doubt_about_another_case_or_about_what_no_clock_needs_changes_nothing() -> None:
    others = FINISH._replace(case_no="CASE-2"), FINISH._replace(kinds=frozenset({"collect"}))
    assert levels(case(), "2018-10-26 01:00", *others)["yellow"] == ("conduct", True)


def found(messages: pa.Table, known_by: str, *doubts: Doubt, **more: Any) -> set[tuple[str, str]]:
    """(rule, deciding record) of what the rules other than time find."""
    at = shanghai(known_by)
    rows = find_table(messages, at, at, profile("hunan"), packaged().book("cn"), doubts=doubts, **more).to_pylist()
    return {(row["rule"], row["evidence"]) for row in rows}


def flat(*cases: Case) -> pa.Table:
    return with_known_at(table([parse(message) for told in cases for message in told.messages]))


UNANSWERED = ("deemed_accepted", "health/CASE-1/apply/0/v1")
SILENT = ("reason_missing", "health/CASE-1/pre_accept/0/v1")


def applied(case_no: str = "CASE-1") -> Case:
    """Handed in on a Monday, refused without a word on Tuesday as the pre-acceptance says, never accepted."""
    case = Case(case_no).add("apply", "2018-10-15 10:00", {"channel": "online"})
    return case.add("pre_accept", "2018-10-16 10:00", {"outcome": "refused", "reason": None})


def test_rules_that_look_at_a_record_in_quarantine_find_what_they_found_before_it_came_and_others_go_on() -> None:
    doubt = Doubt("CASE-1", frozenset({"supplement_notice"}), shanghai("2018-10-20 01:00"), READ)
    alike = applied("CASE-2").add("collect", "2018-10-17 10:00", {})
    for night, is_late in (("2018-10-22 01:00", False), ("2018-10-25 01:00", True)):
        plain = {one for one in found(flat(applied(), alike), night) if "CASE-1" in one[1]}
        assert plain == {SILENT} | ({UNANSWERED} if is_late else set()), "were there no doubt"
        waiting = found(flat(applied(), alike), night, doubt)
        assert {one for one in waiting if "CASE-1" in one[1]} == {SILENT}
        assert ("deemed_accepted" in {rule for rule, key in waiting if "CASE-2" in key}) == is_late
    assert UNANSWERED in found(flat(applied()), "2018-10-29 01:00", doubt), "dismissed, or read and no notice at all"


def test_what_was_found_before_a_record_came_that_cannot_be_read_is_not_cleared_by_what_came_beside_it() -> None:
    late = applied().add("supplement_notice", "2018-10-16 11:00", {}, seq=1, loaded="2018-10-25 10:00")
    doubt = Doubt("CASE-1", frozenset({"accept"}), shanghai("2018-10-25 01:00"), None)
    assert UNANSWERED in found(flat(late), "2018-10-24 01:00", doubt)
    assert UNANSWERED in found(flat(late), "2018-10-27 01:00", doubt)
    assert UNANSWERED not in found(flat(late), "2018-10-27 01:00")
    unknown_since = doubt._replace(since=None)
    assert found(flat(late), "2018-10-27 01:00", unknown_since) == set(), "nobody can say what it said before"


def test_no_night_on_which_a_source_was_incomplete_says_what_was_found_before() -> None:
    doubt = Doubt("CASE-1", frozenset({"accept"}), shanghai("2018-10-25 01:00"), None)
    frozen = {"health": [shanghai("2018-10-23 01:00"), shanghai("2018-10-24 01:00")]}
    assert UNANSWERED in found(flat(applied()), "2018-10-27 01:00", doubt)
    assert UNANSWERED not in found(flat(applied()), "2018-10-27 01:00", doubt, frozen=frozen)


@pytest.mark.parametrize(("own", "expected"), [("health", set()), ("platform", {"reason_missing"})])
def test_of_two_systems_that_tell_of_a_case_the_rules_believe_the_departments_own(own: str, expected: set[str]) -> None:
    """Only the platform, which told first, leaves out why."""
    told = [
        Case(source=source).add("finish", when, {"outcome": "refused", "reason": reason})
        for source, when, reason in (("platform", "2018-10-22 09:00", None), ("health", "2018-10-22 10:00", "材料不实"))
    ]
    other = "platform" if own == "health" else "health"
    ways = {own: Route(own, (LinkLimit(other),)), other: Route(other, (DEFAULT_LINK,))}
    found_of = {rule for rule, _ in found(flat(*told), "2018-10-24 01:00", links=ways)}
    assert found_of & {"reason_missing"} == expected
