"""A clock stopped when it has all but run out, or again and again (行政许可法 art. 45: only what is needed)."""

from __future__ import annotations

import numpy as np

from etl.supervision.cards.clock import UNITS, units_of
from etl.supervision.rules.rule import Found, Rule, View

BASIS = "行政许可法第四十五条"


def _starts(view: View) -> tuple[np.ndarray, np.ndarray]:
    case, start = view.every("special_start")
    stops = ~view.messages.is_value("special_kind", "extension")[start]
    return case[stops], start[stops]


def _last_day(view: View) -> Found:
    """The first suspension of a case begins on the last working day of its promise."""
    case, start = _starts(view)
    first = np.ones(len(case), np.bool_)
    first[1:] = case[1:] != case[:-1]
    accept = view.one("accept")[case]
    asked = first & (accept >= 0)
    asked[asked] = units_of(view.messages, accept[asked]) == UNITS.index("working_day")
    promised = np.where(asked, view.messages.number("promised_limit")[accept], 0)
    asked &= promised >= 1
    case, start, accept, promised = (column[asked] for column in (case, start, accept, promised))
    began, ran = view.occurred(start), view.occurred(accept)
    last = view.is_after_working_days(ran, promised - 1, began) & ~view.is_after_working_days(ran, promised, began)
    return Found(case[last], start[last])


def _again(view: View) -> Found:
    """A second procedure of the same kind."""
    case, start = _starts(view)
    kinds = view.messages.table["special_kind"].combine_chunks().dictionary_encode().indices
    kind = kinds.fill_null(-1).to_numpy().astype(np.int64)[start]
    order = np.lexsort((np.arange(len(case)), kind, case))
    case, start, kind = case[order], start[order], kind[order]
    again = np.zeros(len(case), np.bool_)
    again[1:] = (case[1:] == case[:-1]) & (kind[1:] == kind[:-1]) & (kind[1:] >= 0)
    return Found(case[again], start[again])


RULES = (
    Rule("suspended_on_last_day", "承诺时限最后一日启动特别程序", BASIS, _last_day, ("accept", "special_start")),
    Rule("suspended_again", "同一种特别程序启动多次", BASIS, _again, ("special_start",)),
)
