"""How what a source sends differs from what its module declares, named column by column.

Nothing is decided here: a page that lacks a column is refused by its kind or dialect, a value outside its list by its
reader. This says in words what has changed, to whoever has to correct the source or its module.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import pyarrow as pa

from etl.sources.contract import Source
from etl.sources.values import Rows, code, columns_of, excerpt, number, time, whole

DROPPED, RENAMED, NEW, RETYPED, NEW_CODE = "dropped", "renamed", "new_column", "retyped", "new_code"
_TITLE = {
    DROPPED: "缺少字段{column}",
    RENAMED: "字段{column}疑似改名为{value}",
    NEW: "新增未登记的字段{column}，未读取",
    RETYPED: "字段{column}的格式改变，如{value}",
    NEW_CODE: "字段{column}出现未约定的代码{value}",
}
LIKENESS = 0.6
"""A dropped and a new column at least this alike (names, and values that fit) are perhaps one that was renamed."""
EXAMPLES = 20
LOOKED_AT, NEW_MAX = 1_000, 50
"""Rows and new columns a guess at a new name looks at: a hostile page may have any number."""
TYPED = (code, number, time, whole)
_TYPE = {"bad_time", "bad_number"}
_WIDTH = 12
Reject = tuple[int, str, str]


@dataclass(frozen=True)
class Change:
    """One difference: `what` became of a column, with the value that shows it; `rows`: how many it concerns.

    `title` says it in Chinese. Neither it nor the value holds personal data.
    """

    what: str
    stream: str
    column: str
    value: str
    rows: int

    @property
    def title(self) -> str:
        return f"{self.stream}：{_TITLE[self.what].format(column=self.column, value=self.value)}"


def declared(source: Source, stream: str) -> list[str]:
    """Columns a page of the stream should have: what the dialect reads and the kind insists on."""
    read = [column for *_, reader in source.dialect.mapping(stream) for column in columns_of(reader)]
    return list(dict.fromkeys([*read, *source.kind.columns(stream)]))


def changes(
    source: Source, stream: str, rows: pa.Table, rejects: Sequence[Reject], extra: Iterable[str] = ()
) -> list[Change]:
    """What is different about the rows of one stream.

    Args:
        rows: text columns + row_no, as found.
        rejects: what the dialect refused of them.
        extra: columns the source has beside those in `rows`.
    """
    if not rows.num_rows:
        return []
    found = [name for name in rows.column_names if name != "row_no"]
    missing, new = _differences(source, stream, [*found, *extra])
    renamed = _renamed(source, stream, rows.slice(0, LOOKED_AT), missing, new[:NEW_MAX])
    count = rows.num_rows
    return [
        *(Change(DROPPED, stream, name, "", count) for name in missing if name not in renamed),
        *(Change(RENAMED, stream, name, _plain(other), count) for name, other in renamed.items()),
        *(Change(NEW, stream, _plain(name), "", count) for name in new[:NEW_MAX] if name not in renamed.values()),
        *_values(stream, rows, rejects),
    ]


def shape(value: str | None) -> str:
    """What a value looks like without saying it: 9 for digits, a for letters, 文 for Chinese, at most twelve signs."""
    signs = "".join(
        "9" if sign.isdigit() else "a" if sign.isascii() and sign.isalpha() else "文" if sign.isalpha() else sign
        for sign in value or ""
    )
    return signs if len(signs) <= _WIDTH else f"{signs[:_WIDTH]}…（{len(signs)}）"


def _differences(source: Source, stream: str, found: Iterable[str]) -> tuple[list[str], list[str]]:
    there = {name.casefold(): name for name in found}
    wanted = {name.casefold(): name for name in declared(source, stream)}
    ignored = {name.casefold() for name in source.dialect.ignored}
    missing = [name for folded, name in wanted.items() if folded not in there]
    return missing, [name for folded, name in there.items() if folded not in wanted and folded not in ignored]


def _renamed(source: Source, stream: str, rows: pa.Table, missing: Sequence[str], new: Sequence[str]) -> dict[str, str]:
    """Missing column -> the new one most like it; each is used once, the likest pairs first."""
    scores = sorted(
        ((_likeness(source, stream, rows, name, other), name, other) for name in missing for other in new), reverse=True
    )
    pairs: dict[str, str] = {}
    for score, name, other in scores:
        if score >= LIKENESS and name not in pairs and other not in pairs.values():
            pairs[name] = other
    return pairs


def _likeness(source: Source, stream: str, rows: pa.Table, name: str, other: str) -> float:
    alike = SequenceMatcher(None, name.casefold(), other.casefold()).ratio()
    readers = [reader for *_, reader in source.dialect.mapping(stream) if name in columns_of(reader)]
    if other not in rows.column_names or not readers or not isinstance(readers[0], TYPED):
        return alike
    return alike + 0.4 * _taken(readers[0], name, rows[other], source.timezone)


def _taken(reader: Any, name: str, values: pa.ChunkedArray, zone: str) -> float:
    """The share of the values there are that a reader of another column would take."""
    kept = values.drop_null()
    if not len(kept):
        return 0.0
    page = Rows(pa.table({name: kept}), zone)
    reader.read(page)
    refused = {row for fault in page.faults for row, bad in enumerate(fault.where.to_pylist()) if bad}
    return 1 - len(refused) / len(kept)


def _values(stream: str, rows: pa.Table, rejects: Sequence[Reject]) -> list[Change]:
    codes, types = Counter[str](), dict[str, list[int]]()
    for row_no, reason, detail in rejects:
        if reason == "unknown_code":
            codes[detail] += 1
        elif reason in _TYPE:
            types.setdefault(detail.partition(" is ")[0], []).append(row_no)
    found = [
        Change(NEW_CODE, stream, column, value, count)
        for detail, count in codes.most_common(EXAMPLES)
        for column, _, value in [detail.partition(" is ")]
    ]
    for column, bad in types.items():
        # A wrong value is somebody's slip; most of a column wrong alike is another type.
        values = _of(rows, column)
        if len(bad) > 1 and len(bad) * 2 > len(values.drop_null()):
            like = shape(values[rows["row_no"].index(bad[0]).as_py()].as_py())
            found.append(Change(RETYPED, stream, column, like, len(bad)))
    return found


def _of(rows: pa.Table, column: str) -> pa.ChunkedArray:
    name = next((name for name in rows.column_names if name.casefold() == column.casefold()), None)
    return rows[name] if name else pa.chunked_array([pa.nulls(rows.num_rows, pa.string())])


def _plain(name: str) -> str:
    """A column name nobody here has chosen."""
    return excerpt(name).strip("'\"")
