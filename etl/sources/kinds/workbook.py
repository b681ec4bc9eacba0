"""One sheet of an .xlsx file to rows of text, after the archive has been checked not to be a bomb.

A spreadsheet holds numbers as 64-bit floats: an identifier of more than 15 digits typed as a number has already lost
its end, so such a row is rejected rather than carried on with zeros.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from etl.errors import RecordRejected, SourceContractBroken

CELLS_MAX = 5_000_000
RATIO_MAX = 200
EXPANSION_MAX = 8
_EXACT_INTEGER_MAX = 10**15
_REFERENCE = re.compile(rb"\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_ERROR_CELL = re.compile(rb"<(?:\w+:)?c\b(?=[^>]*\bt=[\"']e[\"'])[^>]*\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")

Cell = str | RecordRejected


def records(content: bytes, sheet: str | None, bytes_max: int) -> Iterator[list[Cell]]:
    """Rows of the named sheet (None: the first), the header first, empty rows skipped.

    A cell that cannot be told exactly is a `RecordRejected` in its place; the caller rejects that row.

    Raises:
        SourceContractBroken: encrypted, with macros or entities, an old .xls, a bomb, damaged, or without the sheet.
    """
    errors = _check_archive(content, bytes_max)
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        if sheet is not None and sheet not in workbook.sheet_names:
            raise SourceContractBroken(f"there is no sheet {sheet!r}; the file has {', '.join(workbook.sheet_names)}")
        found = workbook.get_sheet_by_index(0) if sheet is None else workbook.get_sheet_by_name(sheet)
        rows = found.to_python(skip_empty_area=False)
    except CalamineError as error:
        raise SourceContractBroken(f"the workbook cannot be read: {error}") from None
    for row_number, row in enumerate(rows, 1):
        cells = [_text(value) for value in row]
        for column_number in errors.get(row_number, ()):
            # The reader gives #N/A and its like as an empty cell, which would be a silent loss.
            if column_number <= len(cells) and cells[column_number - 1] == "":
                cells[column_number - 1] = RecordRejected("formula_error", "the cell holds an error such as #N/A")
        while cells and cells[-1] == "":
            cells.pop()
        if cells:
            yield cells


def _text(value: object) -> Cell:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        if not abs(value) < _EXACT_INTEGER_MAX:
            return RecordRejected("bad_number", "a number of more than 15 digits has lost its end; format it as text")
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        minutes, seconds = divmod(value // timedelta(seconds=1), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    return RecordRejected("bad_value", f"a cell of type {type(value).__name__}")


def _check_archive(content: bytes, bytes_max: int) -> dict[int, list[int]]:
    """Decompress every member once, counting, since declared sizes may be lies -> row number: columns with an error."""
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise SourceContractBroken("the file is encrypted or an old .xls; save it as .xlsx without a password")
    left = bytes_max * EXPANSION_MAX
    errors: dict[int, list[int]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            if len(set(names)) != len(names):
                raise SourceContractBroken("the workbook has two members of one name")
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise SourceContractBroken("the workbook has macros; save it as .xlsx")
            for member in members:
                if member.flag_bits & 0x1:
                    raise SourceContractBroken("the workbook is encrypted")
                xml = _expand(archive, member, left)
                left -= len(xml)
                if b"<!DOCTYPE" in xml:
                    # Entities are declared there; no spreadsheet program writes one.
                    raise SourceContractBroken(f"{member.filename} declares a document type; save the file again")
                if b"sheetData" in xml:
                    _check_span(xml)
                    for letters, row in _ERROR_CELL.findall(xml):
                        errors.setdefault(int(row), []).append(_column_number(letters))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise SourceContractBroken(f"not a readable .xlsx archive ({error})") from None
    return errors


def _expand(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int) -> bytes:
    most = min(left, max(member.compress_size * RATIO_MAX, 1 << 20))
    if member.file_size > most:  # an honest bomb is not even opened
        raise SourceContractBroken(f"{member.filename} expands too far; the workbook looks like a bomb")
    member.file_size = most + (1 << 20)  # reading stops at the declared size: declare more than is allowed, to find out
    with archive.open(member) as stream:
        expanded = stream.read(most + 1)
    if len(expanded) > most:
        raise SourceContractBroken(f"{member.filename} expands too far; the workbook looks like a bomb")
    return expanded


def _check_span(xml: bytes) -> None:
    """A sheet is read as a full rectangle: one cell at XFD1048576 would ask for seventeen thousand million cells."""
    references = _REFERENCE.findall(xml)
    if references:
        height = max(int(row) for _, row in references)
        width = max(_column_number(letters) for letters in {letters for letters, _ in references})
        if height * width > CELLS_MAX:
            raise SourceContractBroken(f"a sheet spans {height} rows by {width} columns; at most {CELLS_MAX} cells")


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
