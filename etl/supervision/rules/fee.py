"""Fees only with a basis (行政许可法 arts. 58 and 59)."""

from __future__ import annotations

import numpy as np

from etl.supervision.rules.rule import Found, Rule, View


def _find(view: View) -> Found:
    finish = view.one("finish")
    case = np.flatnonzero(finish >= 0)
    finish = finish[case]
    charged = (view.messages.number("fee")[finish] > 0) & view.is_blank("fee_basis")[finish]
    return Found(case[charged], finish[charged])


RULES = (Rule("fee_without_basis", "收费无依据", "行政许可法第五十八、五十九条", _find, ("finish",)),)
