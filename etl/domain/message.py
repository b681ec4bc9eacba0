"""Canonical messages: one flat, typed Arrow table everywhere.

A message is identified by (source, case_no, kind, seq) and versioned by `version`. Payload fields are columns here
and one JSON object in files and in the ledger; a kind's payload holds only the keys listed in `PAYLOAD`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.night import NEVER, ZONE, Instants
from etl.errors import RecordRejected

INSTANT = pa.timestamp("us", tz="UTC")
KEY = ("source", "case_no", "kind", "seq", "version")
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=ZONE).astimezone(UTC)
"""Between them an instant has a date in UTC and in China."""
TIMES = ("occurred_at", "written_at", "received_at", "loaded_at")
SUBJECT = ("department", "region", "item_code", "item_name")

PAYLOAD: dict[str, tuple[str, ...]] = {
    "apply": ("channel", "applicant"),
    "pre_accept": ("outcome", "reason"),
    "accept": (
        *("outcome", "reason", "promised_limit", "statutory_limit", "limit_unit", "promised_due_at", "case_type"),
        *("channel", "certificate_required", "joint", "stage_plan"),
    ),
    "stage": ("name", "began_at", "limit", "handler", "outcome"),
    "finish": ("outcome", "reason", "fee", "fee_basis", "certificate_no"),
    "special_start": ("special_kind", "approved_days", "approver", "reason"),
    "special_result": ("outcome",),
    "supplement_notice": ("materials",),
    "supplement_receipt": (),
    "collect": ("method",),
    "certificate": ("certificate_no",),
    "inquiry": ("inquiry_kind", "limit", "limit_unit", "level"),
    "reply": ("outcome", "satisfaction"),
}
KINDS = tuple(PAYLOAD)
REPEATING = frozenset({"stage", "special_start", "special_result", "supplement_notice", "supplement_receipt"})

CODES: dict[str, frozenset[str]] = {
    "limit_unit": frozenset({"working_day", "natural_day", "hour", "minute", "month"}),
    "case_type": frozenset({"instant", "promised"}),
    "channel": frozenset({"online", "window", "other"}),
    "special_kind": frozenset({"extension", "hearing", "inspection", "expert_review", "publicity", "other"}),
    "inquiry_kind": frozenset({"consultation", "complaint"}),
    "level": frozenset({"office", "county", "city", "province"}),
}
OUTCOMES: dict[str, frozenset[str]] = {
    "pre_accept": frozenset({"passed", "refused", "supplement"}),
    "accept": frozenset({"passed", "refused", "supplement"}),
    "finish": frozenset({"granted", "refused", "returned", "voided", "withdrawn", "transferred", "other"}),
}

_TYPES: dict[str, pa.DataType] = {
    **dict.fromkeys(("promised_limit", "statutory_limit", "limit", "fee", "approved_days"), pa.float64()),
    **dict.fromkeys(("promised_due_at", "began_at"), INSTANT),
    **dict.fromkeys(("certificate_required", "joint"), pa.bool_()),
    **dict.fromkeys(("stage_plan", "materials"), pa.list_(pa.string())),
}
PAYLOAD_COLUMNS = tuple(dict.fromkeys(name for names in PAYLOAD.values() for name in names))

SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("case_no", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("seq", pa.int32(), nullable=False),
        pa.field("version", pa.int32(), nullable=False),
        pa.field("occurred_at", INSTANT, nullable=False),
        *(pa.field(name, INSTANT) for name in TIMES[1:]),
        *(pa.field(name, pa.string()) for name in SUBJECT),
        *(pa.field(name, _TYPES.get(name, pa.string())) for name in PAYLOAD_COLUMNS),
    ]
)
"""Every table of canonical messages has these columns in this order (others may follow, e.g. `known_at`)."""
_JUDGED = (
    *("outcome", "promised_limit", "statutory_limit", "limit_unit", "promised_due_at", "case_type", "channel"),
    *("certificate_required", "joint", "began_at", "limit", "inquiry_kind", "special_kind", "approved_days"),
    "approver",
)
JUDGED = pa.schema(
    [
        *(SCHEMA.field(name) for name in (*KEY, *TIMES, *SUBJECT, *_JUDGED)),
        pa.field("known_at", INSTANT, nullable=False),
    ]
)
"""What judging looks at of a message."""


def instants_of(column: pa.ChunkedArray) -> Instants:
    """A column of instants in microseconds; NEVER where null."""
    instants: Instants = pc.fill_null(column.cast(INSTANT).cast(pa.int64()), NEVER).to_numpy()
    return instants


def key_text(source: str, case_no: str, kind: str, seq: int, version: int) -> str:
    """The message key as evidence lists print it."""
    return f"{source}/{case_no}/{kind}/{seq}/v{version}"


def key_column(messages: pa.Table) -> pa.ChunkedArray:
    """Every message's key as `key_text` prints it."""
    source, case_no, kind, seq, version = (messages[name].cast(pa.string()) for name in KEY)
    return pc.binary_join_element_wise(source, case_no, kind, seq, pc.binary_join_element_wise("v", version, ""), "/")


