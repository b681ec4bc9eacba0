"""Findings by rules other than time, as of any moment and with the knowledge of any moment.

Pure like the judge of cards: an Arrow table of messages in, one of findings out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

import numpy as np
import pyarrow as pa

from etl.domain.calendar import CalendarBook
from etl.domain.message import KINDS, key_column
from etl.domain.night import ZONE, to_us
from etl.domain.profile import Profile, ProfileBook
from etl.supervision.catalogue import ITEMS, Catalogue
from etl.supervision.history import Messages, pick
from etl.supervision.question import Question, book_of, moments_at
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
) -> pa.Table:
    """Messages (`SCHEMA` + known_at) -> findings (`FINDINGS`) by rule and case.

    A finding about an item comes with every case that shows it.

    Args:
        items: the item catalogue (`etl.supervision.catalogue.ITEMS`); without one nothing is compared with it.
    """
    history = Messages.of(messages, KINDS)
    size = len(history.case_nos)
    if not size:
        return FINDINGS.empty_table()
    question = Question(to_us(as_of), to_us(known_by), book_of(profile), book, time(1), {})
    moments = moments_at(question, np.arange(size), np.full(size, question.as_of), np.full(size, question.known_by))
    rules_then = question.profiles.current(*(moment.astimezone(ZONE).date() for moment in (known_by, as_of)))
    calendar = book.version(int(moments.calendar[0]))
    catalogue = Catalogue(ITEMS.empty_table() if items is None else items)
    view = View(history, moments, pick(history, moments), calendar, rules_then, catalogue)
    keys = key_column(history.table)
    return pa.concat_tables([_told(view, keys, rule) for rule in rules().values()])


def _told(view: View, keys: pa.ChunkedArray, rule: Rule) -> pa.Table:
    found = rule.find(view)
    order = np.lexsort((found.message, found.case))
    message = pa.array(found.message[order], pa.int64())
    columns = view.messages.table
    return pa.table(
        {
            "rule": pa.repeat(rule.code, len(order)),
            "about": pa.repeat(rule.about, len(order)),
            **{name: columns[name].take(message) for name in _SUBJECT},
            "occurred_at": columns["occurred_at"].take(message),
            "evidence": keys.take(message),
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
