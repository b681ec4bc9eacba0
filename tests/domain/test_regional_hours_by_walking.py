"""Regional office hours and closures, held against a walk from day to day that knows no tables."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from etl.domain.axis import Targets
from etl.domain.calendar import CalendarBook, CalendarDay, StatutoryDay
from etl.domain.night import to_us
from etl.domain.office_axis import OfficeAxis
from etl.domain.office_hours import HoursRuling
from tests.oracle.proof import effort

SHANGHAI = ZoneInfo("Asia/Shanghai")
LINE = ("430102", "430100", "430000")
DEFAULT = ((time(9), time(12)), (time(13, 30), time(17, 30)))
SETS = (
    DEFAULT,
    ((time(9), time(12)),),
    ((time(8, 30), time(12)), (time(14, 30), time(18))),
    ((time(9), time(12)), (time(15), time(18))),
)
FIRST = date(2026, 1, 1)
dates = st.integers(0, 300).map(lambda days: FIRST + timedelta(days=days))
arrangements = st.builds(
    HoursRuling, dates, st.none(), st.sampled_from([(1, 1), (5, 1), (10, 8)]), st.sampled_from(SETS), dates
)
few_days = st.builds(
    lambda begin, more, spans, known: HoursRuling(begin, begin + timedelta(days=more), (1, 1), spans, known),
    dates, st.integers(0, 2), st.sampled_from(SETS), dates,
)  # fmt: skip
closures = st.builds(lambda on, kind, known: CalendarDay(on, kind, "", "2026-local", known),
                     dates, st.sampled_from(["holiday", "makeup", "workday"]), dates)  # fmt: skip


def unlike(rows: list[Any], *names: str) -> list[Any]:
    """Rows with different keys only, as a table would hold them."""
    return list({tuple(getattr(row, name) for name in names): row for row in rows}.values())


hours_of_line = st.fixed_dictionaries(
    {place: st.lists(arrangements | few_days, max_size=6).map(
        lambda rows: unlike(rows, "valid_from", "season_from", "known_from")) for place in LINE}
)  # fmt: skip
closed_of_line = st.fixed_dictionaries(
    {place: st.lists(closures, max_size=4).map(lambda rows: unlike(rows, "on_date", "known_from")) for place in LINE}
)


def office(on: date, known: date, hours: dict[str, list[HoursRuling]]) -> tuple[tuple[time, time], ...]:
    for place in LINE:
        rows = [row for row in hours[place] if row.known_from <= known and row.valid_from <= on]
        few = [row for row in rows if row.valid_until is not None and on <= row.valid_until]
        if few:
            return max(few, key=lambda row: (row.valid_from, row.known_from)).spans
        standing = [row for row in rows if row.valid_until is None]
        if standing:
            newest = max(row.valid_from for row in standing)
            told = [row for row in standing if row.valid_from == newest]
            begun = {row.season_from for row in told if row.season_from <= (on.month, on.day)}
            season = max(begun or {row.season_from for row in told})  # else the one that began last year
            return max((row for row in told if row.season_from == season), key=lambda row: row.known_from).spans
    return DEFAULT


def is_worked(on: date, known: date, closed: dict[str, list[CalendarDay]]) -> bool:
    for place in LINE:
        told = [row for row in closed[place] if row.on_date == on and row.known_from <= known]
        if told and (kind := max(told, key=lambda row: row.known_from).kind) != "workday":
            return kind == "makeup"
    return on != FIRST and on.weekday() < 5


def walk(start: datetime, limit: Fraction, known: date, hours: Any, closed: Any) -> datetime:
    """The last moment at which no more than `limit` is used, found by walking."""
    on, left = start.date(), limit
    while True:
        spans = office(on, known, hours) if is_worked(on, known, closed) else ()
        whole = sum((datetime.combine(on, end) - datetime.combine(on, begin)).seconds for begin, end in spans)
        for begin, end in spans:
            opens, closes = (datetime.combine(on, moment, tzinfo=SHANGHAI) for moment in (begin, end))
            opens = max(opens, start)
            if opens >= closes:
                continue
            share = Fraction((closes - opens) // timedelta(microseconds=1), whole * 1_000_000)
            if left < share:
                return opens + timedelta(microseconds=math.ceil(left * whole * 1_000_000))
            left -= share
        on += timedelta(days=1)


@effort(150, 5_000)
@given(
    hours_of_line,
    closed_of_line,
    dates,
    st.integers(0, 300 * 24 * 60),
    st.integers(0, 80).map(lambda quarters: Fraction(quarters, 4)),
)
def test_any_regions_hours_and_closures_give_the_boundary_found_by_walking(
    hours: dict[str, list[HoursRuling]],
    closed: dict[str, list[CalendarDay]],
    known: date,
    minutes: int,
    limit: Fraction,
) -> None:
    known += timedelta(days=1)
    notice = [CalendarDay(date(year, 1, 1), "holiday", "元旦", str(year), FIRST) for year in (2026, 2027)]
    book = CalendarBook("cn", notice, [StatutoryDay(FIRST, "元旦", FIRST)], closed, hours)
    start = datetime.combine(FIRST, time(), tzinfo=SHANGHAI) + timedelta(minutes=minutes)
    axis = OfficeAxis(book.known(known, LINE[0]))
    starts = np.array([to_us(start)])
    target = axis.start(starts) + axis.distance(np.array([float(limit)]), "working_day", starts)
    reached = int(axis.reached(Targets(target, target), starts)[0])
    assert reached == to_us(walk(start, limit, known, hours, closed))
