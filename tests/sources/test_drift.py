"""Drift of every field that judging uses, per registered source: dropped, renamed, retyped, empty, unknown.

The list of fields is read off the query that judging reads the ledger with and off each source's own declaration, so a
field that comes to be judged, or a source that comes to be read, is under test by itself.
"""

from __future__ import annotations

import ast
import io
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
import sqlalchemy as sa

from etl import sources
from etl.domain.message import SCHEMA
from etl.domain.night import cutoff_at
from etl.errors import SourceContractBroken
from etl.sources.contract import Source, Window
from etl.sources.dialect import Columns
from etl.sources.kinds import FileDrop, Table
from etl.sources.sets import undeleted
from etl.sources.values import Reader, code, constant, first_of, listing, number, text, time, whole
from etl.store.statements import sql_text

NIGHT = date(2026, 11, 17)
ROOT = Path(__file__).parents[2]
MAY_BE_EMPTY = {
    "promised_limit": "an item without a promise has no yellow card (counted as promise_missing)",
    "statutory_limit": "an item without a statutory limit has no red card",
    "approved_days": "a suspension without written days is a finding (special.approved_missing)",
    "approver": "an extension nobody approved extends nothing, which is a finding",
    "channel": "only an application known to be online has a pre-acceptance clock",
    "limit": "a stage without a limit has no clock",
    "written_at": "unknown writing time makes a card suspect (messages.written_missing)",
    "received_at": "a file's records came with their file",
    "outcome": "only of a kind whose outcome no clock reads",
    "promised_due_at": "a case without a due moment of its own has its promise in days",
    "item_code": "shown, never compared",
    "item_name": "shown, never compared",
}
"""Judged fields whose absence says something itself, and what."""
READERS = ("number", "instant", "is_value", "is_told", "code", "texts")
DECIDED = {"accept", "pre_accept", "finish"}


@cache
def judged() -> frozenset[str]:
    """Every column the query of judging reads from a message."""
    query = sql_text("ledger/case_messages").partition("\nfrom message")[0]
    columns = {part.split()[-1] for part in query.partition("select")[2].split(",")}
    return frozenset(columns & set(SCHEMA.names)) - {"source", "kind", "department", "region", "loaded_at"}


def test_every_field_a_clock_reads_is_read_from_the_ledger() -> None:
    asked = set()
    for path in (ROOT / "etl/supervision/cards").glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in READERS:
                asked |= {node.value for node in call.args[:1] if isinstance(node, ast.Constant)}
    assert len(asked) > 10
    assert asked <= judged()


@dataclass(frozen=True)
class Judged:
    """One judged field of one message of a stream, and the reader that says it."""

    stream: str
    kind: str
    field: str
    reader: Reader

    @property
    def columns(self) -> list[str]:
        readers = self.reader.readers if isinstance(self.reader, first_of) else (self.reader,)
        return [reader.column for reader in readers if reader.column]

    @property
    def is_required(self) -> bool:
        if self.field == "outcome":
            return self.kind in DECIDED
        return self.field not in MAY_BE_EMPTY


def told(source: Source) -> list[Judged]:
    """Every judged field the source says."""
    dialect = source.dialect
    assert isinstance(dialect, Columns)
    shared: dict[str, Reader] = {
        "case_no": text(dialect.case_no, required=True), "version": dialect.version, "written_at": dialect.written,
        "received_at": dialect.received, "item_code": dialect.item_code, "item_name": dialect.item_name,
    }  # fmt: skip
    return [
        Judged(stream, to.kind, name, reader)
        for stream, tos in dialect.streams.items()
        for to in tos
        for name, reader in (shared | {"seq": to.seq, "occurred_at": to.occurred} | dict(to.fields)).items()
        if name in judged() and not isinstance(reader, constant)
    ]


REGISTERED = [sources.get(name) for name in sources.names()]
EVERY = [
    pytest.param(source, one, id=f"{source.name}-{one.stream}-{one.kind}-{one.field}")
    for source in REGISTERED
    for one in told(source)
]


def plain(reader: Any) -> str:
    """A value the reader takes."""
    match reader:
        case code():
            return next(iter(reader.values))
        case time():
            return "20261116090000" if reader.layout[0].startswith(r"^(\d{4})(\d\d)") else "2026-11-16 09:00:00"
        case first_of():
            return plain(reader.readers[0])
        case number() | whole():
            return "3"
        case undeleted():
            return plain(reader.reader)
        case listing():
            return f"一{reader.separator}二"
        case _:
            return next(iter(reader.status.values)) if hasattr(reader, "status") else "text"


def ordinary_row(source: Source, stream: str) -> dict[str, str | None]:
    """One row that says every message of the stream it can say at once."""
    dialect = source.dialect
    assert isinstance(dialect, Columns)
    row: dict[str, str | None] = {dialect.case_no: "B1"}
    readers: list[Any] = [dialect.version, dialect.written, dialect.received, dialect.item_code, dialect.item_name]
    for to in dialect.streams[stream]:
        readers += [to.seq, to.occurred, *to.fields.values()]
    for reader in readers:
        if isinstance(reader, undeleted):
            row[reader.operation] = "I"
        for part in reader.readers if isinstance(reader, first_of) else (reader,):
            if part.column:
                row.setdefault(part.column, plain(part))
    return row


