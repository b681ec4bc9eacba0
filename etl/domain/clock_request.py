"""One clock per request: JSON objects in, JSON objects out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import orjson

from etl.domain.axes import axis_for
from etl.domain.axis import UNKNOWN, Axis, Positions
from etl.domain.calendar import Calendar, custom
from etl.domain.clock import Spans, Suspensions, suspend
from etl.domain.date_axis import DateAxis
from etl.domain.night import ZONE, from_us, to_us
from etl.domain.office_axis import OfficeAxis
from etl.domain.office_hours import OFFICE_HOURS, parse_spans
from etl.errors import JianchaError, UsageError

FIELDS = {
    *("id", "mode", "start", "limit", "unit", "end", "as_of", "start_rule", "hours", "suspensions"),
    *("timezone", "calendar", "calendar_known_at"),
}
MODES = ("office_clock", "whole_day", "natural_day")


class KnownCalendars(Protocol):
    """Where the State Council's calendar comes from."""

    def cn(self, known_at: date | None = None) -> Calendar:
        """As known on a date; None: everything known now."""
        ...


def answer_all(requests: Iterable[object], calendars: KnownCalendars) -> Iterator[dict[str, Any]]:
    """Answers in order; a bad request answers ``{"id", "error"}`` and the rest go on."""
    axes: dict[tuple[object, ...], Axis] = {}
    for request in requests:
        name = request.get("id") if isinstance(request, dict) else None
        try:
            orjson.dumps({"id": name}, default=str)
        except TypeError:  # deeper than any answer can be written
            yield {"id": None, "error": "id is nested too deeply to be repeated"}
            continue
        try:
            yield _answer(request, calendars, axes)
        except JianchaError as error:
            yield {"id": name, "error": str(error)}
        except (TypeError, ValueError, KeyError, OverflowError, OSError) as error:  # nonsense nobody thought of
            yield {"id": name, "error": f"the request makes no sense: {type(error).__name__}: {error}"}


def _answer(request: object, calendars: KnownCalendars, axes: dict[tuple[object, ...], Axis]) -> dict[str, Any]:
    if not isinstance(request, dict):
        raise UsageError(f"a request is a JSON object, not {request!r}")
    if unknown := sorted(set(request) - FIELDS):
        raise UsageError(f"unknown fields {', '.join(map(str, unknown))}; known: {', '.join(sorted(FIELDS))}")
    zone = _zone(request.get("timezone", "Asia/Shanghai"))
    axis = _axis(request, calendars, axes, zone)
    start = _instant(request, "start", zone)
    if start is None:
        raise UsageError("start is missing; give a date or an instant")
    end, as_of = _instant(request, "end", zone), _instant(request, "as_of", zone)
    stop = end if end is not None else as_of
    limit = _number(request, "limit")
    if limit is None:
        raise UsageError("limit is missing")
    starts = np.array([start])
    begin = axis.start(starts)
    suspensions = _suspensions(request, axis, zone, begin)
    targets = suspensions.shift(begin + axis.distance(np.array([limit]), request["unit"], starts))
    answer: dict[str, Any] = {"id": request.get("id"), "due": None, "used_days": None, "used_seconds": None}
    is_provisional = False
    if targets.due[0] < UNKNOWN:
        due = axis.due(targets, starts)
        try:
            local = from_us(int(due[0])).astimezone(zone)
        except OverflowError:
            raise UsageError("the limit does not end within the years 1 to 9999") from None
        is_provisional = bool(axis.is_provisional(due)[0])
        answer["due"] = local.date().isoformat() if request["mode"] == "whole_day" else local.isoformat()
    if stop is not None:
        stops = np.array([max(stop, start)])
        at = np.maximum(axis.at(stops), begin)
        used = at - begin - suspensions.excluded(at)
        answer["used_days"] = round(float(axis.days(used)[0]), 6)
        if isinstance(axis, OfficeAxis):
            answer["used_seconds"] = _shortest(axis.seconds(used)[0])
    is_overdue = None if stop is None else bool(axis.is_over(targets, starts, stops)[0])
    return answer | {"overdue": is_overdue, "provisional": is_provisional, "calendar_version": axis.calendar.version}


