"""Who is silent: working days without a message, and a habit of sending before them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from etl.domain.calendar import CalendarBook, CalendarDay, StatutoryDay
from etl.supervision.silence import Silence, silence

MONDAY = date(2026, 3, 2)
KNOWN = date(2026, 1, 1)
HOLIDAY = CalendarDay(date(2026, 3, 18), "holiday", "", "2026", KNOWN)
MAKEUP = CalendarDay(date(2026, 3, 14), "makeup", "", "2026", KNOWN)
CLOSED = CalendarDay(date(2026, 3, 17), "holiday", "台风停工", "2026-台风", KNOWN)
BOOK = CalendarBook("cn", [HOLIDAY, MAKEUP], [StatutoryDay(date(2026, 1, 1), "元旦", KNOWN)], {"511600": [CLOSED]})


def on(*days: int) -> list[date]:
    """Dates in March 2026."""
    return [date(2026, 3, day) for day in days]


@pytest.mark.parametrize(
    ("night", "expected"),
    [
        pytest.param(13, None, id="the day of the last message"),
        pytest.param(16, None, id="a made-up Saturday and a Monday"),
        pytest.param(17, Silence(*on(13, 14), 3), id="the third working day"),
        pytest.param(18, Silence(*on(13, 14), 3), id="a holiday more"),
        pytest.param(19, Silence(*on(13, 14), 4), id="and the day after it"),
    ],
)
def test_the_third_working_day_without_a_message_is_a_silence(night: int, expected: Silence | None) -> None:
    assert silence(on(*range(2, 7), *range(9, 14)), date(2026, 3, night), BOOK.known()) == expected


def test_a_day_the_region_was_closed_is_none_it_was_silent_on() -> None:
    brought = on(*range(2, 7), *range(9, 14))
    assert silence(brought, date(2026, 3, 17), BOOK.known(region="511602")) is None
    assert silence(brought, date(2026, 3, 19), BOOK.known(region="511602")) == Silence(*on(13, 14), 3)


@pytest.mark.parametrize(("sent", "is_silent"), [(5, True), (4, False)])
def test_only_who_sent_on_half_of_ten_working_days_can_be_silent(sent: int, is_silent: bool) -> None:
    """The last ten working days up to the last message are 2 to 13 March; what was sent before counts no more."""
    before = [MONDAY - timedelta(days=days) for days in range(60, 2, -1)]
    brought = [*before, *on(*range(2, 1 + sent)), *on(13)]
    assert (silence(brought, date(2026, 3, 17), BOOK.known()) is not None) is is_silent


def test_what_came_on_rest_days_is_no_habit() -> None:
    assert silence(on(1, 7, 8, 12, 13), date(2026, 3, 17), BOOK.known()) is None


def test_who_brought_something_once_and_nothing_before_the_calendar_begins_is_judged_by_the_days_there_are() -> None:
    assert silence([date(2026, 1, 2)], date(2026, 1, 7), BOOK.known()) == Silence(date(2026, 1, 2), date(2026, 1, 5), 3)
