"""An invented page of a source, as its kind would receive it: values its readers take, and no person's data."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

import orjson

from etl.domain.message import PAYLOAD, SCHEMA, SUBJECT, TIMES
from etl.domain.night import ZONE
from etl.sources.contract import Source
from etl.sources.kinds import FileDrop, Files, Rest
from etl.sources.values import COMPACT, applicant, code, columns_of, listing, number, text, time, whole

Row = dict[str, str]


def page(source: Source, stream: str) -> tuple[str, bytes]:
    """(file name, content) of a page with one ordinary row, and one without a case number."""
    case_column, *_ = columns_of(source.dialect.mapping(stream)[0][2])
    row = _row(source, stream)
    rows = [row, row | {case_column: ""}]
    kind = source.kind
    if isinstance(kind, FileDrop):
        files = kind.streams[stream]
        return f"{stream}{files.suffix}", _file(files, rows, source.encoding)
    if isinstance(kind, Rest):
        body = {"total": len(rows), "rows": rows, "next": None, "data_until": "2026-11-17T01:00:00+08:00"}
        return f"{stream}.json", orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n"
    return f"{stream}.jsonl", b"".join(orjson.dumps(one) + b"\n" for one in rows)


def said(source: Source, stream: str, content: bytes) -> tuple[bytes, bytes]:
    """What the page becomes: (messages as JSON Lines of the contract, rejects as JSON)."""
    decoded = source.kind.decode(source, stream, content, {})
    messages, rejects = source.dialect.messages(source, stream, decoded.rows)
    lines = [orjson.dumps(_contract_object(row)) + b"\n" for row in messages.select(SCHEMA.names).to_pylist()]
    return b"".join(lines), orjson.dumps(sorted([*decoded.rejects, *rejects])) + b"\n"


def _contract_object(row: dict[str, Any]) -> dict[str, Any]:
    local = {name: value.astimezone(ZONE) if isinstance(value, datetime) else value for name, value in row.items()}
    head = ("source", "case_no", "kind", "seq", "version", *TIMES, *SUBJECT)
    told = {name: local[name] for name in head if local[name] is not None}
    return told | {"payload": {name: local[name] for name in PAYLOAD[row["kind"]] if local[name] is not None}}


def _row(source: Source, stream: str) -> Row:
    row = dict.fromkeys(source.kind.columns(stream), "")
    mapping = source.dialect.mapping(stream)
    # A condition says only that something is there; what it is, the reader of the same column knows.
    for reader in sorted((reader for *_, reader in mapping[1:]), key=lambda reader: isinstance(reader, text)):
        for column, value in _values(reader):
            row[column] = row.get(column) or value
    (case_column,) = columns_of(mapping[0][2])
    return row | {case_column: "20261116000001"}


def _values(reader: Any) -> Iterator[tuple[str, str]]:
    match reader:
        case code():
            yield reader.column, next(iter(reader.values))
        case time():
            yield reader.column, "20261116090000" if reader.layout == COMPACT else "2026-11-16 09:00:00"
        case number() | whole():
            yield reader.column, "1"
        case listing() | applicant():
            yield reader.column, "示例单位"
        case _:
            inner = [getattr(reader, part.name) for part in fields(reader)]
            parts = [one for value in inner for one in (value if isinstance(value, tuple) else (value,))]
            readers = [one for one in parts if hasattr(one, "read")]
            if operation := getattr(reader, "operation", ""):
                yield operation, "I"
            for one in readers:
                yield from _values(one)
            if not readers and reader.column:
                yield reader.column, "示例"


def _file(files: Files, rows: Sequence[Row], encoding: str) -> bytes:
    if files.suffix == ".xml":
        records = "".join(f" <{files.record}>\n{_elements(row)} </{files.record}>\n" for row in rows)
        return f"<{files.record}集>\n{records}</{files.record}集>\n".encode(encoding)
    table = [files.header, *([row[name] for name in files.header] for row in rows)]
    if files.suffix == ".xlsx":
        return _workbook(table)
    out = io.StringIO()
    csv.writer(out, delimiter=files.delimiter).writerows(table)
    return out.getvalue().encode(encoding)


def _elements(row: Row) -> str:
    return "".join(f"  <{name}>{escape(value)}</{name}>\n" for name, value in row.items())


def _workbook(table: Sequence[Sequence[str]]) -> bytes:
    from xlsxwriter import Workbook

    out = io.BytesIO()
    with Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, cells in enumerate(table):
            for across, cell in enumerate(cells):
                sheet.write_string(at, across, cell)
    return out.getvalue()
