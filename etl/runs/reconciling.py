"""Reconciling: what two systems say differently of the same records, and which cases a source has deleted.

It is part of every night and reads nothing but the ledger, except the case numbers of sources that keep all their rows;
so it needs no schedule of its own.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import orjson
import pyarrow as pa
import structlog

from etl import sources
from etl.domain.chinese import FIELD, KIND, PUSH_CLASS
from etl.domain.message import PAYLOAD, whole_cases
from etl.domain.night import ZONE, cutoff_at
from etl.domain.office_axis import OfficeAxis
from etl.errors import ConfigurationError, SourceError
from etl.publish.privacy import one_line
from etl.publish.wording import day, titled
from etl.runs import ways
from etl.settings import settings
from etl.sources.contract import Listing, Source
from etl.sources.values import constant
from etl.store import reconciliation as store
from etl.store.calendars import Calendars, stored
from etl.store.engine import engine
from etl.supervision.delays import Route
from etl.supervision.reconciliation import Pair, differences, pairs

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
    """Every pair of registered sources that hold the same records: one department's, on one way."""
    found = pairs({name: Route(name, ()) for name in sources.names()} | ways.links())
    return [pair for pair in found if _department(pair.upstream) == _department(pair.downstream)]


def _department(name: str) -> str:
    return sources.get(name).department


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
                axis = OfficeAxis(calendars.cn(night.business_on, sources.get(pair.upstream).region))
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
        for rows in whole_cases(batches, 1):
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
    except (SourceError, ConfigurationError) as error:  # it was pulled completely, and is asked again the next night
        log.error("cases not listed", source=source.name, reason=str(error))
        return {"unlisted_sources": 1}


REPORT_DAYS = 7
"""Days up to the night compared whose counts a report lists."""
SHOWN = 200
"""Differences a report for people lists; the others are in its JSON."""


def report(night: date) -> dict[str, Any]:
    """Every pair as of a night: counts by kind and day, open differences with evidence; cases deleted in sources."""
    found: dict[str, Any] = {"night": night, "pairs": []}
    with engine().connect() as connection:
        for row in store.rows(connection, "pairs", night=night):
            kinds, _ = compared(sources.get(row["upstream"]), sources.get(row["downstream"]))
            last = row["compared_on"]
            counts = last and store.rows(
                connection,
                "counts",
                upstream=row["upstream"],
                downstream=row["downstream"],
                kinds=list(kinds),
                known_by=_cutoff(last),
                from_at=datetime.combine(last - timedelta(days=REPORT_DAYS - 1), time(), ZONE),
                until_at=datetime.combine(last + timedelta(days=1), time(), ZONE),
            )
            found["pairs"].append(row | {"kinds": list(kinds), "counts": counts or []})
        for name in ("open_differences", "deleted_cases"):
            found[name] = store.rows(connection, name, night=night)
    return found


def as_text(found: dict[str, Any]) -> str:
    """The report for people."""
    names = ways.titles()
    lines = [f"对账（{found['night']} 之夜）"]
    for pair in found["pairs"]:
        counts = "　".join(f"{PUSH_CLASS[name]} {pair[name]}" for name in ("missing", "wrong", "extra"))
        lines.append(
            f"{titled(pair['upstream'], names)} → {titled(pair['downstream'], names)}　"
            f"核对至 {day(pair['compared_on'])}　{counts}"
        )
        lines += [
            f"  {row['on_date']}　{KIND[row['kind']]}　上游 {row['upstream']}　下游 {row['downstream']}"
            for row in pair["counts"]
            if row["upstream"] != row["downstream"]
        ]
    lines += ["没有两个系统的记录可以核对"] if not found["pairs"] else []
    for row in found["open_differences"][:SHOWN]:
        fields = "、".join(FIELD[name] for name in row["fields"])
        what = PUSH_CLASS[row["class"]], titled(row["hop"], names), one_line(row["case_no"]), KIND[row["kind"]]
        found_on = f"{row['opened_on']} 发现", *([f"不一致：{fields}"] if fields else [])
        lines.append("　".join((*what, *found_on, *map(one_line, row["evidence"]))))
    if len(found["open_differences"]) > SHOWN:
        lines.append(f"另有 {len(found['open_differences']) - SHOWN} 条，见 --json")
    for row in found["deleted_cases"]:
        confirmed = f"{row['absent_on']} 起不在全量清单中，{row['opened_on']} 再次确认"
        lines.append(
            "　".join((PUSH_CLASS["deleted"], titled(row["source"], names), one_line(row["case_no"]), confirmed))
        )
    return "\n".join(lines)
