"""Judging for the command line: the same function as the night, over files of messages or over the ledger."""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from etl import sources
from etl.domain.calendar import CalendarBook
from etl.domain.message import key_column
from etl.domain.night import cutoff_at, last_cutoff, night_of
from etl.domain.profile import ProfileBook
from etl.errors import UsageError
from etl.runs import ways
from etl.runs.night_groups import completeness_until, judged_moments
from etl.settings import settings
from etl.store import feeds, ledger, message_files
from etl.store.calendars import Calendars, packaged, stored
from etl.store.engine import engine
from etl.store.profiles import profile_book
from etl.store.reference import with_office_hours
from etl.supervision import cards as card_rules
from etl.supervision import difference, published_engine
from etl.supervision.contract import contract_card, contract_lines
from etl.supervision.explain import explain as explain_case
from etl.supervision.judge import judge_table, with_known_at

T = TypeVar("T")


def cards(
    parts: Iterable[pa.Table], as_of: datetime, known_by: datetime | None, profile: str, hours: Path | None = None
) -> Iterator[bytes]:
    """Contract cards, JSON Lines, of messages in tables of whole cases.

    Args:
        hours: the office hours of regions, as they are imported; without them everybody keeps the default ones.
    """
    rules = profile_book(profile)
    book = _calendars(hours).book(rules.calendar)
    yield from side_by_side(lambda part: contract_lines(_judge(part, as_of, known_by or as_of, rules, book)), parts)


def diff(
    parts: Iterable[pa.Table],
    as_of: datetime | None,
    earlier: datetime,
    later: datetime,
    profile: str,
    hours: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """What was issued, withdrawn or changed between two knowledge times, each with the deciding messages.

    Without `as_of` each side is judged as of its own knowledge time.
    """
    rules = profile_book(profile)
    book = _calendars(hours).book(rules.calendar)

    def changes(part: pa.Table) -> list[dict[str, Any]]:
        part = _known(part)
        before, after = (_judge(part, as_of or known, known, rules, book) for known in (earlier, later))
        is_new = pc.and_(pc.greater(part["known_at"], earlier), pc.less_equal(part["known_at"], later))
        new = part.filter(is_new)
        told = defaultdict[str, list[str]](list)
        for case_no, key in zip(new["case_no"].to_pylist(), key_column(new).to_pylist(), strict=True):
            told[case_no].append(key)
        return list(difference.between(before, after, lambda _: told))

    for events in side_by_side(changes, parts):
        for event in events:
            yield {"change": event["event"], **contract_card(event)}


def side_by_side(work: Callable[[pa.Table], T], parts: Iterable[pa.Table]) -> Iterator[T]:
    """Each part worked on, on every core; in their order, and never many of them in memory."""
    waiting: deque[Future[T]] = deque()
    threads = min(4, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        for part in parts:
            waiting.append(pool.submit(work, part))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def export(folder: Path, known_by: datetime, only: Sequence[str]) -> int:
    """What judging looks at of every message known by then -> Parquet files in a new folder; how many messages."""
    names = [sources.get(name).name for name in only] or sources.names()
    return message_files.write(ledger.case_messages(names, known_by, card_rules.kinds()), folder)


def explain(
    case_no: str,
    as_of: datetime | None,
    known_by: datetime | None,
    parts: Iterable[pa.Table] | None,
    profile: str | None,
    hours: Path | None = None,
) -> dict[str, Any]:
    """One case's day-by-day ledger, from messages in tables or from the database.

    From the database it is judged as nights judge it: if the last night judged by `known_by` lacks one of the case's
    sources, at the last night that had them all (`waiting_for` names what is lacking).
    """
    doubtful: list[dict[str, Any]] = []
    frozen: dict[str, list[datetime]] = {}
    waiting_for: list[str] = []
    if parts is not None:
        messages, rules = _known(pa.concat_tables(parts)), profile_book(profile or "hunan")
        if as_of is None:
            raise UsageError("give --as-of with --messages")
    else:
        cutoff, judged = settings().cutoff, feeds.fingerprints(engine())
        if as_of is None:
            if not judged:
                raise UsageError("no night has been judged yet; give --as-of")
            as_of = cutoff_at(max(judged), cutoff)
        messages = ledger.messages_of_case(case_no, known_by or as_of, card_rules.kinds())
        if not len(messages):
            raise UsageError(f"no message of case {case_no} was known by {(known_by or as_of).isoformat()}")
        rules = profile_book(profile or sources.get(messages["source"][0].as_py()).profile)
        doubtful = ledger.doubts(engine(), case_no)
        if judged:
            closed = min(last_cutoff(known_by or as_of, cutoff), cutoff_at(max(judged), cutoff))
            completeness = completeness_until(night_of(closed))
            moments = judged_moments(night_of(closed), completeness)
            held = {name: moments[name] for name in messages["source"].unique().to_pylist() if name in moments}
            waiting_for = sorted(name for name, moment in held.items() if moment < closed)
            known_by = min(held.values()) if waiting_for else known_by
            as_of = min(as_of, *held.values()) if waiting_for else as_of
            frozen = completeness.frozen_cutoffs(closed, cutoff)
    book = (_calendars(hours) if parts is not None else stored(engine())).book(rules.calendar)
    known, links = known_by or as_of, ways.links()
    told = explain_case(
        messages, case_no, as_of, known, rules, book,
        cutoff=settings().cutoff, links=links, frozen=frozen, doubtful=doubtful,
    )  # fmt: skip
    return told | {"waiting_for": waiting_for}


def _known(messages: pa.Table) -> pa.Table:
    return messages if "known_at" in messages.column_names else with_known_at(messages, settings().cutoff)


def _calendars(hours: Path | None) -> Calendars:
    return packaged() if hours is None else with_office_hours(hours)


def _judge(messages: pa.Table, as_of: datetime, known_by: datetime, rules: ProfileBook, book: CalendarBook) -> pa.Table:
    if published_engine.is_read_only(rules):
        return published_engine.compare_table(_known(messages), as_of, known_by, rules, book)
    return judge_table(_known(messages), as_of, known_by, rules, book, cutoff=settings().cutoff)
