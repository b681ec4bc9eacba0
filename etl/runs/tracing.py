"""Tracing: every night's lags hop by hop, and a finding for each record that came late, again, or out of order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from etl import sources
from etl.crashpoints import reach
from etl.domain.message import KEY, key_text
from etl.domain.night import NEVER, cutoff_at, from_us, nights
from etl.domain.office_axis import OfficeAxis
from etl.settings import settings
from etl.store import ledger
from etl.store.calendars import Calendars, stored
from etl.store.engine import engine
from etl.store.statements import sql
from etl.supervision.delays import LAGS, SUPERVISION, Route, in_batches, measure, standstills, summarise
from etl.supervision.places import places_in
from etl.supervision.queue_shapes import queue_shapes
from etl.supervision.silence import silence

SERIES = ("source", "hop", "department", "kind")
"""What a daily series is of."""


def trace(routes: Mapping[str, Route]) -> dict[str, int]:
    """Measure every judged night that rests on something else than when it was measured -> counts.

    What a night says is made from what was known by it and nothing else, in one transaction: nights may be measured in
    any order and again.
    """
    calendars, found = stored(engine()), 0
    with engine().begin() as connection:
        stale = list(connection.execute(sql("delays/stale_nights")).scalars())
        for night in stale:
            found += _trace_night(connection, night, routes, calendars)
        reach("trace.before_commit")
    reach("trace.after_commit")
    return {"nights": len(stale), "findings": found}


def measured(night: date, routes: Mapping[str, Route], calendars: Calendars) -> tuple[pa.Table, pa.Table]:
    """-> (records that became known with a night, `LAGS` of every hop of them, by the office hours of their region)."""
    after, until = _span(night)
    relays = [(name, *vars(relay).values()) for name, route in routes.items() for relay in route.relays]
    records = ledger.night_records(after, until, routes, relays)
    book, parts = calendars.book("cn"), [LAGS.empty_table()]
    place = places_in(records["region"], book)
    for where in np.unique(place).tolist():
        rows = np.flatnonzero(place == where)
        axis = OfficeAxis(book.known(night, book.places[where]))
        lags = measure(records.take(pa.array(rows)), routes, settings().cutoff, axis)
        parts.append(lags.set_column(0, "record", pa.array(rows).take(lags["record"])))
    return records, pa.concat_tables(parts)


def _trace_night(connection: Connection, night: date, routes: Mapping[str, Route], calendars: Calendars) -> int:
    after, until = _span(night)
    asked = {"business_on": night, "after": after, "until": until}
    connection.execute(sql("delays/forget_night"), asked)
    records, lags = measured(night, routes, calendars)
    if rows := [row | {"business_on": night} for row in summarise(lags, SERIES)]:
        connection.execute(sql("delays/record_lag"), rows)
    batch = lags.filter(pa.array(in_batches(lags)))
    batch = batch.set_column(batch.schema.get_field_index("class"), "class", pa.repeat("batch", len(batch)))
    findings = [
        *_findings(records, batch, np.full((2, len(batch)), NEVER)),
        *_late(connection, until, records, lags.filter(lags["is_late"]), routes),
    ]
    if findings:
        connection.execute(sql("delays/record_finding"), [row | asked for row in findings])
    ways = {"sources": list(routes), "hops": [route.hop() for route in routes.values()]}
    for name in ("resent", "out_of_order", "back_dated"):
        connection.execute(sql(f"delays/record_{name}"), asked | ways)
    if silent := list(_silences(connection, night, calendars)):
        connection.execute(sql("delays/record_silence"), silent)
    if shapes := _queue_shapes(connection, night, records, lags, routes):
        connection.execute(sql("delays/record_queue_shape"), shapes)
    connection.execute(sql("delays/set_traced"), {"business_on": night, "cutoff_at": until})
    return len(findings)


def _silences(connection: Connection, night: date, calendars: Calendars) -> Iterator[dict[str, Any]]:
    """Sources silent on a night by the working days of their own region."""
    for row in connection.execute(sql("feeds/nights_brought"), {"business_on": night}):
        if found := silence(row.brought_on, night, calendars.cn(night, sources.get(row.source).region)):
            yield {"business_on": night, "source": row.source, **vars(found)}


def _queue_shapes(
    connection: Connection, night: date, records: pa.Table, lags: pa.Table, routes: Mapping[str, Route]
) -> list[dict[str, Any]]:
    """How each source's arrivals of the night had queued; a person who keys records again is no sender."""
    hops = {name: route.hop() for name, route in routes.items() if route.links and not route.is_keyed_twice}
    asked = {"sources": list(hops), "hops": list(hops.values()), "business_on": night, "after": _span(night)[0]}
    earlier: dict[str, dict[date, tuple[int, int]]] = {}
    for row in connection.execute(sql("delays/earlier_nights"), asked):
        earlier.setdefault(row.source, {})[row.business_on] = (row.records, row.longest_seconds or 0)
    before = {row.source: row.at for row in connection.execute(sql("delays/arrived_before"), asked)}
    found = []
    for name in sorted(hops.keys() & set(pc.unique(lags["source"]).to_pylist())):
        hop = hops[name]
        mine = lags.filter((pc.field("source") == name) & (pc.field("hop") == hop))
        if not len(mine):
            continue
        told = records.take(mine["record"])
        written, received = (mine[side].to_numpy() for side in ("set_out", "reached"))
        known, longest = earlier.get(name, {}), int((received - written).max()) // 1_000_000
        past = [known.get(on, (0, 0)) for on in nights(min(known), night - timedelta(days=1))] if known else []
        case = pc.dictionary_encode(told["case_no"]).combine_chunks().indices.to_numpy().astype(np.int64)
        is_finish = pc.equal(told["kind"], "finish").to_numpy(zero_copy_only=False)
        tonight = [*past, (len(mine), longest)]
        for shape in queue_shapes(case, is_finish, written, received, before.get(name, NEVER), tonight):
            shown = told.take(pa.array(shape.records)).select(KEY).to_pylist()
            found.append(
                {"business_on": night, "source": name, "hop": hop, "class": shape.name}
                | {"record_count": shape.record_count, "detail": shape.detail}
                | {"began_at": from_us(int(written.min())), "ended_at": from_us(int(received.max()))}
                | {"evidence": [key_text(**key) for key in shown]}
            )
    return found


