"""One question to the messages: as of when, with whose knowledge, by which rules; and asking it at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from etl.domain.calendar import CalendarBook
from etl.domain.night import NEVER, ZONE, Instants, to_us
from etl.domain.profile import Profile, ProfileBook
from etl.supervision.cards.clock import Clock, judge
from etl.supervision.cards.counting import Verdicts
from etl.supervision.delays import Route
from etl.supervision.history import KIND, Indices, Mask, Messages, Moments, Picked, pick

Hide = Callable[[Indices, Indices], Mask]
"""(moment, message) pairs -> those to leave out."""


EVER = -(2**62)
"""An instant before every other one."""


class Doubt(NamedTuple):
    """Records of these kinds of a case are here and unusable from the cut-off `since` (None: ever) to `until` (None:
    still).
    """

    case_no: str
    kinds: frozenset[str]
    since: datetime | None
    until: datetime | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Doubt:
        """A row of the ledger's doubts."""
        return cls(row["case_no"], frozenset(row["kinds"]), row["since"], row["until"])


def kind_bits(kinds: Iterable[str]) -> int:
    """Kinds of message as one number."""
    return sum(1 << KIND[kind] for kind in set(kinds))


@dataclass(frozen=True)
class Doubts:
    """Doubts as columns: case number, kinds (`kind_bits`), and from which cut-off (us) until which."""

    case_no: pa.Array
    kinds: Indices
    since: Instants
    until: Instants

    @classmethod
    def of(cls, doubts: Sequence[Doubt]) -> Doubts:
        """In the same order."""
        return cls(
            pa.array([doubt.case_no for doubt in doubts], pa.string()),
            np.array([kind_bits(doubt.kinds) for doubt in doubts], np.int64),
            np.array([EVER if doubt.since is None else to_us(doubt.since) for doubt in doubts], np.int64),
            np.array([NEVER if doubt.until is None else to_us(doubt.until) for doubt in doubts], np.int64),
        )

    def __len__(self) -> int:
        return len(self.case_no)


def freed(doubts: Iterable[Doubt], after: datetime | None, until: datetime) -> set[str]:
    """Cases that stood still, for want of some record, until a moment in (after, until]."""
    return {one.case_no for one in doubts if after and one.until and after < one.until <= until}


@dataclass(frozen=True)
class Question:
    """Everything one judgement needs besides the messages."""

    as_of: int
    known_by: int
    profiles: ProfileBook
    book: CalendarBook
    cutoff: time
    links: Mapping[str, Route]
    frozen: Mapping[str, Instants] = field(default_factory=dict)
    """Per source the cut-offs (us) of nights on which it was not complete."""
    doubts: Doubts = field(default_factory=lambda: Doubts.of(()))

    @classmethod
    def of(
        cls,
        as_of: datetime,
        known_by: datetime,
        profile: Profile | ProfileBook,
        book: CalendarBook,
        cutoff: time,
        links: Mapping[str, Route] | None,
        frozen: Mapping[str, Sequence[datetime]] | None,
        doubts: Sequence[Doubt],
    ) -> Question:
        """As people write it."""
        silent = {name: np.array([to_us(moment) for moment in moments]) for name, moments in (frozen or {}).items()}
        asked = to_us(as_of), to_us(known_by), book_of(profile), book, cutoff, links or {}
        return cls(*asked, silent, Doubts.of(doubts))

    @property
    def revisions(self) -> Instants:
        """The moments from which a revision of calendar or rules is known."""
        return _midnights(tuple(sorted({*self.book.revised_on, *self.profiles.revised_on})))


def is_revised(earlier: datetime, now: datetime, *books: CalendarBook | ProfileBook) -> bool:
    """Whether another revision of calendar or rules is known now than was then."""
    return any(book.revision(earlier.date()) != book.revision(now.date()) for book in books)


def book_of(profile: Profile | ProfileBook) -> ProfileBook:
    """One profile as the only version of itself."""
    return profile if isinstance(profile, ProfileBook) else ProfileBook([profile])


def moments_at(question: Question, case: Indices, as_of: Instants, known_by: Instants) -> Moments:
    """Moments with the revisions of calendar and rules known at each."""
    calendar, rules = (
        np.searchsorted(_midnights(tuple(book.revised_on)), known_by, side="right")
        for book in (question.book, question.profiles)
    )
    return Moments(case, as_of, known_by, calendar, rules)


@cache
def _midnights(days: tuple[date, ...]) -> Instants:
    return np.array([to_us(datetime.combine(day, time(), tzinfo=ZONE)) for day in days], dtype=np.int64)


def evaluate(
    history: Messages, moments: Moments, question: Question, clock: Clock, hide: Hide | None = None
) -> tuple[Picked, Verdicts]:
    """What counts at each moment, and how every level rule of a clock is judged by it."""
    picked = pick(history, moments, hide)
    return picked, judge(history, moments, picked, clock, question.profiles, question.book)
