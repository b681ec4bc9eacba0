"""Office hours of regions, as rows of a file and of the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Engine

from etl.domain.calendar import stem
from etl.domain.office_axis import OfficeAxis
from etl.domain.office_hours import HoursRuling, parse_hours, parse_season
from etl.errors import UsageError
from etl.store.rulings import Row, fresh, open_from
from etl.store.statements import sql

KEY = ("region", "valid_from", "season_from")
REQUIRED = {"region", "valid_from", "spans", "known_from"}
COLUMNS = REQUIRED | {"valid_until", "season_from"}


def import_rows(engine: Engine, name: str, rows: Sequence[Mapping[Any, Any]]) -> tuple[int, list[str]]:
    """Rows of ``office_hours.csv`` -> (rows stored, rejected rows in words)."""
    given, rejected = _read(name, rows)
    with engine.connect() as connection:
        stored = [dict(row) for row in connection.execute(sql("reference/office_hours")).mappings()]
    new = fresh(given, stored, KEY, open_from(engine))
    for region, problem in _problems([*stored, *new]).items():
        rejected.append(f"{name}: region {region}: {problem}; none of its rows was stored")
        new = [row for row in new if row["region"] != region]
    if new:
        with engine.begin() as connection:
            connection.execute(sql("reference/insert_office_hours"), new)
    return len(new), rejected


def checked(name: str, rows: Sequence[Mapping[Any, Any]]) -> list[Row]:
    """Rows of such a file that stands alone; `UsageError` for one that is wrong."""
    given, rejected = _read(name, rows)
    new = fresh(given, (), KEY, date.min)
    rejected += [f"{name}: region {region}: {problem}" for region, problem in _problems(new).items()]
    if unknown := sorted({str(column) for row in rows for column in row if column not in COLUMNS}):
        rejected.append(f"{name}: columns unknown: {unknown}")
    if rejected or not new:
        raise UsageError("; ".join(rejected) or f"{name}: no office hours in it")
    return list(new)


def _read(name: str, rows: Sequence[Mapping[Any, Any]]) -> tuple[list[Row], list[str]]:
    """-> (checked rows, rejected rows in words)."""
    given: list[Row] = []
    rejected = []
    for number, row in enumerate(rows, 2):
        try:
            given.append(_checked(row))
        except UsageError as error:
            rejected.append(f"{name} row {number}: {error}")
    return given, rejected


def rulings(rows: Sequence[Row]) -> dict[str, list[HoursRuling]]:
    """Rows as the calendar book takes them: rulings per region."""
    found: defaultdict[str, list[HoursRuling]] = defaultdict(list)
    for row in rows:
        season, spans = parse_season(row["season_from"]), parse_hours(row["spans"])
        found[row["region"]].append(
            HoursRuling(row["valid_from"], row["valid_until"], season, spans, row["known_from"])
        )
    return found


def _checked(row: Mapping[Any, Any]) -> Row:
    if None in row:
        raise UsageError('more cells than headings (spans stand in quotes: "09:00-12:00,13:30-17:30")')
    if missing := sorted(name for name in REQUIRED if row.get(name) is None):
        raise UsageError(f"{', '.join(missing)} missing")
    checked: dict[str, Any] = {"region": str(row["region"]), "spans": str(row["spans"])}
    for name in ("valid_from", "known_from", "valid_until"):
        try:
            checked[name] = None if row.get(name) is None else date.fromisoformat(str(row[name]))
        except ValueError:
            raise UsageError(f"{name} {row[name]!r} is not a date such as 2026-05-01") from None
    checked["season_from"] = "{:02}-{:02}".format(*parse_season(str(row.get("season_from") or "01-01")))
    parse_hours(checked["spans"])
    if not checked["region"].isdigit():
        raise UsageError(f"region {checked['region']!r} is not a region code of digits")
    until = checked["valid_until"]
    if until is not None and (until < checked["valid_from"] or checked["season_from"] != "01-01"):
        raise UsageError(f"valid_until {until} is before valid_from, or stands beside a season; a few days have none")
    return checked


def _problems(rows: Sequence[Row]) -> dict[str, str]:
    """Regions whose hours cannot be counted with, and why."""
    from etl.store.calendars import with_hours

    found = {}
    seasons: defaultdict[tuple[str, date], set[str]] = defaultdict(set)
    for row in rows:
        if row["valid_until"] is None:
            seasons[row["region"], row["valid_from"]].add(row["season_from"])
    for (region, valid_from), begins in seasons.items():
        if len(begins) == 1 and begins != {"01-01"}:
            found[region] = (
                f"from {valid_from} there is one season only, {min(begins)}; give every season of the year again"
            )
    book = with_hours(rulings([row for row in rows if row["region"] not in found])).book("cn")
    for region in sorted({row["region"] for row in rows} - found.keys()):
        try:
            OfficeAxis(book.known(None, stem(region)))
        except UsageError as error:
            found[region] = str(error)
    return found
