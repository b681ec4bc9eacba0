"""Column dialects: a department's own columns and codes -> canonical messages, a whole page at a time.

A module declares, per stream, the messages a row says, and for each the readers of its business time and fields:

    Columns(
        case_no="sblsh", version=whole("sjbbh", least=1), written=time("xtsj"), received=time("rksj"), ...,
        streams={"finish": [to("finish", time("bjsj"), outcome=code("bjjgdm", {"0": "granted", ...}))]},
    )
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.message import CODES, KINDS, OUTCOMES, PAYLOAD, REPEATING, SCHEMA
from etl.errors import ConfigurationError, SourceContractBroken
from etl.sources.contract import Source
from etl.sources.values import Fault, Reader, Rows, applicant, code, constant, excerpt, same_name, text

ROW_NO = "row_no"
ONCE = constant(0)
"""The seq of a message that does not repeat within its case."""
Fields = Mapping[str, Reader]
Reject = tuple[int, str, str]


@dataclass(frozen=True)
class When:
    """The rows a message is made from: `column` holds `value`, or one of several; with None, anything at all."""

    column: str
    value: str | tuple[str, ...] | None = None

    def mask(self, rows: Rows) -> pa.Array:
        """-> boolean array without nulls."""
        found = rows.text(self.column)
        if self.value is None:
            return pc.is_valid(found)
        wanted = (self.value,) if isinstance(self.value, str) else self.value
        return pc.is_in(found, value_set=pa.array(wanted, pa.string()))


@dataclass(frozen=True)
class To:
    """One message a row says; modules write it as `to(...)`."""

    kind: str
    occurred: Reader
    fields: Fields
    seq: Reader
    when: When | None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ConfigurationError(f"no message kind {self.kind!r}; known: {', '.join(KINDS)}")
        if unknown := self.fields.keys() - set(PAYLOAD[self.kind]):
            raise ConfigurationError(f"{self.kind} has no field {', '.join(sorted(unknown))}")
        if self.kind in REPEATING and self.seq == ONCE:
            raise ConfigurationError(f"{self.kind} repeats within a case; declare seq=")
        for name, reader in self.fields.items():
            known = OUTCOMES.get(self.kind) if name == "outcome" else CODES.get(name)
            given = reader.values.values() if isinstance(reader, code) else ()
            if known and (foreign := set(given) - known - {None}):
                raise ConfigurationError(f"{self.kind}.{name} cannot be {', '.join(sorted(map(str, foreign)))}")


def to(
    kind: str,
    occurred: Reader,
    fields: Fields = MappingProxyType({}),
    /,
    *,
    seq: Reader = ONCE,
    when: When | None = None,
    **more: Reader,
) -> To:
    """A message of `kind` that happened at `occurred`.

    Args:
        fields, more: a reader for each payload field the source fills.
        seq: number within the case, for kinds that repeat.
        when: the rows that say this message; default all.

    Raises:
        ConfigurationError: the declaration names a kind, field or code outside the contract.
    """
    return To(kind, occurred, {**fields, **more}, seq, when)


@dataclass(frozen=True)
class Columns:
    """The dialect of one source (see `etl.sources.contract.Dialect`).

    `ignored`: columns that are known to come and are not read; any other is reported as new.
    """

    case_no: str
    version: Reader
    written: Reader
    received: Reader
    item_code: Reader
    item_name: Reader
    streams: Mapping[str, Sequence[To]]
    ignored: frozenset[str] = frozenset()

    def mapping(self, stream: str) -> list[tuple[str, str, Reader]]:
        """(message kind, field, reader) of everything the stream says; what all its messages share comes first."""
        shared: list[tuple[str, str, Reader]] = [
            ("*", "case_no", text(self.case_no, required=True)),
            ("*", "version", self.version),
            ("*", "written_at", self.written),
            ("*", "received_at", self.received),
            ("*", "item_code", self.item_code),
            ("*", "item_name", self.item_name),
        ]
        for to in self.streams[stream]:
            conditions = [("when", text(to.when.column))] if to.when else []
            own = [*conditions, ("occurred_at", to.occurred), ("seq", to.seq), *to.fields.items()]
            shared += [(to.kind, name, reader) for name, reader in own]
        return shared

    def messages(self, source: Source, stream: str, rows: pa.Table) -> tuple[pa.Table, Sequence[Reject]]:
        """Text columns + `row_no` -> (messages + `row_no`, one reject per row that says something impossible).

        Raises:
            SourceContractBroken: an undeclared stream, or a page without a declared column.
        """
        if stream not in self.streams:
            raise SourceContractBroken(f"source {source.name} declares no stream {stream!r}")
        page = Rows(rows, source.timezone)
        views = self._views(stream, page)
        messages = pa.concat_tables([self._message(source, to, view) for to, view in views])
        rejects = self._rejects([page, *(view for _, view in views)])
        bad = pa.array([row_no for row_no, _, _ in rejects], pa.int64())
        return messages.filter(pc.invert(pc.is_in(messages[ROW_NO], value_set=bad))), rejects

    def subjects(self, stream: str, rows: pa.Table) -> dict[int, tuple[str | None, tuple[str, ...]]]:
        """Refused rows -> per row_no its case, where one can be read, and the kinds of message it would have been.

        A row whose code for that is the trouble could have been any.
        """
        page = Rows(rows, "")
        case_nos = [
            number if number and number.isprintable() else None for number in page.text(self.case_no).to_pylist()
        ]
        says: list[list[str]] = [[] for _ in case_nos]
        for to in self.streams[stream]:
            mask = [True] * len(says) if to.when is None else to.when.mask(page).to_pylist()
            for row in np.flatnonzero(mask).tolist():
                says[row].append(to.kind)
        every = [to.kind for to in self.streams[stream]]
        return {
            row_no: (case_no, tuple(dict.fromkeys(kinds or every)))
            for row_no, case_no, kinds in zip(rows[ROW_NO].to_pylist(), case_nos, says, strict=True)
        }

    def _views(self, stream: str, page: Rows) -> list[tuple[To, Rows]]:
        """The rows each message is made from; a row that would say nothing at all is a fault."""
        views: list[tuple[To, Rows]] = []
        claimed = pa.repeat(pa.scalar(False), page.table.num_rows)
        for to in self.streams[stream]:
            if to.when is None:
                views.append((to, page))
                continue
            mask = to.when.mask(page)
            claimed = pc.or_(claimed, mask)
            views.append((to, Rows(page.table.filter(mask), page.zone)))
        conditions = [to.when.column for to, _ in views if to.when]
        if len(conditions) == len(views):
            page.fault(pc.invert(claimed), "unknown_code", conditions[0])
        return views

    def _message(self, source: Source, to: To, rows: Rows) -> pa.Table:
        count = rows.table.num_rows
        said: dict[str, pa.Array] = {
            "source": constant(source.name).read(rows),
            "case_no": text(self.case_no, required=True).read(rows),
            "kind": constant(to.kind).read(rows),
            "seq": to.seq.read(rows),
            "version": self.version.read(rows),
            "occurred_at": _occurred(to, rows),
            "written_at": self.written.read(rows),
            "received_at": self.received.read(rows),
            "department": constant(source.department).read(rows),
            "region": constant(source.region).read(rows),
            "item_code": self.item_code.read(rows),
            "item_name": self.item_name.read(rows),
            **{name: reader.read(rows) for name, reader in to.fields.items()},
        }
        arrays = [_typed(said[f.name], f.type) if f.name in said else pa.nulls(count, f.type) for f in SCHEMA]
        return pa.table([*arrays, rows.table[ROW_NO]], schema=_WITH_ROW_NO)

    def _rejects(self, views: Sequence[Rows]) -> list[Reject]:
        found: dict[int, Reject] = {}
        for view in views:
            for fault in view.faults:
                reason = (
                    "missing_key" if fault.reason == "missing_value" and fault.column in self._keys else fault.reason
                )
                for row_no, value, *names in self._said(view, fault):
                    shown = "***" if fault.column in self._name_columns else excerpt(value, names)
                    found.setdefault(row_no, (row_no, reason, f"{fault.column} is {shown}"))
        return [found[row_no] for row_no in sorted(found)]

    def _said(self, view: Rows, fault: Fault) -> Iterator[tuple[Any, ...]]:
        """Of each row at fault: row_no, the faulty value, and the applicants no detail may name."""
        names = [name for name in self._name_columns if same_name(name, view.table.column_names)]
        said = [view.table[ROW_NO], *(view.text(column) for column in (fault.column, *names))]
        return zip(*(column.filter(fault.where).to_pylist() for column in said), strict=True)

    @cached_property
    def _name_columns(self) -> frozenset[str]:
        readers = [reader for tos in self.streams.values() for to in tos for reader in to.fields.values()]
        return frozenset(reader.column for reader in readers if isinstance(reader, applicant))

    @cached_property
    def _keys(self) -> frozenset[str]:
        seqs = [to.seq for tos in self.streams.values() for to in tos]
        return frozenset({self.case_no, *(getattr(reader, "column", "") for reader in (self.version, *seqs))})


_WITH_ROW_NO = SCHEMA.append(pa.field(ROW_NO, pa.int64()))


def _occurred(to: To, rows: Rows) -> pa.Array:
    found = to.occurred.read(rows)
    rows.fault(pc.is_null(found), "missing_time", to.occurred.column)
    return found


def _typed(found: pa.Array, type_: pa.DataType) -> pa.Array:
    return found if found.type == type_ else pc.cast(found, type_)
