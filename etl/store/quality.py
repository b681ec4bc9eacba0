"""What the expectations said, per night, source and rule, and how much of each kind a night brought."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import Engine

from etl.errors import UsageError
from etl.store import ledger
from etl.store.statements import sql

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

TREND_NIGHTS = 14


def record(engine: Engine, source: str, business_on: date, results: Iterable[DataclassInstance]) -> None:
    """Store rule results (suite, rule, title, basis, severity, checked_rows, failed_rows, samples); the last counts."""
    rows: list[dict[str, Any]] = [
        asdict(result) | {"source": source, "business_on": business_on, "samples": list(result.samples)}  # type: ignore[attr-defined]
        for result in results
    ]
    if rows:
        with engine.begin() as connection:
            connection.execute(sql("quality/record"), rows)


def count_volumes(
    engine: Engine, source: str, business_on: date, known_at: datetime, alike: Sequence[date]
) -> list[dict[str, Any]]:
    """Count what the night brought -> kind, row_count, usual_count (the median of nights `alike`, or None).

    Nothing of a night that was not pulled to its end.
    """
    asked = {"source": source, "business_on": business_on}
    with engine.begin() as connection:
        connection.execute(sql("quality/count_volumes"), asked | {"known_at": known_at})
        rows = connection.execute(sql("quality/set_usual"), asked | {"alike": list(alike)})
        return [dict(row) for row in rows.mappings()]


def openings(wanted: pa.Table, known_at: datetime) -> pa.Table:
    """Keys (source, case_no, kind, seq) -> those known by `known_at`, with `at`, when they first happened."""
    columns = [wanted[name].to_pylist() for name in ("source", "case_no", "kind", "seq")]
    return ledger.fetch("quality/openings", [*columns, known_at])


def of_night(
    engine: Engine, business_on: date | None, sources: Sequence[str]
) -> tuple[date, list[dict[str, Any]], list[dict[str, Any]]]:
    """(the night, its results, its volumes) with the trend of TREND_NIGHTS; None is the last night, no sources all.

    Raises:
        UsageError: nothing was ever checked.
    """
    with engine.connect() as connection:
        night: date | None = business_on or connection.execute(sql("quality/last_night")).scalar()
        if night is None:
            raise UsageError("nothing has been checked yet; run jiancha night --date D")
        asked = {"business_on": night, "first": night - timedelta(days=TREND_NIGHTS - 1), "sources": list(sources)}
        results = [dict(row) for row in connection.execute(sql("quality/results"), asked).mappings()]
        volumes = [dict(row) for row in connection.execute(sql("quality/volumes"), asked).mappings()]
    return night, results, volumes
