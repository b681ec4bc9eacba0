"""Card events and notice items of one night, written in one transaction and only where something changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, Engine

from etl.crashpoints import reach
from etl.store import evidence
from etl.store.statements import sql

_KEY = ("source", "case_no", "clock", "clock_key", "level", "event")
_CHAIN = frozenset({"seq", "prev_hash", "hash", "appended_at", "revision", "voids_seq"})


@contextmanager
def only_judge(engine: Engine) -> Iterator[None]:
    """One run judges at a time: the last of several sees what all of them admitted."""
    with engine.connect() as connection:
        connection.execute(sql("cards/lock_judging"))
        yield
        connection.rollback()  # which ends the transaction the lock lasts for


def record_night(
    engine: Engine,
    business_on: date,
    sources: Sequence[str],
    events: Sequence[Mapping[str, Any]],
    *,
    fingerprint: str,
    cases: int,
    muted: Collection[str],
) -> dict[str, int]:
    """Make night `business_on` say exactly `events`; a repeated night appends nothing.

    Events no longer true (the night was judged before something reached it) are voided by a later event, never
    changed. Notice items are created with their events; those of `muted` sources have none.
    """
    reach("judge.before_append")
    with engine.begin() as connection:
        connection.execute(sql("cards/lock_chain"))
        stored = connection.execute(
            sql("cards/night_events"), {"business_on": business_on, "sources": list(sources)}
        ).mappings()
        standing = {_content_key(event): event for event in map(dict, stored)}
        wanted = {_content_key(event): event for event in events}
        gone = [event for key, event in standing.items() if key not in wanted]
        voids = [
            {**_content(event), "event": "void", "voids_seq": event["seq"], "revision": event["seq"]} for event in gone
        ]
        new = [
            {**event, "voids_seq": None, "revision": _revision(connection, event)}
            for key, event in wanted.items()
            if key not in standing
        ]
        seqs = evidence.append(connection, [*voids, *new])
        replaced = {_business_key(event) for event in new}
        taken_back = [
            (event, seq) for event, seq in zip(gone, seqs, strict=False) if _business_key(event) not in replaced
        ]
        told = [(event, seq) for event, seq in zip(new, seqs[len(voids) :], strict=True) if _is_told(event)]
        for name, rows in (("cards/insert_void_item", taken_back), ("cards/insert_card_item", told)):
            if items := [_item(event, seq) for event, seq in rows if event["source"] not in muted]:
                connection.execute(sql(name), items)
        connection.execute(
            sql("cards/set_night"),
            {"business_on": business_on, "fingerprint": fingerprint, "cases": cases},
        )
        reach("judge.before_commit")
    reach("judge.after_commit")
    return {"issued": sum(event["event"] == "issued" for event in new), "events": len(new), "voided": len(voids)}


def insert_item(
    connection: Connection, item_key: str, mail_kind: str, business_on: date, department: str | None,
    payload: Mapping[str, Any], *, is_muted: bool,
) -> None:  # fmt: skip
    """One business event to tell that is not a card; the same key is told once."""
    connection.execute(
        sql("cards/insert_item"),
        {
            "item_key": item_key, "mail_kind": mail_kind, "business_on": business_on, "department": department,
            "card_event_seq": None, "payload": orjson.dumps(dict(payload)).decode(), "is_muted": is_muted,
        },
    )  # fmt: skip


def _revision(connection: Connection, event: Mapping[str, Any]) -> int:
    return int(
        connection.execute(sql("cards/next_revision"), {**{k: event[k] for k in (*_KEY, "business_on")}}).scalar_one()
    )


def _is_told(event: Mapping[str, Any]) -> bool:
    """A reminder whose clock has stopped tells nobody anything."""
    is_stopped = any("/finish/" in key for key in event["evidence"])
    return not event["is_baseline"] and not (event["level"] == "reminder" and is_stopped)


def _item(event: Mapping[str, Any], seq: int) -> dict[str, Any]:
    return {
        "business_key": _business_key(event), "revision": str(event["revision"]), "business_on": event["business_on"],
        "department": event["department"], "seq": seq,
    }  # fmt: skip


def _business_key(event: Mapping[str, Any]) -> str:
    return "A/" + "/".join(str(event[name]) for name in (*_KEY, "business_on")) + "/"


def _content(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in _CHAIN}


def _content_key(event: Mapping[str, Any]) -> str:
    return evidence.event_hash("", _content(event))
