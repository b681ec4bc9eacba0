"""A night over 100,000 open cases, by step.

A department's files hold the open cases, promised within 1 to 20 working days, so that every night some fall due. After
that first load each measured night brings 1 case in 20 as new acceptances and as many decisions, and runs every verb of
the night on the embedded server.
"""

from __future__ import annotations

import csv
import os
import statistics
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

from openpyxl import Workbook

from benchmarks.database import fresh_ledger
from benchmarks.measure import table
from etl import sources
from etl.domain.night import ZONE
from etl.runs import nightly
from etl.store.statements import sql

CASES = 100_000
FIRST = date(2026, 11, 16)
SOURCE = "zrzy"
"""Whose files these are; its module says what stands in them."""


def write_night(folder: Path, on: date, accepted: range, finished: range, open_for: int = 1) -> None:
    """The five files a department drops on one day: acceptances of the `open_for` days up to it, and decisions."""
    streams = sources.get(SOURCE).kind.streams  # type: ignore[attr-defined]
    day = datetime(on.year, on.month, on.day, 9, tzinfo=ZONE)
    rows: dict[str, list[dict[str, str]]] = {name: [] for name in streams}
    for number in accepted:
        at = day - timedelta(days=number % open_for, seconds=number % 3600)
        rows["受理"].append(
            _common(number, at)
            | {"申请人": "某公司", "申请人类型": "2", "申请方式": "窗口", "申请时间": _text(at), "受理时间": _text(at)}
            | {
                "受理结果": "受理",
                "承诺时限": str(1 + number % 20),
                "法定时限": "20",
                "时限单位": "工作日",
                "办件类型": "承诺件",
            }
            | {"需发证照": "否", "联合办理": "否"}
        )
    for number in finished:
        at = day - timedelta(seconds=number % 3600)
        rows["办结"].append(_common(number, at) | {"办结时间": _text(at), "办结结果": "准予"})
    for name, files in streams.items():
        path = folder / files.pattern.format(date=f"{on:%Y%m%d}")
        cells = [list(files.header), *([row.get(column, "") for column in files.header] for row in rows[name])]
        if files.suffix == ".xlsx":
            book = Workbook(write_only=True)
            sheet = book.create_sheet()
            for line in cells:
                sheet.append(line)
            book.save(path)
        else:
            with path.open("w", encoding=sources.get(SOURCE).encoding, newline="") as file:
                csv.writer(file).writerows(cells)
        stamp = (day + timedelta(hours=14)).timestamp()
        os.utime(path, (stamp, stamp))


def run_night(on: date) -> tuple[dict[str, float], dict[str, dict[str, int]]]:
    """-> (seconds per verb, what each verb counted)."""
    verbs: dict[str, Callable[[], dict[str, int]]] = {
        "pull": lambda: nightly.pull(SOURCE, on),
        "admit": lambda: nightly.admit(on),
        "judge": lambda: nightly.judge(on),
        "trace": nightly.trace,
        "notify": lambda: nightly.notify(on),
    }
    seconds, counts = {}, {}
    for name, verb in verbs.items():
        begin = time.perf_counter()
        counts[name] = verb()
        seconds[name] = time.perf_counter() - begin
    return seconds, counts


def report(cases: int = CASES, runs: int = 5) -> list[str]:
    """Medians over the nights after the first load, and what of the whole each step takes."""
    turnover = cases // 20
    with fresh_ledger() as (engine, folder):
        inbox = folder / "inbox"
        inbox.mkdir()
        os.environ[f"JIANCHA_CONNECTION_{SOURCE.upper()}"] = str(inbox)
        write_night(inbox, FIRST, range(cases), range(0), open_for=5)
        first, counted = run_night(FIRST)
        nights, events = [], []
        for number in range(runs):
            on = FIRST + timedelta(days=number + 1)
            begin = cases + number * turnover
            write_night(inbox, on, range(begin, begin + turnover), range(number * turnover, (number + 1) * turnover))
            seconds, counts = run_night(on)
            nights.append(seconds)
            events.append(counts["judge"]["events"])
            if counts["admit"]["accepted"] != 2 * turnover:
                raise RuntimeError(f"night {on} admitted {counts['admit']}, not {2 * turnover} rows")
        with engine.connect() as connection:
            stored = sum(row.messages for row in connection.execute(sql("cards/known_counts")))
    steps = {name: statistics.median(night[name] for night in nights) for name in first}
    whole = sum(steps.values())
    rows = [[name, f"{s:.2f}", f"{s / whole:.0%}", f"{first[name]:.2f}"] for name, s in steps.items()]
    rows.append(["**together**", f"{whole:.2f}", "100%", f"{sum(first.values()):.2f}"])
    return [
        *table(["step", "seconds a night", "share", f"first load of {cases:,}"], rows),
        "",
        f"- {runs} nights, {2 * turnover:,} rows each; card events a night: {', '.join(f'{n:,}' for n in events)}; "
        f"{counted['judge']['nights']} nights judged and {counted['judge']['events']:,} events at the first load",
        f"- {stored:,} messages in the ledger at the end; no bar is set",
    ]


def _common(number: int, at: datetime) -> dict[str, str]:
    written, received = (_text(at + timedelta(minutes=minutes)) for minutes in (1, 20))
    subject = {"事项编码": "000114001000-01", "事项名称": "建设用地规划许可证核发"}
    return {"办件编号": f"B{number:09d}", "版本": "1", **subject, "写入时间": written, "接收时间": received}


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
