"""Items are handled, and fees charged, as the catalogue in force on the day of acceptance says.

Compared are departments of which the catalogue lists anything at all.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from etl.domain.night import DAY_US, OFFSET
from etl.supervision.rules.rule import Found, Rule, View

DOC = "2018年省级电子监察规则：事项异常"
FEES = "行政许可法第五十八、五十九条"


def _accepted(view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(case, its acceptance, its row of the catalogue or -1), for departments the catalogue covers."""
    accept = view.one("accept")
    case = np.flatnonzero(accept >= 0)
    table = view.messages.table
    listed = view.catalogue.covers(table["department"].take(pa.array(accept[case])))
    case = case[listed]
    accept = accept[case]
    day = (view.occurred(accept) + OFFSET.seconds * 1_000_000) // DAY_US
    return case, accept, view.catalogue.in_force(table["item_code"].take(pa.array(accept)), day)


def _unlisted(view: View) -> Found:
    case, accept, row = _accepted(view)
    return Found(case[row < 0], accept[row < 0])


def _gone(view: View) -> Found:
    case, accept, row = _accepted(view)
    if not len(view.catalogue.ordered):
        return Found(case[:0], accept[:0])
    status = view.catalogue.ordered["status"].to_numpy()[row]
    gone = (row >= 0) & (status != "in_force")
    words = {"cancelled": "已取消", "delegated": "已下放"}
    return Found(case[gone], accept[gone], [words[code] for code in status[gone]])


def _fee(view: View, *, free: bool) -> Found:
    case, _, row = _accepted(view)
    finish = view.one("finish")[case]
    asked = (row >= 0) & (finish >= 0)
    case, finish, row = case[asked], finish[asked], row[asked]
    fee = np.nan_to_num(view.messages.number("fee")[finish])
    standard = view.catalogue.ordered["fee_standard"].to_numpy()[row] if len(row) else np.zeros(0)
    over = (fee > standard) & ((standard == 0) == free)
    pairs = zip(fee[over], standard[over], strict=True)
    detail = [f"收费 {paid:g} 元" + ("" if free else f"，标准 {most:g} 元") for paid, most in pairs]
    return Found(case[over], finish[over], detail)


def _fee_when_free(view: View) -> Found:
    return _fee(view, free=True)


def _fee_above(view: View) -> Found:
    return _fee(view, free=False)


RULES = (
    Rule("item_not_listed", "办理的事项不在现行目录内", DOC, _unlisted, ("accept",)),
    Rule("item_gone", "取消、下放的事项仍在审批", DOC, _gone, ("accept",)),
    Rule("fee_when_free", "不收费的事项收费", FEES, _fee_when_free, ("accept", "finish")),
    Rule("fee_above_standard", "收费超过标准", FEES, _fee_above, ("accept", "finish")),
)
