"""Canonical messages as Parquet: what judging looks at, case by case, written from the ledger and rebuilt at will."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from etl.domain.message import JUDGED, KINDS, whole_cases
from etl.errors import UsageError

FILE_PARTS = 20
"""Parts of whole cases in one file, each a row group of its own."""
PART_MESSAGES = 50_000
"""Messages read for judging at a time."""


def write(parts: Iterable[pa.Table], folder: Path) -> int:
    """Messages (`JUDGED`) in order of their cases -> files of a new folder, in order of their names; how many.

    Raises:
        UsageError: the folder is there already.
    """
    beside = folder.with_name(f"{folder.name}.partial")
    try:
        beside.mkdir(mode=0o700)
    except FileExistsError:
        raise UsageError(f"{beside} is there already; wait for the command that writes it, or remove it") from None
    except OSError as error:
        raise UsageError(f"{beside}: {error.strerror}") from None
    if folder.exists():
        beside.rmdir()
        raise UsageError(f"{folder} is there already; name another folder, or remove it")
    count, parts = 0, iter(parts)
    for number in itertools.count(1):
        if (first := next(parts, None)) is None:
            break
        with pq.ParquetWriter(beside / f"messages-{number:05d}.parquet", JUDGED, compression="zstd") as file:
            for part in itertools.chain([first], itertools.islice(parts, FILE_PARTS - 1)):
                file.write_table(part.select(JUDGED.names).cast(JUDGED), row_group_size=len(part))
                count += len(part)
    beside.rename(folder)
    return count


def read(path: Path, only: set[str] | None = None) -> Iterator[pa.Table]:
    """Messages of a file, or of a folder's files in order of their names, as `JUDGED` in tables of whole cases.

    Every version is told once, as admission leaves it. A column that may be null may be missing, and so may `known_at`,
    which is then left out. Only some cases, if any are named.

    Raises:
        UsageError: not such files, or messages not in order of their cases.
    """
    last = ""
    for part in whole_cases(_batches(path), PART_MESSAGES):
        names = part["case_no"].combine_chunks()
        if names[0].as_py() <= last or not pc.all(pc.less_equal(names[:-1], names[1:])).as_py():
            raise UsageError(f"{path}: messages are not sorted by case_no near {names[0]}; sort them first")
        last = names[-1].as_py()
        if only:
            part = part.filter(pc.is_in(names, pa.array(sorted(only))))
        yield part


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"{path}: no file ends in .parquet")
    for file in files:
        try:
            with pq.ParquetFile(file) as opened:
                names = [name for name in JUDGED.names if name in opened.schema_arrow.names]
                for batch in opened.iter_batches(PART_MESSAGES, columns=names):
                    yield _judged(batch)
        except (OSError, pa.ArrowException) as error:
            raise UsageError(f"{file}: {str(error).splitlines()[0]}") from None


def _judged(batch: pa.RecordBatch) -> pa.RecordBatch:
    """As `JUDGED`; `pa.ArrowInvalid` for what does not fit."""
    columns = {}
    for field in JUDGED:
        if field.name in batch.schema.names:
            columns[field.name] = batch[field.name].cast(field.type)
            if not field.nullable and columns[field.name].null_count:
                raise pa.ArrowInvalid(f"{field.name} is missing in {columns[field.name].null_count} messages")
        elif field.nullable:
            columns[field.name] = pa.nulls(len(batch), field.type)
        elif field.name != "known_at":
            raise pa.ArrowInvalid(f"there is no column {field.name}")
    unknown = pc.unique(columns["kind"]).filter(pc.invert(pc.is_in(pc.unique(columns["kind"]), pa.array(KINDS))))
    if len(unknown):
        raise pa.ArrowInvalid(f"kind {unknown[0]}; known: {', '.join(KINDS)}")
    return pa.record_batch(list(columns.values()), schema=pa.schema([JUDGED.field(name) for name in columns]))
