"""Messages in, messages out: admission of one landed page as one transaction, and reading what was known by a night."""

from __future__ import annotations

import atexit
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg.sql import Literal
from sqlalchemy import Connection, Engine

from etl.crashpoints import reach
from etl.domain.message import PAYLOAD_COLUMNS, REPEATING, SCHEMA, content_hashes, payload_json, whole_cases
from etl.store import binary_copy
from etl.store.landing import LandedPage
from etl.store.statements import sql, sql_text

STAGED_TYPES = {
    **dict.fromkeys(("message_no", "row_no", "seq", "version"), "int4"),
    **dict.fromkeys(("occurred_at", "written_at", "received_at", "loaded_at", "known_at"), "timestamptz"),
    **dict.fromkeys(("source", "case_no", "kind", "known_basis", "department", "region"), "text"),
    **dict.fromkeys(("item_code", "item_name", "content_sha256"), "text"),
    "payload": "jsonb",
}
"""Column types of the staging table."""
PART_MESSAGES = 100_000
"""Messages read for judging at a time."""


@dataclass(frozen=True)
class Refusal:
    """One row that cannot be used, with its fingerprint; `detail` holds no personal data.

    `case_no`: the case it says it is of, where that can be read; `kinds`: the records that are missing of it.
    """

    row_no: int
    row_sha256: str
    reason: str
    detail: str
    case_no: str | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Admitted:
    """How a page's rows ended; `total` is their sum."""

    accepted: int
    repeated: int
    quarantined: int

    @property
    def total(self) -> int:
        """Every row of the page, each counted once."""
        return self.accepted + self.repeated + self.quarantined


def admit_page(
    engine: Engine,
    page: LandedPage,
    messages: pa.Table,
    refusals: Sequence[Refusal],
    row_sha256s: Mapping[int, str],
    known_at: datetime,
) -> Admitted:
    """One transaction: messages, quarantine and the page's admitted mark.

    Args:
        messages: `SCHEMA` + row_no + known_at; rows named in `refusals` must not appear.
        refusals: rows refused by decoding, mapping or expectations.
        row_sha256s: fingerprint per row_no, for rows the ledger itself refuses (same version, other content).
    """
    reach("admit.before_page")
    with engine.begin() as connection:
        inserted, conflicts = insert_messages(connection, page.page_id, page.known_basis, messages)
        refused = [*refusals, *_conflicting(connection, conflicts, row_sha256s)]
        if refused:
            page_of = {
                "source": page.source, "stream": page.stream, "business_on": page.business_on, "page_id": page.page_id
            }  # fmt: skip
            quarantined = [
                page_of | asdict(refusal) | {"detail": refusal.detail[:500], "kinds": list(refusal.kinds)}
                for refusal in refused
            ]
            connection.execute(sql("ledger/quarantine_row"), quarantined)
        rows = set(messages["row_no"].to_pylist()) - conflicts
        counts = Admitted(len(inserted), len(rows - inserted), len({refusal.row_no for refusal in refused}))
        connection.execute(
            sql("ledger/mark_admitted"),
            {
                "page_id": page.page_id, "known_at": known_at, "total": counts.total,
                "accepted": counts.accepted, "repeated": counts.repeated, "quarantined": counts.quarantined,
            },
        )  # fmt: skip
        reach("admit.before_commit")
    reach("admit.after_commit")
    return counts


def _conflicting(connection: Connection, rows: set[int], row_sha256s: Mapping[int, str]) -> Iterator[Refusal]:
    """Rows that contradict what was told; what they say besides is missing, what they contradict is not."""
    if rows:
        for row in connection.execute(sql("ledger/staged_absent"), {"refused": sorted(rows)}):
            yield Refusal(
                row.row_no, row_sha256s[row.row_no], "version_conflict", "same record and version, other content",
                row.case_no, tuple(row.kinds or ()),
            )  # fmt: skip


