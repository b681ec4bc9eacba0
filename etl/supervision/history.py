"""What was visible of each case at given moments: versions, knowledge and business time.

A *moment* is (case, as_of, known_by): messages known later or occurring later do not exist at it. All work is on whole
columns; cases, kinds and sources are small integers here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.message import KINDS, REPEATING, instants_of, key_column
from etl.domain.night import NEVER, Instants

Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
KIND = {kind: number for number, kind in enumerate(KINDS)}
_REPEATS = np.array([kind in REPEATING for kind in KINDS])
_ALPHABETIC = np.argsort(np.argsort(KINDS))


def numbered(names: pa.ChunkedArray) -> tuple[pa.Array, Indices]:
    """Texts -> each of them once, in order, and per row its number there."""
    codes = pc.dictionary_encode(names).combine_chunks()
    found, number = codes.dictionary, codes.indices.to_numpy().astype(np.int64)
    if len(found) > 1 and not pc.all(pc.less(found[:-1], found[1:])).as_py():
        order = pc.sort_indices(found)
        found, number = found.take(order), np.argsort(order.to_numpy())[number]
    return found, number


@dataclass(frozen=True)
class Messages:
    """Messages as columns, sorted by case; `first[case] : first[case + 1]` are a case's rows.

    A selection of what was `told`: its `rows` and the numbers (`cases`) of its cases there, without a copy of the rest.
    `here`: when a record came, be it into quarantine; known it may be later.
    """

    told: pa.Table
    told_nos: pa.Array
    rows: Indices
    cases: Indices
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
    _told_columns: dict[tuple[object, ...], Any] = field(default_factory=dict)

    @classmethod
    def of(cls, table: pa.Table, kinds: tuple[str, ...], own: Sequence[str] = ()) -> Messages:
        """Columns of `table` (`etl.domain.message.SCHEMA` + known_at, or those of it that are looked at), these kinds.

        Nothing depends on the order of the rows, which are sorted by the whole key unless they come so.

        Args:
            own: sources that are their department's own system; a source called as its department always is.
        """
        is_wanted = pc.is_in(table["kind"], pa.array(kinds))
        if not pc.all(is_wanted).as_py():
            table = table.filter(is_wanted)
        table = table.combine_chunks()
        case_nos, case = numbered(table["case_no"])
        source = numbered(table["source"])[1]
        kind = pc.index_in(table["kind"], pa.array(KINDS)).to_numpy().astype(np.int64)
        seq, version = (table[name].to_numpy().astype(np.int64) for name in ("seq", "version"))
        key = [case, instants_of(table["occurred_at"]), source, _ALPHABETIC[kind], seq, version]
        if not _is_sorted(key):
            order = np.lexsort(key[::-1])
            table = table.take(pa.array(order))
            case, source, kind, seq, version = (column[order] for column in (case, source, kind, seq, version))
        outcome = pc.fill_null(table["outcome"], "passed")
        is_called_so = pc.fill_null(pc.equal(table["source"], table["department"]), False)
        is_own = pc.or_(is_called_so, pc.is_in(table["source"], pa.array(own, pa.string())))
        return cls(
            told=table,
            told_nos=case_nos,
            rows=np.arange(len(table)),
            cases=np.arange(len(case_nos)),
            case=case,
            first=np.searchsorted(case, np.arange(len(case_nos) + 1)),
            source=source,
            kind=kind,
            seq=seq,
            version=version,
            occurred=instants_of(table["occurred_at"]),
            written=instants_of(table["written_at"]),
            received=instants_of(table["received_at"]),
            here=np.minimum(instants_of(table["loaded_at"]), instants_of(table["known_at"])),
            known=instants_of(table["known_at"]),
            is_own=is_own.to_numpy(),
            is_passed=(kind != KIND["accept"]) | pc.equal(outcome, "passed").to_numpy(),
            is_open=(kind == KIND["stage"]) & pc.is_null(table["outcome"]).to_numpy(),
        )

    def of_cases(self, with_one: Mask, kinds: tuple[str, ...]) -> Messages:
        """Only these kinds, and only the cases that have a message of the mask."""
        keeps = np.zeros(len(self.cases), np.bool_)
        keeps[self.case[with_one]] = True
        is_asked = np.zeros(len(KINDS), np.bool_)
        is_asked[[KIND[kind] for kind in kinds]] = True
        rows = np.flatnonzero(keeps[self.case] & is_asked[self.kind])
        if len(rows) == len(self.rows):
            return self
        case = (np.cumsum(keeps) - 1)[self.case[rows]]
        columns = {one.name: getattr(self, one.name) for one in fields(self)}
        shared = {name: columns.pop(name) for name in ("told", "told_nos", "_told_columns")}
        del columns["first"]
        columns = {name: column[rows] for name, column in columns.items() if name != "cases"} | {"case": case}
        cases = self.cases[keeps]
        return Messages(cases=cases, first=np.searchsorted(case, np.arange(len(cases) + 1)), **shared, **columns)

    @cached_property
    def table(self) -> pa.Table:
        """All columns of these messages."""
        return self.told if len(self.rows) == len(self.told) else self.told.take(pa.array(self.rows))

    @cached_property
    def case_nos(self) -> pa.Array:
        """The number of each case."""
        return self.told_nos.take(pa.array(self.cases))

    @cached_property
    def by_record(self) -> Indices:
        """All rows by case, kind, seq (of what repeats), source and version."""
        seq = np.where(_REPEATS[self.kind], self.seq, 0)
        return np.lexsort((self.version, self.seq, self.source, seq, self.kind, self.case))

    def number(self, column: str) -> npt.NDArray[np.float64]:
        """A numeric payload column; NaN where null."""
        numbers: npt.NDArray[np.float64] = self._of_told(
            column, lambda told: pc.fill_null(told, float("nan")).to_numpy()
        )
        return numbers

    def instant(self, column: str) -> Instants:
        """An instant column in microseconds; NEVER where null."""
        instants: Instants = self._of_told(column, instants_of)
        return instants

    def is_value(self, column: str, value: str | bool) -> Mask:
        """Where a payload column holds this value; False where null."""
        mask: Mask = self._of_told(column, lambda told: pc.fill_null(pc.equal(told, value), False).to_numpy(), value)
        return mask

    def is_told(self, column: str) -> Mask:
        """Where a column is not null."""
        mask: Mask = self._of_told(column, lambda told: pc.is_valid(told).to_numpy(), None)
        return mask

    def code(self, column: str, values: tuple[str, ...], missing: str) -> Indices:
        """Which of the values a column holds, by number; `missing` where null."""
        codes: Indices = self._of_told(
            column,
            lambda told: pc.index_in(pc.fill_null(told, missing), value_set=pa.array(values)).to_numpy(),
            values,
        )
        return codes.astype(np.int64)

    def texts(self, column: str, rows: Indices) -> pa.ChunkedArray:
        """A column at these rows."""
        return self.told[column].take(pa.array(self.rows[rows]))

    def keys(self, rows: Indices) -> pa.Array:
        """The keys of the messages at these rows, as evidence lists print them."""
        if ("key",) not in self._told_columns:
            self._told_columns["key",] = key_column(self.told).combine_chunks()
        return self._told_columns["key",].take(pa.array(self.rows[rows]))

    def _of_told(self, column: str, read: Callable[[pa.ChunkedArray], Any], *how: object) -> Any:
        """A column as numbers, read once from all that was told, whichever selections ask for it."""
        if (column, *how) not in self._told_columns:
            self._told_columns[column, *how] = read(self.told[column])
        return self._told_columns[column, *how][self.rows]


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
    """The messages that count at each moment: (moment, message) pairs sorted by moment, one per kind and seq.

    `asked_at`: per moment when the applicant was first asked for supplements (NEVER: not), which stays an answer
    whatever a later version of it says.
    """

    moment: Indices
    message: Indices
    asked_at: Instants

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
    asked_at = _asked_at(messages, moments, moment, message)

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
    return Picked(moment[best], message[best], asked_at)


def _asked_at(messages: Messages, moments: Moments, moment: Indices, message: Indices) -> Instants:
    asked_at = np.full(len(moments), NEVER)
    is_answer = np.isin(messages.kind, (KIND["pre_accept"], KIND["accept"]))
    is_asking = messages.is_value("outcome", "supplement") & is_answer
    if is_asking.any():
        rows = is_asking[message] & (messages.occurred[message] <= moments.as_of[moment])
        np.minimum.at(asked_at, moment[rows], messages.occurred[message[rows]])
    return asked_at


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


def _is_sorted(columns: list[Indices]) -> bool:
    tied = np.ones(max(len(columns[0]) - 1, 0), np.bool_)
    for column in columns:
        if not tied.any():
            break
        if (tied & (column[1:] < column[:-1])).any():
            return False
        tied &= column[1:] == column[:-1]
    return True


def _is_first(*columns: Indices) -> Mask:
    changes = np.zeros(len(columns[0]), dtype=np.bool_)
    changes[:1] = True
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return changes


def _is_last(*columns: Indices) -> Mask:
    return np.append(_is_first(*columns)[1:], np.ones(min(1, len(columns[0])), dtype=np.bool_))
