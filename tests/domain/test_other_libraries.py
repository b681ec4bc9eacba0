"""Calls recorded while the test suites of three libraries ran: the clock and the oracle come to the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.domain.test_clock_vectors import by_fast_clock, by_oracle

Vector = dict[str, Any]
Request = dict[str, Any]
VECTORS: list[Vector] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "other_libraries.json").read_text(encoding="utf-8")
)["vectors"]
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)
PER_UNIT = {"hour": 3600, "minute": 60, "second": 1}


def unit_of(op: str) -> str:
    return next((unit for unit in ("second", "minute", "hour", "day") if unit in op.lower()), "")


def calendar(vector: Vector) -> dict[str, list[str]]:
    """The library's week and holidays around the call, as rest days and make-up days of a Monday-to-Friday week."""
    first = date.fromisoformat(vector["from"][:10])
    last = max(first, date.fromisoformat(str(vector.get("to", vector["from"]))[:10]))
    rest, made_up = [], []
    day = first - 10 * DAY
    while day < last + 90 * DAY:
        is_worked = WEEK[day.weekday()] in vector["week"] and day.isoformat() not in vector["holidays"]
        if is_worked != (day.weekday() < 5):
            (made_up if is_worked else rest).append(day.isoformat())
        day += DAY
    return {"holidays": rest, "makeup_days": made_up}


def local_date(text: str, vector: Vector) -> date:
    moment = datetime.fromisoformat(text)
    return moment.date() if moment.tzinfo is None else moment.astimezone(ZoneInfo(vector["timezone"])).date()


def requests_of(vector: Vector) -> list[Request]:
    """What the call asks, in clock requests."""
    op, start = vector["op"], vector["from"]
    common = {"id": 1, "timezone": vector["timezone"], "calendar": calendar(vector), "unit": "working_day", "limit": 1}
    office = common | {"mode": "office_clock", "hours": vector["hours"], "start": start}
    dates = common | {"mode": "whole_day", "start": local_date(start, vector).isoformat()}
    if op in ("within_seconds", "working_time_between", "business_time_until"):
        return [office | {"end": vector["to"]}]
    if op in ("in_hours", "in_working_hours?"):
        return [office | {"end": (datetime.fromisoformat(start) + timedelta(seconds=1)).isoformat()}]
    if op == "working_day?":
        return [dates | {"start": (date.fromisoformat(start) - DAY).isoformat(), "end": start}]
    if op == "working_days_between":
        return [dates | {"end": vector["to"]}]
    if op.startswith("business_days_until"):  # from the first date on, the last one with `inclusive` only
        end = date.fromisoformat(vector["to"]) - (not op.endswith("inclusive")) * DAY
        return [dates | {"start": (date.fromisoformat(start) - DAY).isoformat(), "end": end.isoformat()}]
    unit, amount = unit_of(op), vector["amount"]
    if unit == "day":
        return [dates | {"limit": amount, "start_rule": "roll"}]
    seconds = amount * PER_UNIT[unit]
    added = office | {"unit": "minute", "limit": seconds / 60}
    return [added, added | {"end": vector["result"]}]


def holds(vector: Vector, answers: list[dict[str, Any]]) -> bool:
    op, result, first = vector["op"], vector["result"], answers[0]
    if op in ("within_seconds", "working_time_between", "business_time_until"):
        return bool(first["used_seconds"] == result)
    if op in ("in_hours", "in_working_hours?"):
        return (first["used_seconds"] == 1) is result
    if op == "working_day?":
        return (first["used_days"] == 1) is result
    if op == "working_days_between" or op.startswith("business_days_until"):
        return bool(first["used_days"] == result)
    if unit_of(op) == "day":
        return bool(first["due"] == local_date(result, vector).isoformat())
    used = bool(answers[-1]["used_seconds"] == vector["amount"] * PER_UNIT[unit_of(op)])
    if unit_of(op) == "second":  # no unit of a limit
        return used
    # So much is used at the library's moment. Used up at a close it is due at that close: the library may say the
    # opening after it, between which and the close nothing is used.
    due, told = datetime.fromisoformat(first["due"]), datetime.fromisoformat(result)
    return used and answers[1]["overdue"] is False and due <= told


@pytest.mark.parametrize("by", [by_oracle, by_fast_clock], ids=["oracle", "fast"])
def test_every_recorded_call_comes_to_what_the_library_said(by: Callable[[list[Request]], Any]) -> None:
    wrong = [(vector, answers) for vector in VECTORS if not holds(vector, answers := list(by(requests_of(vector))))]
    assert wrong == []


def test_every_operation_that_has_a_meaning_here_is_among_them() -> None:
    counts = Counter(vector["suite"] for vector in VECTORS)
    assert counts.keys() == {"biz", "business_time", "working_hours"}
    assert len(VECTORS) >= 110
