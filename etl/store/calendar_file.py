"""A calendar file such as ``sql/seeds/calendar_days.csv``: a new year's notice, an amendment, a region's own days."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from etl.domain.calendar import CalendarDay
from etl.errors import UsageError
from etl.store.calendars import KEY, ruling
from etl.store.rulings import fresh, open_from
from etl.store.statements import sql

COLUMNS = ("calendar", *CalendarDay._fields)
KINDS = ("holiday", "makeup", "workday")


def new_rulings(engine: Engine, path: Path) -> list[dict[str, Any]]:
    """Rows of a calendar file that the ledger does not know yet, as they would be stored.

    Raises:
        UsageError: the file is empty or says nothing new, or a row, which is named, is wrong: it is taken whole or not.
    """
    with engine.connect() as connection:
        known = [dict(row) for row in connection.execute(sql("reference/calendar_days")).mappings()]
    given = _read(path, {row["calendar"] for row in known if not row["calendar"].isdigit()})
    ruled = {(row["calendar"], row["on_date"]) for row in (*known, *given) if row["kind"] != "workday"}
    for number, row in enumerate(given, 2):
        if row["kind"] == "workday" and (row["calendar"], row["on_date"]) not in ruled:
            raise UsageError(
                f"{path.name} row {number}: workday takes back a ruling, and there is none on {row['on_date']}"
            )
    new = fresh(given, known, KEY, open_from(engine))
    if not new:
        years = sorted({row["notice"] for row in given})
        raise UsageError(f"{path.name}: nothing new; the ledger knows every ruling of notice {', '.join(years)}")
    return new


def _read(path: Path, base: Collection[str]) -> list[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, header = list(reader), reader.fieldnames
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path.name}: not CSV in UTF-8 ({error})") from None
    if set(header or ()) != set(COLUMNS):
        raise UsageError(f"{path.name}: the headings are not {', '.join(COLUMNS)}")
    if not rows:
        raise UsageError(f"{path.name}: there are no rows in it")
    first_seen: dict[tuple[str, ...], int] = {}
    checked = []
    for number, row in enumerate(rows, 2):
        try:
            checked.append(_checked(row, base))
        except (UsageError, ValueError) as error:
            raise UsageError(f"{path.name} row {number}: {error}") from None
        key = (row["calendar"], row["on_date"], row["known_from"])
        if key in first_seen:
            raise UsageError(
                f"{path.name} row {number}: {row['on_date']} was ruled on in row {first_seen[key]} already"
            )
        first_seen[key] = number
    return checked


def _checked(row: dict[str, str], base: Collection[str]) -> dict[str, Any]:
    if None in row or not all(row[name] for name in COLUMNS):
        raise UsageError(f"every row has one value each for {', '.join(COLUMNS)}")
    if row["calendar"] not in base and not row["calendar"].isdigit():
        raise UsageError(f"calendar {row['calendar']!r}; known: {', '.join(sorted(base))}, or the code of a region")
    if row["kind"] not in KINDS:
        raise UsageError(f"kind {row['kind']!r}; known: {', '.join(KINDS)}")
    code, ruled = ruling(row)
    year = ruled.notice[:4]
    if not (year.isascii() and year.isdigit()) or abs(int(year) - ruled.on_date.year) > 1:
        raise UsageError(f"notice {ruled.notice!r} does not start with the year it is for, that of {ruled.on_date}")
    return {"calendar": code, **ruled._asdict()}
