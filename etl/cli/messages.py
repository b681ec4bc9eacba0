"""Canonical messages of files, or of standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import typer

from etl.cli.arguments import json_or_text
from etl.errors import RecordRejected, UsageError

if TYPE_CHECKING:
    import pyarrow as pa


def read_messages(path: str, only: set[str]) -> tuple[Iterable[pa.Table], int]:
    """Tables of whole cases and how many lines were rejected (each said on stderr).

    A Parquet file, or a folder of them, is read as it is worked on; the lines of a JSONL file come in any order, and
    are read all at once.
    """
    from etl.domain.message import distinct, parse, table
    from etl.store import message_files

    if Path(path).is_dir() or path.endswith(".parquet"):
        return message_files.read(Path(path), only), 0
    parsed, numbers, rejected = [], [], []
    for number, line in _lines(path):
        try:
            row = parse(json_or_text(line))
        except RecordRejected as error:
            rejected.append((number, error))
            continue
        if not only or row["case_no"] in only:
            parsed.append(row)
            numbers.append(number)
    rows = []
    for position, told in distinct(parsed):
        if isinstance(told, RecordRejected):
            rejected.append((numbers[position], told))
        else:
            rows.append(told)
    for number, reason in sorted(rejected, key=lambda pair: pair[0]):
        typer.echo(f"line {number}: {reason}", err=True)
    return [table(rows)], len(rejected)


def _lines(path: str) -> Iterator[tuple[int, bytes]]:
    """Lines that say something, with their numbers in the file."""
    if path == "-":
        yield from ((number, line) for number, line in enumerate(sys.stdin.buffer, 1) if line.strip())
        return
    try:
        file: IO[bytes]
        with Path(path).open("rb") as file:
            yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
