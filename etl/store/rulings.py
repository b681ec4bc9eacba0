"""Effective-dated rulings on their way into the ledger: days of a calendar, office hours of a region.

What past nights were judged by stays as it was: a ruling that arrives after nights were judged counts as known from the
first night not judged yet, whatever earlier date it bears.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import structlog
from sqlalchemy import Engine

from etl.errors import UsageError
from etl.store.statements import sql

Row = Mapping[str, Any]
log = structlog.get_logger()


def open_from(engine: Engine) -> date:
    """The first date that no judged night's cut-off has seen; the earliest date of all while none is judged."""
    with engine.connect() as connection:
        found: date | None = connection.execute(sql("reference/open_from")).scalar()
    return found or date.min


def fresh(given: Iterable[Row], stored: Iterable[Row], key: Sequence[str], not_before: date) -> list[dict[str, Any]]:
    """The given rulings that say something new, by key and `known_from`; the key of a row is all it has to itself.

    Raises:
        UsageError: a ruling contradicts one of the same key and date.
    """
    told = {(_key(row, key), row["known_from"]): row for row in stored}
    newest = {_key(row, key): row for row in sorted(told.values(), key=lambda row: row["known_from"])}
    new: dict[Any, dict[str, Any]] = {}
    late = 0
    for row in sorted(given, key=lambda row: row["known_from"]):
        what, when = _key(row, key), max(row["known_from"], not_before)
        same = told.get((what, row["known_from"]))
        if same is not None and not _is_same(same, row):
            raise UsageError(
                f"{'/'.join(map(str, what))} of {row['known_from']} is known otherwise; give a later known_from"
            )
        told[what, row["known_from"]] = row
        if same is None and not _is_same(newest.get(what), row):
            new[what, when] = newest[what] = {**row, "known_from": when}
            late += when > row["known_from"]
    if late:
        log.warning(
            "nights were judged without these rulings and stay as they are", rulings=late, known_from=str(not_before)
        )
    return list(new.values())


def _key(row: Row, key: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key)


def _is_same(one: Row | None, other: Row) -> bool:
    return one is not None and all(one[name] == value for name, value in other.items() if name != "known_from")
