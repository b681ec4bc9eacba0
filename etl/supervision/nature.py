"""Why a card no longer holds: late data, doubtful data, another calendar, other rules.

The nature is found by asking the same judgement again without the messages in doubt, never by comparing stored cards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from math import comb

import numpy as np

from etl.domain.night import NEVER, Instants, first_cutoffs
from etl.supervision.cards.clock import Clock
from etl.supervision.history import KIND, Indices, Mask, Messages, Moments
from etl.supervision.question import Hide, Question, evaluate, moments_at

NATURES = ("conduct", "push_delay", "suspect", "calendar", "rule")
MOST_DOUBTFUL, MOST_CHOICES = 60, 2**11
"""Of eleven doubtful messages every choice is tried, of sixty every pair."""


@dataclass(frozen=True)
class Removals:
    """Per listed card: why it does not hold now (index into NATURES; -1: it never existed), and by which messages."""

    nature: Indices
    deciding: dict[int, list[int]]


def removals(
    history: Messages,
    question: Question,
    clock: Clock,
    case: Indices,
    key: Indices,
    level: Indices,
    gone: Indices,
    boundary: Instants,
    held: Moments,
) -> Removals:
    """Nature of the cards at rows `gone`, by asking the same judgement again without the messages in doubt."""
    nature = np.full(len(case), -1)
    if not len(gone):
        return Removals(nature, {})
    own_night = np.minimum(first_cutoffs(boundary + 1, question.cutoff), question.as_of)[gone]
    size = len(gone)
    asked = moments_at(question, case[gone], np.full(size, question.as_of), np.full(size, question.known_by))

    held = held.take(gone)
    effective = np.maximum(history.known, history.occurred)

    def is_late(card: Indices, message: Indices) -> Mask:
        """Not known by the card's own night, and without effect as long as the card held."""
        return (history.known[message] > own_night[card]) & (effective[message] > held.as_of[card])

    is_correction = _corrections(history, history.known <= question.known_by)

    came = first_cutoffs(history.here, question.cutoff)

    def is_entered_late(message: Indices, reached: Instants) -> Mask:
        return is_correction[message] | (history.written[message] > reached)

    def is_doubtful(card: Indices, message: Indices) -> Mask:
        return (came[message] > own_night[card]) & is_entered_late(message, boundary[gone][card])

    def reached_at(moments: Moments, cards: Indices, hide: Hide | None = None) -> Instants:
        """Where the card would be reached; NEVER where it would not hold, or not yet when it last did."""
        reached = _reached(history, question, clock, moments, key[gone][cards], level[gone][cards], hide)
        return np.where(reached <= held.as_of[cards], reached, NEVER)

    def holds(moments: Moments, cards: Indices, hide: Hide | None = None) -> Mask:
        stands: Mask = reached_at(moments, cards, hide) != NEVER
        return stands

    def revised(*names: str) -> Mask:
        """Where the card would hold by the calendar or the rules of then, which by those of now it does not."""
        stands = np.zeros(size, np.bool_)
        cards = np.flatnonzero(np.any([getattr(held, name) != getattr(asked, name) for name in names], axis=0))
        if len(cards):
            then = {name: getattr(held, name)[cards] for name in names}
            stands[cards] = holds(replace(asked.take(cards), **then), cards)
        return stands

    every = np.arange(size)
    calendar, rules = revised("calendar"), revised("rules") | revised("calendar", "rules")
    count = history.first[asked.case + 1] - history.first[asked.case]
    card = np.repeat(every, count)
    message = np.arange(len(card)) - np.repeat(np.cumsum(count) - count, count) + history.first[asked.case][card]
    is_known = history.known[message] <= question.known_by
    doubtful, late = is_doubtful(card, message) & is_known, is_late(card, message) & is_known

    # Suspect: the card would stand again were some of the doubtful messages unsaid, one or several of them, each of
    # which was entered after the boundary there would be without them.
    doubts = _Subsets(card[doubtful], message[doubtful], size)
    reached = reached_at(asked.take(doubts.card), doubts.card, doubts.hides)
    choice, unsaid = doubts.members(np.flatnonzero(reached != NEVER))
    stands = reached != NEVER
    stands[choice[~is_entered_late(unsaid, reached[choice])]] = False
    suspect = np.bincount(doubts.card[stands], minlength=size) > 0
    deciding = doubts.smallest(stands, gone)

    # Otherwise the message without which it would stand decides, doubtful ones being no help either way.
    late &= ~doubtful & ~suspect[card]
    card, message = card[late], message[late]
    decides = holds(
        asked.take(card),
        card,
        lambda moment, other: (message[moment] == other) | is_doubtful(card[moment], other),
    )
    deciding |= _grouped(gone[card[decides]], message[decides])
    # Several together may decide where no single one does.
    alone = np.isin(gone[card], np.array(sorted(deciding), dtype=np.int64))
    deciding |= _grouped(gone[card[~alone]], message[~alone])

    named = np.isin(gone, np.array(sorted(deciding), dtype=np.int64))
    suspect |= ~named & (np.bincount(doubts.card, minlength=size) > 0)  # nothing honest explains it
    codes = np.where(suspect, NATURES.index("suspect"), np.where(named, NATURES.index("push_delay"), -1))
    codes = np.where(rules, NATURES.index("rule"), codes)
    nature[gone] = np.where(calendar, NATURES.index("calendar"), codes)
    return Removals(nature, deciding)


