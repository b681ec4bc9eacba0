"""Findings by rules other than time, night by night, and the items that tell them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Engine

from etl.store import ledger
from etl.store.statements import sql


def messages(
    sources: Iterable[str], known_by: datetime, changed_since: datetime | None, *, always: Iterable[str]
) -> Iterator[pa.Table]:
    """Messages of every kind known by a moment, as `SCHEMA` + known_at, of cases open, changed since or named.

    Whole cases, so many at a time that memory stays bounded.
    """
    return ledger.message_parts("findings/messages", [sorted(sources), known_by, changed_since, sorted(always)])


def catalogue(engine: Engine) -> pa.Table:
    """The item catalogue as `etl.supervision.catalogue.ITEMS` has it: every row, in force or not."""
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(sql("findings/catalogue")).mappings()]
    types = {"valid_from": pa.date32(), "fee_standard": pa.float64()}
    names = ("item_code", "department", "valid_from", "status", "fee_standard")
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, types.get(name, pa.string())) for name in names]))


def record_night(
    engine: Engine, business_on: date, rules: Sequence[Mapping[str, str]], events: Sequence[Mapping[str, Any]]
) -> None:
    """Make night `business_on` say exactly `events`, whatever it said before. `rules`: rule, title, basis, about."""
    with engine.begin() as connection:
        connection.execute(sql("findings/upsert_rule"), rules)
        connection.execute(sql("findings/clear_night"), {"business_on": business_on})
        if events:
            connection.execute(sql("findings/insert_event"), events)


def tell(engine: Engine, business_on: date) -> int:
    """Make an item to tell of every finding new since the last night told -> how many."""
    with engine.begin() as connection:
        return connection.execute(sql("findings/insert_items"), {"business_on": business_on}).rowcount


def listed(
    connection: Connection, *, rule: str | None, department: str | None, is_cleared: bool | None
) -> list[dict[str, Any]]:
    """Rows of ``findings/list``."""
    asked = {"rule": rule, "department": department, "is_cleared": is_cleared}
    return [dict(row) for row in connection.execute(sql("findings/list"), asked).mappings()]
