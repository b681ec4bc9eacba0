"""What a dropped file holds: one table, as CSV, XLSX or XML, whose columns must be the declared ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from etl.errors import ConfigurationError, SourceContractBroken
from etl.settings import settings
from etl.sources.contract import Decoded
from etl.sources.kinds import delimited, markup, workbook
from etl.sources.kinds.decode import ROW_NO, Reject, columns, has_bad_bytes, text

_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xml": "application/xml",
}
_PLACES = {"date": r"(?P<date>\d{8})", "serial": r"\d{1,6}"}


@dataclass(frozen=True)
class Files:
    """The files of one stream.

    Args:
        pattern: the exact file name, with ``{date}`` for the business date as YYYYMMDD and ``{serial}`` for up to six
            digits; its suffix .csv, .tsv, .xlsx or .xml says how it is read.
        header: the columns the first row must have, in this order; in XML, which has no order, those a record may have.
        delimiter: between the cells of a line; declared, never guessed from the suffix.
        sheet: of a workbook; None is the first one.
        title_rows: rows above the header that are not empty, such as a title across merged cells.
        record: the element of an XML file that holds one record.
    """

    pattern: str
    header: tuple[str, ...]
    delimiter: str = ","
    sheet: str | None = None
    title_rows: int = 0
    record: str = ""

    def __post_init__(self) -> None:
        if self.suffix not in _MEDIA_TYPES:
            raise ConfigurationError(f"file pattern {self.pattern!r} must end in {', '.join(_MEDIA_TYPES)}")
        if bool(self.record) != (self.suffix == ".xml"):
            raise ConfigurationError(f"{self.pattern!r}: an XML file, and no other, declares its record element")
        if len(set(self.header)) != len(self.header) or ROW_NO in self.header or not self.header:
            raise ConfigurationError(f"the header of {self.pattern!r} must name each column once")
        places = re.findall(r"\{(\w*)\}", self.pattern)
        if Path(self.pattern).name != self.pattern or not set(places) <= set(_PLACES) or places.count("date") > 1:
            raise ConfigurationError(f"{self.pattern!r} is no file name with {{date}} at most once and {{serial}}")

    @property
    def suffix(self) -> str:
        return Path(self.pattern).suffix.lower()

    @property
    def media_type(self) -> str:
        return _MEDIA_TYPES[self.suffix]

    def match(self, name: str) -> re.Match[str] | None:
        """Whether a file name is exactly one of this stream's."""
        parts = re.split(r"\{(\w+)\}", self.pattern)
        expression = "".join(_PLACES[part] if index % 2 else re.escape(part) for index, part in enumerate(parts))
        return re.fullmatch(expression, name, re.ASCII)

    def date_of(self, name: str) -> str | None:
        """The YYYYMMDD in a file name, None when the pattern has none."""
        match = self.match(name)
        return match["date"] if match and "date" in match.groupdict() else None


def check(files: Files, content: bytes, encoding: str) -> int | None:
    """Refuse a wrong header before landing; the number of data rows where counting them is independent."""
    rows, _ = _rows(files, content, encoding)
    check_header(files, next(rows, None))
    counted = delimited.count_rows(content) if files.media_type == "text/csv" else None
    return None if counted is None else counted - files.title_rows


def decode(files: Files, content: bytes, encoding: str) -> Decoded:
    """File bytes -> the declared columns as text; `row_no` counts the rows after the header."""
    rows, damaged = _rows(files, content, encoding)
    check_header(files, next(rows, None))
    return _decoded(files.header, rows, damaged)


def look(files: Files, content: bytes, encoding: str) -> Decoded:
    """The same under whatever header the file has, for saying how it differs from the declared one."""
    rows, damaged = _rows(files, content, encoding)
    header = next(rows, None)
    if not isinstance(header, list) or len(set(header)) < len(header) or not all(header):
        raise SourceContractBroken("the first row names no column, or one twice")
    return _decoded(tuple(map(str, header)), rows, damaged)


def check_header(files: Files, header: object) -> None:
    """Raise SourceContractBroken unless the header is the declared one, in its order and whatever case."""
    if not isinstance(header, list):
        raise SourceContractBroken("the file has no header row")
    declared, found = ([str(name).casefold() for name in names] for names in (files.header, header))
    if found == declared:
        return
    missing = [name for name in files.header if name.casefold() not in found]
    unexpected = [str(name)[:40] for name in header if name and str(name).casefold() not in declared]
    if len(missing) == len(files.header):
        # Then the first row is probably data, and data does not belong in a message.
        raise SourceContractBroken(f"the first row is not the header {', '.join(files.header)}")
    differences = [
        *([f"lacks {', '.join(missing)}"] if missing else []),
        *([f"has unexpected {', '.join(map(repr, unexpected))}"] if unexpected else []),
    ]
    raise SourceContractBroken(f"the header {' and '.join(differences) or 'has its columns in another order'}")


def _decoded(header: tuple[str, ...], rows: Iterator[Any], damaged: bool) -> Decoded:
    good: list[list[str]] = []
    row_nos: list[int] = []
    rejects: list[Reject] = []
    width = len(header)
    for row_no, row in enumerate(rows):
        if isinstance(row, delimited.Broken):
            rejects.append((row_no, row.reason, row.detail))
            continue
        if len(row) == width:
            good.append(row)
            row_nos.append(row_no)
        elif damaged and any(map(has_bad_bytes, row)):
            rejects.append((row_no, "bad_encoding", "the row holds bytes that are not in the declared encoding"))
        else:
            rejects.append((row_no, "wrong_field_count", f"{len(row)} fields instead of {width}"))
    cells = zip(*good, strict=True) if good else ([] for _ in header)
    return columns(dict(zip(header, cells, strict=True)), row_nos, rejects, damaged=damaged)


def _rows(files: Files, content: bytes, encoding: str) -> tuple[Iterator[Any], bool]:
    """(rows of cells with the header first, whether bytes were damaged)."""
    if files.suffix == ".xlsx":
        rows = workbook.records(content, files.sheet, settings().page_bytes_max)
        width = len(files.header)
        return (row + [""] * (width - len(row)) for row in islice(rows, files.title_rows, None)), False
    decoded, damaged = text(content, encoding)
    if files.suffix == ".xml":
        return markup.records(decoded, files.record, files.header), damaged
    return islice(delimited.records(decoded, files.delimiter), files.title_rows, None), damaged
