"""300,000 messages into the ledger's staging table, beside COPY run by the server itself.

The server reads a file on its own disk, of the same rows, into the same temporary table.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Engine

from benchmarks.cases import messages
from benchmarks.database import fresh_ledger
from benchmarks.measure import bar, medians, table
from etl.store import ledger
from etl.store.statements import sql

ROWS = 300_000
_FORMATS = ("text", "binary")


def numbered(rows: int) -> pa.Table:
    """Canonical messages as admission hands them to the ledger."""
    told = messages(rows * 10 // 16).slice(0, rows)
    return told.append_column("row_no", pa.array(np.arange(len(told))))


def fills(engine: Engine, staged: pa.Table, folder: Path) -> dict[str, Callable[[Connection], None]]:
    """Ways to fill the staging table within a transaction, by name; files for the server are written first."""

    def copy(format_: str) -> Callable[[Connection], None]:
        def fill(connection: Connection) -> None:
            connection.execute(sql("ledger/stage_table"))
            connection.exec_driver_sql(f"copy staged from '{folder}/rows.{format_}' with (format {format_})")

        return fill

    drop = folder / "server"  # the server runs as another user when this process is root
    drop.mkdir(mode=0o777)
    drop.chmod(0o777)
    folder = drop
    with engine.connect() as connection:
        ledger.stage(connection, staged)
        for format_ in _FORMATS:
            connection.exec_driver_sql(f"copy staged to '{folder}/rows.{format_}' with (format {format_})")
    return {f"server {format_}": copy(format_) for format_ in _FORMATS} | {
        "ours": lambda connection: ledger.stage(connection, staged)
    }


def report(rows: int = ROWS, runs: int = 5) -> list[str]:
    """Staging against the server's own COPY; what surrounds it in admission beside it."""
    with fresh_ledger() as (engine, folder):
        told = numbered(rows)
        staged = ledger.staged_rows(told, "night")
        works: dict[str, Callable[[], object]] = {
            name: lambda fill=fill: _rolled_back(engine, fill)  # type: ignore[misc]
            for name, fill in fills(engine, staged, folder).items()
        }
        works["rows"] = lambda: ledger.staged_rows(told, "night")
        works["admit"] = lambda: _rolled_back(engine, lambda c: ledger.insert_messages(c, None, "night", told))
        seconds = medians(works, runs)
    text = seconds["server text"]
    upsert = seconds["admit"] - seconds["rows"] - seconds["ours"]
    shown = [
        ["COPY by the server from a text file", text],
        ["COPY by the server from a binary file", seconds["server binary"]],
        ["**staging, as admission does it**", seconds["ours"]],
        ["before it: payloads as JSON, content hashes", seconds["rows"]],
        ["behind it: conflicts found, INSERT … ON CONFLICT into `message` with its indexes", upsert],
    ]
    return [
        *table(["", "seconds", "× server COPY"], [[name, f"{s:.2f}", f"{s / text:.2f}"] for name, s in shown]),
        "",
        bar(
            f"{rows:,} messages into staging ÷ the server's COPY of a text file",
            seconds["ours"] / text,
            at_most=1.25,
        ),
        f"- against its binary file: {seconds['ours'] / seconds['server binary']:.2f}",
    ]


def _rolled_back(engine: Engine, work: Callable[[Connection], object]) -> None:
    with engine.connect() as connection:
        work(connection)
