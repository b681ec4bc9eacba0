"""What a real night leaves behind, and the files it reads."""

from __future__ import annotations

import csv
import gzip
import io
import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from etl.domain.night import night_of
from tests.cli.command import Ended, jiancha

Cell = str
Row = dict[str, Cell]


def put(folder: Path, name: str, content: bytes, dropped_at: datetime) -> Path:
    """A file in a drop folder, written at that moment."""
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (dropped_at.timestamp(),) * 2)
    return path


def unpacked(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def read(content: bytes, delimiter: str = ",") -> list[Row]:
    """A log as Python's own reader has it: the independent side of every comparison starts here."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), delimiter=delimiter))


def night_after(moment: datetime) -> date:
    """The first night whose cut-off lies after the moment."""
    return night_of(moment) + timedelta(days=1)


def night(on: date) -> Ended:
    """`jiancha night --date …`, the command itself."""
    return jiancha("night", "--date", on)


def counts(source: str) -> dict[str, Any]:
    """What `jiancha status` says of one source."""
    ended = jiancha("status", "--json")
    assert ended.code == 0
    (found,) = [row for row in ended.only["sources"] if row["source"] == source]
    return found


def cards(engine: Engine, source: str) -> list[Row]:
    """Standing cards in the ledger."""
    query = "select case_no, level, nature, reached_at, excluded_days from v_card where standing and source = %s"
    with engine.connect() as connection:
        return [dict(row._mapping) for row in connection.exec_driver_sql(query, (source,))]


def quarantine(engine: Engine, source: str) -> list[tuple[int, str, str]]:
    query = "select row_no, reason, detail from quarantine where source = %s order by row_no"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query, (source,))]
