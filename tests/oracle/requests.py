"""Random clock requests: near the moments where clocks go wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

# Weeks around amended notices, long holidays, make-up days, the turn of an unannounced year; and quiet ones.
WINDOWS = [
    date(2018, 10, 15),
    date(2025, 9, 22),
    date(2015, 8, 28),
    date(2019, 4, 24),
    date(2020, 1, 15),
    date(2026, 2, 10),
    date(2026, 12, 1),
    date(2012, 12, 20),
    date(2024, 2, 26),
    date(2008, 2, 28),
]
CLOCKS = [
    time(0),
    time(8, 59, 59),
    time(9),
    time(9, 0, 1),
    time(10),
    time(12),
    time(12, 45),
    time(13, 30),
    time(17, 29, 59),
    time(17, 30),
    time(17, 30, 1),
    time(23, 59, 59),
]
HOURS = [
    None,
    [["08:30", "12:00"], ["14:00", "17:00"]],
    [["09:00", "17:00"]],
    [["00:00", "23:59"]],
    [["09:00", "12:00"], ["13:00", "15:00"], ["15:00", "18:00"]],
]
ZONES = [None, None, None, "Asia/Shanghai", "Asia/Tokyo", "UTC", "America/New_York"]

times = st.sampled_from(CLOCKS) | st.times().map(lambda t: t.replace(microsecond=0))


@st.composite
def days(draw: st.DrawFn, window: date, before: int = 3, after: int = 45) -> date:
    return window + timedelta(days=draw(st.integers(-before, after)))


@st.composite
def clock_requests(draw: st.DrawFn) -> dict[str, Any]:
    window = draw(st.sampled_from(WINDOWS))
    mode = draw(st.sampled_from(["office_clock", "whole_day", "natural_day"]))
    units = {
        "office_clock": ["working_day", "hour", "minute"],
        "whole_day": ["working_day"],
        "natural_day": ["natural_day", "month", "hour", "minute"],
    }
    unit = draw(st.sampled_from(units[mode]))
    by_day = mode == "whole_day" or unit in ("natural_day", "month")
    zone_name = draw(st.sampled_from(ZONES))
    zone = ZoneInfo(zone_name or "Asia/Shanghai")

    def instant(day: date) -> str:
        return datetime.combine(day, draw(times), zone).isoformat()

    def moment(day: date, *, may_be_date: bool) -> str:
        return day.isoformat() if may_be_date and draw(st.booleans()) else instant(day)

    if unit == "working_day" and mode == "office_clock":
        limit: float = draw(st.integers(0, 25) | st.sampled_from([0.25, 0.5, 1.5, 2.75]))
    elif unit == "minute":
        limit = draw(st.integers(0, 6000))
    elif unit == "hour":
        limit = draw(st.integers(0, 120) | st.sampled_from([0.5, 7.5]))
    else:
        limit = draw(st.integers(0, {"working_day": 30, "natural_day": 60, "month": 14}[unit]))
    start = draw(days(window, 3, 20))
    request: dict[str, Any] = {
        "id": draw(st.integers(0, 99)),
        "mode": mode,
        "start": moment(start, may_be_date=by_day),
        "limit": limit,
        "unit": unit,
    }
    if draw(st.booleans()):
        request["start_rule"] = draw(st.sampled_from(["next_day", "roll"]))
    if mode == "office_clock" and draw(st.booleans()):
        hours = draw(st.sampled_from(HOURS))
        if hours is not None:
            request["hours"] = hours
    if zone_name is not None:
        request["timezone"] = zone_name
    which = draw(st.sampled_from(["cn", "cn", "known", "custom"]))
    if which == "known":
        request["calendar_known_at"] = draw(days(window, 60, 30)).isoformat()
    if which == "custom":
        rest, work = (draw(st.sets(days(window), max_size=6)) for _ in range(2))
        request["calendar"] = {
            "holidays": sorted(day.isoformat() for day in rest - work),
            "makeup_days": sorted(day.isoformat() for day in work),
        }
    asked = draw(st.sampled_from(["end", "as_of", None]))
    if asked:
        request[asked] = moment(draw(days(start, 2, 50)), may_be_date=mode == "whole_day")
    spans = []
    for _ in range(draw(st.integers(0, 3))):
        begin_day = draw(days(start, 4, 30))
        begin = moment(begin_day, may_be_date=by_day)
        span: dict[str, Any] = {"from": begin, "to": None}
        if draw(st.integers(0, 4)):
            # Equal instants say "open", but a clock of dates sees equal dates: which of the two holds is not settled.
            same = draw(st.integers(0, 9)) == 0 and (not by_day or len(begin) == 10)
            span["to"] = begin if same else later(begin, draw(st.integers(1, 15)), draw(times), zone)
        span["approved_days"] = draw(st.sampled_from([None, 0, 1, 2, 3, 5]))
        spans.append(span)
    if spans:
        request["suspensions"] = spans
    return request


def later(begin: str, days_later: int, clock: time, zone: ZoneInfo) -> str:
    if len(begin) == 10:
        return (date.fromisoformat(begin) + timedelta(days=days_later)).isoformat()
    return datetime.combine(datetime.fromisoformat(begin).date() + timedelta(days=days_later), clock, zone).isoformat()


def one_second_later(instant: str) -> str:
    parsed = datetime.fromisoformat(instant)
    return (parsed.astimezone(UTC) + timedelta(seconds=1)).astimezone(parsed.tzinfo).isoformat()