def parse_instant(text: object, field: str) -> datetime:
    """RFC 3339 text with an offset -> aware instant; `RecordRejected` otherwise."""
    if not isinstance(text, str):
        raise RecordRejected("bad_time", f"{field} is {type(text).__name__}, not RFC 3339 text")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise RecordRejected("bad_time", f"{field} is not RFC 3339: {text[:40]!r}") from None
    if instant.tzinfo is None:
        raise RecordRejected("time_without_zone", f"{field} {text!r} has no offset; add one such as +08:00")
    if not EARLIEST <= instant <= LATEST:
        raise RecordRejected("bad_time", f"{field} {text!r} lies outside the years 1 to 9999 here or in UTC")
    return instant.astimezone(UTC)


def parse(record: object) -> dict[str, Any]:
    """One contract object -> one flat row of `SCHEMA`.

    Raises:
        RecordRejected: a field is missing, of another type, or holds a value outside the contract.
    """
    if not isinstance(record, dict):
        raise RecordRejected("not_an_object", f"a message is a JSON object, not {str(record)[:80]}")
    row: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    for name in ("source", "case_no", "kind"):
        row[name] = _text(record.get(name), name, required=True)
    kind = row["kind"]
    if kind not in PAYLOAD:
        raise RecordRejected("unknown_kind", f"kind {kind!r}; known: {', '.join(KINDS)}")
    row["seq"] = _integer(record.get("seq", 0), "seq", least=0)
    row["version"] = _integer(record.get("version", 1), "version", least=1)
    row["occurred_at"] = parse_instant(record.get("occurred_at"), "occurred_at")
    for name in TIMES[1:]:
        if record.get(name) is not None:
            row[name] = parse_instant(record[name], name)
    for name in SUBJECT:
        row[name] = _text(record.get(name), name)
    payload = record.get("payload") or {}
    if not isinstance(payload, dict):
        raise RecordRejected("bad_payload", "payload is not an object")
    for name, value in payload.items():
        if name not in PAYLOAD[kind]:
            raise RecordRejected("unknown_field", f"payload of {kind} has no {name!r}")
        if value is not None:
            row[name] = _payload_value(kind, name, value)
    return row


def distinct(rows: Iterable[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any] | RecordRejected]]:
    """(position, row) of each version as it first reached us, earliest first; told again with other content it comes
    as its rejection, wherever in `rows` it stands.

    When a record reached us is not content: the same version received twice is the same telling.
    """
    told: dict[tuple[Any, ...], dict[str, Any]] = {}
    for position, row in sorted(enumerate(rows), key=lambda pair: _arrived_at(pair[1])):
        key = tuple(row[name] for name in KEY)
        content = {name: value for name, value in row.items() if name not in ("received_at", "loaded_at")}
        if key not in told:
            told[key] = content
            yield position, row
        elif told[key] != content:
            yield position, RecordRejected("version_conflict", f"{key_text(*key)} was told before with other content")


