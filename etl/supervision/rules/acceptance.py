"""Acceptance within five working days, incomplete material told once (行政许可法 art. 32)."""

from __future__ import annotations

import numpy as np

from etl.domain.night import NEVER
from etl.supervision.rules.rule import Found, Rule, View

DAYS = 5
ANSWERS = ("apply", "accept", "finish", "supplement_notice")


def _deemed(view: View) -> Found:
    """Neither accepted nor told in time: accepted by law on the day the material came."""
    apply = view.one("apply")
    case = np.flatnonzero(apply >= 0)
    apply = apply[case]
    answers = [view.occurred(view.one(kind)[case]) for kind in ("accept", "finish")]
    notice_case, notice = view.every("supplement_notice")
    first_notice = np.full(view.size, NEVER)
    np.minimum.at(first_notice, notice_case, view.occurred(notice))
    answers += [first_notice[case], view.picked.asked_at[case]]
    answered = np.minimum.reduce([*answers, view.moments.as_of[case]])
    late = view.is_after_working_days(view.occurred(apply), DAYS, answered)
    return Found(case[late], apply[late])


def _told_twice(view: View) -> Found:
    case, notice = view.every("supplement_notice")
    again = np.zeros(len(case), np.bool_)
    again[1:] = case[1:] == case[:-1]
    return Found(case[again], notice[again])


RULES = (
    Rule("deemed_accepted", "五个工作日内未受理也未告知，视为受理", "行政许可法第三十二条", _deemed, ANSWERS),
    Rule("told_twice", "补正材料未一次性告知", "行政许可法第三十二条", _told_twice, ("supplement_notice",)),
)
