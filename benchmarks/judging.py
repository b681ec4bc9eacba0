"""Judging whole cases: messages in, cards out, with history, natures and evidence."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks.cases import messages
from benchmarks.measure import medians, table
from etl.store.calendars import packaged
from etl.store.profiles import profile
from etl.supervision.judge import judge_table

CASES = (10_000, 100_000, 1_000_000)
AS_OF = datetime(2026, 11, 22, 17, tzinfo=UTC)


def report(sizes: tuple[int, ...] = CASES, runs: int = 5) -> list[str]:
    """Growth with the number of cases, mode office_clock, every clock and level of the default profile."""
    rules, book = profile("hunan"), packaged().book("cn")
    tables = {cases: messages(cases) for cases in sizes}
    seconds = medians(
        {
            str(cases): lambda told=told: judge_table(told, AS_OF, AS_OF, rules, book)  # type: ignore[misc]
            for cases, told in tables.items()
        },
        runs,
    )
    rows = [
        [f"{cases:,}", f"{len(told):,}", f"{seconds[str(cases)]:.2f}", f"{cases / seconds[str(cases)]:,.0f}"]
        for cases, told in tables.items()
    ]
    return table(["cases", "messages", "seconds", "cases per second"], rows)
