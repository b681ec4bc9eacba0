"""The evidence chain over card events: every event's hash covers its content and the hash before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Connection

from etl.errors import EvidenceBroken
from etl.store.statements import sql

GENESIS = "0" * 64
_ROWS = 10_000
"""Events a statement appends."""
UNHASHED = frozenset({"seq", "prev_hash", "hash", "appended_at"})


def append(connection: Connection, events: Iterable[Mapping[str, Any]]) -> list[int]:
    """Append events in the given order under the transaction's chain lock -> their seq numbers."""
    connection.execute(sql("cards/lock_chain"))
    last = connection.execute(sql("cards/chain_head")).one_or_none()
    seq, head = (last.seq, last.hash) if last else (0, GENESIS)
    rows = []
    for event in events:
        seq += 1
        digest = event_hash(head, event)
        rows.append({**event, "seq": seq, "prev_hash": head, "hash": digest})
        head = digest
    for begin in range(0, len(rows), _ROWS):
        events_json = orjson.dumps(rows[begin : begin + _ROWS], default=str).decode()  # decimals as text
        connection.execute(sql("cards/append_events"), {"events": events_json})
    return [row["seq"] for row in rows]


def verify(connection: Connection) -> str:
    """Walk the whole chain -> its head hash; `EvidenceBroken` names the first event that does not fit."""
    head, expected = GENESIS, 1
    for event in map(dict, connection.execute(sql("cards/chain")).mappings()):
        if event["seq"] != expected or event["prev_hash"] != head or event_hash(head, event) != event["hash"]:
            raise EvidenceBroken(
                f"card event {event['seq']} does not continue the evidence chain after {head[:12]}; "
                "stop publishing and compare with the head hashes printed in earlier mails and bulletins"
            )
        head, expected = event["hash"], expected + 1
    witness = connection.execute(sql("cards/missing_events"), {"genesis": GENESIS}).scalar()
    if witness is not None:
        raise EvidenceBroken(f"the evidence chain ends at event {expected - 1}, before what {witness} rests on")
    return head


def event_hash(previous: str, event: Mapping[str, Any]) -> str:
    """SHA-256 over the previous hash and every content column of the event, in canonical JSON."""
    content = {name: _canonical(value) for name, value in event.items() if name not in UNHASHED}
    return hashlib.sha256(previous.encode() + orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | float):
        return f"{value:.6f}"
    return value
