"""The decision is delivered within ten working days (行政许可法 art. 44)."""

from __future__ import annotations

import numpy as np

from etl.supervision.rules.rule import Found, Rule, View

DAYS = 10


def _find(view: View) -> Found:
    finish = view.one("finish")
    case = np.flatnonzero(finish >= 0)
    case = case[view.messages.is_value("outcome", "granted")[finish[case]]]
    finish = finish[case]
    handed = [view.occurred(view.one(kind)[case]) for kind in ("collect", "certificate")]
    delivered = np.minimum.reduce([*handed, view.moments.as_of[case]])
    late = view.is_after_working_days(view.occurred(finish), DAYS, delivered)
    return Found(case[late], finish[late])


KINDS = ("finish", "collect", "certificate")
RULES = (Rule("delivered_late", "准予许可后十个工作日内未送达", "行政许可法第四十四条", _find, KINDS),)
