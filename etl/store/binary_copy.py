"""Arrow tables as PostgreSQL's binary COPY stream, built by whole columns: the server parses no text.

Format: PostgreSQL documentation, COPY, "Binary Format". Every field is a 32-bit length (-1: null) and its bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from etl.errors import UsageError
from etl.store.statements import sql_text

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_EPOCH_US = 946_684_800_000_000  # PostgreSQL counts from 2000-01-01
_SLICE_ROWS = 32_768  # small enough that the server works on one slice while the next is built

Bytes = npt.NDArray[np.uint8]


def copy(connection: Connection, statement: str, table: pa.Table, types: Mapping[str, str]) -> None:
    """Put a table into the target of a named `copy ... from stdin with (format binary)`; see `stream`."""
    with connection.connection.cursor() as cursor, cursor.copy(sql_text(statement)) as target:  # type: ignore[attr-defined]
        for piece in stream(table, types):
            target.write(piece)


def stream(table: pa.Table, types: Mapping[str, str]) -> Iterator[memoryview | bytes]:
    """Pieces of the stream for `copy ... from stdin with (format binary)`.

    Args:
        table: columns in the order of the target's columns.
        types: target type per column: int4, text, jsonb (JSON text) or timestamptz (timestamps in us, UTC).

    Raises:
        UsageError: another type, or a null or too large whole number.
    """
    yield _HEADER
    for begin in range(0, len(table), _SLICE_ROWS):
        yield _rows(table.slice(begin, _SLICE_ROWS).combine_chunks(), types)
    yield _TRAILER


def _rows(table: pa.Table, types: Mapping[str, str]) -> memoryview:
    size = len(table)
    fixed = [_big_endian(np.full(size, table.num_columns), ">i2")]  # what every row has in common since the last text
    parts: list[pa.Array] = []
    for name in table.column_names:
        column, type_ = table[name].chunk(0), types[name]
        if type_ == "int4":
            numbers = column.to_numpy()  # Arrow refuses nulls here
            if len(numbers) and not -(2**31) <= numbers.min() <= numbers.max() < 2**31:
                raise UsageError(f"column {name} holds numbers beyond int4")
            fixed += [_big_endian(np.full(size, 4), ">i4"), _big_endian(numbers, ">i4")]
            continue
        if type_ == "timestamptz":
            moments = pc.fill_null(column.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()), _EPOCH_US).to_numpy()
            data = _fixed_width(_big_endian(moments - _EPOCH_US, ">i8"))
            if not column.null_count:
                fixed += [_big_endian(np.full(size, 8), ">i4"), _big_endian(moments - _EPOCH_US, ">i8")]
                continue
        elif type_ in ("text", "jsonb"):
            data = column.cast(pa.string()).cast(pa.binary())
            if type_ == "jsonb":
                data = pc.binary_join_element_wise(b"\x01", data, b"")  # the version of the format
        else:
            raise UsageError(f"column {name}: binary COPY of {type_} is not written here")
        lengths = pc.binary_length(data) if type_ != "timestamptz" else pa.array(np.full(size, 8))
        lengths = pc.if_else(column.is_null(), -1, lengths)
        fixed.append(_big_endian(lengths.to_numpy(zero_copy_only=False), ">i4"))
        parts += [_fixed_width(np.hstack(fixed)), pc.if_else(column.is_null(), b"", data)]
        fixed = []
    if fixed:
        parts.append(_fixed_width(np.hstack(fixed)))
    joined = pc.binary_join_element_wise(*parts, b"")
    return memoryview(joined.buffers()[2])


def _big_endian(numbers: npt.NDArray[np.signedinteger], dtype: str) -> Bytes:
    """Numbers -> their bytes, one row each."""
    return numbers.astype(dtype).view(np.uint8).reshape(len(numbers), -1)


def _fixed_width(content: Bytes) -> pa.Array:
    """Rows of bytes of one width -> Arrow binary, without a copy."""
    size, width = content.shape
    offsets = np.arange(size + 1, dtype=np.int32) * width
    return pa.Array.from_buffers(pa.binary(), size, [None, pa.py_buffer(offsets), pa.py_buffer(content)])
