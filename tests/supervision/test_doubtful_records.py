"""Records in quarantine, by hand: their case stands still, and once they are read they were here since they came."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from etl.domain.message import parse, table
from etl.store.calendars import packaged
from etl.store.profiles import profile_book
from etl.supervision.judge import judge_table, with_known_at
from etl.supervision.question import Doubt
from tests.oracle.cases import Case, shanghai

BOUNDARY = "2018-10-24 10:00"
"""Promised seven days from 10-15 10:00."""
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
