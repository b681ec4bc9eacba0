"""The fast clock and the slow one answer alike, whatever is asked."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import clock as oracle
from tests.oracle.proof import effort
from tests.oracle.requests import clock_requests, one_second_later

Request = dict[str, Any]
Answer = dict[str, Any]


def slow(request: Request) -> Answer:
    try:
        return oracle.answer(request)
    except ValueError as bad:
        return {"id": request.get("id"), "error": str(bad)}


def fast(requests: list[Request]) -> list[Answer]:
    from etl.domain.clock_request import answer_all
    from etl.store.calendars import packaged

    return list(answer_all(requests, packaged()))


def differences(slow_answer: Answer, fast_answer: Answer) -> list[str]:
    if "error" in slow_answer or "error" in fast_answer:
        return [] if "error" in slow_answer and "error" in fast_answer else ["error"]
    differ = [name for name in ("id", "overdue", "provisional") if slow_answer[name] != fast_answer[name]]
    if moment(slow_answer["due"]) != moment(fast_answer["due"]):
        differ.append("due")
    if not near(slow_answer["used_days"], fast_answer["used_days"]):
        differ.append("used_days")
    if slow_answer["used_seconds"] is not None and not near(slow_answer["used_seconds"], fast_answer["used_seconds"]):
        differ.append("used_seconds")
    return differ


def moment(due: str | None) -> date | datetime | None:
    if due is None:
        return None
    return date.fromisoformat(due) if len(due) == 10 else datetime.fromisoformat(due)


def near(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 1.000001e-6


def hold_alike(requests: list[Request]) -> None:
    for request, slow_answer, fast_answer in zip(requests, map(slow, requests), fast(requests), strict=True):
        if differ := differences(slow_answer, fast_answer):
            pytest.fail(
                f"{', '.join(differ)} differ\nrequest {json.dumps(request, ensure_ascii=False)}\n"
                f"slow    {slow_answer}\nfast    {fast_answer}",
                pytrace=False,
            )


@effort(250, 30_000)
@given(clock_requests())
def test_any_request_is_answered_as_the_oracle_answers_it(request: Request) -> None:
    hold_alike([request])


@effort(150, 15_000)
@given(clock_requests())
def test_both_agree_at_the_due_moment_itself_and_one_second_after(request: Request) -> None:
    due = slow(request).get("due")
    if due is None:
        return
    request.pop("as_of", None)
    at_due = {**request, "end": due}
    hold_alike([at_due] if len(due) == 10 else [at_due, {**request, "end": one_second_later(due)}])


@effort(60, 5_000)
@given(clock_requests())
def test_a_suspension_that_begins_at_the_due_moment_comes_too_late_to_move_it(request: Request) -> None:
    request = {name: value for name, value in request.items() if name not in ("as_of", "suspensions")}
    due = slow(request).get("due")
    if due is None or len(due) == 10:
        return
    suspended = {**request, "suspensions": [{"from": due, "to": None, "approved_days": None}]}
    hold_alike([suspended, {**suspended, "end": one_second_later(due)}])


@effort(15, 500)
@given(st.lists(clock_requests(), min_size=20, max_size=80))
def test_a_batch_is_answered_in_order_as_each_request_alone(requests: list[Request]) -> None:
    hold_alike(requests)
