"""Exact daily lag percentiles of 60,000,000 events per link and department, beside decoding the same columns.

The file lies as admission would leave it: in order of the night that came to know each event. DuckDB takes one night at
a time and finds it by the row groups' statistics; both use two threads.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measure import bar, medians, peak_bytes, table

EVENTS, NIGHTS, LINKS, DEPARTMENTS = 60_000_000, 60, 12, 40
FIRST = date(2026, 9, 21)
SQL = (Path(__file__).parent / "lags.sql").read_text(encoding="utf-8")
GROUP_ROWS = 250_000


def nights(count: int) -> list[date]:
    """The nights events are spread over."""
    return [FIRST + timedelta(days=number) for number in range(count)]


def night(on: date, events: int) -> pa.Table:
    """Events of one night: most within minutes, one in twenty days late, one in a hundred by a clock ahead."""
    random = np.random.default_rng(on.toordinal())
    lag = random.exponential(900, events)
    lag[random.random(events) < 0.05] *= 300
    lag[random.random(events) < 0.01] = -45
    midnight = (on - date(1970, 1, 1)).days * 86_400
    received = (midnight + random.integers(0, 86_400, events)) * 1_000_000 + random.integers(0, 1_000_000, events)
    link, department = (random.integers(0, size, events) for size in (LINKS, DEPARTMENTS))
    instant = pa.timestamp("us", "UTC")

    def named(prefix: str, codes: np.ndarray, size: int) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(
            codes.astype(np.int32), [f"{prefix}{number:02d}" for number in range(size)]
        )

    return pa.table(
        {
            "business_on": pa.repeat(on, events),
            "link": named("link", link, LINKS),
            "department": named("department", department, DEPARTMENTS),
            "written_at": pa.array(received - (lag * 1_000_000).astype(np.int64)).cast(instant),
            "received_at": pa.array(received).cast(instant),
        }
    )


def write(path: Path, events: int, over: int) -> None:
    """One zstd file of `events` over so many nights."""
    with pq.ParquetWriter(path, night(FIRST, 1).schema, compression="zstd") as writer:
        for on in nights(over):
            writer.write_table(night(on, events // over), row_group_size=GROUP_ROWS)


def contestants(path: Path, over: int) -> dict[str, Callable[[], Any]]:
    """Decoding every column with Arrow, and every night's percentiles with DuckDB."""
    database = duckdb.connect(config={"threads": 2, "memory_limit": "600MB", "preserve_insertion_order": False})

    def decode() -> int:
        with pq.ParquetFile(path) as file:
            return sum(len(batch) for batch in file.iter_batches(GROUP_ROWS))

    def percentiles() -> dict[date, list[tuple[Any, ...]]]:
        asked = {"path": str(path)}
        return {on: database.execute(SQL, asked | {"night": on}).fetchall() for on in nights(over)}

    return {"decode": decode, "percentiles": percentiles}


def report(events: int = EVENTS, over: int = NIGHTS, runs: int = 5) -> list[str]:
    """Seconds of each, their ratio, and the most memory the percentiles held."""
    pa.set_cpu_count(2)
    with tempfile.TemporaryDirectory(prefix="jiancha-bench-") as folder:
        path = Path(folder) / "events.parquet"
        write(path, events, over)
        works = contestants(path, over)
        peak = peak_bytes(works["percentiles"])
        seconds = medians(works, runs)
        size = path.stat().st_size
    titles = {
        "decode": "decoding the same columns (Arrow)",
        "percentiles": "**exact percentiles, night by night (DuckDB)**",
    }
    rows = [[titles[name], f"{taken:.2f}"] for name, taken in seconds.items()]
    return [
        *table(["", "seconds"], rows),
        "",
        bar("percentiles ÷ decoding", seconds["percentiles"] / seconds["decode"], at_most=3.5),
        bar("GiB held at most", peak / 2**30, at_most=1),
        f"- {events:,} events of {over} nights, {LINKS} links, {DEPARTMENTS} departments: {size / 2**20:,.0f} MiB",
    ]
