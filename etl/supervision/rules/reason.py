"""A refusal, return or voiding says why (行政许可法 art. 38: 应当说明理由)."""

from __future__ import annotations

import numpy as np

from etl.supervision.rules.rule import Found, Rule, View

UNFAVOURABLE = ("refused", "returned", "voided")
KINDS = ("pre_accept", "accept", "finish")


def _find(view: View) -> Found:
    silent = view.is_blank("reason") & view.is_one_of("outcome", UNFAVOURABLE)
    rows = np.concatenate([view.one(kind) for kind in KINDS])
    case = np.tile(np.arange(view.size), len(KINDS))
    has = rows >= 0
    has[has] = silent[rows[has]]
    return Found(case[has], rows[has])


RULES = (Rule("reason_missing", "不予受理、不予许可、退回、作废未说明理由", "行政许可法第三十八条", _find, KINDS),)
