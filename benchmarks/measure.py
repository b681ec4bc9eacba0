"""Timing side by side: every round runs each contestant once, so that a busy machine disturbs all of them alike."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def medians(contestants: Mapping[str, Callable[[], Any]], runs: int = 5) -> dict[str, float]:
    """Median wall seconds of each over `runs` rounds, after one round that is not counted (caches, lazy imports)."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(runs + 1):
        for name, work in contestants.items():
            begin = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - begin)
    return {name: statistics.median(times[1:]) for name, times in seconds.items()}


def peak_bytes(work: Callable[[], Any]) -> int:
    """The most memory this process held while it worked, as Linux counts it."""
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    work()
    said = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if said is None:
        raise RuntimeError("the kernel does not say how much memory was held")
    return int(said[1]) * 1024


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table."""
    return ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]


def bar(text: str, value: float, *, at_most: float | None = None, at_least: float | None = None) -> str:
    """One line: what was asked, what was measured, whether it holds."""
    is_met = (at_most is None or value <= at_most) and (at_least is None or value >= at_least)
    limit = f"at most {at_most:g}" if at_most is not None else f"at least {at_least:g}"
    return f"- {text}: {value:.2f}, {limit} asked: **{'met' if is_met else 'not met'}**"
