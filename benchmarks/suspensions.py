"""Judging 10,000,000 cases with 3,500,000 suspensions on two cores: used time and every level, mode whole_day.

Cases in columns (start, stop, two limits), suspensions in columns (case, begin, end, approved days), at most three a
case and some of them overlapping; verdicts in columns: used and excluded days, and per level whether it is reached,
when, due when, and whether provisionally. No history, no evidence, no I/O: messages to cards is measured under
"judging". Every contestant in Python works through the same 64 k ranges of cases on the same two threads.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from sqlalchemy import Engine, text

from benchmarks.database import fresh_ledger
from benchmarks.measure import bar, medians, peak_bytes, table
from etl.domain.axes import axis_for
from etl.domain.clock import Spans, merge
from etl.domain.night import DAY_US, OFFSET
from etl.domain.profile import LevelRule
from etl.settings import ROOT
from etl.store.calendars import packaged
from etl.store.profiles import profile
from etl.supervision.cards.counting import Counting, Runs, Verdicts

CASES, CASES_IN_SQL = 10_000_000, 1_000_000
ROWS_PER_CASE, MANY_ROWS_PER_CASE = 0.35, 1.5
CHUNK, THREADS, UNIT = 65_536, 2, "working_day"
_FIRST, _LAST = 13_520, 20_400  # 2007 to 2025
_US = OFFSET.resolution
_SQL = Path(__file__).parent


def rules() -> tuple[LevelRule, ...]:
    """Reminder, yellow and red of the default profile's case clock."""
    return profile("hunan").rules("case")


@dataclass(frozen=True)
class Cases:
    """Columns of cases, and of suspensions sorted by `owner`; instants in us, days as numbers (NaN: uncapped)."""

    start: np.ndarray
    stop: np.ndarray
    promised: np.ndarray
    statutory: np.ndarray
    owner: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    approved: np.ndarray

    @property
    def byte_count(self) -> int:
        """Of all columns together."""
        return sum(getattr(self, one.name).nbytes for one in fields(self))

    def parts(self) -> list[Cases]:
        """Ranges of cases with their own suspensions, numbered from 0 in each."""
        edges = [*range(0, len(self.start), CHUNK), len(self.start)]
        rows = np.searchsorted(self.owner, edges)
        return [
            Cases(
                *(column[low:high] for column in (self.start, self.stop, self.promised, self.statutory)),
                self.owner[first:last] - low,
                *(column[first:last] for column in (self.begin, self.end, self.approved)),
            )
            for low, high, first, last in zip(edges, edges[1:], rows, rows[1:])
        ]

    def spans(self) -> Spans:
        """An end equal to its beginning is still missing."""
        return Spans(self.owner, self.begin, self.end, self.end == self.begin)

    def runs(self) -> Runs:
        """One run a case."""
        number = np.arange(len(self.start))
        return Runs.of(number, number, self.start, self.stop, {"promised": self.promised, "statutory": self.statutory})


