"""The evidence chain over card events and decisions: every hash covers its link's content and the hash before it."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Connection

from etl.errors import EvidenceBroken
from etl.store.statements import sql

GENESIS = "0" * 64
_ROWS = 10_000
"""Links a statement appends."""
UNHASHED = frozenset({"seq", "prev_hash", "hash", "appended_at"})
ADVICE = "stop publishing and compare with the head hashes printed in earlier mails and bulletins"


def append(
    connection: Connection, links: Iterable[Mapping[str, Any]], statement: str = "cards/append_events"
) -> list[int]:
    """Append card events (or, by their statement, decisions) in the given order -> their seq numbers.

    Takes the transaction's chain lock.
    """
    connection.execute(sql("cards/lock_chain"))
    last = connection.execute(sql("cards/chain_head")).one_or_none()
    seq, head = (last.seq, last.hash) if last else (0, GENESIS)
    seqs, waiting = [], iter(links)
    while some := list(islice(waiting, _ROWS)):
        rows = []
        for link in some:
            seq += 1
            digest = event_hash(head, link)
            rows.append({**link, "seq": seq, "prev_hash": head, "hash": digest})
            seqs.append(seq)
            head = digest
        links_json = orjson.dumps(rows, default=str).decode()  # decimals as text
        connection.execute(sql(statement), {"links": links_json})
    return seqs


def verify(connection: Connection, printed: Sequence[str] = ()) -> str:
    """Walk the whole chain -> its head hash; `EvidenceBroken` names the first link that does not fit.

    Args:
        printed: head hashes read off mails or bulletins; each must still be a hash of the chain. Only these find a
            chain that was cut or made anew together with every trace of it in the ledger.
    """
    head, expected, unseen = GENESIS, 1, set(printed) - {GENESIS}
    for name, link in _links(connection):
        if link["seq"] != expected or link["prev_hash"] != head or event_hash(head, link) != link["hash"]:
            raise EvidenceBroken(
                f"{name} {link['seq']} does not continue the evidence chain after {head[:12]}; {ADVICE}"
            )
        head, expected = link["hash"], expected + 1
        unseen.discard(head)
    witness = connection.execute(sql("cards/missing_events"), {"genesis": GENESIS}).scalar()
    if witness is not None:
        raise EvidenceBroken(f"the evidence chain, {expected - 1} long, does not hold what {witness} rests on")
    dated_back = connection.execute(sql("decisions/dated_back")).scalar()
    if dated_back is not None:
        raise EvidenceBroken(f"decision {dated_back} is dated before the decision it follows; {ADVICE}")
    if unseen:
        raise EvidenceBroken(f"the printed head {min(unseen)} is no hash of the chain: it was cut or made anew")
    return head


def event_hash(previous: str, event: Mapping[str, Any]) -> str:
    """SHA-256 over the previous hash and every content column of the link, in canonical JSON."""
    content = {name: _canonical(value) for name, value in event.items() if name not in UNHASHED}
    return hashlib.sha256(previous.encode() + orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _links(connection: Connection) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Card events and decisions in the order of the chain."""

    def read(name: str, statement: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        links = connection.execute(sql(statement), execution_options={"yield_per": 5_000}).mappings()
        return ((name, dict(link)) for link in links)

    both = (read("card event", "cards/chain"), read("decision", "decisions/chain"))
    return heapq.merge(*both, key=lambda entry: int(entry[1]["seq"]))


def _canonical(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal | float):
        return f"{value:.6f}"
    return value
