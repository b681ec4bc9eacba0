"""The outbox: items to tell, notices that claim them, and the states a mail goes through.

States: ready -> dot -> sent | refused | ready again; a crash while in ``dot`` ends in ``held``, for a person to settle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, Engine

from etl.errors import Overtaken
from etl.store.statements import sql

Row = Mapping[str, Any]
"""One row of a query, by column name."""
State = Literal["ready", "dot", "sent", "held", "refused"]
_CLAIM_LOCK = 0x6A6E6301
_SENDER_LOCK = 0x6A6E6302


@dataclass(frozen=True)
class Notice:
    """One frozen mail to one recipient (an e-mail address, and whose) and the keys of the items it tells."""

    notice_key: str
    mail_kind: str
    business_on: date
    department: str | None
    recipient: str
    recipient_id: str
    subject: str
    message_id: str
    content: bytes
    content_sha256: str
    head_hash: str
    state: State
    detail: str
    item_keys: tuple[str, ...]


def rows(connection: Connection, name: str, **parameters: Any) -> list[Row]:
    """Every row of query ``publish/<name>``."""
    return [dict(found) for found in connection.execute(sql(f"publish/{name}"), parameters).mappings()]


def row(connection: Connection, name: str, **parameters: Any) -> Row:
    """The one row of query ``publish/<name>``."""
    return dict(connection.execute(sql(f"publish/{name}"), parameters).mappings().one())


def wait_for_claimers(connection: Connection) -> None:
    """Let a claim that is under way finish first. Only saves work: who told an item first is in its key."""
    connection.exec_driver_sql(f"select pg_advisory_xact_lock({_CLAIM_LOCK})")


def ordinals(connection: Connection, stems: Sequence[str]) -> Mapping[str, int]:
    """Notices already composed per key stem."""
    return {found["stem"]: found["composed"] for found in rows(connection, "notice_ordinals", stems=list(stems))}


def put(connection: Connection, notice: Notice) -> None:
    """Write a notice and its claims; `IntegrityError` when another run was faster."""
    connection.execute(sql("publish/notice_insert"), vars(notice))
    connection.execute(sql("publish/claim_insert"), vars(notice) | {"item_keys": list(notice.item_keys)})


@contextmanager
def only_sender(engine: Engine) -> Iterator[None]:
    """Wait until no other process sends; the server frees the place when this process dies."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"select pg_advisory_lock({_SENDER_LOCK})")
        try:
            yield
        finally:
            connection.exec_driver_sql(f"select pg_advisory_unlock({_SENDER_LOCK})")


def hold_interrupted(engine: Engine) -> list[str]:
    """Turn every ``dot`` left by a dead sender into ``held``; call only as the one sender."""
    with engine.begin() as connection:
        return [found["notice_key"] for found in rows(connection, "dots_to_held")]


def ready(engine: Engine, only: str | None = None) -> list[str]:
    """Keys of the notices to send, oldest night first; of one kind, if one is named."""
    with engine.connect() as connection:
        return [found["notice_key"] for found in rows(connection, "notices_ready", only=only)]


def content(engine: Engine, notice_key: str) -> Row:
    """notice_key, business_on, recipient and content (RFC 5322 bytes) of one ready notice; `Overtaken` if it is not."""
    with engine.connect() as connection:
        found = rows(connection, "notice_content", notice_key=notice_key)
    if not found:
        raise _overtaken(notice_key, "ready")
    return found[0]


def move(engine: Engine, notice_key: str, was: State, state: State, *, detail: str = "", attempts: int = 0) -> None:
    """Commit one change of state; `Overtaken` when the notice is not in state `was`."""
    with engine.begin() as connection:
        changed = connection.execute(
            sql("publish/notice_state"),
            {"notice_key": notice_key, "was": was, "state": state, "detail": detail, "attempts": attempts},
        ).rowcount
        if changed != 1:
            raise _overtaken(notice_key, was)


def _overtaken(notice_key: str, was: State) -> Overtaken:
    return Overtaken(f"mail {notice_key} is no longer {was}: another sender is at work; run the same command again")


def in_doubt(connection: Connection) -> list[Row]:
    """Notices in state dot, held or refused: a person has to look at them."""
    return rows(connection, "notices_in_doubt")
