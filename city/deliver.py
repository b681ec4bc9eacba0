"""When each event is written in its system and when the record reaches the place it can be read from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from city.departments import DEPARTMENTS
from city.histories import Event
from city.hours import LAST_DAY, at
from city.stories import THE_SILENCE, THE_STOP

HORIZON = at(LAST_DAY + timedelta(days=1), "01:00")
"""Nothing that arrives later exists in this city."""
NIGHTLY = "23:30"


@dataclass(frozen=True)
class Record:
    """An event with the two times its journey gave it."""

    event: Event
    written: datetime
    received: datetime


def deliver(source: str, events: Iterable[Event], seed: int) -> list[Record]:
    """Records in the order they arrive, without those still on their way at the horizon."""
    happened = list(events)
    if DEPARTMENTS[source].form == "case_files":
        happened = _finished_only(happened)
    records = [record for event in happened if (record := journey(source, event, seed))]
    records.sort(key=lambda record: (record.received, record.event.case.number, record.event.kind, record.event.seq))
    return records


def journey(source: str, event: Event, seed: int) -> Record | None:
    """One event on its way; None when it has not arrived by the horizon, or never leaves."""
    rng = Random(f"{seed}/{event.case.number}/{event.kind}/{event.seq}/{event.version}")
    written = event.written or event.at + timedelta(seconds=rng.randint(20, 700))
    if source == "jtj" and written > THE_SILENCE:
        return None
    received = _received(source, event, written, rng)
    return Record(event, written, received) if received <= HORIZON else None


def _received(source: str, event: Event, written: datetime, rng: Random) -> datetime:
    department = DEPARTMENTS[source]
    if department.form in ("day_files", "case_files"):
        tonight = at(written.date(), NIGHTLY)
        return tonight if written <= tonight else tonight + timedelta(days=1)
    transit = timedelta(seconds=round(event.transit.total_seconds())) if event.transit else None
    if source == "syj":
        # Keyed in the ministry's system first; a clerk keys it again here, mostly on the next working day.
        hours = department.hours
        return hours.later(written + transit, 0) if transit else hours.later(written, rng.triangular(0.1, 3.6, 0.9))
    transit = transit or _usual(rng)
    received = written + transit
    if source == "scjg" and received > THE_STOP[0] and written < THE_STOP[1]:
        received = max(received if event.transit else written, THE_STOP[1] + timedelta(seconds=rng.randint(20, 1500)))
    return received


def _finished_only(events: Iterable[Event]) -> list[Event]:
    """Acceptance and decision of cases that are decided, both written with the decision; nothing of the others."""
    cases: dict[str, list[Event]] = {}
    for event in events:
        cases.setdefault(event.case.number, []).append(event)
    told = []
    for found in cases.values():
        ends = [event for event in found if event.kind == "finish"]
        accepted = [event for event in found if event.kind == "accept" and event.facts["outcome"] == "passed"]
        if ends and accepted:
            decided = ends[0]
            told += [replace(decided, facts={**decided.facts, "accepted": accepted[0]})]
    return told


def _usual(rng: Random) -> timedelta:
    """Minutes mostly; two records in a hundred wait for a few hours."""
    if rng.random() < 0.02:
        return timedelta(seconds=rng.randint(2 * 3600, 6 * 3600))
    return timedelta(seconds=min(round(rng.expovariate(1 / 480)) + 15, 3500))