def causes(
    history: Messages,
    question: Question,
    clock: Clock,
    case: Indices,
    key: Indices,
    level: Indices,
    boundary: Instants,
) -> Indices:
    """Nature of cards that hold now: conduct, or the revision without which there would be no such card.

    Asked with the calendar and the rules known in the card's own night, and everything else as known now.
    """
    size = len(case)
    asked = moments_at(question, case, np.full(size, question.as_of), np.full(size, question.known_by))
    own_night = np.minimum(first_cutoffs(boundary + 1, question.cutoff), question.as_of)
    then = moments_at(question, case, asked.as_of, np.minimum(own_night, question.known_by))
    nature = np.full(size, NATURES.index("conduct"))
    for cause in ("rules", "calendar"):
        rows = np.flatnonzero(getattr(then, cause) != getattr(asked, cause))
        if len(rows):
            moments = replace(asked.take(rows), **{cause: getattr(then, cause)[rows]})
            reached = _reached(history, question, clock, moments, key[rows], level[rows])
            nature[rows[reached == NEVER]] = NATURES.index("rule" if cause == "rules" else cause)
    return nature


def _reached(
    history: Messages,
    question: Question,
    clock: Clock,
    moments: Moments,
    key: Indices,
    level: Indices,
    hide: Hide | None = None,
) -> Instants:
    """Per moment where the level of the run with this key is reached; NEVER where it does not hold."""
    verdicts = evaluate(history, moments, question, clock, hide)[1]
    row = verdicts.row_of(np.arange(len(moments)), key)
    result = np.full(len(moments), NEVER)
    runs = np.flatnonzero(row >= 0)
    row, level = row[runs], level[runs]
    result[runs] = np.where(verdicts.holds[row, level], verdicts.reached[row, level], NEVER)
    return result


class _Subsets:
    """Choices among a card's doubtful messages, as bit masks (of more than `MOST_DOUBTFUL` the first so many)."""

    def __init__(self, card: Indices, message: Indices, size: int) -> None:
        self._owner, self._message = card, message
        count = np.bincount(card, minlength=size)
        self._rank = np.arange(len(card)) - np.repeat(np.cumsum(count) - count, count)
        masks = [_choices(number) for number in np.minimum(count, MOST_DOUBTFUL).tolist()]
        self.card = np.repeat(np.arange(size), [len(mask) for mask in masks])
        self._mask = np.concatenate([*masks, np.zeros(0, np.int64)]).astype(np.int64)

    def hides(self, subset: Indices, message: Indices) -> Mask:
        """Whether a subset holds a message."""
        if not len(self._owner):
            return np.zeros(len(subset), np.bool_)
        width = int(max(self._message.max(), message.max(initial=0))) + 1
        keys, wanted = self._owner * width + self._message, self.card[subset] * width + message
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        hidden: Mask = (keys[at] == wanted) & ((self._mask[subset] >> self._rank[at]) & 1).astype(np.bool_)
        return hidden

    def members(self, subsets: Indices) -> tuple[Indices, Indices]:
        """(subset, message) pairs: what these subsets hold."""
        card = self.card[subsets]
        first, count = np.searchsorted(self._owner, card), np.searchsorted(self._owner, card, side="right")
        count -= first
        subset = np.repeat(subsets, count)
        at = np.arange(len(subset)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)
        is_held = (self._mask[subset] >> self._rank[at]) & 1 > 0
        return subset[is_held], self._message[at[is_held]]

    def smallest(self, chosen: Mask, names: Indices) -> dict[int, list[int]]:
        """Per card the messages of its smallest chosen subset, under the card's name."""
        found: dict[int, int] = {}
        for card, mask in zip(self.card[chosen].tolist(), self._mask[chosen].tolist(), strict=True):
            found[card] = min(found.get(card, mask), mask, key=lambda bits: (bits.bit_count(), bits))
        kept = [
            found.get(owner, 0) >> rank & 1
            for owner, rank in zip(self._owner.tolist(), self._rank.tolist(), strict=True)
        ]
        rows = np.flatnonzero(kept)
        return _grouped(names[self._owner[rows]], self._message[rows])


@cache
def _choices(number: int) -> Indices:
    """Every non-empty choice among so many by size, as long as they are no more than `MOST_CHOICES`; and all."""
    masks: list[int] = []
    for size in range(1, number + 1):
        if len(masks) + comb(number, size) > MOST_CHOICES:
            return np.array([*masks, (1 << number) - 1])
        masks += [sum(chosen) for chosen in combinations([1 << bit for bit in range(number)], size)]
    return np.array(masks, np.int64)


def _grouped(keys: Indices, values: Indices) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = {}
    for key, value in zip(keys.tolist(), values.tolist(), strict=True):
        groups.setdefault(key, []).append(value)
    return groups


def _corrections(history: Messages, is_known: Mask) -> Mask:
    """Messages that are not the first word on their record. The first passed acceptance after supplements is one.

    By what is known: a first version that comes later makes no difference yet.
    """
    is_first = history.version == 1
    rows = np.flatnonzero((history.kind == KIND["accept"]) & is_known)
    rows = rows[np.lexsort((history.version[rows], history.source[rows], history.case[rows]))]
    width = int(history.source.max(initial=0)) + 1
    record = np.unique(history.case[rows] * width + history.source[rows], return_inverse=True)[1]
    lowest = np.full(len(rows), NEVER)
    np.minimum.at(lowest, record, history.version[rows])
    is_answer = ~history.is_value("outcome", "supplement")[rows]
    first_answer = np.full(len(rows), NEVER)
    np.minimum.at(first_answer, record[is_answer], history.version[rows][is_answer])
    is_first[rows] |= (history.version[rows] == first_answer[record]) & (lowest[record] == 1) & history.is_passed[rows]
    corrections: Mask = ~is_first
    return corrections
