"""One folder (and one database) holding everything the demonstration reads. Same seed, same bytes."""

from __future__ import annotations

import heapq
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path

from city import case_files, day_files, exchange_platform, exchange_set, national_set, reference
from city.deliver import HORIZON, Record, deliver, journey
from city.departments import DEPARTMENTS, Department
from city.dirt import Row, received, spoil
from city.histories import Event
from city.population import crowd, events

SCALED = tuple(source for source, department in DEPARTMENTS.items() if department.form != "case_files")
"""Who has open cases to show: a department that reports decided cases only never does."""
_SHAPES: dict[str, Callable[[Record], tuple[str, Row] | None]] = {
    "platform": national_set.row,
    "tables": exchange_set.row,
    "day_files": day_files.row,
    "case_files": case_files.row,
}


def build(into: Path, seed: int, database_url: str = "", scale: int = 0) -> dict[str, object]:
    """Write the city under `into`: a folder a department (what `serve` answers with, or a drop folder) or a database.

    `database_url` receives rsj's ten tables (dropped first); empty writes an SQLite file into the folder, as for the
    others with tables. `scale` adds that many open cases, written as they are made. Returns the summary
    that is also kept as city.json.
    """
    into.mkdir(parents=True, exist_ok=True)
    counts, dirt, stories = {}, [], {}
    shares = {source: scale // len(SCALED) + (n < scale % len(SCALED)) for n, source in enumerate(SCALED)}
    for source, department in DEPARTMENTS.items():
        happened = events(source, seed)
        stories[source] = {event.case.number: event.case.story for event in happened}
        told = list(_rows(department, deliver(source, happened, seed)))
        if source == exchange_platform.FROM:
            rows = chain(told, _rows(department, _crowd(department, seed, shares[source])))
            copies = exchange_platform.passed_on(rows, seed)
            counts[exchange_platform.NAME] = _write_tables(into / f"{exchange_platform.NAME}.sqlite", copies)
        dirt += spoil(source, told)
        more = _rows(department, _crowd(department, seed, shares.get(source, 0)))
        found = heapq.merge(told, more, key=partial(_arrival, source))
        counts[source] = _write(into, department, found, database_url if source == "rsj" else "")
    reference.write(into / "reference")
    summary: dict[str, object] = {
        "seed": seed,
        "scale": shares if scale else {},
        "data_until": HORIZON.isoformat(),
        "rows": counts,
        "dirt": dirt,
        "stories": stories,
    }
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    (into / "city.json").write_text(text + "\n", encoding="utf-8")
    dropped = {source for source, department in DEPARTMENTS.items() if department.form.endswith("_files")}
    for path in into.rglob("*"):
        if path.is_file() and path.parent.name not in dropped:
            os.utime(path, (HORIZON.timestamp(),) * 2)
    return summary


def _rows(department: Department, records: Iterable[Record]) -> Iterator[tuple[str, Row]]:
    shape = _SHAPES[department.form]
    for record in records:
        row = shape(record)
        if row:
            yield row


def _arrival(source: str, told: tuple[str, Row]) -> str:
    return received(source, told[1])


def _write(into: Path, department: Department, found: Iterable[tuple[str, Row]], database_url: str) -> Counter[str]:
    folder = into / department.source
    if department.form == "platform":
        return national_set.write(folder, found)
    if department.form == "tables":
        file = into / f"{department.source}.sqlite"
        return exchange_set.write(database_url, found) if database_url else _write_tables(file, found)
    # Files already taken lie in done/; a new city starts with a full inbox.
    shutil.rmtree(folder, ignore_errors=True)
    families = day_files.FAMILIES if department.form == "day_files" else case_files.FAMILIES
    return day_files.write(folder, found, families)


def _write_tables(file: Path, found: Iterable[tuple[str, Row]]) -> Counter[str]:
    file.unlink(missing_ok=True)
    return exchange_set.write(f"sqlite:///{file}", found)


def _crowd(department: Department, seed: int, count: int) -> Iterator[Record]:
    """Records of the scaled city's open cases; where the order of arrival matters, in that order."""
    cases = crowd(department.source, seed, count)
    if department.form == "platform":
        yield from _in_order(department.source, cases, seed)
        return
    for happened in cases:
        yield from _sent(department.source, happened, seed)


def _in_order(source: str, cases: Iterable[list[Event]], seed: int) -> Iterator[Record]:
    """Only records still on their way wait: cases come in order, so what arrived before one began is complete."""
    waiting: list[tuple[datetime, int, Record]] = []
    number = 0
    for happened in cases:
        begun = min(event.at for event in happened) - timedelta(hours=1)
        while waiting and waiting[0][0] < begun:
            yield heapq.heappop(waiting)[2]
        for record in _sent(source, happened, seed):
            number += 1
            heapq.heappush(waiting, (record.received, number, record))
    while waiting:
        yield heapq.heappop(waiting)[2]


def _sent(source: str, happened: Iterable[Event], seed: int) -> Iterator[Record]:
    return (record for event in happened if (record := journey(source, event, seed)))