def rows_of(source: Source, one: Judged) -> dict[str, str | None]:
    """The ordinary row of the stream, made to say the message of this field."""
    row = ordinary_row(source, one.stream)
    (to,) = (to for to in source.dialect.streams[one.stream] if to.kind == one.kind)  # type: ignore[attr-defined]
    for other in source.dialect.streams[one.stream]:  # type: ignore[attr-defined]
        if other.when is not None and other.when.value is not None:
            row[other.when.column] = to.when.value if to.when is not None else other.when.value
    if any(hasattr(each.fields.get("outcome"), "status") for each in source.dialect.streams[one.stream]):  # type: ignore[attr-defined]
        row["case_status"] = "Closed"
    return row


def said(source: Source, one: Judged, row: dict[str, str | None]) -> tuple[dict[str, Any] | None, str]:
    """(the message of this field's kind or None, the reason of the reject or '')."""
    page = {
        "row_no": pa.array([0], pa.int64()),
        **{name: pa.array([value], pa.string()) for name, value in row.items()},
    }
    messages, rejects = source.dialect.messages(source, one.stream, pa.table(page))
    found = [message for message in messages.to_pylist() if message["kind"] == one.kind]
    return (found[0] if found else None), (rejects[0][1] if rejects else "")


@pytest.mark.parametrize(("source", "one"), EVERY)
def test_a_judged_field_that_drifts_is_refused_or_says_the_same(source: Source, one: Judged) -> None:
    row = rows_of(source, one)
    before, reason = said(source, one, row)
    assert before is not None, reason
    for column in one.columns:
        absent = {name: value for name, value in row.items() if name != column}
        for drifted in (absent, absent | {column + "_new": row[column]}):
            if one.field in ("case_no", "version", "seq") or getattr(
                getattr(one.reader, "status", one.reader), "required", False
            ):
                assert said(source, one, drifted)[1] in (
                    "missing_key",
                    "missing_value",
                    "unknown_code",
                    "contradiction",
                )
            else:
                with pytest.raises(SourceContractBroken, match=f"no column {column}"):
                    said(source, one, drifted)
    empty = {name: None if name in one.columns else value for name, value in row.items()}
    message, reason = said(source, one, empty)
    if one.is_required:
        assert message is None
        is_a_key = one.columns[0] in _conditions(source, one)
        assert reason or is_a_key
    else:
        assert message is None or message[one.field] is None
    if isinstance(one.reader, text):
        return  # any text is text; expectations and the renderers look at it
    if isinstance(one.reader, listing):
        return
    strange = ("七", "[]", '{"a":1}', "true", "1e3", "NaN", "-", "2026年11月16日", "1763344800000", "unheard-of")
    pages = [{name: value if name in one.columns else v for name, v in row.items()} for value in strange]
    columns = {name: pa.array([page[name] for page in pages], pa.string()) for name in row}
    rows = pa.table({"row_no": pa.array(range(len(strange)), pa.int64()), **columns})
    messages, rejects = source.dialect.messages(source, one.stream, rows)
    assert one.kind not in messages["kind"].to_pylist() or one.columns[0] in _conditions(source, one)
    assert {reason for _, reason, _ in rejects} <= {"bad_number", "bad_time", "unknown_code", "contradiction"}
    assert [row_no for row_no, _, _ in rejects] == list(range(len(strange)))


def _conditions(source: Source, one: Judged) -> set[str]:
    return {to.when.column for to in source.dialect.streams[one.stream] if to.when is not None}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "source", [each for each in REGISTERED if isinstance(each.kind, FileDrop)], ids=lambda source: source.name
)
def test_a_file_whose_heading_drifts_in_any_judged_column_is_refused(source: Source) -> None:
    for one in told(source):
        files = source.kind.streams[one.stream]  # type: ignore[attr-defined]
        for column in one.columns:
            for header in (
                [name for name in files.header if name != column],
                [name + "_new" if name == column else name for name in files.header],
            ):
                with pytest.raises(SourceContractBroken, match=f"the header lacks {column}"):
                    source.kind.decode(source, one.stream, _file(source, files.suffix, header), {})


def _file(source: Source, suffix: str, header: list[str]) -> bytes:
    if suffix != ".xlsx":
        return (",".join(header) + "\n").encode(source.encoding)
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active.append(header)
    book.save(out)
    return out.getvalue()


@pytest.mark.database
@pytest.mark.parametrize(
    "source", [each for each in REGISTERED if isinstance(each.kind, Table)], ids=lambda source: source.name
)
def test_a_table_that_drifts_in_any_judged_column_is_refused(source: Source, database_url: str) -> None:
    from tests.runs.world import Exchange

    exchange, window = Exchange.at(database_url), Window(NIGHT, None, cutoff_at(NIGHT))
    for stream in {one.stream for one in told(source)}:
        spec = source.kind.tables[stream]  # type: ignore[attr-defined]
        alone = replace(source.kind, tables={stream: spec})  # type: ignore[type-var]
        for column in {column for one in told(source) if one.stream == stream for column in one.columns}:
            with exchange.engine.begin() as connection:
                connection.execute(sa.text(f"alter table {spec.table} rename column {column} to {column}_new"))
            with pytest.raises(SourceContractBroken, match=f"{spec.table} lacks column {column}; .*{column}_new"):
                list(alone.pull(source, database_url, window))
            with exchange.engine.begin() as connection:
                connection.execute(sa.text(f"alter table {spec.table} rename column {column}_new to {column}"))
    exchange.engine.dispose()


def test_what_may_be_empty_is_judged_at_all() -> None:
    assert MAY_BE_EMPTY.keys() <= judged()