def generated(cases: int, rows_per_case: float = ROWS_PER_CASE) -> Cases:
    """Cases of 2007 to 2025, handled within 30 days, and about `rows_per_case` suspensions each (at most 3)."""
    random = np.random.default_rng(20261122)

    def instants(days: np.ndarray) -> np.ndarray:
        seconds = random.integers(9 * 3600, 17 * 3600, len(days))
        return days * DAY_US + seconds * 1_000_000 - OFFSET // _US

    days = random.integers(_FIRST, _LAST, cases)
    start = instants(days)
    stop = np.maximum(instants(days + random.integers(0, 31, cases)), start)
    promised = random.integers(1, 21, cases).astype(np.float64)
    statutory = promised + random.integers(0, 21, cases)
    owner = np.repeat(np.arange(cases), random.binomial(3, rows_per_case / 3, cases))
    begin = instants(days[owner] + random.integers(0, 25, len(owner)))
    end = np.maximum(instants(begin // DAY_US + random.integers(1, 12, len(owner))), begin)
    end = np.where(random.random(len(owner)) < 0.02, begin, end)
    approved = np.where(random.random(len(owner)) < 0.5, random.integers(1, 11, len(owner)), np.nan)
    return Cases(start, stop, promised, statutory, owner, begin, end, approved)


def on_threads(work: Callable[[Any], object], parts: list[Any]) -> list[object]:
    """Every part once, two at a time."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, parts))


def judged(mode: str) -> Callable[[Cases], Verdicts]:
    """Cases -> verdicts, as the platform counts them."""
    axis, levels = axis_for(mode, UNIT, packaged().cn()), rules()

    def judge(part: Cases) -> Verdicts:
        return Counting.of(axis, UNIT, part.runs(), part.spans(), part.approved).verdicts(levels)

    return judge


def positions(cases: Cases) -> tuple[np.ndarray, ...]:
    """Suspensions in working-day numbers, clipped and capped -> owner, low, high; and where each case's clock stops."""
    axis = axis_for("whole_day", UNIT, packaged().cn())
    begin = axis.start(cases.start)
    stop = np.maximum(axis.at(cases.stop), begin)
    low, high = axis.suspension(cases.begin, cases.end)
    low, high = np.maximum(low, begin[cases.owner]), np.where(cases.end == cases.begin, 2**40, high)
    high = np.where(np.isnan(cases.approved), high, np.minimum(high, low + np.nan_to_num(cases.approved)))
    return cases.owner, low, np.minimum(high, stop[cases.owner]).astype(np.int64), stop


def united(place: tuple[np.ndarray, ...]) -> np.ndarray:
    """The platform's union of `positions` -> excluded days per case."""
    owner, low, high, stop = place
    return merge(owner, low, high).excluded(stop)


def numpy_busday() -> Callable[[Cases], object]:
    """The same verdicts from numpy's own functions, without suspensions and without make-up days."""
    calendar, levels = packaged().cn(), rules()
    holidays = np.flatnonzero(~calendar.is_working) + calendar.first
    busday = np.busdaycalendar(holidays=holidays[(holidays + 3) % 7 < 5].astype("M8[D]"))

    def judge(part: Cases) -> object:
        start, stop = (((at + OFFSET // _US) // DAY_US).astype("M8[D]") for at in (part.start, part.stop))
        used = np.busday_count(start + 1, stop + 1, busdaycal=busday)
        out = []
        for rule in levels:
            limit = (part.promised if rule.base == "promised" else part.statutory).astype(np.int64)
            held = np.flatnonzero(used > limit + int(rule.offset_days))
            reached, due = (
                np.busday_offset(start[held], limit[held] + days, roll="backward", busdaycal=busday)
                for days in (int(rule.offset_days), 0)
            )
            out.append((held, reached, due))
        return used, out

    return judge


def copied(parts: list[Cases]) -> Callable[[Cases], object]:
    """Bytes in and bytes out, only copied."""
    sample = judged("whole_day")(parts[0])
    width = sum(getattr(sample, one.name).nbytes for one in fields(sample) if one.name != "runs")
    written = np.empty(width, np.uint8)

    def copy(part: Cases) -> object:
        return [getattr(part, one.name).copy() for one in fields(part)], written.copy()

    return copy


def duckdb_union(cases: Cases) -> Callable[[], object]:
    """The union of `positions` in DuckDB on two threads -> cases that have any, excluded days in all."""
    owner, low, high, _ = positions(cases)
    database = duckdb.connect(config={"threads": THREADS})
    database.execute("set enable_progress_bar = false")
    database.register("rows", pa.table({"owner": owner, "low": low, "high": high}))
    database.execute("create table span as select * from rows where high > low")
    query = (_SQL / "suspension_union.sql").read_text(encoding="utf-8")
    return lambda: database.execute(query).fetchone()


def in_sql(engine: Engine, cases: Cases) -> Callable[[], object]:
    """The same rules in SQL on the embedded PostgreSQL: cases held per level, and days used in all."""
    calendar = packaged().cn()
    day = np.arange(len(calendar.is_working)) + calendar.first
    number = np.cumsum(calendar.is_working)
    days, whole = np.nan_to_num(cases.approved, nan=-1), [cases.promised.astype(int), cases.statutory.astype(int)]
    local = [(column + OFFSET // _US) // DAY_US for column in (cases.start, cases.stop, cases.begin, cases.end)]
    tables = {
        "bench_day": [day, number, calendar.is_working.astype(int)],
        "bench_case": [np.arange(len(cases.start)), *local[:2], *whole],
        "bench_span": [cases.owner, *local[2:], days, cases.end == cases.begin],
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(text((_SQL / "suspensions_tables.sql").read_text(encoding="utf-8")))
        for name, columns in tables.items():
            lines = np.stack([np.asarray(column, np.int64) for column in columns], axis=1)
            with connection.connection.cursor() as cursor, cursor.copy(f"copy {name} from stdin") as copy:  # type: ignore[attr-defined]
                copy.write("\n".join("\t".join(map(str, line)) for line in lines.tolist()) + "\n")
        connection.execute(text("analyze bench_day, bench_case, bench_span"))
    query = text((_SQL / "suspensions.sql").read_text(encoding="utf-8"))

    def run() -> object:
        with engine.connect() as connection:
            return tuple(connection.execute(query).one())

    return run


def memory(cases: int) -> tuple[int, int]:
    """A new process makes the cases and judges them all, dropping each verdict -> (its size before, its peak)."""
    asked = [sys.executable, "-m", "benchmarks.suspensions", str(cases)]
    said = subprocess.run(asked, check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()
    return int(said[0]), int(said[1])


def report(cases: int = CASES, cases_in_sql: int = CASES_IN_SQL, runs: int = 5) -> list[str]:
    """The contestants by seconds and as ratios."""
    told = generated(cases)
    parts, fewer, many = told.parts(), generated(cases // 10), generated(cases, MANY_ROWS_PER_CASE)
    many_parts, fewer_parts = many.parts(), fewer.parts()
    works: dict[str, Callable[[], object]] = {
        name: lambda work=work, parts=parts: _dropped(work, parts)  # type: ignore[misc]
        for name, work, parts in [
            ("copy", copied(parts), parts),
            ("busday", numpy_busday(), parts),
            ("whole_day", judged("whole_day"), parts),
            ("tenth", judged("whole_day"), fewer_parts),
            ("office_clock", judged("office_clock"), parts),
            ("whole_day many", judged("whole_day"), many_parts),
            ("office_clock many", judged("office_clock"), many_parts),
        ]
    }
    places = [positions(part) for part in parts]
    works["union"] = lambda: on_threads(united, places)
    judge = judged("whole_day")
    works["one thread"] = lambda: sum(len(judge(part).holds) for part in parts)
    works["duckdb"] = duckdb_union(told)
    seconds = medians(works, runs)
    in_database = generated(cases_in_sql)
    database_parts = in_database.parts()
    with fresh_ledger() as (engine, _):
        both = {"sql": in_sql(engine, in_database), "ours": lambda: _dropped(judged("whole_day"), database_parts)}
        database = medians(both, min(runs, 3))
    before, after = memory(cases)
    copy, ours = seconds["copy"], seconds["whole_day"]
    titles = {
        "copy": "plain copy of the bytes read and written",
        "busday": "numpy busday, no suspensions, no make-up days",
        "whole_day": f"**judged, whole_day, {len(told.owner):,} suspensions**",
        "office_clock": f"judged, office_clock, {len(told.owner):,} suspensions",
        "whole_day many": f"judged, whole_day, {len(many.owner):,} suspensions",
        "office_clock many": f"judged, office_clock, {len(many.owner):,} suspensions",
        "union": "the suspension union alone, from working-day numbers",
        "duckdb": "the suspension union alone in DuckDB, from working-day numbers",
    }
    rows = [[title, f"{seconds[name]:.3f}", f"{seconds[name] / copy:.1f}"] for name, title in titles.items()]
    growth = ours / seconds["tenth"] / (cases / len(fewer.start))
    return [
        *table(["", "seconds", "× copy"], rows),
        "",
        bar("judged ÷ numpy busday", ours / seconds["busday"], at_most=0.5),
        bar("DuckDB's union ÷ ours", seconds["duckdb"] / seconds["union"], at_least=4),
        bar(f"growth from {len(fewer.start):,} to {cases:,} cases ÷ linear", growth, at_most=1.2),
        f"- the same on one thread each ÷ numpy busday, which never lets a second thread run beside it: "
        f"{seconds['one thread'] / seconds['busday']:.2f}",
        f"- DuckDB's union ÷ the whole judgement: {seconds['duckdb'] / ours:.2f}",
        f"- the same rules in SQL on the embedded PostgreSQL, {cases_in_sql:,} cases: {database['sql']:.2f} s, "
        f"{database['sql'] / database['ours']:.0f} × ours ({database['ours']:.3f} s)",
        f"- peak memory of a process of its own that judges: {after / 2**30:.2f} GiB; it held {before / 2**30:.2f} GiB "
        f"before ({told.byte_count / 2**30:.2f} GiB of columns)",
    ]


def _dropped(work: Callable[[Cases], object], parts: list[Cases]) -> None:
    on_threads(lambda part: (work(part), None)[1], parts)


if __name__ == "__main__":
    columns = generated(int(sys.argv[1])).parts()
    print(peak_bytes(lambda: None), peak_bytes(lambda: _dropped(judged("whole_day"), columns)))
