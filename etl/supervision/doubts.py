"""Doubtful records: here, but unusable (quarantine). Nothing is concluded from their absence; the case stands still.

Like a source whose feed is incomplete: what needs the record is judged, with knowledge and moment, at the last cut-off
before. A doubt ends when the record is read after all or a person dismisses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc

from etl.domain.night import DAY_US, NEVER, Instants
from etl.supervision.cards.clock import joined
from etl.supervision.history import Indices, Messages
from etl.supervision.question import EVER, Question, kind_bits


def split(history: Messages, question: Question, kinds: tuple[str, ...]) -> Iterator[tuple[Messages, Question]]:
    """The cases that are judged when asked, and those that stand still with the moment they are judged at."""
    stuck = waiting(history, question, kinds)
    if not len(stuck):
        yield history, question
        return
    held = np.full(len(history.cases), NEVER)
    held[stuck] = last_free(history, question, kinds, stuck, np.full(len(stuck), question.known_by))
    for moment in np.unique(held).tolist():
        if moment == NEVER:
            yield history.of_cases((held == NEVER)[history.case], kinds), question
        elif moment > EVER // 2:  # otherwise there never was a night that could tell
            mine = history.of_cases((held == moment)[history.case], kinds)
            yield mine, replace(question, as_of=min(question.as_of, moment), known_by=moment)


def waiting(history: Messages, question: Question, kinds: tuple[str, ...]) -> Indices:
    """The cases that stand still when asked for want of a record of these kinds."""
    case, since, until = spans(history, question, kinds)
    return np.unique(case[(since <= question.known_by) & (question.known_by < until)])


def spans(history: Messages, question: Question, kinds: tuple[str, ...]) -> tuple[Indices, Instants, Instants]:
    """Doubts about records of these kinds, by case: from which cut-off until which."""
    doubts = question.doubts
    case = pc.fill_null(pc.index_in(doubts.case_no, history.case_nos), -1).to_numpy().astype(np.int64)
    mine = np.flatnonzero((case >= 0) & (doubts.kinds & kind_bits(kinds) != 0))
    mine = mine[np.argsort(case[mine], kind="stable")]
    return case[mine], doubts.since[mine], doubts.until[mine]


def last_free(
    history: Messages, question: Question, kinds: tuple[str, ...], case: Indices, moment: Instants
) -> Instants:
    """For each case and moment the last one, going back by cut-offs, at which neither the case stood still nor one of
    its sources was incomplete; long before everything where there is none.
    """
    end = moment.copy()
    frozen = [
        (np.isin(case, history.case[history.is_value("source", name)]), cutoffs)
        for name, cutoffs in question.frozen.items()
    ]
    doubted, since, until = spans(history, question, kinds)
    row, doubt = joined(doubted, case)
    while True:
        before = end.copy()
        for concerned, cutoffs in frozen:
            end[concerned & np.isin(end, cutoffs)] -= DAY_US
        stuck = (since[doubt] <= end[row]) & (end[row] < until[doubt])
        np.minimum.at(end, row[stuck], np.maximum(since[doubt[stuck]] - DAY_US, EVER - 1))
        if (end == before).all():
            return end
