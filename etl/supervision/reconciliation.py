"""Reconciliation: what two systems that hold the same records say differently, and from when on that is a finding.

A pair is an upstream source, read at a place on the way of another one, the downstream: what was there must arrive
where the downstream is read, within what the links between allow, and say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.night import Instants
from etl.domain.office_axis import OfficeAxis
from etl.supervision.delays import SUPERVISION, LinkLimit, Pull, Route

MISSING, EXTRA, WRONG = "missing", "extra", "wrong"
"""漏报: upstream only; downstream only; 错报: both, saying different things."""
KEY = ("case_no", "kind", "seq")
DIFFERENCES = pa.schema(
    [
        pa.field("class", pa.string()),
        *(pa.field(name, pa.string()) for name in KEY[:2]),
        *(pa.field(name, pa.int32()) for name in ("seq", "upstream_version", "downstream_version")),
        pa.field("due_at", pa.timestamp("us", tz="UTC")),
        pa.field("fields", pa.string()),
    ]
)
"""One record; a version of 0 is a side without it; `fields` that differ, by commas."""


@dataclass(frozen=True)
class Pair:
    """Two sources that hold the same records.

    Args:
        position: place on the downstream's way at which the upstream is read.
        is_written: it is dated there by when it was written, otherwise by when it was received.
        back: the upstream's own way, none where the downstream is read on that way too and finds what it lacks.
        says_wrong: of two sources on each other's way only one tells of what differs.
    """

    upstream: str
    downstream: str
    route: Route
    position: int
    is_written: bool
    back: tuple[LinkLimit, ...] | None
    says_wrong: bool = True

    @property
    def hop(self) -> str:
        """The hop that answers for what is missing or wrong."""
        return self.route.hop(self.position)


def pairs(routes: Mapping[str, Route]) -> list[Pair]:
    """Every pair of sources of which one is read, or sets out, at a place on the other's way before its end."""
    found = {
        (upstream, downstream): place
        for downstream, way in routes.items()
        for upstream, other in routes.items()
        if upstream != downstream and (place := _place(way, other))
    }
    return [
        Pair(
            upstream,
            downstream,
            routes[downstream],
            *place,
            back=None if (downstream, upstream) in found else routes[upstream].links,
            says_wrong=(downstream, upstream) not in found or upstream < downstream,
        )
        for (upstream, downstream), place in sorted(found.items())
    ]


def _place(way: Route, other: Route) -> tuple[int, bool] | None:
    """The last place on a way before its end at which the other is read, or else sets out: (place, as written)."""
    before = way.systems[:-1]
    for system, is_written in ((other.systems[-1], not other.links), (other.start, True)):
        if system in before:
            return before.index(system), is_written
    return None


def differences(rows: pa.Table, pair: Pair, cutoff: time, axis: OfficeAxis) -> pa.Table:
    """Records of two sides, merged by their order -> `DIFFERENCES`.

    Args:
        rows: is_upstream, `KEY`, version, said (JSON object), first_at and newest_at (when the first and this version
            were at the upstream's place, or for the downstream at the end of its way), sorted by `KEY` with the
            upstream first; every key at most once a side.
    """
    if not len(rows):
        return DIFFERENCES.empty_table()
    rows = rows.combine_chunks()
    is_upstream = rows["is_upstream"].to_numpy(zero_copy_only=False)
    same = np.ones(len(rows) - 1, np.bool_)
    for name in KEY:
        same &= pc.equal(rows[name][1:], rows[name][:-1]).to_numpy(zero_copy_only=False)
    is_both = np.append(same, False)  # the upstream's row of a pair of rows
    is_alone = ~is_both & ~np.insert(same, 0, False)
    said = rows["said"]
    upper = np.flatnonzero(is_both)
    wrong = upper[
        pc.not_equal(said.take(pa.array(upper)), said.take(pa.array(upper + 1))).to_numpy(zero_copy_only=False)
    ]
    way = (*pair.route.links[pair.position :], Pull(SUPERVISION, cutoff=cutoff))
    parts = [_found(MISSING, rows, np.flatnonzero(is_alone & is_upstream), "first_at", way, axis)]
    if pair.says_wrong:
        parts.append(_found(WRONG, rows, wrong, "newest_at", way, axis))
    if pair.back is not None:
        back = (*pair.back, Pull(SUPERVISION, cutoff=cutoff))
        parts.append(_found(EXTRA, rows, np.flatnonzero(is_alone & ~is_upstream), "first_at", back, axis))
    return pa.concat_tables(parts)


def _found(
    name: str, rows: pa.Table, at: np.ndarray, begins: str, links: Sequence[LinkLimit], axis: OfficeAxis
) -> pa.Table:
    mine = rows.take(pa.array(at))
    due: Instants = mine[begins].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    for link in links:
        due = link.due(due, axis)
    absent = np.zeros(len(at), np.int32)
    other = rows["version"].take(pa.array(at + 1)) if name == WRONG else absent
    own = mine["version"]
    said = mine["said"].to_pylist(), rows["said"].take(pa.array(at + 1)).to_pylist() if name == WRONG else []
    columns = {
        "class": pa.repeat(name, len(at)),
        **{key: mine[key] for key in KEY},
        "upstream_version": absent if name == EXTRA else own,
        "downstream_version": own if name == EXTRA else other,
        "due_at": pa.array(due).cast(pa.timestamp("us", "UTC")),
        "fields": list(map(_differing, *said)) if name == WRONG else pa.repeat("", len(at)),
    }
    return pa.table(columns).cast(DIFFERENCES)


def _differing(one: str, other: str) -> str:
    """Names of the fields two JSON objects differ in."""
    said, heard = orjson.loads(one), orjson.loads(other)
    return ",".join(sorted(name for name in said | heard if said.get(name) != heard.get(name)))
