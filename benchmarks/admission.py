"""Admission of 300,000 rows: every expectation over every row, all failing rows named.

Great Expectations is imported before; that is paid once a process and reported beside.
"""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime

from benchmarks.cases import messages
from benchmarks.measure import bar, medians, table
from etl.domain.night import ZONE
from etl.quality.check import check

ROWS = 300_000
CUTOFF = datetime(2026, 11, 22, 1, tzinfo=ZONE)


def report(rows: int = ROWS, runs: int = 5) -> list[str]:
    """Seconds of one check of all rows in one call, as the nightly run does it."""
    told = messages(rows * 10 // 16).slice(0, rows)
    results = check(told, CUTOFF).results
    seconds = medians({"check": lambda: check(told, CUTOFF)}, runs)["check"]
    evaluated = sum(result.checked_rows > 0 for result in results)
    shown = [["the one import, in a new process (one turn)", f"{seconds_to_import():.2f}"]]
    shown.append([f"{evaluated} rules with rows to look at, of {len(results)}", f"{seconds:.2f}"])
    return [*table(["", "seconds"], shown), "", bar(f"seconds for {rows:,} rows", seconds, at_most=3)]


def seconds_to_import() -> float:
    """What a new process pays before its first check; the interpreter's own start is part of it."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", "-c", "import great_expectations, pandas"], check=True)
    return time.perf_counter() - begin
