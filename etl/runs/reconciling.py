"""Reconciling: what two systems say differently of the same records, and which cases a source has deleted.

It is part of every night and reads nothing but the ledger, except the case numbers of sources that keep all their rows;
so it needs no schedule of its own.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

import orjson
import pyarrow as pa
import structlog

from etl import sources
from etl.domain.message import PAYLOAD
from etl.domain.night import cutoff_at
from etl.domain.office_axis import OfficeAxis
from etl.errors import SourceError
from etl.runs import ways
from etl.settings import settings
from etl.sources.contract import Listing, Source
from etl.sources.values import constant
from etl.store import reconciliation as store
from etl.store.calendars import Calendars, stored
from etl.store.engine import engine
from etl.supervision.delays import Route
from etl.supervision.reconciliation import Pair, differences, in_whole_keys, pairs

log = structlog.get_logger()
UNSAID = constant(None)


def reconcile(business_on: date, names: Sequence[str]) -> dict[str, int]:
    """Reconcile every night that rests on something else than when it was reconciled, and list these sources' cases.

    Differences are made from what was known by each night: nights may be reconciled in any order and again. A listing
    is of the moment, so one is taken for the night pulled last only.
    """
    counts: Counter[str] = Counter({"nights": 0, "events": 0})
    calendars = stored(engine())
    for pair in declared_pairs():
        counts.update(_reconcile_pair(pair, calendars))
    for name in names:
        counts.update(_list_cases(sources.get(name), business_on))
    return dict(counts)


def declared_pairs() -> list[Pair]:
    """Every pair of registered sources that read the same records."""
    return pairs({name: Route(name, ()) for name in sources.names()} | ways.links())


def compared(upstream: Source, downstream: Source) -> tuple[dict[str, list[str]], bool]:
    """What both modules read: kind -> payload fields left out because one does not; whether both read the item."""
    said, heard = _read_by(upstream), _read_by(downstream)
    kinds = {
        kind: sorted(set(PAYLOAD[kind]) - (said[kind] & heard[kind]))
        for kind in PAYLOAD
        if kind in said and kind in heard
    }
    return kinds, "item_code" in said["*"] & heard["*"]


def _read_by(source: Source) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for stream in source.dialect.streams:
        for kind, name, reader in source.dialect.mapping(stream):
            found[kind] |= {name} - ({name} if reader == UNSAID else set())
    return dict(found)


def _reconcile_pair(pair: Pair, calendars: Calendars) -> dict[str, int]:
    kinds, with_item = compared(sources.get(pair.upstream), sources.get(pair.downstream))
    said = orjson.dumps([kinds, with_item, pair.hop, pair.is_written, pair.says_wrong, pair.back is None])
    names = {"upstream": pair.upstream, "downstream": pair.downstream}
    with engine().begin() as connection:
        stale = store.stale_nights(connection, **names, compares=hashlib.sha256(said).hexdigest() + "/")
        events = 0
        for night in stale:
            row = {**names, **night._mapping, "cutoff_at": _cutoff(night.business_on)}
            found: Iterator[tuple[int, pa.Table]] = iter(())
            if night.compared_on == night.business_on:
                axis = OfficeAxis(calendars.cn(night.business_on))
                found = _differences(pair, kinds, with_item, night.compared_before, night.business_on, axis)
            events += store.record_night(connection, row, pair.hop, found)
    return {"nights": len(stale), "events": events}


def _differences(
    pair: Pair, kinds: Mapping[str, list[str]], with_item: bool, before: date | None, night: date, axis: OfficeAxis
) -> Iterator[tuple[int, pa.Table]]:
    """Of cases told of between two nights: (0, what differed at the first), (1, what differs at the second)."""
    since, until = _cutoff(before) if before else None, _cutoff(night)
    for moment, known_by in ((0, since), (1, until)):
        if known_by is None:
            continue
        batches = store.differing(
            pair.upstream,
            pair.downstream,
            kinds,
            since,
            until,
            known_by,
            with_item=with_item,
            is_written=pair.is_written,
        )
        for rows in in_whole_keys(batches):
            yield moment, differences(rows, pair, settings().cutoff, axis)


def _cutoff(night: date) -> datetime:
    return cutoff_at(night, settings().cutoff)


def _list_cases(source: Source, business_on: date) -> dict[str, int]:
    kind = source.kind
    if not isinstance(kind, Listing) or not kind.keeps_rows:
        return {}
    try:
        with engine().begin() as connection:
            if not store.may_list(connection, source.name, business_on):
                return {}
            listed = kind.case_numbers(source, settings().connection(source.name))
            return store.record_listing(connection, source.name, business_on, _cutoff(business_on), listed)
    except SourceError as error:
        log.error("cases not listed", source=source.name, reason=str(error))
        return {"unlisted_sources": 1}
