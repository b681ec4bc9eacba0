"""A night's increment, from another database server's tables into the ledger, beside plain COPY of the same rows.

The department's exchange database is a real PostgreSQL, read page after page by key. The night is pulled, landed and
admitted once, step by step; COPY by the server then puts the same ledger rows, from a file on its own disk, into a
table with the ledger's constraints and indexes, and into a bare one.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, create_engine, text

from benchmarks.database import fresh_ledger
from benchmarks.measure import peak_bytes, table
from etl.domain.night import cutoff_at
from etl.runs import admission, nightly
from etl.settings import settings
from etl.store import feeds, landing
from etl.store.engine import embedded_url

RECORDS = 2_000_000
ON = date(2026, 11, 20)
SOURCE = "rsj"
TABLES = Path(__file__).with_name("increment_tables.sql")
STEPS: dict[str, tuple[ModuleType, str]] = {
    "landing: pages written, fsynced and listed": (landing, "land"),
    "reading: pages decoded and mapped": (admission, "read_page"),
    "checking: every expectation over every row": (admission, "check_rows"),
    "inserting: a transaction a page": (admission, "admit_read"),
}
_LIKE_MESSAGE = "create temporary table copied (like message including all) on commit drop"
_BARE = "create temporary table copied (like message) on commit drop"


def report(records: int = RECORDS) -> list[str]:
    """Records a second of every step, and of COPY."""
    import great_expectations  # noqa: F401  (paid once a process; its seconds stand in the section on admission)

    with fresh_ledger() as (engine, folder):
        exchange = embedded_url(folder / "var", "exchange")
        os.environ[f"JIANCHA_CONNECTION_{SOURCE.upper()}"] = exchange
        settings.cache_clear()
        _fill(exchange, records // 2)
        before = ON - timedelta(days=1)
        feeds.set_pulled(engine, SOURCE, before, "night", 0, cutoff_at(before))  # a regular night, not a first load
        seconds, counts, peaks = defaultdict[str, float](float), dict[str, dict[str, int]](), []
        verbs: dict[str, Callable[[], dict[str, int]]] = {
            "pull": lambda: nightly.pull(SOURCE, ON),
            "admit": lambda: nightly.admit(ON, [SOURCE]),
        }
        with ExitStack() as clocks:
            for name, (module, function) in STEPS.items():
                clocks.enter_context(_timed(seconds, name, module, function))
            for name, verb in verbs.items():
                begin = time.perf_counter()
                peaks.append(peak_bytes(lambda name=name, verb=verb: counts.update({name: verb()})))  # type: ignore[misc]
                seconds[name] = time.perf_counter() - begin
        if counts["admit"]["accepted"] != records // 2 * 2:
            raise RuntimeError(f"the night was not what it was meant to be: {counts}")
        drop = folder / "server"  # the server runs as another user when this process is root
        drop.mkdir(mode=0o777)
        drop.chmod(0o777)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"copy message to '{drop}/rows.text'")
            seconds["bare"] = _copied(connection, _BARE, drop)
        with engine.connect() as connection:
            seconds["like"] = _copied(connection, _LIKE_MESSAGE, drop)
    return _shown(records, seconds, max(peaks), counts["pull"]["pages"])


def _fill(exchange: str, cases: int) -> None:
    department = create_engine(exchange)
    with department.begin() as connection:
        for statement in TABLES.read_text("utf-8").split(";\n"):
            connection.execute(text(statement), {"cases": cases} if ":cases" in statement else {})
    department.dispose()


@contextmanager
def _timed(seconds: dict[str, float], name: str, module: ModuleType, function: str) -> Iterator[None]:
    """Add up what every call of a function takes."""
    real = getattr(module, function)

    def timed(*given: Any, **named: Any) -> Any:
        begin = time.perf_counter()
        try:
            return real(*given, **named)
        finally:
            seconds[name] += time.perf_counter() - begin

    with patch.object(module, function, timed):
        yield


def _copied(connection: Connection, target: str, drop: Path) -> float:
    connection.exec_driver_sql(target)
    begin = time.perf_counter()
    connection.exec_driver_sql(f"copy copied from '{drop}/rows.text'")
    return time.perf_counter() - begin


def _shown(records: int, seconds: dict[str, float], peak: int, pages: int) -> list[str]:
    land, *admitting = STEPS
    steps = {
        "COPY of the same rows into a bare table": seconds["bare"],
        "COPY of the same rows into a table with the ledger's constraints and indexes": seconds["like"],
        f"pulling: {pages:,} pages read by key from the department's tables": seconds["pull"] - seconds[land],
        land: seconds[land],
        **{name: seconds[name] for name in admitting},
        "the rest of admission: volumes, verdict, the night's page": seconds["admit"]
        - sum(seconds[name] for name in admitting),
        "**together**": seconds["pull"] + seconds["admit"],
    }
    rows = [[name, f"{s:.1f}", f"{records / s:,.0f}", f"{s / seconds['like']:.2f}"] for name, s in steps.items()]
    return [
        *table(["", "seconds", "records a second", "× COPY with indexes"], rows),
        "",
        f"- {records:,} records of one night and one source; {peak / 2**30:.2f} GiB held at the peak of this process",
        *(["- a smaller run than the 2,000,000 records of `make bench`"] if records < RECORDS else []),
    ]
