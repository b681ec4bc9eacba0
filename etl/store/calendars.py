"""Calendars: the packaged rulings, which need no database, and the ledger's, which the nights are judged by."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache, lru_cache

from sqlalchemy import Engine

from etl.domain.calendar import Calendar, CalendarBook, CalendarDay, StatutoryDay
from etl.errors import CalendarNotCovering, UsageError
from etl.settings import ROOT
from etl.store.statements import sql

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

    def cn(self, known_at: date | None = None) -> Calendar:
        """The State Council's calendar as known on a date."""
        return self.book("cn").known(known_at)


@cache
def packaged() -> Calendars:
    """The calendars shipped with the code (``sql/seeds``)."""
    return _calendars(tuple(map(_ruling, seed_rows("calendar_days"))))


def stored(engine: Engine) -> Calendars:
    """The ledger's calendars; `CalendarNotCovering` while it has none."""
    with engine.connect() as connection:
        rows = connection.execute(sql("reference/calendar_days")).all()
    if not rows:
        raise CalendarNotCovering("the ledger has no calendar; run `jiancha ledger migrate`")
    return _calendars(tuple((row[0], CalendarDay(*row[1:])) for row in rows))


def seed(engine: Engine) -> None:
    """Load the packaged rulings into the ledger; rulings already there stay."""
    rows = [{"calendar": code, **ruling._asdict()} for code, ruling in map(_ruling, seed_rows("calendar_days"))]
    with engine.begin() as connection:
        connection.execute(sql("reference/insert_calendar_day"), rows)


def _ruling(row: dict[str, str]) -> tuple[str, CalendarDay]:
    on_date, known_from = (date.fromisoformat(row[name]) for name in ("on_date", "known_from"))
    return row["calendar"], CalendarDay(on_date, row["kind"], row["name"], row["notice"], known_from)


@lru_cache(maxsize=2)
def _calendars(rulings: tuple[tuple[str, CalendarDay], ...]) -> Calendars:
    if not rulings:
        raise CalendarNotCovering(f"{SEEDS / 'calendar_days.csv'} holds no ruling; nothing can be counted without one")
    days: dict[str, list[CalendarDay]] = {}
    for code, ruling in rulings:
        days.setdefault(code, []).append(ruling)
    statutory = [
        StatutoryDay(date.fromisoformat(row["on_date"]), row["name"], date.fromisoformat(row["known_from"]))
        for row in seed_rows("statutory_days")
    ]
    return Calendars({code: CalendarBook(code, rows, statutory) for code, rows in days.items()})


def seed_rows(name: str) -> list[dict[str, str]]:
    """Rows of ``sql/seeds/<name>.csv``."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
