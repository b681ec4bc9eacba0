"""Reconciling two sources of 500,000 and of 5,000,000 records, beside a full join and a full merge of their keys.

First everything at once, as the first night does it; then a night that brings one record in a hundred. Memory is what
this process and the server's own processes hold of their own at most, without the buffers they share.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
from adbc_driver_postgresql import dbapi
from sqlalchemy import Engine

from benchmarks.database import fresh_ledger
from benchmarks.measure import bar, table
from etl.domain.message import whole_cases
from etl.domain.night import cutoff_at
from etl.domain.office_axis import OfficeAxis
from etl.settings import settings
from etl.store import calendars
from etl.store import reconciliation as store
from etl.store.engine import adbc_uri
from etl.supervision.delays import Route
from etl.supervision.reconciliation import Pair, differences

RECORDS = (500_000, 5_000_000)
FILL, JOIN, MERGE = (
    (Path(__file__).parent / f"reconciliation_{name}.sql").read_text(encoding="utf-8")
    for name in ("fill", "join", "merge")
)
LAST = cutoff_at(date(2026, 11, 22))
PAIR = Pair("up", "down", Route("up"), 0, True, ())
KINDS: dict[str, list[str]] = {name: [] for name in ("accept", "finish", "apply", "collect", "certificate")}


def fill(engine: Engine, records: int) -> None:
    """Messages of both sources, and statistics as a server in use has them."""
    with engine.begin() as connection:
        connection.exec_driver_sql(FILL, {"records": records})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze message")


def reconcile(is_night: bool) -> Counter[str]:
    """Differences by class: of all records, or of the cases the last night told of."""
    since = LAST - timedelta(days=1) if is_night else None
    return _merged(store.differing("up", "down", KINDS, since, LAST, LAST, with_item=True, is_written=True))


def merge() -> Counter[str]:
    """The same of all records, every one of them handed out."""
    with dbapi.connect(adbc_uri()) as connection, connection.cursor() as cursor:
        cursor.execute(MERGE)  # without parameters the driver hands rows out as they come
        return _merged(cursor.fetch_record_batch())


def _merged(batches: Iterable[pa.RecordBatch]) -> Counter[str]:
    axis = OfficeAxis(calendars.packaged().cn())
    found: Counter[str] = Counter()
    for rows in whole_cases(batches, 1):
        found.update(differences(rows, PAIR, settings().cutoff, axis)["class"].to_pylist())
    return found


def join(engine: Engine) -> Counter[str]:
    """The same of all records by the naive way."""
    with engine.connect() as connection:
        row = connection.exec_driver_sql(JOIN, {"known_by": LAST}).mappings().one()
    return Counter(dict(row))


def contestants(engine: Engine) -> dict[str, Callable[[], Counter[str]]]:
    """What is measured, by what the page calls it."""
    return {
        "**everything: buckets, then keys**": lambda: reconcile(is_night=False),
        "everything: full join of the keys": lambda: join(engine),
        "everything: full merge of the keys in Arrow": merge,
        "**a night's one in a hundred**": lambda: reconcile(is_night=True),
    }


def report(sizes: tuple[int, ...] = RECORDS) -> list[str]:
    """Seconds and most memory of each, one turn on what was just written; what was found must be the same."""
    lines: list[str] = []
    for records in sizes:
        with fresh_ledger() as (engine, folder):
            fill(engine, records)
            rows, seconds, peaks, found = [], {}, {}, {}
            for name, work in contestants(engine).items():
                with watched(folder / "var" / "pgdata") as peak:
                    begin = time.perf_counter()
                    found[name] = work()
                    seconds[name] = time.perf_counter() - begin
                peaks[name] = peak[0]
                rows.append([name, f"{seconds[name]:.2f}", f"{peak[0] / 2**20:,.0f}"])
        everything, naive, merged, _ = seconds
        if not found[everything] == found[naive] == found[merged]:
            raise RuntimeError(f"buckets find {found[everything]}, others {found[naive]} and {found[merged]}")
        lines += [
            *table([f"{records:,} records a side", "seconds", "MiB"], rows),
            "",
            bar("full join ÷ buckets, seconds", seconds[naive] / seconds[everything], at_least=1),
            f"- full merge ÷ buckets, seconds: {seconds[merged] / seconds[everything]:.2f}",
            bar("MiB held by the buckets at most", peaks[everything] / 2**20, at_most=512),
            f"- both find {', '.join(f'{count:,} {name}' for name, count in sorted(found[naive].items()))}",
            "",
        ]
    return lines


@contextmanager
def watched(pgdata: Path) -> Iterator[list[int]]:
    """The most bytes of their own that this process (beyond what it holds now) and the server's processes hold."""
    peak, done = [0], threading.Event()
    server = int((pgdata / "postmaster.pid").read_text().split()[0])
    before = _own(Path("/proc/self"))

    def look() -> None:
        while not done.wait(0.05):
            theirs = (Path("/proc") / child for child in _children(server))
            peak[0] = max(peak[0], sum(map(_own, theirs)) + _own(Path("/proc/self")) - before)

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield peak
    finally:
        done.set()
        watch.join()


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _own(process: Path) -> int:
    try:
        said = re.search(r"RssAnon:\s+(\d+) kB", (process / "status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended since
    return int(said[1]) * 1024 if said else 0