def _axis(
    request: dict[str, Any], calendars: KnownCalendars, axes: dict[tuple[object, ...], Axis], zone: ZoneInfo
) -> Axis:
    mode, unit = request.get("mode"), request.get("unit")
    if mode not in MODES:
        raise UsageError(f"mode {mode!r}; known: {', '.join(MODES)}")
    if unit not in ("working_day", "natural_day", "hour", "minute", "month"):
        raise UsageError(f"unit {unit!r}; known: working_day, natural_day, hour, minute, month")
    rule = request.get("start_rule", "next_day")
    if rule not in ("next_day", "roll"):
        raise UsageError(f"start_rule {rule!r}; known: next_day, roll")
    hours = parse_spans(request["hours"]) if request.get("hours") is not None else OFFICE_HOURS
    given, known_at = request.get("calendar", "cn"), request.get("calendar_known_at")
    known_on = None if known_at is None else _date(known_at, "calendar_known_at")
    key = (mode, unit, rule, hours, zone.key, repr(given), known_on)
    if key not in axes:
        calendar = _calendar(given, known_on, calendars)
        axes[key] = axis_for(str(mode), str(unit), calendar, hours=hours, roll=rule == "roll", zone=zone)
    return axes[key]


def _calendar(given: object, known_on: date | None, calendars: KnownCalendars) -> Calendar:
    if given == "cn":
        return calendars.cn(known_on)
    if not isinstance(given, dict) or set(given) - {"holidays", "makeup_days"}:
        raise UsageError('calendar is "cn" or {"holidays": [dates], "makeup_days": [dates]}')
    listed = [given.get(name) or [] for name in ("holidays", "makeup_days")]
    if not all(isinstance(days, list) for days in listed):
        raise UsageError("calendar.holidays and calendar.makeup_days are lists of dates")
    holidays, makeup = ([_date(day, "a day of the calendar") for day in days] for days in listed)
    return custom(holidays, makeup)


def _suspensions(request: dict[str, Any], axis: Axis, zone: ZoneInfo, begin: Positions) -> Suspensions:
    """The request's suspensions, clipped, capped and merged; an open one without a cap never ends."""
    listed = request.get("suspensions") or []
    if not isinstance(listed, list):
        raise UsageError("suspensions is not a list")
    rows = []
    for entry in listed:
        if not isinstance(entry, dict) or set(entry) - {"from", "to", "approved_days"}:
            raise UsageError("a suspension is {from, to|null, approved_days|null}")
        first, last = _instant(entry, "from", zone), _instant(entry, "to", zone)
        if first is None:
            raise UsageError("a suspension has no `from`")
        if last is not None and last < first:
            raise UsageError(f"suspension from {entry['from']} ends before it begins, {entry['to']}")
        are_dates = isinstance(axis, DateAxis) and len(entry["from"]) == len("2026-11-22") == len(entry.get("to") or "")
        is_open = last is None or (last == first and not are_dates)
        rows.append((first, first if is_open else last, is_open, _number(entry, "approved_days")))
    if not rows:
        none = np.array([], dtype=np.int64)
        return Suspensions(none, none, none)
    first_us, last_us, is_open_list, caps = zip(*rows, strict=True)
    spans = Spans(np.zeros(len(rows), dtype=np.int64), np.array(first_us), np.array(last_us), np.array(is_open_list))
    approved = np.array([np.nan if cap is None else cap for cap in caps])
    return suspend(axis, begin, spans, approved)


def _instant(fields: dict[str, Any], name: str, zone: ZoneInfo) -> int | None:
    """A date (its first moment) or an instant; without an offset it is local to the request's zone."""
    value = fields.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise UsageError(f"{name} {value!r} is neither a date nor an RFC 3339 instant") from None
    return to_us(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))


def _date(value: Any, name: str) -> date:
    """A date, or the one an instant falls on in China."""
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo is None else moment.astimezone(ZONE)).date()
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{name} {value!r} is not a date") from None


def _number(fields: dict[str, Any], name: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e9:
        raise UsageError(f"{name} {value!r} is not a number of at least 0")
    return float(value)


def _zone(name: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones, a name no file system takes
        raise UsageError(f"timezone {name!r} is unknown") from None


def _shortest(seconds: float) -> int | float:
    return int(seconds) if seconds == int(seconds) else float(seconds)
