"""The ledger's calendar is the packaged one, and every notice counts from the day it was published."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy import Engine

from etl.errors import CalendarNotCovering
from etl.store import calendars
from etl.store.calendars import packaged, stored
from tests.cli.command import jiancha


@pytest.fixture
def seeded(ledger: Engine) -> Engine:
    calendars.seed(ledger)
    return ledger


def test_a_ledger_without_a_calendar_refuses_to_judge(ledger: Engine) -> None:
    with pytest.raises(CalendarNotCovering, match="ledger migrate"):
        stored(ledger)


def test_the_seeded_calendar_is_the_packaged_one_at_every_revision_and_seeding_twice_changes_nothing(
    seeded: Engine,
) -> None:
    before = jiancha("ledger", "digest").out
    calendars.seed(seeded)
    assert jiancha("ledger", "digest").out == before
    ours, shipped = stored(seeded).book("cn"), packaged().book("cn")
    assert ours.days == shipped.days
    assert ours.statutory == shipped.statutory
    assert ours.revised_on == shipped.revised_on
    for known_from in ours.revised_on:
        then, there = ours.known(known_from), shipped.known(known_from)
        assert then.version == there.version
        assert np.array_equal(then.is_working, there.is_working)
        assert np.array_equal(then.is_provisional, there.is_provisional)


@pytest.mark.parametrize(
    ("known_from", "now_free", "now_worked"),
    [
        ("2015-05-13", ["2015-09-03", "2015-09-04"], ["2015-09-06"]),
        ("2019-03-22", ["2019-05-02", "2019-05-03"], ["2019-04-28", "2019-05-05"]),
        ("2020-01-27", ["2020-01-31", "2020-02-01"], []),
    ],
)
def test_an_amendment_counts_from_the_day_it_was_published(
    seeded: Engine, known_from: str, now_free: list[str], now_worked: list[str]
) -> None:
    published = date.fromisoformat(known_from)
    before, after = stored(seeded).cn(published - timedelta(days=1)), stored(seeded).cn(published)
    assert before.version != after.version
    for day in map(date.fromisoformat, now_free):
        assert (before.is_working_day(day), after.is_working_day(day)) == (True, False), day
    for day in map(date.fromisoformat, now_worked):
        assert (before.is_working_day(day), after.is_working_day(day)) == (False, True), day
    last = before.last - after.first + 1
    differing = np.flatnonzero(before.is_working[:last] != after.is_working[:last])
    assert len(differing) == len(now_free) + len(now_worked)


def test_a_year_not_announced_has_its_statutory_days_only_and_is_provisional_from_the_days_before_it(
    seeded: Engine,
) -> None:
    calendar = stored(seeded).cn(date(2026, 11, 23))

    def is_provisional(day: date) -> bool:
        return bool(calendar.is_provisional[calendar.index_of(day)])

    assert not is_provisional(date(2026, 12, 28))
    assert is_provisional(date(2026, 12, 29))
    assert is_provisional(date(2027, 6, 1))
    assert not calendar.is_working_day(date(2027, 1, 1)), "New Year is free by law"
    assert calendar.is_working_day(date(2027, 1, 4)), "a substitute day is never guessed"


def test_a_date_beyond_the_known_statutory_holidays_is_refused(seeded: Engine) -> None:
    calendar = stored(seeded).cn()
    assert calendar.is_working_day(date(2036, 12, 31))
    with pytest.raises(CalendarNotCovering, match="2037-01-01"):
        calendar.is_working_day(date(2037, 1, 1))
