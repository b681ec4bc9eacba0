"""What the expectations said, per night, source and rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from etl.store.statements import sql

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def record(engine: Engine, source: str, business_on: date, results: Iterable[DataclassInstance]) -> None:
    """Store rule results (suite, rule, title, severity, checked_rows, failed_rows) of a night; the last one counts."""
    rows: list[dict[str, Any]] = [asdict(result) | {"source": source, "business_on": business_on} for result in results]
    if rows:
        with engine.begin() as connection:
            connection.execute(sql("ledger/record_quality"), rows)
