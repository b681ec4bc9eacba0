"""Push delays: how long each record took over each hop of its way to us, and which hop answers for it.

A record of a source travels its declared route: where it set out, each link's target, and at last us. It carries when
it was written at the start and received at the end of the route; a place between is dated by another source that reads
the same records there. What cannot be told apart is one hop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.message import instants_of
from etl.domain.night import DAY_US, NEVER, Instants, first_cutoffs
from etl.domain.office_axis import OfficeAxis
from etl.supervision.history import Messages

SUPERVISION = "supervision"
ENTRY, TOTAL = "entry:", "total:"
"""Prefixes of what is measured beside hops: from occurrence to entry, and from occurrence to reception."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class LinkLimit:
    """One link of a route: where to, and how long it may take before it counts as late.

    A nightly link is late after 12:00 of the next working day, the others after `warn_after`.
    """

    target: str
    warn_after: timedelta = timedelta(hours=1)
    mode: Literal["real_time", "nightly", "double_entry"] = "real_time"
    yellow_after_working_days: float = 1.0
    red_after_working_days: float = 3.0

    def due(self, set_out: Instants, axis: OfficeAxis) -> Instants:
        """The last moment at which what set out then is not late."""
        if self.mode == "nightly":
            return axis.next_working_noon(axis.calendar.clip(set_out))
        return set_out + self.warn_after // timedelta(microseconds=1)


DEFAULT_LINK = LinkLimit("platform")


@dataclass(frozen=True)
class Pull(LinkLimit):
    """The last link, to us: due at the first cut-off from then on."""

    cutoff: time = time(1)

    def due(self, set_out: Instants, axis: OfficeAxis) -> Instants:
        return first_cutoffs(set_out, self.cutoff)


@dataclass(frozen=True)
class Relay:
    """Another source that reads the same records on their way: at which place, and whether as written there."""

    source: str
    position: int
    is_written: bool


@dataclass(frozen=True)
class Route:
    """The way of a source's records: where they set out, and every link up to the place we read them at.

    `is_keyed_twice`: the way is a person's, who keys the record again.
    """

    start: str
    links: tuple[LinkLimit, ...] = (DEFAULT_LINK,)
    relays: tuple[Relay, ...] = ()
    is_keyed_twice: bool = False

    @property
    def systems(self) -> tuple[str, ...]:
        """Every place of the way but ours."""
        return (self.start, *(link.target for link in self.links))

    def hop(self, position: int = 0) -> str:
        """The hop from one place of the way to its end."""
        return hop_name(self.systems[position], self.systems[-1])

    @property
    def pull_hop(self) -> str:
        """The hop from the end of the way to us."""
        return hop_name(self.systems[-1], SUPERVISION)


def own_systems(routes: Mapping[str, Route]) -> list[str]:
    """Sources that are a department's own system: no other source's records come from there or pass there.

    What is passed on from a place where another source is read is a copy, unless a person keyed it again.
    """
    passed = {system for name, route in routes.items() for system in route.systems if system != name}
    ends = {route.systems[-1] for route in routes.values()}
    copies = {name for name, way in routes.items() if ends & {*way.systems[:-1]} and not way.is_keyed_twice}
    return sorted(routes.keys() - passed - copies)


def hop_name(origin: str, target: str) -> str:
    """How a hop is written everywhere."""
    return f"{origin}->{target}"


def late_by(
    set_out: Instants, received: Instants, links: Sequence[LinkLimit], axis: OfficeAxis
) -> tuple[Mask, npt.NDArray[np.float64], list[str], Instants]:
    """Per record over one or several links: is it late, its lag in working days, the level that lag reaches, when due.

    Where the places between are not dated, each link may take its time from when the one before had to be done. Without
    links there is no limit.
    """
    due = set_out if links else np.full(len(set_out), NEVER)
    for link in links:
        due = link.due(due, axis)
    lag_days = working_days(set_out, received, axis)
    yellow, red = (
        sum(getattr(link, name) for link in links) for name in ("yellow_after_working_days", "red_after_working_days")
    )
    levels = np.where(lag_days > red, "red", np.where(lag_days > yellow, "yellow", "warn"))
    return received > due, lag_days, levels.tolist(), due


