"""Readers: one text column of a page -> one Arrow array of canonical values, and the rows where that is impossible.

A reader never guesses. What it does not recognise becomes a fault of that row, so no message is made from the row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.message import INSTANT
from etl.domain.personal_numbers import without_numbers
from etl.errors import SourceContractBroken

EXCERPT = 40
_ALSO_PERSONAL = re.compile(r"(?<!\d)\d{3}-\d{2,3}-\d{4}(?!\d)|[\w.+-]+[@＠][\w-]+(?:[.．][\w-]+)+")
"""Numbers as they are written abroad, and mail addresses."""
_INSTANT = (
    r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[ T]([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    r"(\.\d{1,6})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?$"
)
_OFFSET = r"(Z|[+-]\d\d:\d\d)$"
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

ISO = ("", "")
"""2026-11-18 09:00:00, with T, fraction or offset if the source likes."""
COMPACT = (r"^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$", r"\1-\2-\3 \4:\5:\6")
"""20261118090000 (GB/T 39046-2020)."""
MINUTES = (r"^(\d{4})[-/](\d\d)[-/](\d\d)[ T](\d\d):(\d\d)$", r"\1-\2-\3 \4:\5:00")
"""2026-11-18 09:00 or 2026/11/18 09:00."""


@dataclass(frozen=True)
class Fault:
    """Rows of a page (boolean mask) whose `column` cannot be used, and why."""

    where: pa.Array
    reason: str
    column: str


@dataclass
class Rows:
    """A page as readers see it: trimmed text columns, the source's time zone, and the faults found so far."""

    table: pa.Table
    zone: str
    faults: list[Fault] = field(default_factory=list)
    _texts: dict[str, pa.Array] = field(default_factory=dict)

    def text(self, column: str, *, required: bool = False) -> pa.Array:
        """The column without surrounding white space; empty text is null.

        Raises:
            SourceContractBroken: the page has no such column, though only rows may lack a value.
        """
        if column not in self._texts:
            self._texts[column] = self._trimmed(column, required)
        found = self._texts[column]
        if required and found.null_count:
            self.fault(pc.is_null(found), "missing_value", column)
        return found

    def fault(self, where: pa.Array, reason: str, column: str) -> None:
        """Reject the rows where the mask holds (null: it does not)."""
        where = pc.fill_null(where, False)
        if pc.any(where).as_py():
            self.faults.append(Fault(where, reason, column))

    def _trimmed(self, column: str, required: bool) -> pa.Array:
        name = same_name(column, self.table.column_names)
        if name is None:
            if required or self.table.num_rows == 0:
                return pa.nulls(self.table.num_rows, pa.string())
            raise SourceContractBroken(f"the page has no column {column}; correct the source or its module")
        found = pc.utf8_trim_whitespace(self.table[name].combine_chunks())
        return pc.if_else(pc.equal(found, ""), pa.scalar(None, pa.string()), found)


def same_name(column: str, names: Iterable[str]) -> str | None:
    """The one of a page's names that is this column, whatever its case: databases fold it and interfaces hand it on.

    Raises:
        SourceContractBroken: two names differ in case only, so either could be meant.
    """
    same = [name for name in names if name.casefold() == column.casefold()]
    if len(same) > 1:
        raise SourceContractBroken(f"the page has columns {' and '.join(same)}; which one is {column}?")
    return same[0] if same else None


class Reader(Protocol):
    """Anything that turns columns of a page into one array, reporting faults on the way."""

    @property
    def column(self) -> str:
        """The column named when the value is missing."""
        ...

    def read(self, rows: Rows) -> pa.Array:
        """-> array as long as the page; values of faulty rows are not to be used."""
        ...


@dataclass(frozen=True)
class text:
    """Text as it stands."""

    column: str
    required: bool = False

    def read(self, rows: Rows) -> pa.Array:
        """-> string array."""
        return rows.text(self.column, required=self.required)


@dataclass(frozen=True)
class number:
    """A plain decimal number, at most a billion either way."""

    column: str
    required: bool = False

    def read(self, rows: Rows) -> pa.Array:
        """-> float64 array."""
        found = rows.text(self.column, required=self.required)
        fits = pc.match_substring_regex(found, r"^-?\d{1,9}(\.\d{1,9})?$")
        rows.fault(pc.invert(fits), "bad_number", self.column)
        return pc.cast(pc.if_else(fits, found, pa.scalar(None, pa.string())), pa.float64())


@dataclass(frozen=True)
class whole:
    """A whole number of at least `least`, part of the message key and therefore required."""

    column: str
    least: int = 0

    def read(self, rows: Rows) -> pa.Array:
        """-> int32 array."""
        found = rows.text(self.column, required=True)
        fits = pc.match_substring_regex(found, r"^\d{1,9}$")
        rows.fault(pc.invert(fits), "bad_number", self.column)
        values = pc.cast(pc.if_else(fits, found, pa.scalar(None, pa.string())), pa.int32())
        rows.fault(pc.less(values, pa.scalar(self.least, pa.int32())), "bad_number", self.column)
        return values


@dataclass(frozen=True)
class code:
    """A code of the source's own list. The list is complete: any other value is a fault, never a default.

    A code that is known and says nothing the contract has a word for maps to None.
    """

    column: str
    values: Mapping[str, str | None] | Mapping[str, bool]
    required: bool = False

    def read(self, rows: Rows) -> pa.Array:
        """-> array of the mapped values' type."""
        found = rows.text(self.column, required=self.required)
        index = pc.index_in(found, value_set=pa.array(list(self.values), pa.string()))
        rows.fault(pc.and_(pc.is_valid(found), pc.is_null(index)), "unknown_code", self.column)
        return pa.array(list(self.values.values())).take(index)


