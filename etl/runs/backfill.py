"""Looking back: what a backfill of past nights would touch, and what today's knowledge would have judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from etl.domain.message import key_text
from etl.domain.night import cutoff_at, nights
from etl.errors import ConfigurationError, UsageError
from etl.runs import judged_nights, nightly
from etl.runs.night_groups import completeness_until, judged_moments
from etl.settings import settings
from etl.store import feeds
from etl.store.engine import engine
from etl.store.statements import sql
from etl.supervision import difference
from etl.supervision.contract import contract_card


def plan(first: date, last: date, only: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    """Per night and source: the feed's state now and the window a backfill would pull."""
    asked = nightly.chosen(only)
    if not asked:
        raise ConfigurationError("no source has a connection; set JIANCHA_CONNECTION_<SOURCE>")
    for night in _checked(first, last):
        with engine().connect() as connection:
            states = {source: state for source, state, _ in feeds.verdicts(connection, night)}
        for source in asked:
            window, basis = nightly.window(source, night)
            yield {
                "night": night,
                "source": source,
                "feed": states.get(source, "never pulled"),
                "since": window.since,
                "until": window.until,
                "known_basis": basis,
            }


def diff(first: date, last: date, only: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    """Cards each night would have had with everything known now, against those it had with its own knowledge.

    What was frozen that night is judged at its cut-off as soon as a later night has made the source whole again.
    """
    asked = set(nightly.chosen(only)) if only else None
    known = feeds.known_counts(engine())
    if not known:
        raise UsageError("the ledger knows no message yet; run a night first")
    now = max(known_at for known_at, _ in known)
    last_judged = max(feeds.fingerprints(engine()), default=last)
    for night in _checked(first, last):
        own = cutoff_at(night, settings().cutoff)
        before = judged_nights.judge_at(night)
        after = judged_nights.judge_at(max(night, last_judged), own, max(now, own))
        for event in difference.between(before, after, _told_since(night, max(now, own))):
            if asked is None or event["source"] in asked:
                yield {"night": night, "change": event["event"], **contract_card(event)}


def _told_since(night: date, now: datetime) -> Callable[[set[str]], dict[str, list[str]]]:
    """Cases -> keys of their messages that the night could not yet judge by and that are known now."""
    moments = judged_moments(night, completeness_until(night))
    own = cutoff_at(night, settings().cutoff)

    def told(cases: set[str]) -> dict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        with engine().connect() as connection:
            since = min([own, *moments.values()])
            asked = {"cases": sorted(cases), "since": since, "until": now}
            for row in connection.execute(sql("ledger/learnt"), asked):
                if row.known_at > moments.get(row.source, own):
                    found[row.case_no].append(key_text(row.source, row.case_no, row.kind, row.seq, row.version))
        return found

    return told


def _checked(first: date, last: date) -> Iterator[date]:
    if last < first:
        raise UsageError(f"--from {first} is after --to {last}")
    return nights(first, last)
