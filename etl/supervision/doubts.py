"""Doubtful records: here, but unusable (quarantine). Nothing is concluded from their absence; the case stands still.

Like a source whose feed is incomplete: what needs the record is judged, with knowledge and moment, at the last cut-off
before. A doubt ends when the record is read after all or a person dismisses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.night import DAY_US, NEVER, Instants, to_us
from etl.supervision.cards.clock import Clock
from etl.supervision.history import Indices, Messages
from etl.supervision.question import Question

_EVER = -(2**62)


def split(history: Messages, question: Question, clock: Clock) -> Iterator[tuple[Messages, Question]]:
    """The cases that are judged when asked, and those that stand still with the moment they are judged at."""
    case, since, until = spans(history, question, clock)
    now = (since <= question.known_by) & (question.known_by < until)
    stuck = np.unique(case[now])
    if not len(stuck):
        yield history, question
        return
    free = last_free(history, question, clock, stuck, np.full(len(stuck), question.known_by))
    held = np.full(len(history.cases), NEVER)
    held[stuck] = free
    for moment in np.unique(held).tolist():
        if moment == NEVER:
            yield history.of_cases((held == NEVER)[history.case], clock.kinds), question
        elif moment > _EVER // 2:  # otherwise there never was a night that could tell
            mine = history.of_cases((held == moment)[history.case], clock.kinds)
            yield mine, replace(question, as_of=min(question.as_of, moment), known_by=moment)


def spans(history: Messages, question: Question, clock: Clock) -> tuple[Indices, Instants, Instants]:
    """Doubts about records the clock needs: case, and from which cut-off until which."""
    mine = [doubt for doubt in question.doubts if doubt.kinds.intersection(clock.kinds)]
    case = pc.index_in(pa.array([doubt.case_no for doubt in mine], pa.string()), history.case_nos)
    is_here = np.flatnonzero(case.is_valid().to_numpy(zero_copy_only=False))
    since = [_EVER if mine[row].since is None else to_us(mine[row].since) for row in is_here]  # type: ignore[arg-type]
    until = [NEVER if mine[row].until is None else to_us(mine[row].until) for row in is_here]  # type: ignore[arg-type]
    cases: Indices = case.drop_null().to_numpy().astype(np.int64)
    return cases, np.array(since, np.int64), np.array(until, np.int64)


def last_free(history: Messages, question: Question, clock: Clock, case: Indices, moment: Instants) -> Instants:
    """For each case and moment the last one, going back by cut-offs, at which neither the case stood still nor one of
    its sources was incomplete; long before everything where there is none.
    """
    end = moment.copy()
    frozen = [
        (np.isin(case, history.case[history.is_value("source", name)]), cutoffs)
        for name, cutoffs in question.frozen.items()
    ]
    doubted = [(case == one, since, until) for one, since, until in zip(*spans(history, question, clock), strict=True)]
    is_moved = True
    while is_moved:
        is_moved = False
        for concerned, cutoffs in frozen:
            moved = concerned & np.isin(end, cutoffs)
            end[moved] -= DAY_US
            is_moved |= bool(moved.any())
        for concerned, since, until in doubted:
            moved = concerned & (since <= end) & (end < until)
            end[moved] = max(since - DAY_US, _EVER - 1)
            is_moved |= bool(moved.any())
    return end