def _arrived_at(row: dict[str, Any]) -> datetime:
    arrived: datetime = row["loaded_at"] or row["received_at"] or row["written_at"] or row["occurred_at"]
    return arrived


def table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Flat rows (`parse`) -> Arrow table of `SCHEMA`."""
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


def whole_cases(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.Table]:
    """Messages in order of their cases -> the same in tables of whole cases, of about `size` messages each."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) < size:
            continue
        told = pa.Table.from_batches(held)
        complete = pc.index(told["case_no"], told["case_no"][-1]).as_py()  # the last case may go on
        if complete:
            yield told.slice(0, complete)
        held = told.slice(complete).to_batches()
    if held:
        yield pa.Table.from_batches(held)


def payload_json(kinds: Sequence[str], columns: dict[str, Sequence[Any]]) -> list[str]:
    """Payload columns -> canonical JSON text per row: sorted keys, nulls left out, instants in UTC."""
    out = []
    for index, kind in enumerate(kinds):
        payload = {name: columns[name][index] for name in PAYLOAD[kind] if columns[name][index] is not None}
        out.append(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z).decode())
    return out


def content_hashes(messages: pa.Table, payloads: Iterable[str]) -> list[str]:
    """SHA-256 per row over what the message says: everything but its reception and our knowledge of it."""
    said = [
        *(messages[name] for name in KEY),
        *(_instant_texts(messages[name]) for name in ("occurred_at", "written_at")),
    ]
    columns = [column.to_pylist() for column in (*said, *(messages[name] for name in SUBJECT))]
    return [
        hashlib.sha256(orjson.dumps([*row, payload])).hexdigest()
        for *row, payload in zip(*columns, payloads, strict=True)
    ]


def _instant_texts(instants: pa.ChunkedArray) -> pa.ChunkedArray:
    """Instants as `payload_json` writes them, in UTC and without an empty fraction, at a tenth of its cost."""
    seconds = instants.cast(pa.timestamp("s", tz="UTC"), safe=False)
    is_whole = pc.equal(seconds.cast(INSTANT), instants)
    layout = "%Y-%m-%dT%H:%M:%SZ"
    if pc.all(is_whole).as_py():
        return pc.strftime(seconds, layout)
    return pc.if_else(is_whole, pc.strftime(seconds, layout), pc.strftime(instants, layout))


def _payload_value(kind: str, name: str, value: Any) -> Any:
    type_ = _TYPES.get(name, pa.string())
    if type_ == INSTANT:
        return parse_instant(value, name)
    if type_ == pa.float64():
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e9:
            raise RecordRejected("bad_number", f"{name} is {value!r}, not a number")
        return float(value)
    if type_ == pa.bool_():
        if not isinstance(value, bool):
            raise RecordRejected("bad_flag", f"{name} is {value!r}, not true or false")
        return value
    if pa.types.is_list(type_):
        if not isinstance(value, list):
            raise RecordRejected("bad_list", f"{name} is not a list of text")
        return [_text(entry, name, required=True) for entry in value]
    text = _text(value, name)
    known = OUTCOMES.get(kind) if name == "outcome" else CODES.get(name)
    if known is not None and text not in known:
        raise RecordRejected("unknown_code", f"{name} {text!r} of {kind}; known: {', '.join(sorted(known))}")
    return text


def _text(value: object, name: str, *, required: bool = False) -> str | None:
    if value is None and not required:
        return None
    if not isinstance(value, str) or (required and not value):
        raise RecordRejected("bad_text", f"{name} is {value!r}, not text")
    if not value.isprintable() and any(character in value for character in "\x00"):
        raise RecordRejected("poison_character", f"{name} holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RecordRejected("poison_character", f"{name} holds a lone surrogate") from None
    return value


def _integer(value: object, name: str, *, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**31:
        raise RecordRejected("bad_number", f"{name} is {value!r}, not a whole number of at least {least}")
    return value