def working_days(begin: Instants, end: Instants, axis: OfficeAxis) -> npt.NDArray[np.float64]:
    """Working days between instants, negative where the end comes first; within what the calendar covers."""
    return axis.days(axis.at(axis.calendar.clip(end)) - axis.at(axis.calendar.clip(begin)))


LAGS = pa.schema(
    [
        pa.field("record", pa.int64()),
        *(pa.field(name, pa.string()) for name in ("source", "department", "kind", "hop")),
        *(pa.field(name, pa.int64()) for name in ("set_out", "due", "reached")),
        pa.field("working_days", pa.float64()),
        pa.field("is_late", pa.bool_()),
        pa.field("level", pa.string()),
        pa.field("class", pa.string()),
    ]
)
"""One lag of one record (its row number) over one hop; instants in us. Entry and total have no limit: due NEVER."""


def measure(records: pa.Table, routes: Mapping[str, Route], cutoff: time, axis: OfficeAxis) -> pa.Table:
    """Every hop of every record -> `LAGS`.

    Args:
        records: source, department, kind, occurred_at, written_at, received_at, known_at; relayed_at, position:
            when and at which place of its way another source saw it last (null, 0); is_again: only the rest is new.
            A record without reception cannot tell the way from our pulling: one hop, late if its night missed it.
    """
    source = np.array(records["source"].to_pylist(), dtype=object)
    occurred, written, received, known, relayed = (
        instants_of(records[name]) for name in ("occurred_at", "written_at", "received_at", "known_at", "relayed_at")
    )
    position = records["position"].to_numpy().astype(np.int64)
    is_again: Mask = records["is_again"].to_numpy(zero_copy_only=False)
    parts, pull = [LAGS.empty_table()], Pull(SUPERVISION, cutoff=cutoff)

    def add(
        rows: Mask,
        hop: str,
        set_out: Instants,
        reached: Instants,
        links: Sequence[LinkLimit] = (),
        *,
        late: str = "late",
    ) -> None:
        found = np.flatnonzero(rows & (set_out != NEVER) & (reached != NEVER))
        if not len(found):
            return
        begin, end = set_out[found], reached[found]
        is_late, days, levels, due = late_by(begin, end, links, axis)
        who = records.select(["source", "department", "kind"]).take(pa.array(found))
        columns = {
            "record": found,
            "source": who["source"],
            "department": pc.fill_null(who["department"], ""),
            "kind": who["kind"],
            "hop": pa.repeat(hop, len(found)),
            "set_out": begin,
            "due": due,
            "reached": end,
            "working_days": days,
            "is_late": is_late,
            "level": pa.array(levels, pa.string(), mask=~is_late),
            "class": pa.array([late] * len(found), pa.string(), mask=~is_late),
        }
        parts.append(pa.table(columns, schema=LAGS))

    for name in sorted(set(source.tolist())):
        route = routes.get(name, Route(name))
        mine = source == name
        fresh = mine & ~is_again
        add(fresh, ENTRY + name, occurred, written)
        add(fresh, TOTAL + name, occurred, received)
        late = "keyed_twice" if route.is_keyed_twice else "late"
        for place in np.unique(position[mine]).tolist():
            here, set_out, links = mine & (position == place), written if place == 0 else relayed, route.links[place:]
            add(here, route.hop(place), set_out, received, links, late=late)
            add(
                here & fresh & (received == NEVER),
                hop_name(route.systems[place], SUPERVISION),
                set_out,
                known,
                (*links, pull),
            )
        is_received = fresh & (received != NEVER)
        knowable = np.full(len(received), NEVER)
        knowable[is_received] = first_cutoffs(received[is_received], cutoff)
        add(is_received, route.pull_hop, knowable, known, (pull,))
    return pa.concat_tables(parts)


