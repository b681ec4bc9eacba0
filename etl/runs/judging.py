"""Judging for the command line: the same function as the night, over a file of messages or over the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from etl import sources
from etl.domain.message import SCHEMA, table
from etl.domain.night import cutoff_at
from etl.domain.profile import ProfileBook
from etl.errors import UsageError
from etl.runs import ways
from etl.settings import settings
from etl.store import feeds, ledger
from etl.store.calendars import packaged, stored
from etl.store.engine import engine
from etl.store.profiles import profile_book
from etl.supervision import cards as card_rules
from etl.supervision import difference, published_engine
from etl.supervision.explain import explain as explain_case
from etl.supervision.judge import contract_card, judge_table, with_known_at


def cards(
    rows: Sequence[dict[str, Any]], as_of: datetime, known_by: datetime | None, profile: str
) -> Iterable[dict[str, Any]]:
    """Contract cards of flat message rows."""
    yield from map(_shown, _judge(_known(rows), as_of, known_by or as_of, profile_book(profile)).to_pylist())


def diff(
    rows: Sequence[dict[str, Any]], as_of: datetime | None, earlier: datetime, later: datetime, profile: str
) -> Iterable[dict[str, Any]]:
    """What was issued, withdrawn or changed between two knowledge times, each with the deciding messages.

    Without `as_of` each side is judged as of its own knowledge time.
    """
    messages, rules = _known(rows), profile_book(profile)
    before, after = (_judge(messages, as_of or known, known, rules) for known in (earlier, later))
    for event in difference.changes(before, after):
        yield {"change": event["event"], **_shown(event)}


def explain(
    case_no: str,
    as_of: datetime | None,
    known_by: datetime | None,
    rows: Sequence[dict[str, Any]] | None,
    profile: str | None,
) -> dict[str, Any]:
    """One case's day-by-day ledger, from message rows or from the database."""
    doubtful: list[dict[str, Any]] = []
    if rows is not None:
        messages, rules = _known(rows), profile_book(profile or "hunan")
        if as_of is None:
            raise UsageError("give --as-of with --messages")
    else:
        if as_of is None:
            judged = feeds.fingerprints(engine())
            if not judged:
                raise UsageError("no night has been judged yet; give --as-of")
            as_of = cutoff_at(max(judged), settings().cutoff)
        messages = ledger.messages_of_case(case_no, known_by or as_of, card_rules.kinds())
        if not len(messages):
            raise UsageError(f"no message of case {case_no} was known by {(known_by or as_of).isoformat()}")
        rules = profile_book(profile or sources.get(messages["source"][0].as_py()).profile)
        doubtful = ledger.doubts(engine(), case_no)
    book = (packaged() if rows is not None else stored(engine())).book(rules.calendar)
    known, links = known_by or as_of, ways.links()
    return explain_case(
        messages, case_no, as_of, known, rules, book, cutoff=settings().cutoff, links=links, doubtful=doubtful
    )


def _known(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return with_known_at(table(rows) if rows else SCHEMA.empty_table(), settings().cutoff)


def _judge(messages: pa.Table, as_of: datetime, known_by: datetime, rules: ProfileBook) -> pa.Table:
    book = packaged().book(rules.calendar)
    if published_engine.is_read_only(rules):
        return published_engine.compare_table(messages, as_of, known_by, rules, book)
    return judge_table(messages, as_of, known_by, rules, book, cutoff=settings().cutoff)


def _shown(card: dict[str, Any]) -> dict[str, Any]:
    """A contract card; where two arithmetics are compared, with the exact used days beside."""
    exact = {"exact_used_days": card["exact_used_days"]} if "exact_used_days" in card else {}
    return {**contract_card(card), **exact}
