"""Special procedures and extensions: approved by somebody, for a written time, within the maximum (arts. 42 and 45)."""

from __future__ import annotations

import numpy as np

from etl.supervision.rules.rule import Found, Rule, View


def _no_approver(view: View) -> Found:
    case, start = _starts(view, is_extension=True)
    blank = view.is_blank("approver")[start]
    return Found(case[blank], start[blank])


def _beyond_maximum(view: View) -> Found:
    case, start = _starts(view, is_extension=True)
    accept = view.one("accept")[case]
    is_joint = np.where(accept >= 0, view.messages.is_value("joint", True)[accept], False)
    most = np.where(is_joint, view.profile.extension_days_max_joint, view.profile.extension_days_max)
    days = view.messages.number("approved_days")[start]
    beyond = days > most
    return Found(case[beyond], start[beyond], [f"{number:g} 个工作日" for number in days[beyond]])


def _extended_twice(view: View) -> Found:
    case, start = _starts(view, is_extension=True)
    again = np.zeros(len(case), np.bool_)
    again[1:] = case[1:] == case[:-1]
    return Found(case[again], start[again])


def _no_days_added(view: View) -> Found:
    """An extension that adds nothing."""
    case, start = _starts(view, is_extension=True)
    added = view.messages.number("approved_days")[start] > 0
    return Found(case[~added], start[~added])


def _no_days(view: View) -> Found:
    case, start = _starts(view, is_extension=False)
    unwritten = np.isnan(view.messages.number("approved_days")[start])
    return Found(case[unwritten], start[unwritten])


def _starts(view: View, *, is_extension: bool) -> tuple[np.ndarray, np.ndarray]:
    case, start = view.every("special_start")
    mine = view.messages.is_value("special_kind", "extension")[start] == is_extension
    return case[mine], start[mine]


RULES = (
    Rule("extension_unapproved", "延长办理期限无批准人", "行政许可法第四十二条", _no_approver, ("special_start",)),
    Rule(
        "extension_too_long",
        "延长办理期限超过上限",
        "行政许可法第四十二条",
        _beyond_maximum,
        ("special_start", "accept"),
    ),
    Rule(
        "extension_without_days", "延长办理期限未写明天数", "行政许可法第四十二条", _no_days_added, ("special_start",)
    ),
    Rule("extended_twice", "多次延长办理期限", "行政许可法第四十二条", _extended_twice, ("special_start",)),
    Rule("suspension_without_days", "特别程序未书面告知所需时间", "行政许可法第四十五条", _no_days, ("special_start",)),
)