def _late(
    connection: Connection, until: datetime, records: pa.Table, late: pa.Table, routes: Mapping[str, Route]
) -> list[dict[str, Any]]:
    """Findings of late records, each with the stand-still that held it up."""
    found: list[dict[str, Any]] = []
    for pair in late.group_by(["source", "hop"]).aggregate([]).to_pylist():
        mine = late.filter((pc.field("source") == pair["source"]) & (pc.field("hop") == pair["hop"]))
        set_out, due, reached = (mine[name].to_numpy() for name in ("set_out", "due", "reached"))
        is_pull, route = pair["hop"].endswith(SUPERVISION), routes[pair["source"]]
        if route.is_keyed_twice and not is_pull:  # a person's evening is no stand-still of a system
            found += _findings(records, mine, np.full((2, len(mine)), NEVER))
            continue
        asked = {
            "source": pair["source"], "known_by": until, "is_pull": is_pull,
            "first_at": from_us(int(set_out.min())), "last_at": from_us(int(reached.max())),
        }  # fmt: skip
        arrivals = np.array(list(connection.execute(sql("delays/arrivals"), asked).scalars()), dtype=np.int64)
        least = timedelta(0) if is_pull else route.links[-1].warn_after
        found += _findings(
            records, mine, np.stack(standstills(set_out, due, reached, arrivals, least // timedelta(microseconds=1)))
        )
    return found


def _findings(records: pa.Table, lags: pa.Table, stood: Any) -> list[dict[str, Any]]:
    keys = records.select(KEY).take(lags["record"]).to_pylist()
    columns = ("hop", "class", "department", "level", "working_days", "set_out", "due", "reached")
    return [
        key
        | {name: row[name] for name in ("hop", "class", "department", "level")}
        | {"lag_seconds": (row["reached"] - row["set_out"]) // 1_000_000}
        | {"lag_working_days": round(row["working_days"], 6)}
        | {f"{name}_at": _instant(row[name]) for name in ("set_out", "due", "reached")}
        | {"standstill_from": _instant(begin), "standstill_until": _instant(end)}
        for key, row, begin, end in zip(keys, lags.select(columns).to_pylist(), *stood.tolist(), strict=True)
    ]


def _instant(moment: int) -> datetime | None:
    return None if moment == NEVER else from_us(moment)


def _span(night: date) -> tuple[datetime, datetime]:
    """After which and until when what a night made known became known."""
    return (cutoff_at(night - timedelta(days=1), settings().cutoff), cutoff_at(night, settings().cutoff))
