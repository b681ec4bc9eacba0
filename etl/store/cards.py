"""Card events and notice items of one night, written in one transaction and only where something changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, Engine

from etl.crashpoints import reach
from etl.store import evidence
from etl.store.statements import sql

_KEY = ("source", "case_no", "clock", "clock_key", "level", "event")
_APART = frozenset({"seq", "prev_hash", "hash", "appended_at", "revision", "voids_seq", "is_told"})
"""Not what an event says: its place in the chain, and whether anybody hears of it."""


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
    changed. Notice items are created with their events that are told; those of `muted` sources have none.
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
        appended = _times_appended(connection, business_on)
        fresh = [event for key, event in wanted.items() if key not in standing]
        new = [{**_content(event), "voids_seq": None, "revision": appended.get(_key(event), 0)} for event in fresh]
        seqs = evidence.append(connection, [*voids, *new])
        replaced = {_key(event) for event in new}
        told = [
            *((event, seq) for event, seq in zip(gone, seqs, strict=False) if _key(event) not in replaced),
            *((event, seq) for event, seq in zip(fresh, seqs[len(voids) :], strict=True) if event["is_told"]),
        ]
        telling = [seq for event, seq in told if event["source"] not in muted]
        connection.execute(sql("cards/insert_card_items"), {"seqs": telling})
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
    insert_items(connection, mail_kind, [(item_key, business_on, department, payload)], is_muted=is_muted)


def insert_items(
    connection: Connection, mail_kind: str, items: Iterable[tuple[str, date, str | None, Mapping[str, Any]]], *,
    is_muted: bool,
) -> None:  # fmt: skip
    """Business events to tell that are not cards: (item_key, business_on, department, payload) each."""
    rows = [
        {
            "item_key": item_key, "mail_kind": mail_kind, "business_on": business_on, "department": department,
            "card_event_seq": None, "payload": orjson.dumps(dict(payload)).decode(), "is_muted": is_muted,
        }
        for item_key, business_on, department, payload in items
    ]  # fmt: skip
    if rows:
        connection.execute(sql("cards/insert_item"), rows)


def _times_appended(connection: Connection, business_on: date) -> dict[tuple[Any, ...], int]:
    rows = connection.execute(sql("cards/night_revisions"), {"business_on": business_on})
    return {tuple(key): times for *key, times in rows}


def _key(event: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(event[name] for name in _KEY)


def _content(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in _APART}


def _content_key(event: Mapping[str, Any]) -> tuple[Any, ...]:
    content = sorted(_content(event).items())
    return tuple(tuple(value) if isinstance(value, list) else value for _, value in content)