def summarise(lags: pa.Table, by: Sequence[str]) -> list[dict[str, Any]]:
    """Counts and exact nearest-rank percentiles per group; negative lags (clock skew) are counted, never averaged in.

    Rows: the columns of `by`, message_count, late_count, negative_count, p50/p95/max in seconds and working days,
    skew_seconds: the 5th percentile of all lags where that is negative and 20 records or more say so, else null.
    """
    if not len(lags):
        return []
    group = np.zeros(len(lags), np.int64)
    for name in by:
        codes = pc.dictionary_encode(lags[name]).combine_chunks()
        group = group * len(codes.dictionary) + codes.indices.to_numpy().astype(np.int64)
    lag = (lags["reached"].to_numpy() - lags["set_out"].to_numpy()) // 1_000_000
    days = lags["working_days"].to_numpy()
    late = lags["is_late"].to_numpy(zero_copy_only=False)
    order = np.lexsort((lag, group))
    sorted_days = days[np.lexsort((days, lag < 0, group))]  # those counted first, by working days
    begins = np.flatnonzero(np.diff(group[order], prepend=-1))
    names = lags.select(list(by)).take(pa.array(order[begins])).to_pylist()
    found = []
    for row, begin, end in zip(names, begins.tolist(), [*begins[1:].tolist(), len(order)], strict=True):
        mine = lag[order[begin:end]]
        negative = int(np.searchsorted(mine, 0))
        shown: dict[str, Any] = {"message_count": end - begin, "late_count": int(late[order[begin:end]].sum())}
        shown["negative_count"] = negative
        counted = {"seconds": mine[negative:], "working_days": sorted_days[begin : end - negative]}
        for unit, values in counted.items():
            for title, share in (("p50", 0.5), ("p95", 0.95), ("max", 1.0)):
                shown[f"{title}_{unit}"] = nearest_rank(values, share)
        low = nearest_rank(mine, 0.05)
        shown["skew_seconds"] = low if len(mine) >= 20 and low is not None and low < 0 else None
        found.append(row | shown)
    return sorted(found, key=lambda row: [row[name] for name in by])


def nearest_rank(ascending: npt.NDArray[Any], share: float) -> Any:
    """The observed value at least `share` of all do not exceed; None of nothing."""
    if not len(ascending):
        return None
    return ascending[max(int(np.ceil(share * len(ascending) - 1e-9)), 1) - 1].item()


HELD = 3
"""Records that must have waited for the end of one stand-still."""


