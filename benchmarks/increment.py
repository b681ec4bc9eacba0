"""A night's increment of 2,000,000 records, from another database server's tables into the ledger, beside plain COPY.

The department's exchange database is a real PostgreSQL, read page after page by key. Each turn pulls, lands and admits
all of it into a ledger that the turn before was taken out of; COPY puts the same ledger rows, written to a file before,
into a table with the same constraints and indexes, and into a bare one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Connection, create_engine, text

from benchmarks.database import fresh_ledger
from benchmarks.measure import peak_bytes, table
from etl.domain.night import cutoff_at
from etl.runs import nightly
from etl.settings import settings
from etl.store import feeds
from etl.store.engine import embedded_url

RECORDS = 2_000_000
ON = date(2026, 11, 20)
SOURCE = "rsj"
TABLES = Path(__file__).with_name("increment_tables.sql")
_LIKE_MESSAGE = "create temporary table copied (like message including all) on commit drop"
_BARE = "create temporary table copied (like message) on commit drop"


def report(records: int = RECORDS) -> list[str]:
    """Records a second of every step, and of COPY."""
    with fresh_ledger() as (engine, folder):
        exchange = embedded_url(folder / "var", "exchange")
        os.environ[f"JIANCHA_CONNECTION_{SOURCE.upper()}"] = exchange
        settings.cache_clear()
        department = create_engine(exchange)
        with department.begin() as connection:
            for statement in TABLES.read_text("utf-8").split(";\n"):
                connection.execute(text(statement), {"cases": records // 2} if ":cases" in statement else {})
        department.dispose()
        before = ON - timedelta(days=1)
        feeds.set_pulled(engine, SOURCE, before, "night", 0, cutoff_at(before))  # a regular night, not a first load
        seconds, peaks, counts = dict[str, float](), dict[str, int](), dict[str, dict[str, int]]()
        verbs: dict[str, Callable[[], dict[str, int]]] = {
            "pull": lambda: nightly.pull(SOURCE, ON),
            "admit": lambda: nightly.admit(ON, [SOURCE]),
        }
        import great_expectations  # noqa: F401  (paid once a process; its seconds stand in the section on admission)

        for name, verb in verbs.items():
            begin = time.perf_counter()
            peaks[name] = peak_bytes(lambda name=name, verb=verb: counts.update({name: verb()}))  # type: ignore[misc]
            seconds[name] = time.perf_counter() - begin
        if counts["admit"]["accepted"] != records // 2 * 2:
            raise RuntimeError(f"the night was not what it was meant to be: {counts}")
        drop = folder / "server"  # the server runs as another user when this process is root
        drop.mkdir(mode=0o777)
        drop.chmod(0o777)
        with engine.connect() as connection:
            connection.exec_driver_sql(f"copy message to '{drop}/rows.text'")
            plain = _copied(connection, _BARE, drop)
        with engine.connect() as connection:
            like = _copied(connection, _LIKE_MESSAGE, drop)
    return _shown(records, seconds, peaks, counts["pull"]["pages"], plain, like)


def _copied(connection: Connection, target: str, drop: Path) -> float:
    connection.exec_driver_sql(target)
    begin = time.perf_counter()
    connection.exec_driver_sql(f"copy copied from '{drop}/rows.text'")
    return time.perf_counter() - begin


def _shown(
    records: int, seconds: dict[str, float], peaks: dict[str, int], pages: int, plain: float, like: float
) -> list[str]:
    whole = sum(seconds.values())
    steps: list[tuple[str, float, str]] = [
        ["COPY of the same rows into a bare table", plain, ""],
        ["COPY of the same rows into a table with the ledger's constraints and indexes", like, ""],
        [f"pull: read from the tables and land {pages:,} pages", seconds["pull"], f"{peaks['pull'] / 2**20:,.0f}"],
        ["admit: decode, map, check every expectation, insert", seconds["admit"], f"{peaks['admit'] / 2**20:,.0f}"],
        ["**together**", whole, ""],
    ]
    rows = [[name, f"{s:.1f}", f"{records / s:,.0f}", f"{s / like:.1f}", peak] for name, s, peak in steps]  # type: ignore[operator]
    return table(["", "seconds", "records a second", "× COPY with indexes", "peak MiB"], rows)
