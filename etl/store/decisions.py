"""What people decide about cards: links of the evidence chain beside what the nights judge, never read by the judge.

Which decision is open to a card is ruled by the database (``sql/views/10_card.sql``, ``15_decision.sql``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from etl.domain.night import closing_night
from etl.errors import UsageError
from etl.store import evidence
from etl.store.statements import sql

IDENTITY = ("source", "case_no", "clock", "clock_key", "level")
TOLD = ("uphold", "revoke", "escalate")
"""Decisions the department is told by a mail of their own; a card issued by hand is told by its digest."""

Card = Mapping[str, Any]
"""One row of ``decisions/cards``."""


def cards(
    connection: Connection,
    *,
    case_no: str | None = None,
    state: str | None = None,
    level: str | None = None,
    department: str | None = None,
    nature: str | None = None,
) -> list[dict[str, Any]]:
    """Cards as they stand now, with their `state` and the decisions `open_to` them; red first."""
    asked = {"case_no": case_no, "state": state, "level": level, "department": department, "nature": nature}
    return [dict(row) for row in connection.execute(sql("decisions/cards"), asked).mappings()]


def name(card: Card) -> str:
    """What a card is called among those of its case: ``case/red``, ``stage/3/yellow``."""
    return "/".join(part for part in (card["clock"], card["clock_key"], card["level"]) if part)


def is_called(card: Card, called: str) -> bool:
    """Whether a person means this card: by its name, or by its source before it."""
    return called in (name(card), f"{card['source']}/{name(card)}")


def card_of(connection: Connection, case_no: str, called: str | None, decision: str) -> dict[str, Any]:
    """The card of a case a person means; without `called` the only one that `decision` is open to.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = cards(connection, case_no=case_no)
    if not found:
        raise UsageError(f"case {case_no!r} has no card; `jiancha card list` shows those that have")
    listed = "; ".join(f"{card['source']}/{name(card)} is {card['state']}" for card in found)
    if called is not None:
        meant = [card for card in found if is_called(card, called)]
        what = f"no card {called!r}" if not meant else f"a card {called!r} of several sources"
    else:
        able = [card for card in found if decision in card["open_to"]]
        meant = able or found
        what = f"{len(able)} cards open to {decision}"
    if len(meant) != 1:
        raise UsageError(f"case {case_no!r} has {what}; name one of: {listed}")
    return meant[0]


def decide(
    engine: Engine,
    case_no: str,
    called: str | None,
    decision: str,
    *,
    actor: str,
    reason: str,
    decided_at: datetime,
    evidence_keys: Sequence[str],
    cutoff: time,
) -> dict[str, Any]:
    """Append one decision and what is to be told of it -> the card as it then stands, with the `seq` of its link.

    Args:
        decided_at: when it was decided; it belongs to the night that closes next after it.

    Raises:
        UsageError: the card is not to be found, the decision is not open to it, or nobody or nothing is named.
    """
    for what, text in (("actor", actor), ("reason", reason)):
        if not text.strip():
            raise UsageError(f"{decision} of case {case_no!r}: no {what} is given; a decision names who and why")
    with engine.begin() as connection:
        connection.execute(sql("cards/lock_chain"))
        card = card_of(connection, case_no, called, decision)
        link = {part: card[part] for part in IDENTITY} | {
            "decision": decision,
            "business_on": closing_night(decided_at, cutoff),
            "decided_at": decided_at,
            "actor": actor.strip(),
            "reason": reason.strip(),
            "evidence": list(evidence_keys),
        }
        try:
            (seq,) = evidence.append(connection, [link], "decisions/append")
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in ("23514", "23505"):
                raise
            raise UsageError(str(error.orig).splitlines()[0]) from None
        if decision in TOLD:
            key = "/".join((*(str(card[part]) for part in IDENTITY), decision, decided_at.astimezone(UTC).isoformat()))
            connection.execute(sql("decisions/insert_item"), {"item_key": f"E/{key}", "seq": seq})
        (after,) = [
            row for row in cards(connection, case_no=case_no) if all(row[part] == card[part] for part in IDENTITY)
        ]
        return after | {"seq": seq}


def history(connection: Connection, card: Card) -> list[dict[str, Any]]:
    """Everything that happened to one card, judged and decided, in the order of the chain."""
    asked = {part: card[part] for part in IDENTITY}
    return [dict(row) for row in connection.execute(sql("decisions/history"), asked).mappings()]