def insert_messages(
    connection: Connection, page_id: int, known_basis: str, messages: pa.Table
) -> tuple[set[int], set[int]]:
    """Insert new messages -> (row_no with at least one new message, row_no in conflict with the ledger)."""
    if not len(messages):
        return set(), set()
    stage(connection, staged_rows(messages, known_basis))
    reach("admit.after_staging")
    conflicts = set(connection.execute(sql("ledger/staged_conflicts")).scalars())
    inserted = connection.execute(
        sql("ledger/insert_staged"), {"page_id": page_id, "refused": sorted(conflicts)}
    ).scalars()
    return set(inserted), conflicts


def staged_rows(messages: pa.Table, known_basis: str) -> pa.Table:
    """Messages (`SCHEMA` + row_no + known_at) -> the columns of the staging table, in its order.

    What does not say when it was loaded was loaded when it became known.
    """
    payloads = payload_json(
        messages["kind"].to_pylist(), {name: messages[name].to_pylist() for name in PAYLOAD_COLUMNS}
    )
    return pa.table(
        {
            "message_no": np.arange(len(messages)),
            "row_no": messages["row_no"],
            **{name: messages[name] for name in ("source", "case_no", "kind", "seq", "version")},
            **{name: messages[name] for name in ("occurred_at", "written_at", "received_at")},
            "loaded_at": pc.coalesce(messages["loaded_at"], messages["known_at"]),
            "known_at": messages["known_at"],
            "known_basis": pa.repeat(known_basis, len(messages)),
            **{name: messages[name] for name in ("department", "region", "item_code", "item_name")},
            "payload": payloads,
            "content_sha256": content_hashes(messages, payloads),
        }
    )


def stage(connection: Connection, staged: pa.Table) -> None:
    """Put `staged_rows` into a staging table that lives as long as the transaction."""
    connection.execute(sql("ledger/stage_table"))
    binary_copy.copy(connection, "ledger/stage_copy", staged, STAGED_TYPES)


def gather_statistics(engine: Engine) -> None:
    """Let the planner know how many messages there are now; before many are read."""
    with engine.begin() as connection:
        connection.execute(sql("ledger/analyze"))


def case_messages(
    sources: Iterable[str],
    known_by: datetime,
    kinds: Sequence[str],
    *,
    changed_since: datetime | None = None,
    always: Iterable[str] = (),
) -> Iterator[pa.Table]:
    """Messages of these sources and kinds known by a moment, as `SCHEMA` + known_at (columns not judged are null).

    Whole cases in order of their numbers, so many at a time that memory stays bounded however many there are.

    Args:
        changed_since: leave out cases that had finished by then and about which nothing came since.
        always: cases not to be left out.
    """
    asked = [sorted(sources), known_by, list(kinds), None, changed_since, sorted(always)]
    yield from message_parts("ledger/case_messages", asked)


def messages_of_case(case_no: str, known_by: datetime, kinds: Sequence[str]) -> pa.Table:
    """The same of one case, from every source."""
    return _flat(fetch("ledger/case_messages", [None, known_by, list(kinds), case_no, None, []]))


def message_parts(statement: str, parameters: list[Any]) -> Iterator[pa.Table]:
    """Messages a statement gives in order of their cases, as `SCHEMA` + known_at, in parts of whole cases.

    Columns the statement leaves out are null.
    """
    yield from map(_flat, whole_cases(stream(statement, parameters), PART_MESSAGES))


def night_records(
    after: datetime, until: datetime, sources: Iterable[str], relays: Iterable[tuple[str, str, int, bool]]
) -> pa.Table:
    """What became known in (after, until] from these sources, with where its way was last seen by another source.

    Args:
        relays: (of whose way, which source, at which place, as written there) of every source that reads in between.
    """
    columns = [list(column) for column in zip(*relays, strict=True)] or [[], [], [], []]
    columns[3] = [int(is_written) for is_written in columns[3]]
    return fetch("delays/night_records", [after, until, sorted(sources), *columns])


