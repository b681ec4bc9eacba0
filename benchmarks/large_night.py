"""A night over 1,000,000 open cases: seconds and peak memory of this process, by step.

The open cases are put into the ledger as admission puts them, some on each of the five nights before; the night before
is judged first, so that the measured one is a difference like every other. It brings 1 case in 100 as new acceptances
and as many decisions. The database server's memory is its own and not counted.
"""

from __future__ import annotations

import os
import time
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine

from benchmarks.database import fresh_ledger
from benchmarks.measure import bar, peak_bytes, table
from benchmarks.night import SOURCE, write_night
from etl import sources
from etl.domain.message import SCHEMA
from etl.domain.night import DAY_US, cutoff_at, to_us
from etl.runs import nightly
from etl.settings import settings
from etl.store import feeds, ledger

CASES, NIGHTS_BEFORE, ROWS = 1_000_000, 5, 100_000
ON = date(2026, 11, 20)
LAST = cutoff_at(ON)


def put_open_cases(engine: Engine, cases: int) -> None:
    """Acceptances of the nights before, promised within 1 to 40 working days, and what these nights' feeds said."""
    for first in range(0, cases, ROWS):
        number = np.arange(first, min(first + ROWS, cases))
        night = cutoff_at(ON - timedelta(days=1))
        known = to_us(night) - number % NIGHTS_BEFORE * DAY_US
        columns: dict[str, object] = {field.name: pa.nulls(len(number), field.type) for field in SCHEMA}
        constant = {"source": SOURCE, "kind": "accept", "department": sources.get(SOURCE).department}
        constant |= {"item_code": "000114001000-01", "item_name": "建设用地规划许可证核发", "outcome": "passed"}
        constant |= {"limit_unit": "working_day", "case_type": "promised", "statutory_limit": 45.0}
        for name, value in (constant | {"seq": 0, "version": 1}).items():
            columns[name] = pa.repeat(pa.scalar(value, SCHEMA.field(name).type), len(number))
        columns["case_no"] = pa.array([f"B{one:09d}" for one in number.tolist()])
        columns["promised_limit"] = pa.array(1.0 + number % 40)
        occurred = known - 16 * 3_600_000_000 - number % 3600 * 1_000_000
        for name, late in (("occurred_at", 0), ("written_at", 60_000_000), ("received_at", 1_200_000_000)):
            columns[name] = pa.array(occurred + late).cast(SCHEMA.field(name).type)
        told = pa.table(columns, schema=SCHEMA).append_column("row_no", pa.array(number - first))
        told = told.append_column("known_at", pa.array(known).cast(SCHEMA.field("occurred_at").type))
        with engine.begin() as connection:
            ledger.insert_messages(connection, None, "night", told)  # type: ignore[arg-type]
    for back in range(NIGHTS_BEFORE, 0, -1):
        on = ON - timedelta(days=back)
        feeds.set_pulled(engine, SOURCE, on, "night", None, cutoff_at(on))
        feeds.set_admitted(engine, SOURCE, on, cutoff_at(on), "", [], None)


def report(cases: int = CASES) -> list[str]:
    """One night, step by step; the judging's share beside."""
    turnover = cases // 100
    with fresh_ledger() as (engine, folder):
        inbox = folder / "inbox"
        inbox.mkdir()
        os.environ[f"JIANCHA_CONNECTION_{SOURCE.upper()}"] = str(inbox)
        settings.cache_clear()
        put_open_cases(engine, cases)
        begin = time.perf_counter()
        earlier = nightly.judge(ON - timedelta(days=1))
        before = time.perf_counter() - begin
        write_night(inbox, ON, range(cases, cases + turnover), range(turnover))
        rows, counts, peak = [], {}, 0
        verbs = {
            "pull": lambda: nightly.pull(SOURCE, ON),
            "admit": lambda: nightly.admit(ON),
            "judge": lambda: nightly.judge(ON),
            "trace": lambda: nightly.trace(),
            "notify": lambda: nightly.notify(ON),
        }
        for name, verb in verbs.items():
            begin = time.perf_counter()
            used = peak_bytes(lambda name=name, verb=verb: counts.update({name: verb()}))  # type: ignore[misc]
            seconds = time.perf_counter() - begin
            peak = max(peak, used)
            rows.append([name, f"{seconds:.1f}", f"{used / 2**20:,.0f}"])
    if counts["admit"]["accepted"] != 2 * turnover or counts["judge"]["nights"] != 1:
        raise RuntimeError(f"the night was not what it was meant to be: {counts}")
    return [
        *table(["step", "seconds", "peak MiB"], rows),
        "",
        bar(f"GiB at the peak of a night over {cases:,} open cases", peak / 2**30, at_most=2),
        f"- {counts['judge']['events']:,} card events; before it {earlier['nights']} nights with "
        f"{earlier['events']:,} events were judged in {before:.0f} s",
    ]
