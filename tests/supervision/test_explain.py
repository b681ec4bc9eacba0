"""The day-by-day ledger of odd cases."""

from __future__ import annotations

from typing import Any

import pytest

from etl.domain.message import parse, table
from etl.errors import UsageError
from etl.store.calendars import packaged
from etl.store.profiles import profile
from etl.supervision.explain import as_text, explain
from etl.supervision.judge import with_known_at
from tests.oracle.cases import Case, shanghai


def explained(case: Case, as_of: str = "2018-10-27 01:00") -> dict[str, Any]:
    messages, moment = with_known_at(table(list(map(parse, case.messages)))), shanghai(as_of)
    return explain(messages, case.case_no, moment, moment, profile("hunan"), packaged().book("cn"))


def test_a_finish_before_the_acceptance_is_told_with_its_own_date() -> None:
    ledger = explained(Case().accept("2018-10-15 10:00", 7, 10).finish("2018-10-12 16:20"))
    assert [day["note"] for day in ledger["days"]] == ["不足一天，10:00 受理，办结于 2018-10-12 16:20，早于受理"]
    assert "10:00 办结" not in as_text(ledger)


def test_a_suspension_whose_result_is_of_its_start_is_open_and_named_on_every_day_it_takes() -> None:
    case = Case().accept("2018-10-15 10:00", 7, 10).special("2018-10-17 10:00", "2018-10-17 10:00", 3)
    ledger = explained(case)
    assert ledger["suspensions"][0]["to"] is None
    stopped = [day for day in ledger["days"] if day["kind"] == "suspended"]
    assert [day["date"] for day in stopped] == ["2018-10-18", "2018-10-19"]
    assert all(day["evidence"] == ["health/CASE-1/special_start/1/v1"] for day in stopped)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (Case().accept("2018-10-15 10:00", 7, 10, outcome="supplement"), "its acceptance starts no clock"),
        (Case().accept("2018-11-15 10:00", 7, 10), "no acceptance was known by 2018-10-27T01:00:00+08:00"),
    ],
)
def test_why_there_is_nothing_to_explain_is_said_as_it_is(case: Case, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("+", r"\+")):
        explained(case)