def stream(statement: str, parameters: list[Any]) -> Iterator[pa.RecordBatch]:
    """What a statement gives, batch after batch, so that memory stays bounded however much it is.

    Only COPY streams, and COPY takes no parameters: the driver's own quoting writes them into the statement.
    """
    uncommented = re.sub(r"--.*", "", sql_text(statement))
    with _arrow_cursor() as cursor:
        cursor.execute(
            re.sub(r"\$(\d+)", lambda number: Literal(parameters[int(number[1]) - 1]).as_string(), uncommented)
        )
        yield from cursor.fetch_record_batch()


def fetch(statement: str, parameters: list[Any]) -> pa.Table:
    """What a statement gives, all of it held at once."""
    with _arrow_cursor() as cursor:
        cursor.execute(sql_text(statement), parameters)
        return cursor.fetch_arrow_table()


def _flat(rows: pa.Table) -> pa.Table:
    columns: dict[str, Any] = {
        field.name: rows[field.name].cast(field.type)
        if field.name in rows.column_names
        else pa.nulls(len(rows), field.type)
        for field in SCHEMA
    }
    return pa.table(columns | {"known_at": rows["known_at"].cast(SCHEMA.field("occurred_at").type)})


@contextmanager
def _arrow_cursor() -> Iterator[Any]:
    """A cursor of an Arrow connection nobody else uses meanwhile; opening one costs more than most questions."""
    from adbc_driver_postgresql import dbapi

    from etl.store.engine import adbc_uri

    if adbc_uri() not in _idle:
        _close_idle()
    idle = _idle.setdefault(adbc_uri(), [])
    connection = idle.pop() if idle else dbapi.connect(adbc_uri(), autocommit=True)
    try:
        with connection.cursor() as cursor:
            yield cursor
    except BaseException:  # also a stream nobody read to its end
        connection.close()
        raise
    idle.append(connection)


@atexit.register  # left to the interpreter's end, they complain on standard error
def _close_idle() -> None:
    while _idle:
        for connection in _idle.popitem()[1]:
            connection.close()


_idle: dict[str, list[Any]] = {}


def open_quarantine(engine: Engine, source: str) -> dict[int, set[int]]:
    """Rows still in quarantine: page_id -> row numbers."""
    rows: dict[int, set[int]] = {}
    with engine.connect() as connection:
        for row in connection.execute(sql("ledger/open_quarantine"), {"source": source}):
            rows.setdefault(row.page_id, set()).add(row.row_no)
    return rows


def doubts(engine: Engine, case_no: str | None = None) -> list[dict[str, Any]]:
    """Every record that is, or was, here and could not be used (of one case): rows of ``ledger/doubts``."""
    with engine.connect() as connection:
        asked = {"case_no": case_no, "repeating": sorted(REPEATING)}
        return [dict(row) for row in connection.execute(sql("ledger/doubts"), asked).mappings()]


def untold_quarantine(connection: Connection, business_on: date) -> list[dict[str, Any]]:
    """Open quarantined rows new since the last night told."""
    rows = connection.execute(sql("ledger/untold_quarantine"), {"business_on": business_on}).mappings()
    return [dict(row) for row in rows]


def dismiss(engine: Engine, source: str, case_no: str, known_at: datetime) -> int:
    """A person found that a case's quarantined rows say nothing: known from then -> rows dismissed."""
    with engine.begin() as connection:
        asked = {"source": source, "case_no": case_no, "known_at": known_at}
        return connection.execute(sql("ledger/dismiss_quarantine"), asked).rowcount


def replay_page(
    engine: Engine, page: LandedPage, messages: pa.Table, row_sha256s: Mapping[int, str], known_at: datetime
) -> Admitted:
    """One transaction: admit rows that pass now and close their quarantine; the rest stays as it was."""
    with engine.begin() as connection:
        inserted, conflicts = insert_messages(connection, page.page_id, "night", messages)
        passed = set(messages["row_no"].to_pylist()) - conflicts
        connection.execute(
            sql("ledger/close_quarantine"),
            {
                "source": page.source,
                "stream": page.stream,
                "known_at": known_at,
                "row_sha256s": [row_sha256s[row] for row in sorted(passed)],
            },
        )
    return Admitted(len(inserted), len(passed - inserted), len(row_sha256s) - len(passed))
