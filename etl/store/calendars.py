"""Calendars and office hours: the packaged rulings, which need no database, and the ledger's, which judge nights."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Engine

from etl.domain.calendar import Calendar, CalendarBook, CalendarDay, StatutoryDay
from etl.domain.office_hours import HoursRuling
from etl.errors import CalendarNotCovering, UsageError
from etl.settings import ROOT
from etl.store import office_hours
from etl.store.rulings import fresh, open_from
from etl.store.statements import sql

KEY = ("calendar", "on_date")
SEEDS = ROOT / "sql" / "seeds"


class Calendars:
    """Calendar books by code."""

    def __init__(self, books: dict[str, CalendarBook]) -> None:
        self._books = books

    def book(self, code: str) -> CalendarBook:
        """The book of one calendar; `UsageError` for an unknown code."""
        if code not in self._books:
            raise UsageError(f"no calendar {code!r}; known: {', '.join(sorted(self._books))}")
        return self._books[code]

    def cn(self, known_at: date | None = None, region: str | None = None) -> Calendar:
        """The State Council's calendar, with the closures of a region, as known on a date."""
        return self.book("cn").known(known_at, region)


@cache
def packaged() -> Calendars:
    """The calendars shipped with the code (``sql/seeds``)."""
    return _calendars(_seeded(), ())


def stored(engine: Engine, more: Sequence[tuple[str, CalendarDay]] = ()) -> Calendars:
    """The ledger's calendars, with some rulings `more`; `CalendarNotCovering` while it has none."""
    with engine.connect() as connection:
        rows = connection.execute(sql("reference/calendar_days")).all()
        hours = connection.execute(sql("reference/office_hours")).mappings().all()
    if not rows:
        raise CalendarNotCovering("the ledger has no calendar; run `jiancha ledger migrate`")
    days = (*((row[0], CalendarDay(*row[1:])) for row in rows), *more)
    return _calendars(
        days, tuple((region, tuple(own)) for region, own in office_hours.rulings([dict(row) for row in hours]).items())
    )


def with_hours(hours: Mapping[str, Sequence[HoursRuling]]) -> Calendars:
    """The packaged days with these office hours."""
    return _calendars(_seeded(), tuple((region, tuple(own)) for region, own in hours.items()))


def seed(engine: Engine) -> None:
    """Load the packaged rulings into the ledger; rulings already there stay."""
    with engine.connect() as connection:
        known = [dict(row) for row in connection.execute(sql("reference/calendar_days")).mappings()]
    told = {(row["calendar"], row["on_date"], row["known_from"]) for row in known}
    rows = [{"calendar": code, **ruled._asdict()} for code, ruled in _seeded()]
    rows = [row for row in rows if (row["calendar"], row["on_date"], row["known_from"]) not in told]
    if new := fresh(rows, known, KEY, open_from(engine)):
        add(engine, new)


@cache
def _seeded() -> tuple[tuple[str, CalendarDay], ...]:
    return tuple(map(ruling, seed_rows("calendar_days")))


def add(engine: Engine, rulings: Sequence[Mapping[str, Any]]) -> None:
    """Put rulings into the ledger."""
    with engine.begin() as connection:
        connection.execute(sql("reference/insert_calendar_day"), rulings)


def ruling(row: dict[str, str]) -> tuple[str, CalendarDay]:
    on_date, known_from = (date.fromisoformat(row[name]) for name in ("on_date", "known_from"))
    return row["calendar"], CalendarDay(on_date, row["kind"], row["name"], row["notice"], known_from)


@lru_cache(maxsize=2)
def _calendars(
    rulings: tuple[tuple[str, CalendarDay], ...], hours: tuple[tuple[str, tuple[HoursRuling, ...]], ...]
) -> Calendars:
    if not rulings:
        raise CalendarNotCovering(f"{SEEDS / 'calendar_days.csv'} holds no ruling; nothing can be counted without one")
    days: dict[str, list[CalendarDay]] = {}
    for code, ruling in rulings:
        days.setdefault(code, []).append(ruling)
    statutory = [
        StatutoryDay(date.fromisoformat(row["on_date"]), row["name"], date.fromisoformat(row["known_from"]))
        for row in seed_rows("statutory_days")
    ]
    local = {code: rows for code, rows in days.items() if code.isdigit()}
    base = {code: rows for code, rows in days.items() if not code.isdigit()}
    return Calendars({code: CalendarBook(code, rows, statutory, local, dict(hours)) for code, rows in base.items()})


def seed_rows(name: str) -> list[dict[str, str]]:
    """Rows of ``sql/seeds/<name>.csv``."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
