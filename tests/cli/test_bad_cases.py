"""Records no honest office would send, through the real command: a named finding or a clear refusal, no wrong card."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from etl.domain.message import distinct, parse, table
from etl.store import calendars
from etl.store.profiles import profile, profile_book
from etl.supervision.findings import find_table
from etl.supervision.judge import with_known_at
from tests.cli.command import Ended, jiancha
from tests.oracle.cases import Case, shanghai

ACCEPTED = "2018-10-15 10:00"
LATER = "2018-12-03T10:00:00+08:00"


def judge(case: Case, *options: object, as_of: str = LATER) -> Ended:
    lines = b"".join(orjson.dumps(message) + b"\n" for message in case.messages)
    return jiancha("judge", "--messages", "-", "--as-of", as_of, *options, stdin=lines)


def cards(case: Case, clock: str = "case", as_of: str = LATER) -> dict[str, str]:
    """Level -> boundary of the standing cards; nothing was rejected, nothing complained of."""
    ended = judge(case, as_of=as_of)
    assert (ended.code, ended.err) == (0, "")
    listed = [card for card in ended.lines if card["clock"] == clock and card["standing"]]
    return {card["level"]: card["reached_at"][:16] for card in listed}


def findings(case: Case) -> set[str]:
    rows = [row for _, row in distinct(map(parse, case.messages)) if isinstance(row, dict)]
    as_of = datetime.fromisoformat(LATER)
    found = find_table(with_known_at(table(rows)), as_of, as_of, profile("hunan"), calendars.packaged().book("cn"))
    return set(found["rule"].to_pylist())


def refused(ended: Ended, code: int, said: str) -> None:
    assert (ended.code, ended.out) == (code, ""), ended
    assert ended.err.startswith("jiancha: ")
    assert ended.err.count("\n") == 1
    assert said in ended.err


def test_a_finish_before_its_acceptance_is_a_finding_and_no_card() -> None:
    case = Case().accept(ACCEPTED, 7, 10).finish("2018-10-12 10:00")
    assert cards(case) == {}
    assert "finish_before_accept" in findings(case)


def test_a_suspension_without_an_end_stops_the_clock_until_the_finish_and_is_a_finding() -> None:
    case = Case().accept(ACCEPTED, 7, 10).special("2018-10-16 10:00", None, None)
    assert cards(case) == {}
    assert "suspension_without_days" in findings(case)
    finished = case.finish("2018-11-28 10:00")
    assert cards(finished) == {}
    assert "suspension_never_ends" in findings(finished)


def test_a_suspension_without_an_end_stops_the_clock_for_its_approved_days_only() -> None:
    case = Case().accept(ACCEPTED, 7, 10).special("2018-10-16 10:00", None, 3)
    assert cards(case) == {
        "reminder": "2018-10-24T10:00",
        "yellow": "2018-10-29T10:00",
        "red": "2018-11-01T10:00",
    }
    assert cards(case, "special")["yellow"] == "2018-10-19T10:00"


def test_ten_overlapping_suspensions_count_once() -> None:
    """From 10-16 10:00, one begun every hour of the wall and each ended a day later than the one before."""
    case = Case().accept(ACCEPTED, 7, 10)
    for seq in range(10):
        case.special(f"2018-10-16 {10 + seq}:00", f"2018-10-{17 + seq} 10:00", None, seq=seq)
    # 10-16 10:00 to 10-26 10:00 are eight working days: 10-24, 10-29 and the reminder of 10-19 move by eight.
    assert cards(case) == {
        "reminder": "2018-10-31T10:00",
        "yellow": "2018-11-05T10:00",
        "red": "2018-11-08T10:00",
    }


def test_of_two_acceptances_the_departments_own_counts_else_the_earliest_that_passed() -> None:
    def told(department: str) -> Case:
        own = Case(source="health", department=department).accept("2018-10-16 10:00", 7, 10)
        platform = Case(source="a_platform", department=department).accept(ACCEPTED, 7, 10)
        refusing = Case(source="b_platform", department=department).accept("2018-10-12 10:00", 7, 10, outcome="refused")
        own.messages += platform.messages + refusing.messages
        return own

    assert cards(told("health"))["yellow"] == "2018-10-25T10:00"
    assert cards(told("卫生健康局"))["yellow"] == "2018-10-24T10:00"


def test_a_gap_between_versions_counts_the_highest_and_leaves_its_card_in_doubt() -> None:
    case = Case().accept(ACCEPTED, 7, 10).finish("2018-10-25 15:00")
    case.finish("2018-10-23 15:00", version=7, received="2018-10-26 15:00")
    yellow = next(card for card in judge(case).lines if card["level"] == "yellow")
    assert (yellow["nature"], yellow["standing"]) == ("suspect", True)
    assert yellow["deciding"] == ["health/CASE-1/finish/0/v7"]


@pytest.mark.parametrize(
    ("promised", "statutory", "expected"),
    [
        (0, 0, {}),
        (None, None, {}),
        (-3, -1, {}),
        (100_000, 100_000, {}),
        (0, 10, {"red": "2018-10-29T10:00"}),
        (None, 10, {"red": "2018-10-29T10:00"}),
        (-3, 10, {"red": "2018-10-29T10:00"}),
        (100_000, 10, {"red": "2018-10-29T10:00"}),
    ],
)
@pytest.mark.parametrize("unit", ["working_day", None])
def test_a_limit_of_nothing_less_or_three_centuries_gives_no_card_and_keeps_no_other_from_being_given(
    promised: float | None, statutory: float | None, expected: dict[str, str], unit: str | None
) -> None:
    case = Case().accept(ACCEPTED, promised, statutory, limit_unit=unit)
    assert cards(case) == expected
    if promised == -3:
        assert "limit_uncountable" in findings(case)
    if promised == 100_000 and statutory == 10:
        assert "promise_beyond_law" in findings(case)


@pytest.mark.parametrize("unit", ["working_day", "natural_day", "hour", "minute", "month"])
@pytest.mark.parametrize("limit", [100_000, -1, 0, 0.3, 1e9])
def test_no_limit_in_any_unit_stops_the_judging_of_the_cases_beside_it(unit: str, limit: float) -> None:
    case = Case("ODD").accept(ACCEPTED, limit, limit, limit_unit=unit)
    case.extension("2018-10-16 10:00", 5)
    case.add("inquiry", ACCEPTED, {"inquiry_kind": "complaint", "limit": limit, "limit_unit": unit})
    case.add(
        "stage",
        ACCEPTED,
        {"name": "审核", "began_at": shanghai(ACCEPTED).isoformat(), "limit": limit, "outcome": None},
        seq=1,
    )
    case.special(ACCEPTED, None, limit)
    case.messages += Case("PLAIN").accept(ACCEPTED, 7, 10).messages
    for name in ("hunan", "percent", "prompt"):
        ended = judge(case, "--profile", name)
        assert ended.code == 0, ended.err
        assert {card["case_no"] for card in ended.lines} >= {"PLAIN"}
    dates = Case("DUE").accept(ACCEPTED, None, None, promised_due_at="2018-10-26T16:00:00+08:00")
    dates.messages += case.messages
    ended = judge(dates, "--profile", "due_moment")
    assert ended.code == 0, ended.err
    assert {card["case_no"] for card in ended.lines} >= {"DUE"}


def test_a_unit_the_profile_cannot_count_gives_no_card_and_no_refusal() -> None:
    ended = judge(Case().accept(ACCEPTED, 7, 10), "--profile", "due_moment")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_a_case_of_ten_years_is_judged_by_its_own_years_calendar() -> None:
    """Accepted Monday 2008-10-13: seven days end on 10-22, ten on 10-27; nobody ever finished it."""
    case = Case().accept("2008-10-13 10:00", 7, 10)
    assert cards(case) == {"reminder": "2008-10-17T10:00", "yellow": "2008-10-22T10:00", "red": "2008-10-27T10:00"}
    (red,) = (card for card in judge(case).lines if card["level"] == "red")
    assert red["used_days"] > 2_500


@pytest.mark.parametrize(
    "case",
    [
        Case().accept("1990-10-15 10:00", 7, 10),
        Case().accept(ACCEPTED, 7, 10).special("1949-10-01 10:00", "2018-10-16 10:00", 3),
        Case().add(
            "stage",
            ACCEPTED,
            {"name": "审核", "began_at": "1970-01-01T08:00:00+08:00", "limit": 2, "outcome": None},
            seq=1,
        ),
    ],
    ids=["an acceptance", "a suspension", "a stage"],
)
def test_a_date_before_the_calendar_is_refused_for_safety(case: Case) -> None:
    refused(judge(case), 4, "outside calendar")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "9999-12-31T16:00:00Z"])
@pytest.mark.parametrize("field", ["occurred_at", "promised_due_at"])
def test_a_moment_outside_all_time_costs_its_own_line_only(moment: str, field: str) -> None:
    case = Case("ODD").accept(ACCEPTED, 7, 10)
    (odd,) = case.messages
    (odd if field in odd else odd["payload"])[field] = moment
    case.messages += Case("PLAIN").accept(ACCEPTED, 7, 10).messages
    ended = judge(case)
    assert ended.code == 1
    assert ended.err.startswith("line 1: bad_time: ")
    assert {card["case_no"] for card in ended.lines} == {"PLAIN"}


def test_a_moment_after_the_calendar_is_refused_for_safety() -> None:
    refused(judge(Case().accept("2048-10-15 10:00", 7, 10), as_of="2048-12-01T10:00:00+08:00"), 4, "outside calendar")


def test_a_message_of_a_future_beyond_the_calendar_changes_nothing_today() -> None:
    case = Case().accept(ACCEPTED, 7, 10).finish("2999-01-01 10:00")
    assert sorted(cards(case)) == ["red", "reminder", "yellow"]


def test_a_due_moment_beyond_the_calendar_is_not_passed() -> None:
    case = Case().accept(ACCEPTED, 7, None, promised_due_at="9999-12-31T23:59:59+08:00")
    assert cards(case) == {}


def test_a_profile_with_a_typo_is_refused_with_its_field(tmp_path: Path) -> None:
    source = (calendars.SEEDS / "profiles" / "hunan.toml").read_text(encoding="utf-8")
    for wrong, said in (
        (source.replace("count_mode", "count_mod"), "count_mod"),
        (source.replace('"office_clock"', '"office_clok"'), "count_mode"),
        (source.replace('level = "yellow"', 'level = "yelow"', 1), "levels.1.level"),
        (source.replace("offset_days = -3", 'offset_days = "three"', 1), "offset_days"),
        (source.replace('"office_clock"', '"natural_day"'), "natural_day cannot count"),
        (source.replace("[", "{", 1), "not TOML"),
    ):
        path = tmp_path / "typo.toml"
        path.write_text(wrong, encoding="utf-8")
        profile_book.cache_clear()
        refused(judge(Case().accept(ACCEPTED, 7, 10), "--profile", path), 2, said)


def forget() -> None:
    """What this process has read of the shipped calendar."""
    for read in (calendars.packaged, calendars._seeded, calendars._calendars):
        read.cache_clear()


@pytest.fixture
def seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the packaged calendar to spoil."""
    for name in ("calendar_days.csv", "statutory_days.csv"):
        (tmp_path / name).write_bytes((calendars.SEEDS / name).read_bytes())
    monkeypatch.setattr(calendars, "SEEDS", tmp_path)
    forget()
    yield tmp_path
    forget()


@pytest.mark.parametrize("name", ["calendar_days", "statutory_days"])
@pytest.mark.parametrize("kept", [0, 1], ids=["no line at all", "the header only"])
def test_an_empty_calendar_file_is_refused_for_safety(seeds: Path, name: str, kept: int) -> None:
    file = seeds / f"{name}.csv"
    file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:kept]), encoding="utf-8")
    refused(judge(Case().accept(ACCEPTED, 7, 10)), 4, "nothing can be counted")


def test_a_hostile_payload_is_rejected_by_its_line_and_the_others_are_judged() -> None:
    case = Case().accept(ACCEPTED, 7, 10)
    for change in ({"promised_limit": float(10**10)}, {"promised_limit": "七"}, {"limit_unit": "fortnight"}, {"x": 1}):
        bad: dict[str, Any] = case.messages[0] | {"version": 2}
        bad["payload"] = bad["payload"] | change
        case.messages.append(bad)
    ended = judge(case)
    assert ended.code == 1
    assert [line.split(":")[0] for line in ended.err.splitlines()] == ["line 2", "line 3", "line 4", "line 5"]
    assert [card["level"] for card in ended.lines] == ["reminder", "yellow", "red"]
