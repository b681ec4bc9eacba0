"""The published engine's arithmetic beside the exact one: `hunan_legacy`, to look at and never to issue by."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.domain.message import parse, table
from etl.store.calendars import packaged
from etl.store.profiles import profile_book
from etl.supervision.judge import with_known_at
from etl.supervision.published_engine import compare_table
from tests.cli.command import jiancha
from tests.oracle import published_engine as oracle
from tests.oracle.cases import Case, shanghai
from tests.oracle.proof import effort

LATER = "2018-11-30 10:00"
TEXT = "%Y-%m-%d %H:%M:%S"


def compared(case: Case, as_of: str = LATER) -> dict[str, dict[str, Any]]:
    messages = with_known_at(table([parse(message) for message in case.messages]))
    moment = shanghai(as_of)
    cards = compare_table(messages, moment, moment, profile_book("hunan_legacy"), packaged().book("cn"))
    return {card["level"]: card for card in cards.to_pylist()}


def used(start: str, end: str, *spans: tuple[str, str | None, float | None]) -> float:
    """What it says was used: of a promise of one day the exact reminder is reached at the start, so it is listed."""
    case = Case().accept(start, 1, 40)
    for seq, (begin, until, approved) in enumerate(spans, 1):
        case.special(begin, until, approved, seq=seq)
    return float(compared(case.finish(end))["reminder"]["used_days"])


def test_a_start_on_a_saturday_loses_the_hour_that_was_worked_on_monday() -> None:
    listed = compared(Case().accept("2018-10-13 10:00", 1, 40).finish("2018-10-15 10:00"))
    assert listed["reminder"]["used_days"] == 0
    assert listed["reminder"]["exact_used_days"] == pytest.approx(1 / 7)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2018-10-15 10:00", "2018-10-15 10:00", 0),
        ("2018-10-15 10:00", "2018-10-15 10:01", 1),  # rounded up
        ("2018-10-15 10:00", "2018-10-24 10:00", 7),
        ("2018-10-15 10:00", "2018-10-24 10:01", 8),
        ("2018-10-15 10:00", "2018-10-20 10:00", 4),  # ended on a Saturday: exactly 4.857 days
        ("2018-10-13 10:00", "2018-10-13 11:00", 0),  # 1 - 1 - 2 days and 6 + 2 of 7 hours: less than nothing
        ("2018-10-13 10:00", "2018-10-14 10:00", -1),
    ],
)
def test_whole_days_by_the_published_formula(start: str, end: str, days: int) -> None:
    assert used(start, end) == days


def test_overlapping_suspensions_are_subtracted_one_after_the_other_and_each_only_as_far_as_approved() -> None:
    start, end = "2018-10-15 10:00", "2018-10-24 10:00"
    overlapping = (("2018-10-16 10:00", "2018-10-19 10:00", 9), ("2018-10-17 10:00", "2018-10-22 10:00", 9))
    assert used(start, end, *overlapping) == 7 - 3 - 3, "merged they would be four"
    assert used(start, end, ("2018-10-16 10:00", "2018-10-24 10:00", 2)) == 5
    assert used(start, end, ("2018-10-16 10:00", None, None)) == 1


def test_a_card_only_one_of_the_two_would_issue_says_so() -> None:
    listed = compared(Case().accept("2018-10-13 10:00", 7, 40).finish("2018-10-24 09:30"))
    exact = {level: (card["standing"], card["nature"], card["used_days"]) for level, card in listed.items()}
    assert exact == {"reminder": (True, "conduct", 7.0), "yellow": (False, "rule", 7.0)}
    assert listed["yellow"]["exact_used_days"] > 7


moments = st.datetimes(datetime.fromisoformat("2018-09-01"), datetime.fromisoformat("2018-11-30")).map(
    lambda at: at.replace(microsecond=0)
)
spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 400), st.none() | st.integers(0, 8)), max_size=3
)  # hours after the start, hours long, approved days


@effort(150, 5_000)
@given(moments, st.integers(0, 60 * 24), spans)
def test_any_case_is_counted_as_the_description_says(
    start: datetime, hours: int, suspended: list[tuple[int, int, int | None]]
) -> None:
    end = start + timedelta(hours=hours)
    placed = [
        (begin, begin + timedelta(hours=length), approved)
        for after, length, approved in suspended
        for begin in [start + timedelta(hours=after)]
        if begin + timedelta(hours=length) <= datetime.fromisoformat("2018-12-30")
    ]
    wanted = oracle.compared(start, end, [(a, b, None if c is None else Fraction(c)) for a, b, c in placed])
    case = Case().accept(f"{start:{TEXT}}", 1, 400)
    for seq, (begin, until, approved) in enumerate(placed, 1):
        case.special(f"{begin:{TEXT}}", f"{until:{TEXT}}", approved, seq=seq)
    listed = compared(case.finish(f"{end:{TEXT}}"), "2019-06-28 18:00")
    assert listed["reminder"]["used_days"] == wanted


def test_the_command_prints_both_arithmetics_and_the_diff_works(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    case = Case().accept("2018-10-13 10:00", 7, 40).finish("2018-10-24 09:30")
    path.write_bytes(b"".join(orjson.dumps(message) + b"\n" for message in case.messages))
    ended = jiancha("judge", "--messages", path, "--as-of", "2018-11-30T10:00:00+08:00", "--profile", "hunan_legacy")
    assert ended.code == 0
    assert [
        (card["level"], card["used_days"], card["exact_used_days"] > 7, card["standing"]) for card in ended.lines
    ] == [
        ("reminder", 7.0, True, True),
        ("yellow", 7.0, True, False),
    ]
    known = ("--known-by", "2018-10-20T01:00:00+08:00", "--known-by", "2018-10-25T01:00:00+08:00")
    told = jiancha("judge", "--messages", path, "--diff", *known, "--profile", "hunan_legacy")
    assert [(card["change"], card["level"]) for card in told.lines] == [
        ("reinstated", "reminder"),  # the engine reaches a day later what is exactly reached already
        ("issued", "yellow"),
    ]
