"""From landed bytes to text columns: one strict edge for every kind.

A page may be refused as a whole only when nothing in it can be believed (wrong encoding, broken envelope, wrong
header); anything less is the fault of single rows, which are rejected with a reason while the others go on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from etl.errors import RecordRejected, SourceContractBroken
from etl.sources.contract import Decoded

CELL_CHARACTERS_MAX = 10_000
COLUMNS_MAX = 500
ROWS_MAX = 500_000
"""Of one page: thirty megabytes of ``[0,0,0…`` would otherwise fill the memory with rejects."""
ROW_NO = "row_no"

Reject = tuple[int, str, str]

# Category Cc without tab, line feed and carriage return, which real addresses and remarks contain.
_POISON = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x{9f}]"
_POISON_PYTHON = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CJK = re.compile("[\u4e00-\u9fff]")
_UTF8_BOM = b"\xef\xbb\xbf"


def text(content: bytes, encoding: str) -> tuple[str, bool]:
    """Landed bytes -> (text, damaged), by the declared encoding and nothing the sender says.

    A UTF-8 byte order mark is believed, because nothing else begins with it. When bytes do not decode, they stay in
    the text as lone surrogates and `damaged` is true, so that `columns` can reject exactly the rows that hold them.

    Raises:
        SourceContractBroken: the bytes are evidently in another encoding than the declared one.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SourceContractBroken(f"declared encoding is {encoding}, but the content is UTF-16; export it again")
    if content.startswith(_UTF8_BOM):
        content, encoding = content[len(_UTF8_BOM) :], "utf-8"
    elif not content.isascii() and encoding.lower().startswith("gb") and _is_chinese_utf8(content):
        # GBK decodes most UTF-8 into wrong characters without an error, so success alone proves nothing.
        raise SourceContractBroken(f"declared encoding is {encoding}, but the content is UTF-8; correct the module")
    try:
        return content.decode(encoding).removeprefix("\ufeff"), False
    except UnicodeDecodeError:
        return content.decode(encoding, "surrogateescape").removeprefix("\ufeff"), True


def check_row_count(rows: int) -> None:
    """Raise SourceContractBroken for a page of more than `ROWS_MAX` rows."""
    if rows > ROWS_MAX:
        raise SourceContractBroken(f"more than {ROWS_MAX} rows in one page; deliver them in several")


def has_bad_bytes(value: str) -> bool:
    """Whether a damaged text holds bytes that did not decode."""
    return any("\udc80" <= character <= "\udcff" for character in value)


def columns(
    cells: Mapping[str, Sequence[object]],
    row_nos: Sequence[int],
    rejects: Sequence[Reject],
    *,
    damaged: bool = False,
    flatten: Callable[[object], str] | None = None,
) -> Decoded:
    """Columns of text (None: null) -> `Decoded`, after the guard every kind shares.

    Args:
        cells: column name -> one value per row, all of one length; `RecordRejected` where the kind cannot tell one.
        row_nos: position of each row in the page.
        rejects: rows already rejected; they are not among `row_nos`.
        damaged: as `text` said.
        flatten: turns a value that is not text into text, or raises `RecordRejected`.

    A row is rejected once, for the first reason found; details name columns and code points, never values.
    """
    _check_names(cells)
    bad: dict[int, tuple[str, str]] = {}
    arrays = {name: _text_array(name, values, bad, damaged, flatten) for name, values in cells.items()}
    for name, array in arrays.items():
        _find_poison(name, array, bad)
    if damaged:
        _check_share(bad, len(row_nos))
    table = pa.table({ROW_NO: pa.array(row_nos, pa.int64()), **arrays})
    refused = table.take(pa.array(sorted(bad), pa.int64()))
    if bad:
        keep = [index for index in range(len(row_nos)) if index not in bad]
        table = table.take(pa.array(keep, pa.int64()))
    found = [*rejects, *((row_nos[index], reason, detail) for index, (reason, detail) in bad.items())]
    return Decoded(table, sorted(found), {row_nos[index]: _sha256(cells, index) for index in bad}, refused)


def _sha256(cells: Mapping[str, Sequence[object]], index: int) -> str:
    row = {name: values[index] for name, values in cells.items()}
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()


def _is_chinese_utf8(content: bytes) -> bool:
    try:
        return bool(_CJK.search(content.decode("utf-8")))
    except UnicodeDecodeError:
        return False


def _check_names(cells: Mapping[str, Sequence[object]]) -> None:
    if len(cells) > COLUMNS_MAX:
        raise SourceContractBroken(f"{len(cells)} different columns in one page; at most {COLUMNS_MAX} are accepted")
    for name in cells:
        if name == ROW_NO or not name or len(name) > 100 or not name.isprintable():
            raise SourceContractBroken(f"column name {name[:100]!a} cannot be used")


def _text_array(
    name: str,
    values: Sequence[object],
    bad: dict[int, tuple[str, str]],
    damaged: bool,
    flatten: Callable[[object], str] | None,
) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid, UnicodeEncodeError):
        # Something in this column is not plain text: only now look at its cells one by one.
        checked: list[str | None] = []
        for index, value in enumerate(values):
            try:
                checked.append(None if value is None else _cell(name, value, damaged, flatten))
            except RecordRejected as error:
                bad.setdefault(index, (error.reason, error.detail))
                checked.append(None)
        return pa.array(checked, pa.string())


def _cell(name: str, value: object, damaged: bool, flatten: Callable[[object], str] | None) -> str:
    if not isinstance(value, str):
        if isinstance(value, RecordRejected):
            raise RecordRejected(value.reason, f"{name}: {value.detail}")
        if flatten is None:
            raise RecordRejected("bad_value", f"{name} is {type(value).__name__}, not text")
        try:
            value = flatten(value)
        except RecordRejected as error:
            raise RecordRejected(error.reason, f"{name}: {error.detail}") from None
    if damaged and has_bad_bytes(value):
        raise RecordRejected("bad_encoding", f"{name} holds bytes that are not in the declared encoding")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise RecordRejected("poison_character", f"{name} holds U+{ord(value[error.start]):04X}") from None
    return value


def _find_poison(name: str, array: pa.Array, bad: dict[int, tuple[str, str]]) -> None:
    poison = pc.match_substring_regex(array, _POISON)
    if pc.any(poison).as_py():
        for index in pc.indices_nonzero(poison).to_pylist():
            match = _POISON_PYTHON.search(array[index].as_py())
            code = f"U+{ord(match.group()):04X}" if match else "a control character"
            bad.setdefault(index, ("poison_character", f"{name} holds {code}"))
    lengths = pc.utf8_length(array)
    if (pc.max(lengths).as_py() or 0) > CELL_CHARACTERS_MAX:
        for index in pc.indices_nonzero(pc.greater(lengths, CELL_CHARACTERS_MAX)).to_pylist():
            detail = f"{name} has {lengths[index].as_py()} characters; at most {CELL_CHARACTERS_MAX} are accepted"
            bad.setdefault(index, ("too_long", detail))


def _check_share(bad: Mapping[int, tuple[str, str]], rows: int) -> None:
    """A stray byte damages one row; a wrong declaration damages nearly all of them."""
    undecodable = sum(reason == "bad_encoding" for reason, _ in bad.values())
    if undecodable >= 10 and undecodable * 2 > rows:
        raise SourceContractBroken(f"{undecodable} of {rows} rows are not in the declared encoding; correct the module")
