"""What was visible of each case at given moments: versions, knowledge and business time.

A *moment* is (case, as_of, known_by): messages known later or occurring later do not exist at it. All work is on whole
columns; cases, kinds and sources are small integers here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.message import KINDS, REPEATING
from etl.domain.night import NEVER, Instants

Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
KIND = {kind: number for number, kind in enumerate(KINDS)}
_REPEATS = np.array([kind in REPEATING for kind in KINDS])
_BY_CASE = ("table", "case_nos", "first")


@dataclass(frozen=True)
class Messages:
    """Messages as columns, sorted by case; `first[case] : first[case + 1]` are a case's rows.

    `here`: when a record came, be it into quarantine; known it may be later.
    """

    table: pa.Table
    case_nos: pa.Array
    case: Indices
    first: Indices
    source: Indices
    kind: Indices
    seq: Indices
    version: Indices
    occurred: Instants
    written: Instants
    received: Instants
    here: Instants
    known: Instants
    is_own: Mask
    is_passed: Mask
    is_open: Mask

    @classmethod
    def of(cls, table: pa.Table, kinds: tuple[str, ...], own: Sequence[str] = ()) -> Messages:
        """Columns of `table` (`etl.domain.message.SCHEMA` + known_at), only these kinds.

        Args:
            own: sources that are their department's own system; a source called as its department always is.
        """
        table = table.filter(pc.is_in(table["kind"], pa.array(kinds)))
        # By the whole key: nothing may depend on the order messages came in.
        order = ("case_no", "occurred_at", "source", "kind", "seq", "version")
        table = table.sort_by([(name, "ascending") for name in order])
        codes = pc.dictionary_encode(table["case_no"]).combine_chunks()
        case = codes.indices.to_numpy().astype(np.int64)
        outcome = pc.fill_null(table["outcome"], "passed")
        is_called_so = pc.fill_null(pc.equal(table["source"], table["department"]), False)
        is_own = pc.or_(is_called_so, pc.is_in(table["source"], pa.array(own, pa.string())))
        return cls(
            table=table,
            case_nos=codes.dictionary,
            case=case,
            first=np.searchsorted(case, np.arange(len(codes.dictionary) + 1)),
            source=pc.dictionary_encode(table["source"]).combine_chunks().indices.to_numpy().astype(np.int64),
            kind=pc.index_in(table["kind"], pa.array(KINDS)).to_numpy().astype(np.int64),
            seq=table["seq"].to_numpy().astype(np.int64),
            version=table["version"].to_numpy().astype(np.int64),
            occurred=_us(table["occurred_at"]),
            written=_us(table["written_at"]),
            received=_us(table["received_at"]),
            here=np.minimum(_us(table["loaded_at"]), _us(table["known_at"])),
            known=_us(table["known_at"]),
            is_own=is_own.to_numpy(),
            is_passed=(pc.not_equal(table["kind"], "accept").to_numpy()) | pc.equal(outcome, "passed").to_numpy(),
            is_open=pc.and_(pc.equal(table["kind"], "stage"), pc.is_null(table["outcome"])).to_numpy(),
        )

    def of_cases(self, with_one: Mask, kinds: tuple[str, ...]) -> Messages:
        """Only these kinds, and only the cases that have a message of the mask."""
        keeps = np.zeros(len(self.case_nos), np.bool_)
        keeps[self.case[with_one]] = True
        rows = np.flatnonzero(keeps[self.case] & np.isin(self.kind, [KIND[kind] for kind in kinds]))
        number = np.cumsum(keeps) - 1
        case = number[self.case[rows]]
        columns = {one.name: getattr(self, one.name) for one in fields(self)}
        columns = {name: column[rows] for name, column in columns.items() if name not in _BY_CASE}
        return Messages(
            table=self.table.take(pa.array(rows)),
            case_nos=self.case_nos.take(pa.array(np.flatnonzero(keeps))),
            first=np.searchsorted(case, np.arange(np.count_nonzero(keeps) + 1)),
            **columns | {"case": case},
        )

    @cached_property
    def by_record(self) -> Indices:
        """All rows by case, kind, seq (of what repeats), source and version."""
        seq = np.where(_REPEATS[self.kind], self.seq, 0)
        return np.lexsort((self.version, self.seq, self.source, seq, self.kind, self.case))

    def number(self, column: str) -> npt.NDArray[np.float64]:
        """A numeric payload column; NaN where null."""
        values: npt.NDArray[np.float64] = pc.fill_null(self.table[column], float("nan")).to_numpy()
        return values

    def instant(self, column: str) -> Instants:
        """An instant column in microseconds; NEVER where null."""
        return _us(self.table[column])

    def is_value(self, column: str, value: str | bool) -> Mask:
        """Where a payload column holds this value; False where null."""
        mask: Mask = pc.fill_null(pc.equal(self.table[column], value), False).to_numpy()
        return mask


@dataclass(frozen=True)
class Moments:
    """Questions: case number, as_of, known_by (us), and how many revisions of calendar and rules were known."""

    case: Indices
    as_of: Instants
    known_by: Instants
    calendar: Indices
    rules: Indices

    def __len__(self) -> int:
        return len(self.case)

    def take(self, rows: Indices) -> Moments:
        """The moments at these rows."""
        return Moments(*(column[rows] for column in (self.case, self.as_of, self.known_by, self.calendar, self.rules)))


@dataclass(frozen=True)
class Picked:
    """The messages that count at each moment: (moment, message) pairs sorted by moment, one per kind and seq."""

    moment: Indices
    message: Indices

    def one(self, messages: Messages, kind: str, size: int) -> Indices:
        """Per moment its message of a kind that does not repeat; -1 where there is none."""
        found = np.full(size, -1)
        rows = messages.kind[self.message] == KIND[kind]
        found[self.moment[rows]] = self.message[rows]
        return found

    def many(self, messages: Messages, kind: str) -> tuple[Indices, Indices]:
        """(moment, message) pairs of a repeating kind."""
        rows = messages.kind[self.message] == KIND[kind]
        return self.moment[rows], self.message[rows]


def pick(messages: Messages, moments: Moments, hide: Callable[[Indices, Indices], Mask] | None = None) -> Picked:
    """The counting version of every record visible at each moment.

    Per (source, kind, seq) the highest known version; across sources the department's own system, else the earliest
    that passed. `hide(moment, message)` marks pairs to leave out, for questions of the form "and without this?".
    """
    size = messages.first[moments.case + 1] - messages.first[moments.case]
    moment = np.repeat(np.arange(len(moments)), size)
    place = np.arange(len(moment)) - np.repeat(np.cumsum(size) - size, size) + messages.first[moments.case][moment]
    message = messages.by_record[place]
    visible = messages.known[message] <= moments.known_by[moment]
    if hide is not None:
        visible &= ~hide(moment, message)
    moment, message = moment[visible], message[visible]

    counts = _is_last(moment, messages.kind[message], messages.seq[message], messages.source[message])
    # What the newest version says has not happened yet has not happened, whatever an older version said.
    has_happened = messages.occurred[message] <= moments.as_of[moment]
    counts = (counts & has_happened) | _still_open(messages, message, counts, has_happened)
    moment, message = moment[counts], message[counts]

    kind = messages.kind[message]
    seq = np.where(_REPEATS[kind], messages.seq[message], 0)
    best = _is_first(moment, kind, seq)
    if not best.all():  # the few records more than one source tells
        several = np.flatnonzero(~best | ~np.append(best[1:], True))
        told = message[several]
        own, passed = messages.is_own[told], messages.is_passed[told]
        keys = (told, messages.occurred[told], ~passed, ~own, seq[several], kind[several], moment[several])
        message[several] = told[np.lexsort(keys)]
    return Picked(moment[best], message[best])


def _still_open(messages: Messages, message: Indices, is_newest: Mask, has_happened: Mask) -> Mask:
    """The last open report of each stage whose newest version tells of an end that has not happened yet."""
    is_open = messages.is_open[message]
    is_ending = is_newest & ~has_happened & ~is_open & (messages.kind[message] == KIND["stage"])
    still = np.zeros(len(message), np.bool_)
    if not is_ending.any():
        return still
    record: Indices = np.cumsum(is_newest) - is_newest
    reports = np.flatnonzero(is_open & has_happened & np.isin(record, record[is_ending]))
    still[reports[_is_last(record[reports])]] = True
    return still


def _is_first(*columns: Indices) -> Mask:
    changes = np.zeros(len(columns[0]), dtype=np.bool_)
    changes[:1] = True
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return changes


def _is_last(*columns: Indices) -> Mask:
    return np.append(_is_first(*columns)[1:], np.ones(min(1, len(columns[0])), dtype=np.bool_))


def _us(column: pa.ChunkedArray) -> Instants:
    values: Instants = pc.fill_null(column.cast(pa.int64()), NEVER).to_numpy()
    return values
