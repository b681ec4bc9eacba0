"""May a night's feed, read to its end, be believed? Not if its files are another day's, or if far too little came."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from etl.domain.calendar import Calendar
from etl.domain.night import cutoff_at
from etl.settings import settings
from etl.sources.contract import Source
from etl.sources.kinds import FileDrop
from etl.store import feeds
from etl.store.calendars import stored
from etl.store.engine import engine
from etl.supervision.completeness import Counts, volume_doubt

LOOK_BACK = timedelta(days=45)
"""Before the last complete night: twenty working days and eight rest days, whatever holiday lies between."""


def doubt(source: Source, business_on: date) -> tuple[str, str] | None:
    """State and detail of a night that is not believed, from what was known by its cut-off; None: it may be."""
    with engine().connect() as connection:
        believed = feeds.believed(connection, source.name, business_on)
        if believed.confirmed_on == business_on:
            return None
        # A file of records dated by its name; a whole table, or what a cursor gives, may well be the same again.
        if isinstance(source.kind, FileDrop) and source.kind.expects_daily:
            copied = feeds.copied(connection, source.name, business_on, believed.complete_on)
            if copied:
                files = "；".join(f"{row.file} 与此前的 {row.copy_of} 逐字节相同" for row in copied)
                return "stale", f"{files}；请来源单位重新投送，收到之前不以其缺少记录为据"
        first = (believed.complete_on or business_on - timedelta(days=1)) - LOOK_BACK
        first = max(first, believed.confirmed_on or first)
        cutoff = settings().cutoff
        after = cutoff_at(first - timedelta(days=1), cutoff)
        found = feeds.brought(connection, source.name, after, cutoff_at(business_on, cutoff), cutoff)
        landed = feeds.landed(connection, source.name, business_on)
    counts: dict[str, Counts] = {}
    for row in found:
        if row.on_date >= first:
            mine = counts.setdefault(row.kind, np.zeros((business_on - first).days + 1, np.int64))
            mine[(row.on_date - first).days] = row.messages
    if not counts:
        return None
    begin = min(int(np.flatnonzero(mine)[0]) for mine in counts.values())  # before its first record it sent nothing
    first += timedelta(days=begin)
    calendar = stored(engine()).cn(business_on, source.region)
    is_working = _working(calendar, first, business_on)
    said = volume_doubt(first, is_working, {kind: mine[begin:] for kind, mine in counts.items()})
    if said is None:
        return None
    if landed.landed_rows and not landed.new_rows:
        return "stale", f"本夜应答 {landed.landed_rows} 行，全部是此前已收到的记录；{said.detail}"
    return said.state, said.detail


def settle_later(source: Source, business_on: date) -> None:
    """What a night brought may explain later nights that were doubted: each is asked again, by its own knowledge."""
    with engine().connect() as connection:
        later = feeds.doubted_after(connection, source.name, business_on)
    for night in later:
        said = doubt(source, night)
        with engine().begin() as connection:
            feeds.set_doubt(connection, source.name, night, said)


def _working(calendar: Calendar, first: date, last: date) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    begin = calendar.index_of(first)
    return calendar.is_working[begin : begin + (last - first).days + 1]
