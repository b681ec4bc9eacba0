"""Judging a whole history again: canonical Parquet of 10,000,000 cases in, cards as JSON Lines out, as `jiancha judge`.

The files are made first, which is not counted. A process of its own judges them with every clock and level of the
default profile and drops the lines; its peak memory is that of the whole process. A few parts of whole cases are then
worked on step by step on one thread, to say where the time goes.
"""

from __future__ import annotations

import cProfile
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa

from benchmarks.cases import messages
from benchmarks.measure import bar, peak_bytes, table
from etl.domain.message import JUDGED
from etl.domain.night import to_us
from etl.runs import judging
from etl.settings import ROOT, settings
from etl.store import message_files
from etl.store.calendars import packaged
from etl.store.profiles import profile_book
from etl.supervision.contract import contract_lines
from etl.supervision.judge import judge_part, judge_table
from etl.supervision.question import Question

CASES, PART_CASES = 10_000_000, 30_000
AS_OF = datetime(2026, 11, 22, 17, tzinfo=UTC)
STAGES = {
    "of": "columns sorted and read",
    "history": "messages and cases chosen per clock",
    "_epochs": "moments at which something changed",
    "evaluate": "every moment judged",
    "_last_held": "what held when",
    "removals": "natures",
    "causes": "natures",
    "_evidence": "evidence",
}
"""Functions that judging calls and what they are called here; the rest puts the cards together."""
STEPS = ("decoding Parquet", "judging", "cards as JSON Lines")


def write(folder: Path, cases: int) -> int:
    """Messages of so many cases as canonical Parquet; how many messages."""
    order = [("case_no", "ascending"), ("occurred_at", "ascending")]

    def parts() -> Iterator[pa.Table]:
        for first in range(0, cases, PART_CASES):
            told = messages(min(PART_CASES, cases - first), first)
            yield told.select(JUDGED.names).sort_by(order)

    return message_files.write(parts(), folder)


def judge(folder: Path) -> int:
    """Every case judged as the command does; bytes of JSON Lines."""
    return sum(map(len, judging.cards(message_files.read(folder), AS_OF, None, "hunan")))


@dataclass(frozen=True)
class Measured:
    """How long a process judged, how much processor time it took, how much memory at most, how much it would print."""

    seconds: float
    busy_seconds: float
    peak_bytes: int
    line_bytes: int


def measured(*folders: Path, threads: int | None = None) -> list[Measured]:
    """New processes judge a folder each, side by side; on so many threads, else on as many as there are cores."""
    asked = [
        [sys.executable, "-m", "benchmarks.history", str(folder), str(threads or os.cpu_count())] for folder in folders
    ]
    started = [subprocess.Popen(one, stdout=subprocess.PIPE, text=True, cwd=ROOT) for one in asked]
    said = [process.communicate()[0].split() for process in started]
    return [Measured(float(seconds), float(busy), int(peak), int(size)) for seconds, busy, peak, size in said]


def halves(folder: Path) -> list[Path]:
    """Every second file, and the others: still in order of their cases."""
    made = []
    for half in (0, 1):
        made.append(folder.with_name(f"{folder.name}-{half}"))
        made[half].mkdir()
        for file in sorted(folder.iterdir())[half::2]:
            (made[half] / file.name).hardlink_to(file)
    return made


def steps(folder: Path, parts: int, runs: int) -> dict[str, float]:
    """Median seconds of each step over so many parts of whole cases, on one thread."""
    rules, book = profile_book("hunan"), packaged().book("cn")
    seconds: dict[str, list[float]] = {name: [] for name in STEPS}
    for _ in range(runs + 1):
        marks = [time.perf_counter()]
        told = list(islice(message_files.read(folder), parts))
        marks.append(time.perf_counter())
        cards = [judge_table(part, AS_OF, AS_OF, rules, book) for part in told]
        marks.append(time.perf_counter())
        for part in cards:
            contract_lines(part)
        marks.append(time.perf_counter())
        for name, begin, end in zip(STEPS, marks, marks[1:], strict=False):
            seconds[name].append(end - begin)
    return {name: statistics.median(times[1:]) for name, times in seconds.items()}


def stages(folder: Path, parts: int) -> dict[str, float]:
    """What judging spends its time on: the shares of what it calls first of all."""
    rules, book = profile_book("hunan"), packaged().book("cn")
    question = Question(to_us(AS_OF), to_us(AS_OF), rules, book, settings().cutoff, {})
    told = list(islice(message_files.read(folder), parts))
    judge_part(told[0], question)
    profiler = cProfile.Profile(time.process_time)
    with profiler:
        for part in told:
            judge_part(part, question)
    spent: defaultdict[str, float] = defaultdict(float)
    calls = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    for (_, _, name), (*_, callers) in calls.items():
        for (_, _, caller), (_, _, _, seconds) in callers.items():
            if name in STAGES and caller in ("judge_part", "_judge_clock", "<genexpr>"):
                spent[STAGES[name]] += seconds
    whole = sum(row[3] for (_, _, name), row in calls.items() if name == "judge_part")
    return {title: seconds / whole for title, seconds in spent.items()}


def report(cases: int = CASES, runs: int = 5) -> list[str]:
    """Speed and memory of a tenth and of all, and the steps of a part."""
    with tempfile.TemporaryDirectory(prefix="jiancha-bench-") as name:
        folder = Path(name)
        told = {size: write(folder / str(size), size) for size in (cases // 10, cases)}
        file_bytes = sum(file.stat().st_size for file in (folder / str(cases)).iterdir())
        found = {size: measured(folder / str(size))[0] for size in told}
        split = measured(*halves(folder / str(cases)), threads=1)
        step, share = steps(folder / str(cases), 8, runs), stages(folder / str(cases), 8)
    rows = [
        [f"{size:,}", f"{told[size]:,}", f"{one.seconds:.1f}", f"{size / one.seconds:,.0f}",
         f"{size / one.busy_seconds:,.0f}", f"{one.peak_bytes / 2**30:.2f}"]
        for size, one in found.items()
    ]  # fmt: skip
    few, every = found[cases // 10], found[cases]
    whole = sum(step.values())
    return [
        *table(
            ["cases", "messages", "seconds", "cases per second", "cases per second of processor time", "peak GiB"], rows
        ),
        "",
        bar(f"GiB at the peak of {cases:,} cases", every.peak_bytes / 2**30, at_most=2),
        bar(f"growth from {cases // 10:,} to {cases:,} cases ÷ linear", every.seconds / few.seconds / 10, at_most=1.2),
        f"- {file_bytes / 2**20:,.0f} MiB of Parquet in, {every.line_bytes / 2**20:,.0f} MiB of JSON Lines out",
        f"- two processes of one thread, half of the files each: {max(one.seconds for one in split):.1f} s, "
        f"{sum(one.peak_bytes for one in split) / 2**30:.2f} GiB together",
        "- on one thread: " + ", ".join(f"{title} {seconds / whole:.0%}" for title, seconds in step.items()),
        "- inside judging: " + ", ".join(f"{title} {part:.0%}" for title, part in share.items()),
    ]


if __name__ == "__main__":
    begin, busy = time.perf_counter(), time.process_time()
    sizes: list[int] = []
    with patch("os.cpu_count", return_value=int(sys.argv[2])):
        held = peak_bytes(lambda: sizes.append(judge(Path(sys.argv[1]))))
    print(time.perf_counter() - begin, time.process_time() - busy, held, sizes[0])
