"""Findings by rules other than time, as of any moment and with the knowledge of any moment.

Pure like the judge of cards: an Arrow table of messages in, one of findings out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import Any

import numpy as np
import pyarrow as pa

from etl.domain.calendar import CalendarBook
from etl.domain.message import KINDS
from etl.domain.night import from_us
from etl.domain.profile import Profile, ProfileBook
from etl.supervision.catalogue import ITEMS, Catalogue
from etl.supervision.delays import Route, own_systems
from etl.supervision.doubts import split, waiting
from etl.supervision.history import Messages, pick
from etl.supervision.question import Doubt, Question, moments_at
from etl.supervision.rules import rules
from etl.supervision.rules.rule import Rule, View

FINDINGS = pa.schema(
    [
        *(
            pa.field(name, pa.string())
            for name in ("rule", "about", "source", "case_no", "item_code", "item_name", "department")
        ),
        pa.field("occurred_at", pa.timestamp("us", tz="UTC")),
        pa.field("evidence", pa.string()),
        pa.field("detail", pa.string()),
    ]
)
_SUBJECT = ("source", "case_no", "item_code", "item_name", "department")


def find_table(
    messages: pa.Table,
    as_of: datetime,
    known_by: datetime,
    profile: Profile | ProfileBook,
    book: CalendarBook,
    items: pa.Table | None = None,
    *,
    cutoff: time = time(1),
    links: Mapping[str, Route] | None = None,
    frozen: Mapping[str, Sequence[datetime]] | None = None,
    doubts: Sequence[Doubt] = (),
) -> pa.Table:
    """Messages (`SCHEMA` + known_at) -> findings (`FINDINGS`) by rule.

    A finding about an item comes with every case that shows it.

    Args:
        items: the item catalogue (`etl.supervision.catalogue.ITEMS`); without one nothing is compared with it.
        links: per source the way of its records; which of two systems is the department's own follows from them.
        frozen: per source the cut-offs of nights on which it was not complete.
        doubts: records that are here and unusable: rules that look at such records find of their case what they found
            before these came.
    """
    history = Messages.of(messages, KINDS, own_systems(links or {}))
    question = Question.of(as_of, known_by, profile, book, cutoff, links, frozen, doubts)
    catalogue = Catalogue(ITEMS.empty_table() if items is None else items)
    stands = np.zeros(len(history.cases), np.bool_)
    stands[waiting(history, question, KINDS)] = True
    told = [FINDINGS.empty_table()]
    if not stands.all():
        view = _view(history.of_cases(~stands[history.case], KINDS), question, catalogue)
        for rule in rules().values():
            told += _told(view, rule)
    if stands.any():
        still = history.of_cases(stands[history.case], KINDS)
        for rule in rules().values():
            parts = split(still, question, rule.kinds)
            for part, asked in parts:
                told += _told(_view(part, asked, catalogue), rule) if len(part.rows) else ()
    return pa.concat_tables(told)


def _view(history: Messages, question: Question, catalogue: Catalogue) -> View:
    size = len(history.cases)
    moments = moments_at(question, np.arange(size), np.full(size, question.as_of), np.full(size, question.known_by))
    ruled = question.profiles.current(*(from_us(moment).date() for moment in (question.known_by, question.as_of)))
    calendar = question.book.version(int(moments.calendar[0]))
    return View(history, moments, pick(history, moments), calendar, ruled, catalogue)


def _told(view: View, rule: Rule) -> Iterator[pa.Table]:
    """What a rule finds; no table where it finds nothing, which nearly every rule does."""
    found = rule.find(view)
    if not len(found.message):
        return
    order = np.lexsort((found.message, found.case))
    message = pa.array(found.message[order], pa.int64())
    columns = view.messages.table
    yield pa.table(
        {
            "rule": pa.repeat(rule.code, len(order)),
            "about": pa.repeat(rule.about, len(order)),
            **{name: columns[name].take(message) for name in _SUBJECT},
            "occurred_at": columns["occurred_at"].take(message),
            "evidence": view.messages.keys(found.message[order]),
            "detail": pa.array(found.detail or pa.nulls(len(order), pa.string())).take(pa.array(order)),
        },
        schema=FINDINGS,
    )


def changes(before: pa.Table, after: pa.Table) -> Iterator[dict[str, Any]]:
    """Findings of two judgements of the same cases -> what was `opened` and what was `cleared`.

    A finding is a rule, the record it is about (whatever its version) and what is said of it.
    """
    old, new = ({_identity(row): row for row in table.to_pylist()} for table in (before, after))
    for rows, others, event in ((new, old, "opened"), (old, new, "cleared")):
        for (rule, record, detail), row in rows.items():
            if (rule, record, detail) not in others:
                yield {**row, "record": record, "detail": detail, "event": event}


def _identity(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["rule"], row["evidence"].rpartition("/v")[0], row["detail"] or ""
