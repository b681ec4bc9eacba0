"""Signs that records were made up afterwards (ours, from published inspections of exchanged data)."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from etl.domain.night import NEVER
from etl.supervision.rules.rule import Found, Rule, View, both, paired

SECOND_US = 1_000_000
PHONE = r"(^|[^0-9])1[3-9][0-9]{9}([^0-9]|$)"
BASIS = "补录数据特征（自定）"
SPECIAL = ("special_start", "special_result", "finish")


def _stages_at_finish(view: View) -> Found:
    case, stage = view.every("stage")
    finish = view.one("finish")
    began = view.messages.instant("began_at")[stage]
    finished = view.occurred(finish)[case]
    differs = (view.occurred(stage) != finished) | (began != finished)
    count, other = np.bincount(case, minlength=view.size), np.bincount(case, differs, view.size)
    found = np.flatnonzero((finish >= 0) & (count > 1) & (other == 0))
    return Found(found, finish[found])


def _accepted_two_seconds_after(view: View) -> Found:
    case, apply, accept = both(view, "apply", "accept")
    exactly = view.occurred(accept) - view.occurred(apply) == 2 * SECOND_US
    return Found(case[exactly], accept[exactly])


def _empty_stage(view: View) -> Found:
    case, stage = view.every("stage")
    began = view.messages.instant("began_at")[stage]
    empty = (began != NEVER) & (began == view.occurred(stage)) & ~view.is_blank("outcome")[stage]
    return Found(case[empty], stage[empty])


def _never_ends(view: View) -> Found:
    """The case is long finished, its special procedure still runs."""
    case, start = view.every("special_start")
    is_extension = view.messages.is_value("special_kind", "extension")[start]
    _, begun, result = paired(view, "special_start", "special_result")
    # A result at the very moment of the start is none yet.
    ended = np.isin(start, begun[view.occurred(result) != view.occurred(begun)])
    open_ended = ~is_extension & ~ended & (view.one("finish")[case] >= 0)
    return Found(case[open_ended], start[open_ended])


def _phone_as_name(view: View) -> Found:
    stage_case, stage = view.every("stage")
    special_case, special = view.every("special_start")
    found = [
        (case[has], rows[has])
        for case, rows, column in ((stage_case, stage, "handler"), (special_case, special, "approver"))
        for has in [pc.fill_null(pc.match_substring_regex(view.messages.table[column], PHONE), False).to_numpy()[rows]]
    ]
    cases, messages = zip(*found, strict=True)
    return Found(np.concatenate(cases), np.concatenate(messages))


RULES = (
    Rule("stages_at_finish", "全部环节时间都等于办结时间", BASIS, _stages_at_finish, ("stage", "finish"), about="data"),
    Rule(
        "accepted_in_two_seconds",
        "申办后恰好两秒受理",
        BASIS,
        _accepted_two_seconds_after,
        ("apply", "accept"),
        about="data",
    ),
    Rule("empty_stage", "环节时长为零", BASIS, _empty_stage, ("stage",), about="data"),
    Rule("suspension_never_ends", "办结后特别程序仍未结束", BASIS, _never_ends, SPECIAL, about="data"),
    Rule("phone_as_name", "姓名栏填写电话号码", BASIS, _phone_as_name, ("stage", "special_start"), about="data"),
)
