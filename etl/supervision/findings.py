"""Findings by rules other than time, as of any moment and with the knowledge of any moment.

Pure like the judge of cards: an Arrow table of messages in, one of findings out.
"""

from __future__ import annotations

from datetime import datetime, time

import numpy as np
import pyarrow as pa

from etl.domain.calendar import CalendarBook
from etl.domain.message import KINDS, key_column
from etl.domain.night import ZONE, to_us
from etl.domain.profile import Profile, ProfileBook
from etl.supervision.history import Messages, pick
from etl.supervision.question import Question, book_of, moments_at
from etl.supervision.rules import rules
from etl.supervision.rules.rule import Rule, View

FINDINGS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("rule", "about", "source", "case_no", "item_code", "department")),
        pa.field("occurred_at", pa.timestamp("us", tz="UTC")),
        pa.field("evidence", pa.string()),
        pa.field("detail", pa.string()),
    ]
)


def find_table(
    messages: pa.Table, as_of: datetime, known_by: datetime, profile: Profile | ProfileBook, book: CalendarBook
) -> pa.Table:
    """Messages (`SCHEMA` + known_at) -> findings (`FINDINGS`) by rule and case; an item's finding comes once."""
    history = Messages.of(messages, KINDS)
    size = len(history.case_nos)
    if not size:
        return FINDINGS.empty_table()
    question = Question(to_us(as_of), to_us(known_by), book_of(profile), book, time(1), {})
    moments = moments_at(question, np.arange(size), np.full(size, question.as_of), np.full(size, question.known_by))
    rules_then = question.profiles.current(*(moment.astimezone(ZONE).date() for moment in (known_by, as_of)))
    view = View(history, moments, pick(history, moments), book.version(int(moments.calendar[0])), rules_then)
    keys = key_column(history.table)
    return pa.concat_tables([_told(view, keys, rule) for rule in rules().values()])


def _told(view: View, keys: pa.ChunkedArray, rule: Rule) -> pa.Table:
    found = rule.find(view)
    order = np.lexsort((found.message, found.case))
    message = pa.array(found.message[order], pa.int64())
    columns = view.messages.table
    table = pa.table(
        {
            "rule": pa.repeat(rule.code, len(order)),
            "about": pa.repeat(rule.about, len(order)),
            **{name: columns[name].take(message) for name in ("source", "case_no", "item_code", "department")},
            "occurred_at": columns["occurred_at"].take(message),
            "evidence": keys.take(message),
            "detail": pa.array(found.detail or pa.nulls(len(order), pa.string())).take(pa.array(order)),
        },
        schema=FINDINGS,
    )
    if rule.about != "item":
        return table
    item = table["item_code"].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    return table.take(pa.array(np.sort(np.unique(item, return_index=True)[1])))
