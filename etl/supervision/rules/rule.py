"""What a rule other than time is: a question to the records of a case, answered with findings.

A rule sees every case at one moment, whole columns at once; it reads no clock and touches no database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.axis import Targets
from etl.domain.calendar import Calendar
from etl.domain.date_axis import DateAxis
from etl.domain.night import NEVER, Instants
from etl.domain.profile import Profile
from etl.supervision.catalogue import Catalogue
from etl.supervision.history import Indices, Mask, Messages, Moments, Picked


@dataclass(frozen=True)
class View:
    """Every case as known at one moment."""

    messages: Messages
    moments: Moments
    picked: Picked
    calendar: Calendar
    profile: Profile
    catalogue: Catalogue

    @property
    def size(self) -> int:
        """Number of cases."""
        return len(self.moments)

    def one(self, kind: str) -> Indices:
        """Per case its message of a kind that does not repeat; -1 where there is none."""
        return self.picked.one(self.messages, kind, self.size)

    def every(self, kind: str) -> tuple[Indices, Indices]:
        """(case, message) of every message of a kind, by case and seq."""
        return self.picked.many(self.messages, kind)

    def occurred(self, rows: Indices) -> Instants:
        """When messages happened; NEVER for row -1."""
        return np.where(rows >= 0, self.messages.occurred[rows], NEVER)

    def is_blank(self, column: str) -> Mask:
        """Per message: the column says nothing."""
        text = pc.fill_null(self.messages.table[column].cast(pa.string()), "")
        blank: Mask = pc.equal(pc.utf8_trim_whitespace(text), "").to_numpy()
        return blank

    def is_one_of(self, column: str, values: Iterable[str]) -> Mask:
        """Per message: the column holds one of these values."""
        mask: Mask = np.any([self.messages.is_value(column, value) for value in values], axis=0)
        return mask

    def is_after_working_days(self, start: Instants, days: float | npt.NDArray[np.float64], end: Instants) -> Mask:
        """Whether more than so many working days lie between, whole days, the start day not counted (art. 82)."""
        begin = self._dates.start(start)
        target = begin + np.asarray(days).astype(np.int64)
        over: Mask = self._dates.is_over(Targets(target, target), start, np.maximum(end, start))
        return over

    @cached_property
    def _dates(self) -> DateAxis:
        return DateAxis(self.calendar, working=True)


@dataclass(frozen=True)
class Found:
    """Per finding: the case, the message it is about and, where one helps, a word on it."""

    case: Indices
    message: Indices
    detail: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Rule:
    """One rule: what it is called, what it rests on, how it finds, and the kinds of message it looks at.

    `about` is the case, the item (told once however many cases show it) or the data (a sign of records made up).
    """

    code: str
    title: str
    basis: str
    find: Callable[[View], Found]
    kinds: tuple[str, ...]
    about: Literal["case", "item", "data"] = "case"


def both(view: View, earlier: str, later: str) -> tuple[Indices, Indices, Indices]:
    """Cases that have both of two kinds that do not repeat -> (case, row of the one, row of the other)."""
    first, second = view.one(earlier), view.one(later)
    case = np.flatnonzero((first >= 0) & (second >= 0))
    return case, first[case], second[case]


def paired(view: View, starts: str, results: str) -> tuple[Indices, Indices, Indices]:
    """Repeating kinds paired by equal seq -> (case, start row, result row)."""
    case, start = view.every(starts)
    result_case, result = view.every(results)
    width = int(view.messages.seq.max(initial=0)) + 1
    keys, wanted = result_case * width + view.messages.seq[result], case * width + view.messages.seq[start]
    if not len(keys):
        return case[:0], start[:0], start[:0]
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    has = keys[at] == wanted
    return case[has], start[has], result[at[has]]
