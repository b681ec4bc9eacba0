"""The oracle against itself, found by other routes: it must not lean on one arithmetic only."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import calendar
from tests.oracle.clock import answer, due_by_stepping
from tests.oracle.proof import effort


@pytest.mark.parametrize("year", range(2007, 2027))
def test_every_notice_gives_rest_on_each_statutory_holiday(year: int) -> None:
    known = calendar.known_on(None)
    assert [day for day in calendar.statutory_holidays(year) if known.works(day)] == []


def test_before_the_epidemic_notice_of_2020_the_first_of_february_was_a_make_up_day() -> None:
    before, after = calendar.known_on(date(2020, 1, 26)), calendar.known_on(date(2020, 1, 27))
    assert [before.works(date(2020, 1, 31)), before.works(date(2020, 2, 1))] == [True, True]
    assert [after.works(date(2020, 1, 31)), after.works(date(2020, 2, 1))] == [False, False]


def test_a_year_without_a_notice_has_its_statutory_holidays_and_no_substitute_days() -> None:
    known = calendar.known_on(None)
    assert not known.works(date(2027, 1, 1))
    assert not known.works(date(2027, 2, 8))
    assert known.works(date(2027, 2, 9))
    assert not known.works(date(2027, 2, 20))


@effort(25, 2_000)
@given(
    minutes=st.integers(0, 14 * 24 * 60),
    limit=st.sampled_from([0.25, 0.5, 1, 1.5, 2]),
    suspended=st.none() | st.tuples(st.integers(0, 4000), st.integers(1, 4000), st.sampled_from([None, 0, 1])),
)
def test_the_due_moment_is_where_stepping_minute_by_minute_first_finds_the_limit_used(
    minutes: int, limit: float, suspended: tuple[int, int, int | None] | None
) -> None:
    start = datetime(2025, 9, 24, 1, 0, tzinfo=UTC) + timedelta(minutes=minutes)
    request = {"id": 1, "mode": "office_clock", "start": start.isoformat(), "limit": limit, "unit": "working_day"}
    if suspended:
        begin = start + timedelta(minutes=suspended[0])
        span = {"from": begin.isoformat(), "to": (begin + timedelta(minutes=suspended[1])).isoformat()}
        request["suspensions"] = [{**span, "approved_days": suspended[2]}]
    due = datetime.fromisoformat(str(answer(request)["due"]))
    near = due - timedelta(minutes=5) if due - start > timedelta(minutes=5) else start
    assert due_by_stepping({**request}, 15 * 60) - due < timedelta(minutes=15)
    # the fine steps begin near the due moment, but use is always measured from the true start
    step = near
    while answer({**request, "end": step.isoformat()})["used_days"] < limit:
        step += timedelta(minutes=1)
    assert step == due
