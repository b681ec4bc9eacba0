"""CSV text to rows of cells: strict quoting, any line end, and a broken line costs that line only."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from etl.errors import SourceContractBroken

BROKEN_LINES_MAX = 1_000
LINES_MAX = 1_000_000


@dataclass(frozen=True)
class Broken:
    """A physical line that cannot be split into cells."""

    reason: str
    detail: str


def records(content: str, delimiter: str) -> Iterator[list[str] | Broken]:
    """Rows of cells, the header first; empty lines are skipped.

    Raises:
        SourceContractBroken: more than `BROKEN_LINES_MAX` lines cannot be split, or more than `LINES_MAX` in all.
    """
    lines = list(islice(io.StringIO(content, newline=""), LINES_MAX + 1))
    if len(lines) > LINES_MAX:
        raise SourceContractBroken(f"more than {LINES_MAX} lines in one file; deliver them in several")
    start = broken = 0
    while start < len(lines):
        reader = csv.reader(map(lines.__getitem__, range(start, len(lines))), delimiter=delimiter, strict=True)
        base = start
        try:
            for cells in reader:
                start = base + reader.line_num
                if cells:
                    yield cells
            return
        except csv.Error as error:
            broken += 1
            if broken > BROKEN_LINES_MAX:
                raise SourceContractBroken(f"more than {BROKEN_LINES_MAX} lines have broken quotes") from None
            # A stray quote would swallow the lines after it: give up its own line and read on with the next.
            reason = "too_long" if len(lines[start]) > csv.field_size_limit() else "bad_quoting"
            yield Broken(reason, f"line {start + 1}: {error}")
            start += 1


def count_rows(content: bytes) -> int | None:
    """Data rows by counting line ends, a second opinion on `records`; None where quotes could hide a line end.

    In UTF-8 and GB18030 alike neither a line end nor a quote is ever part of another character.
    """
    if b'"' in content:
        return None
    return max(sum(map(bool, content.removeprefix(b"\xef\xbb\xbf").splitlines())) - 1, 0)
