"""When each event is written in its system and when the record reaches the place it can be read from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from city.histories import Event
from city.hours import LAST_DAY, at
from city.stories import THE_STOP

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
    records = [_record(source, event, seed) for event in events]
    records.sort(key=lambda record: (record.received, record.event.case.number, record.event.kind, record.event.seq))
    return [record for record in records if record.received <= HORIZON]


def _record(source: str, event: Event, seed: int) -> Record:
    rng = Random(f"{seed}/{event.case.number}/{event.kind}/{event.seq}/{event.version}")
    written = event.written or event.at + timedelta(seconds=rng.randint(20, 700))
    if source == "zrzy":
        tonight = at(written.date(), NIGHTLY)
        return Record(event, written, tonight if written <= tonight else tonight + timedelta(days=1))
    transit = timedelta(seconds=round(event.transit.total_seconds())) if event.transit else _usual(rng)
    received = written + transit
    if source == "scjg" and received > THE_STOP[0] and written < THE_STOP[1]:
        received = max(received if event.transit else written, THE_STOP[1] + timedelta(seconds=rng.randint(20, 1500)))
    return Record(event, written, received)


def _usual(rng: Random) -> timedelta:
    """Minutes mostly; two records in a hundred wait for a few hours."""
    if rng.random() < 0.02:
        return timedelta(seconds=rng.randint(2 * 3600, 6 * 3600))
    return timedelta(seconds=min(round(rng.expovariate(1 / 480)) + 15, 3500))
