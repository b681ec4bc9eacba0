"""Published exchange sets: columns many departments share. A department adds its code lists, which they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from etl.sources.kinds import FileDrop, Files
from etl.sources.values import Reader, Rows, code


@dataclass(frozen=True)
class Codes:
    """One source's value maps: its own code -> the contract's word. Complete lists; anything else is rejected."""

    accepted: Mapping[str, str]
    finished: Mapping[str, str]
    special: Mapping[str, str]
    case_type: Mapping[str, str]
    channel: Mapping[str, str]
    limit_unit: Mapping[str, str]
    opinion: Mapping[str, str]
    flag: Mapping[str, bool]


INSERT, UPDATE, DELETE = ("I", "i"), ("U", "u"), ("D", "d")
"""What cd_operation says was done to a record, in either case."""
IS_DELETED = dict.fromkeys((*INSERT, *UPDATE), False) | dict.fromkeys(DELETE, True)


@dataclass(frozen=True)
class undeleted:
    """What a row says, unless it says that the record was deleted: that row is set aside, never read as the record."""

    reader: Reader
    operation: str = "cd_operation"

    @property
    def column(self) -> str:
        """The column named when the value is missing."""
        return self.reader.column

    def read(self, rows: Rows) -> pa.Array:
        """-> the reader's array."""
        rows.fault(code(self.operation, IS_DELETED).read(rows), "deleted_in_source", self.operation)
        return self.reader.read(rows)


def nightly_files(columns: Mapping[str, tuple[str, ...]], suffix: str) -> FileDrop:
    """One file per stream and night, named `<stream>_<date>` and ending in ``.csv``, ``.xlsx`` or ``.xml``.

    A quiet day sends its headings only. In XML a record is an element 办件, with an empty element for an empty cell.
    """
    record = "办件" if suffix == ".xml" else ""
    files = {stream: Files(f"{stream}_{{date}}{suffix}", header, record=record) for stream, header in columns.items()}
    return FileDrop(files, expects_daily=True)
