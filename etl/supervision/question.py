"""One question to the messages: as of when, with whose knowledge, by which rules; and asking it at any moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time

import numpy as np

from etl.domain.calendar import CalendarBook
from etl.domain.night import ZONE, Instants, to_us
from etl.domain.profile import Profile
from etl.supervision.cards.clock import Clock, Verdicts, judge
from etl.supervision.delays import LinkLimit
from etl.supervision.history import Indices, Mask, Messages, Moments, Picked, pick

Hide = Callable[[Indices, Indices], Mask]
"""(moment, message) pairs -> those to leave out."""


@dataclass(frozen=True)
class Question:
    """Everything one judgement needs besides the messages."""

    as_of: int
    known_by: int
    profile: Profile
    book: CalendarBook
    cutoff: time
    links: Mapping[str, LinkLimit]
    frozen: Mapping[str, Instants] = field(default_factory=dict)
    """Per source the cut-offs (us) of nights on which it was not complete."""

    def calendar_versions(self, known_by: Instants) -> Indices:
        return np.searchsorted(self.revisions, known_by, side="right")

    @property
    def revisions(self) -> Instants:
        midnights = (datetime.combine(day, time(), tzinfo=ZONE) for day in self.book.revised_on)
        return np.array([to_us(midnight) for midnight in midnights], dtype=np.int64)


def moments_at(question: Question, case: Indices, as_of: Instants, known_by: Instants) -> Moments:
    """Moments with the calendar known at each."""
    return Moments(case, as_of, known_by, question.calendar_versions(known_by))


def evaluate(
    history: Messages, moments: Moments, question: Question, clock: Clock, hide: Hide | None = None
) -> tuple[Picked, Verdicts]:
    """What counts at each moment, and how every level rule of a clock is judged by it."""
    picked = pick(history, moments, hide)
    rules = question.profile.rules(clock.name)
    return picked, judge(history, moments, picked, clock, rules, question.profile, question.book)