def standstills(
    set_out: Instants, due: Instants, reached: Instants, arrivals: Instants, least: int
) -> tuple[Instants, Instants]:
    """Per late record the stand-still that made it late -> (since when it waited for its end, end); NEVER: none did.

    A stand-still is a time of `least` us or more between two arrivals (us) at the end of a hop. It made a record late
    if, without the waiting for its end, the record had been there when due. One or two records that nothing else passed
    tell nothing of the hop: HELD or more must have waited.
    """
    begins, ends = np.full(len(set_out), NEVER), np.full(len(set_out), NEVER)
    longest = reached - due - 1  # as long, and the rest of the way was within the limit
    times = np.unique(arrivals)
    before = np.concatenate(([np.iinfo(np.int64).min // 2], times[:-1])) if len(times) else times
    for begin, end in zip(
        before[times - before >= least].tolist(), times[times - before >= least].tolist(), strict=True
    ):
        waited = np.minimum(reached, end) - np.maximum(set_out, begin)
        is_it = waited > longest
        longest = np.where(is_it, waited, longest)
        begins, ends = np.where(is_it, np.maximum(set_out, begin), begins), np.where(is_it, end, ends)
    _, of, held = np.unique(ends, return_inverse=True, return_counts=True)
    is_few = held[of] < HELD
    return np.where(is_few, NEVER, begins), np.where(is_few, NEVER, ends)


BATCH_RECORDS, BATCH_DAYS = 20, 1.0


def in_batches(lags: pa.Table) -> Mask:
    """Entries made in a burst: 集中补录. More than BATCH_DAYS working days old, BATCH_RECORDS or more on one day of one
    source, and at least half of what it entered that day.
    """
    is_entry = pc.starts_with(lags["hop"], ENTRY).to_numpy(zero_copy_only=False)
    is_old = is_entry & (lags["working_days"].to_numpy() > BATCH_DAYS)
    source = pc.dictionary_encode(lags["source"]).combine_chunks().indices.to_numpy().astype(np.int64)
    day = (lags["reached"].to_numpy() + DAY_US // 3) // DAY_US  # Shanghai
    key = source * 1_000_000 + day
    _, of = np.unique(key, return_inverse=True)
    entries, old = (np.bincount(of, weights=mask, minlength=of.max(initial=-1) + 1) for mask in (is_entry, is_old))
    is_burst = (old >= BATCH_RECORDS) & (old * 2 >= entries)
    found: Mask = is_old & is_burst[of]
    return found


def responsible_hops(
    history: Messages,
    deciding: Sequence[Sequence[int]],
    links: Mapping[str, Route],
    cutoff: time,
    axis: OfficeAxis,
    known_by: int,
) -> list[str | None]:
    """Per list of deciding messages the first hop whose own lag exceeds its limit, for the earliest of them.

    None where no hop is late. A place between is dated by what other sources told of the record by `known_by` (us).
    """
    hops: list[str | None] = [None] * len(deciding)
    earliest = np.array([min(rows, key=lambda row: int(history.occurred[row])) for rows in deciding], np.int64)
    for code in np.unique(history.source[earliest]).tolist():
        place = np.flatnonzero(history.source[earliest] == code)
        rows = earliest[place]
        source = history.texts("source", rows[:1])[0].as_py()
        route = links.get(source, Route(source))
        written, received = history.written[rows], history.received[rows]
        came = first_cutoffs(history.here[rows], cutoff)
        position, set_out, named = np.zeros(len(rows), np.int64), written.copy(), np.full(len(rows), "", object)
        for number, row in enumerate(rows.tolist() if route.relays else ()):
            for relay, other in _relayed(history, row, route, known_by):
                there = links.get(relay.source, Route(relay.source))
                times = history.written[[other]], history.received[[other]]
                if not (named[number] or relay.is_written) and _is_late(*times, there.links, axis)[0]:
                    named[number] = there.hop()
                position[number], set_out[number] = relay.position, times[not relay.is_written][0]
        for start in np.unique(position).tolist():
            has_arrived = np.where(received == NEVER, 0, received)
            whole = (*route.links[start:], Pull(SUPERVISION, cutoff=cutoff))
            choices = [
                (
                    (received == NEVER) & _is_late(set_out, came, whole, axis),
                    hop_name(route.systems[start], SUPERVISION),
                ),
                (_is_late(set_out, received, route.links[start:], axis), route.hop(start)),
                ((received != NEVER) & (came > first_cutoffs(has_arrived, cutoff)), route.pull_hop),
            ]
            for is_it, name in choices:
                named[(position == start) & (named == "") & is_it] = name
        for number, name in zip(place.tolist(), named.tolist(), strict=True):
            hops[number] = name or None
    return hops


def _is_late(set_out: Instants, received: Instants, links: Sequence[LinkLimit], axis: OfficeAxis) -> Mask:
    has_both = (set_out != NEVER) & (received != NEVER)
    is_late: Mask = np.zeros(len(set_out), np.bool_)
    is_late[has_both] = late_by(set_out[has_both], received[has_both], links, axis)[0]
    return is_late


def _relayed(history: Messages, row: int, route: Route, known_by: int) -> list[tuple[Relay, int]]:
    """The same record where other sources read it, known by then, in the order of the way."""
    if not route.relays:
        return []
    rows = range(history.first[history.case[row]], history.first[history.case[row] + 1])
    same = {
        history.told["source"][history.rows[other]].as_py(): other
        for other in rows
        if history.known[other] <= known_by
        and all(column[other] == column[row] for column in (history.kind, history.seq, history.version))
    }
    found = [(relay, same[relay.source]) for relay in route.relays if relay.source in same]
    dated = [
        (relay, other)
        for relay, other in found
        if (history.written if relay.is_written else history.received)[other] != NEVER
    ]
    return sorted(dated, key=lambda pair: pair[0].position)
