"""What a sample of a source would become: its columns, its messages, its rejects, its differences. Nothing is written.

The same functions read it as in a night; only where the bytes come from and where the messages go is missing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl import sources
from etl.domain.message import SCHEMA, distinct
from etl.domain.night import cutoff_at, night_of
from etl.errors import RecordRejected, SourceError, UsageError
from etl.runs import admission
from etl.settings import settings
from etl.sources import drift
from etl.sources.contract import Page, Source
from etl.sources.kinds import FileDrop
from etl.sources.values import Rows, columns_of, constant, excerpt
from etl.store.landing import LandedPage

Report = dict[str, Any]


def check(name: str, sample: Path | None, rows: int, now: datetime) -> Report:
    """Look at a file, or at up to `rows` recent rows of every stream behind the source's connection.

    Returns:
        name, kind, and per stream: rows, accepted, quarantined (reason, rows, example), warnings, columns, unread,
        changes, and `refused`: why the night would take nothing of it.

    Raises:
        UsageError: an unknown source, a file of no stream, a source without connection.
    """
    source = sources.get(name)
    pages = _from_file(source, sample) if sample else _from_connection(source, settings().connection(name), rows, now)
    streams = [_stream(source, stream, page, now) for stream, page in pages]
    return {"source": name, "kind": type(source.kind).__name__, "streams": streams}


def as_text(report: Report) -> str:
    """The report for people."""
    return "\n".join(line for stream in report["streams"] for line in _lines(report["source"], stream))


def _from_file(source: Source, sample: Path) -> Iterator[tuple[str, Page | SourceError | None]]:
    files = source.kind.streams if isinstance(source.kind, FileDrop) else {}
    named = [stream for stream in _streams(source) if stream == sample.stem]
    named += [stream for stream in _streams(source) if stream in files and files[stream].match(sample.name)]
    if not named:
        raise UsageError(f"{sample.name} is of no stream of {source.name}: {', '.join(_streams(source))}")
    try:
        yield named[0], Page(named[0], 1, sample.read_bytes(), "", {})
    except OSError as error:
        raise UsageError(f"{sample}: {error.strerror}") from None


def _from_connection(
    source: Source, connection: str, rows: int, now: datetime
) -> Iterator[tuple[str, Page | SourceError | None]]:
    for stream in _streams(source):
        try:
            yield stream, source.kind.peek(source, connection, stream, now, rows)
        except SourceError as error:
            yield stream, error


def _streams(source: Source) -> list[str]:
    return list(source.dialect.streams)


def _stream(source: Source, stream: str, page: Page | SourceError | None, now: datetime) -> Report:
    report: Report = {
        "stream": stream, "rows": 0, "accepted": 0, "quarantined": [], "warnings": [], "columns": [], "unread": [],
        "changes": [], "refused": None,
    }  # fmt: skip
    if not isinstance(page, Page):
        return report | {"refused": str(page) if page else None}
    try:
        found = source.kind.look(source, stream, page.content, page.meta)
    except SourceError as error:
        return report | {"refused": str(error)}
    report["rows"] = found.rows.num_rows + len(found.rejects)
    report["columns"], rejects = _columns(source, stream, found.rows)
    changes = drift.changes(source, stream, found.rows, rejects)
    report["changes"] = [{"what": c.what, "column": c.column, "value": c.value, "title": c.title} for c in changes]
    read = {column.casefold() for entry in report["columns"] for column in entry["from"]}
    report["unread"] = [name for name in found.rows.column_names if name.casefold() not in read | {"row_no"}]
    try:
        return report | _admitted(source, stream, page, now)
    except SourceError as error:
        return report | {"refused": str(error)}


def _admitted(source: Source, stream: str, page: Page, now: datetime) -> Report:
    """What admission would say of the page: it is read, checked and compared, and then let go."""
    digest = hashlib.sha256(page.content).hexdigest()
    night = night_of(now)
    landed = LandedPage(0, source.name, night, stream, 1, digest, "", page.meta, "night", None)
    read = admission.read_page(source, landed, page.content)
    findings, (doubts,) = admission.check_rows([read], cutoff_at(night, settings().cutoff))
    refusals = {refusal.row_no: (refusal.reason, refusal.detail) for refusal in reversed([*read.refusals, *doubts])}
    rows = [row for row in read.messages.to_pylist() if row["row_no"] not in refusals]
    for at, told in distinct([{name: row[name] for name in SCHEMA.names} for row in rows]):
        if isinstance(told, RecordRejected):
            refusals[rows[at]["row_no"]] = (told.reason, "同一记录同一版本，内容不同")
    counts, examples = Counter(reason for reason, _ in refusals.values()), dict(reversed(refusals.values()))
    result: Report = {
        "accepted": len(read.row_sha256s) - len(refusals),
        "quarantined": [
            {"reason": reason, "rows": count, "example": examples[reason]} for reason, count in counts.most_common()
        ],
        "warnings": [
            {"title": found.title, "rows": found.failed_rows}
            for found in findings.results
            if found.severity == "warning" and found.failed_rows
        ],
    }
    critical = "；".join(f"{found.title}（{found.failed_rows}）" for found in findings.critical)
    try:
        admission.refuse_drift(source, [read], [doubts])
    except SourceError as error:
        critical = critical or str(error)
    return result | {"refused": critical or None} | ({"accepted": 0} if critical else {})


def _columns(source: Source, stream: str, rows: pa.Table) -> tuple[list[Report], list[drift.Reject]]:
    """(each mapped field with what its columns hold, the values its reader would refuse)."""
    there = {name.casefold(): name for name in rows.column_names}
    entries, rejects = list[Report](), list[drift.Reject]()
    for kind, field, reader in source.dialect.mapping(stream):
        if isinstance(reader, constant):
            entries.append({"from": [], "to": f"{kind}.{field}", "as": f"constant {reader.value}", "filled": 0})
            continue
        columns = list(dict.fromkeys(columns_of(reader)))
        entry: Report = {"from": columns, "to": f"{kind}.{field}", "as": type(reader).__name__, "filled": 0}
        entries.append(entry)
        if any(column.casefold() not in there for column in columns):
            continue
        values = rows[there[columns[0].casefold()]].drop_null().to_pylist()
        values = [value for value in values if value.strip()]
        entry["filled"] = len(values)
        if values:
            entry["example"] = excerpt(values[0]) if isinstance(reader, drift.TYPED) else drift.shape(values[0])
        if isinstance(reader, drift.TYPED):
            rejects += _refused(source, reader, rows)
    return entries, list(dict.fromkeys(rejects))


def _refused(source: Source, reader: Any, rows: pa.Table) -> Iterator[drift.Reject]:
    page = Rows(rows, source.timezone)
    reader.read(page)
    for fault in page.faults:
        bad = rows.filter(fault.where)
        for row_no, value in zip(
            bad["row_no"].to_pylist(), page.text(fault.column).filter(fault.where).to_pylist(), strict=True
        ):
            yield row_no, fault.reason, f"{fault.column} is {excerpt(value)}"


def _lines(source: str, stream: Report) -> Iterator[str]:
    head = f"{source} {stream['stream']}：样本{stream['rows']}行"
    if stream["refused"]:
        yield f"{head}，整批将不予接收：{stream['refused']}"
    elif not stream["rows"]:
        yield f"{head}，没有可看的数据"
    else:
        yield f"{head}，可入库{stream['accepted']}行，将隔离{sum(one['rows'] for one in stream['quarantined'])}行"
    for entry in stream["columns"]:
        example = f"，如 {entry['example']}" if "example" in entry else ""
        yield f"  {'、'.join(entry['from']) or '—'} → {entry['to']}（{entry['as']}）：有值{entry['filled']}{example}"
    if stream["unread"]:
        yield f"  未读取：{'、'.join(stream['unread'])}"
    for change in stream["changes"]:
        yield f"  变化：{change['title']}"
    for one in stream["quarantined"]:
        yield f"  隔离：{one['reason']} {one['rows']}行，如 {one['example']}"
    for one in stream["warnings"]:
        yield f"  提示：{one['title']} {one['rows']}条"
