"""Reconciliation in the ledger: where two sources differ, night by night, and which cases a source no longer lists."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from etl.store import binary_copy
from etl.store.ledger import stream
from etl.store.statements import sql

_FOUND_TYPES = {
    **dict.fromkeys(("moment", "seq", "upstream_version", "downstream_version"), "int4"),
    **dict.fromkeys(("class", "case_no", "kind", "fields"), "text"),
    "due_at": "timestamptz",
}
BEGINNING = datetime.fromisoformat("0001-01-01T00:00:00+00:00")
"""Before anything was known."""


def stale_nights(connection: Connection, upstream: str, downstream: str, compares: str) -> list[Any]:
    """Nights to reconcile: business_on, fingerprint, compared_on, compared_before."""
    asked = {"upstream": upstream, "downstream": downstream, "compares": compares}
    return list(connection.execute(sql("reconciliation/stale_nights"), asked))


def differing(
    upstream: str,
    downstream: str,
    kinds: Mapping[str, Sequence[str]],
    since: datetime | None,
    until: datetime,
    known_by: datetime,
    *,
    with_item: bool,
    is_written: bool,
) -> Iterator[pa.RecordBatch]:
    """Records of cases told of in (since, until] on which the sides differ; by key, the upstream's first.

    Args:
        kinds: what is compared -> payload fields left out of it.
    """
    unread = ["{" + ",".join(fields) + "}" for fields in kinds.values()]
    after, salt = since or BEGINNING, secrets.randbits(63)
    yield from stream(
        "reconciliation/differing",
        [upstream, downstream, list(kinds), unread, after, until, known_by, int(with_item), int(is_written), salt],
    )


def record_night(
    connection: Connection, night: Mapping[str, Any], hop: str, found: Iterable[tuple[int, pa.Table]]
) -> int:
    """Put down a night of a pair anew -> events.

    Args:
        found: (0: the night compared before, 1: this night, differences) of what was told of in between.
    """
    connection.execute(sql("reconciliation/forget_night"), night)
    connection.execute(sql("reconciliation/stage_table"))
    for moment, table in found:
        staged = table.add_column(0, "moment", pa.array([moment] * len(table), pa.int32()))
        binary_copy.copy(connection, "reconciliation/stage_copy", staged, _FOUND_TYPES)
    connection.execute(sql("reconciliation/set_reconciled"), night)
    events = connection.execute(sql("reconciliation/insert_events"), {**night, "hop": hop}).rowcount
    connection.execute(sql("reconciliation/drop_staged"))
    return events


def may_list(connection: Connection, source: str, business_on: date) -> bool:
    """Whether a listing taken now is one of this night: complete, the source's newest, and not listed yet."""
    asked = {"source": source, "business_on": business_on}
    return bool(connection.execute(sql("reconciliation/may_list"), asked).scalar())


def record_listing(
    connection: Connection, source: str, business_on: date, known_by: datetime, listed: Iterable[pa.Array]
) -> dict[str, int]:
    """One full listing of a source's cases -> how many are absent, deleted and returned by it.

    A case counts as deleted when two full listings of different nights lack it, one after the other.
    """
    connection.execute(sql("reconciliation/listed_table"))
    for numbers in listed:
        binary_copy.copy(connection, "reconciliation/listed_copy", pa.table({"case_no": numbers}), {"case_no": "text"})
    asked = {"source": source, "business_on": business_on, "known_by": known_by}
    connection.execute(sql("reconciliation/insert_listing"), asked)
    events = connection.execute(sql("reconciliation/insert_absences"), asked).scalars().all()
    connection.execute(sql("reconciliation/drop_listed"))
    return {event: events.count(event) for event in ("absent", "deleted", "returned")}


def rows(connection: Connection, name: str, **parameters: Any) -> list[dict[str, Any]]:
    """Rows of one of the area's queries for reports."""
    return [dict(row) for row in connection.execute(sql(f"reconciliation/{name}"), parameters).mappings()]