@dataclass(frozen=True)
class listing:
    """Several texts in one cell."""

    column: str
    separator: str

    def read(self, rows: Rows) -> pa.Array:
        """-> list<string> array."""
        gap = rf"(\s*{re.escape(self.separator)}\s*)+"
        found = pc.replace_substring_regex(rows.text(self.column), gap, self.separator)
        return pc.split_pattern(pc.utf8_trim(found, self.separator), self.separator)


@dataclass(frozen=True)
class constant:
    """What every row of the stream means without saying it."""

    value: Any
    column: str = ""

    def read(self, rows: Rows) -> pa.Array:
        """-> array of the value's type."""
        return pa.repeat(pa.scalar(self.value), rows.table.num_rows)


@dataclass(frozen=True)
class time:
    """An instant. A value without an offset takes the source's zone; a source that declares none refuses it."""

    column: str
    layout: tuple[str, str] = ISO
    required: bool = False

    def read(self, rows: Rows) -> pa.Array:
        """-> timestamp[us, UTC] array. Years before 2000 are a system's zero, not a time."""
        found = rows.text(self.column, required=self.required)
        if self.layout != ISO:
            found = pc.replace_substring_regex(found, *self.layout)
        fits = pc.match_substring_regex(found, _INSTANT)
        rows.fault(pc.invert(fits), "bad_time", self.column)
        found = pc.if_else(fits, found, pa.scalar(None, pa.string()))
        with_offset = pc.match_substring_regex(found, _OFFSET)
        if not pc.any(with_offset).as_py():
            values = self._local(rows, found)
        elif pc.all(with_offset).as_py():
            values = self._absolute(rows, found)
        else:
            absolute = self._absolute(rows, _where(with_offset, found))
            values = pc.coalesce(absolute, self._local(rows, _where(pc.invert(with_offset), found)))
        rows.fault(pc.less(values, pa.scalar(_EARLIEST, INSTANT)), "bad_time", self.column)
        return values

    def _local(self, rows: Rows, found: pa.Array) -> pa.Array:
        if not rows.zone:
            rows.fault(pc.is_valid(found), "time_without_zone", self.column)
            return pa.nulls(len(found), INSTANT)
        wall = _cast(found, pa.timestamp("us"), rows, self.column)
        first, last = (
            pc.cast(pc.assume_timezone(wall, rows.zone, ambiguous=side, nonexistent=side), INSTANT)
            for side in ("earliest", "latest")
        )
        rows.fault(pc.not_equal(first, last), "ambiguous_time", self.column)
        return first

    def _absolute(self, rows: Rows, found: pa.Array) -> pa.Array:
        return _cast(found, INSTANT, rows, self.column)


@dataclass(frozen=True)
class first_of:
    """The first reader's value, where it is null the next one's."""

    readers: tuple[Reader, ...]

    @property
    def column(self) -> str:
        """The column tried last."""
        return self.readers[-1].column

    def read(self, rows: Rows) -> pa.Array:
        """-> array of the readers' common type."""
        return pc.coalesce(*(reader.read(rows) for reader in self.readers))


@dataclass(frozen=True)
class applicant:
    """An applicant's name as it may be kept: first and last character (王*明), of two only the first (王*).

    A telephone number keeps its shape (199****0001): somebody has to be told that it stands in a name field.
    """

    column: str

    def read(self, rows: Rows) -> pa.Array:
        """-> string array without personal data."""
        name = rows.text(self.column)
        length = pc.utf8_length(name)
        stars = pc.binary_repeat("*", pc.max_element_wise(pc.subtract(length, 2), 1))
        last = pc.if_else(pc.greater(length, 2), pc.utf8_slice_codeunits(name, -1), "")
        masked = pc.binary_join_element_wise(pc.utf8_slice_codeunits(name, 0, 1), stars, last, "")
        phone = pc.replace_substring_regex(name, r"^(1\d\d)\d{4}(\d{4})$", r"\1****\2")
        return pc.if_else(pc.match_substring_regex(name, r"^1[3-9]\d{9}$"), phone, masked)


def columns_of(reader: Any) -> Iterator[str]:
    """Every column a reader looks at, those of the readers inside it included."""
    for part in fields(reader):
        value = getattr(reader, part.name)
        if part.name in ("column", "operation") and value:
            yield value
        for inner in value if isinstance(value, tuple) else (value,):
            if hasattr(inner, "read"):
                yield from columns_of(inner)


def excerpt(value: str | None, names: Iterable[str | None] = ()) -> str:
    """A value as a reject's detail may show it: short, without the given names, personal numbers or mail addresses."""
    if value is None:
        return "empty"
    for name in filter(None, names):
        value = value.replace(name, "*")
    value = _ALSO_PERSONAL.sub("*", without_numbers(value, "*"))
    return repr(value if len(value) <= EXCERPT else value[:EXCERPT] + "…")


def _where(mask: pa.Array, found: pa.Array) -> pa.Array:
    return pc.if_else(mask, found, pa.scalar(None, pa.string()))


def _cast(found: pa.Array, to: pa.DataType, rows: Rows, column: str) -> pa.Array:
    """Text of the right shape -> timestamps; 30 February only shows here, and then every day is looked at."""
    try:
        return pc.cast(found, to)
    except pa.ArrowInvalid:
        real = pa.array([value is None or _is_date(value[:10]) for value in found.to_pylist()])
        rows.fault(pc.invert(real), "bad_time", column)
        return pc.cast(_where(real, found), to)


def _is_date(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
