"""Reference data with start-only validity, imported from CSV or Excel files named after their table."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, Table, cast, inspect, literal
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from etl.errors import UsageError
from etl.store import office_hours
from etl.store.calendars import Calendars, with_hours

TABLES = {
    "departments": "department",
    "items": "item",
    "recipients": "recipient",
    "office_hours": "office_hours",
}


def import_file(engine: Engine, path: Path) -> tuple[int, list[str]]:
    """Import ``departments|items|recipients|office_hours`` .csv or .xlsx -> (rows stored, rejected rows in words).

    A row with the key and start date of a stored one replaces nothing: give a new `valid_from`.
    """
    name = TABLES.get(path.stem)
    if name is None:
        raise UsageError(f"{path.name}: name the file after its content: {', '.join(TABLES)} (.csv or .xlsx)")
    rows = _rows(path)
    table = Table(name, MetaData(), autoload_with=engine)
    required = {column.name for column in table.columns if not column.nullable and column.server_default is None}
    missing = required - set(rows[0] if rows else ())
    unknown = set(rows[0] if rows else ()) - set(table.columns.keys()) - {None}
    if missing or unknown:
        raise UsageError(f"{path.name}: columns missing: {sorted(missing)}, columns unknown: {sorted(unknown)}")
    if name == "office_hours":
        return office_hours.import_rows(engine, path.name, rows)
    stored, rejected = 0, list[str]()
    key = inspect(engine).get_pk_constraint(name)["constrained_columns"]
    for number, row in enumerate(rows, 2):
        if None in row:
            rejected.append(f"{path.name} row {number}: more cells than headings")
            continue
        try:
            with engine.begin() as connection:
                statement = insert(table).values(_typed(table, row)).on_conflict_do_nothing(index_elements=key)
                stored += len(connection.execute(statement.returning(literal(1))).all())
        except DBAPIError as error:
            rejected.append(f"{path.name} row {number}: {str(error.orig).splitlines()[0]}")
    return stored, rejected


def with_office_hours(path: Path) -> Calendars:
    """The packaged calendars with the office hours of a file; `UsageError` for a file that is wrong."""
    return with_hours(office_hours.rulings(office_hours.checked(path.name, _rows(path))))


def _typed(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Every cell as text, cast by the server: one place decides what a valid date or flag is."""
    columns = table.columns
    return {n: None if value is None else cast(literal(str(value)), columns[n].type) for n, value in row.items()}


def _rows(path: Path) -> Sequence[Mapping[Any, Any]]:
    """Cells by heading; key None holds the cells of a CSV row that stand under no heading."""
    try:
        if path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                return [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]
        if path.suffix == ".xlsx":
            return _sheet(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path.name}: not CSV in UTF-8 ({error})") from None
    raise UsageError(f"{path.name}: only .csv and .xlsx can be imported")


def _sheet(path: Path) -> Sequence[Mapping[Any, Any]]:
    from python_calamine import CalamineError, load_workbook

    try:
        header, *body = load_workbook(str(path)).get_sheet_by_index(0).to_python() or [[]]
    except CalamineError as error:
        raise UsageError(f"{path.name}: not a workbook ({error})") from None
    return [{str(name): _cell(value) for name, value in zip(header, row, strict=True)} for row in body]


def _cell(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None if value == "" else value
