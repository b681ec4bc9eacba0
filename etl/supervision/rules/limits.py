"""What an item promises fits what the law allows: findings on the item, whichever case shows them."""

from __future__ import annotations

import numpy as np

from etl.domain.night import NEVER
from etl.supervision.cards.clock import COUNTED, UNITS, axis_of, units_of
from etl.supervision.cards.counting import is_countable
from etl.supervision.rules.rule import Found, Rule, View

DOC = "2018年省级电子监察规则：时限设置"
LIMITS = (
    ("accept", "promised_limit", "case"),
    ("accept", "statutory_limit", "case"),
    ("inquiry", "limit", "complaint"),
    ("stage", "limit", "stage"),
    ("special_start", "approved_days", "special"),
)
COUNTED_KINDS = tuple(sorted({kind for kind, _, _ in LIMITS}))


def _promise_beyond_law(view: View) -> Found:
    accept = view.one("accept")
    case = np.flatnonzero(accept >= 0)
    accept = accept[case]
    promised, statutory = (view.messages.number(name)[accept] for name in ("promised_limit", "statutory_limit"))
    beyond = (statutory > 0) & (promised > statutory)
    pairs = zip(promised[beyond], statutory[beyond], strict=True)
    return Found(case[beyond], accept[beyond], [f"承诺 {mine:g}，法定 {law:g}" for mine, law in pairs])


def _stages_beyond_promise(view: View) -> Found:
    stage_case, stage = view.every("stage")
    total = np.bincount(stage_case, np.nan_to_num(view.messages.number("limit")[stage]), view.size)
    accept = view.one("accept")
    case = np.flatnonzero(accept >= 0)
    accept = accept[case]
    promised = view.messages.number("promised_limit")[accept]
    counted = ~view.is_one_of("limit_unit", ("natural_day", "hour", "minute", "month"))[accept]
    beyond = (promised > 0) & counted & (total[case] > promised)
    pairs = zip(total[case][beyond], promised[beyond], strict=True)
    return Found(case[beyond], accept[beyond], [f"环节合计 {parts:g}，承诺 {whole:g}" for parts, whole in pairs])


def _uncountable(view: View) -> Found:
    """What gives no card though a limit was written; a source that names the due moment needs none."""
    found = []
    is_counted = view.messages.instant("promised_due_at") == NEVER
    for kind, column, clock in LIMITS:
        case, rows = view.every(kind)
        limits, units = view.messages.number(column)[rows], units_of(view.messages, rows)
        bad = limits < 0
        for number, unit in enumerate(UNITS if view.profile.rules(clock) else ()):
            has_measure = axis_of(view.profile, unit, COUNTED, view.calendar) is not None
            unreadable = (limits > 0) & ~(has_measure & is_countable(limits, unit))
            bad |= (units == number) & unreadable & is_counted[rows]
        found += [(case[bad], rows[bad], limits[bad])]
    cases, messages, numbers = map(np.concatenate, zip(*found, strict=True))
    return Found(cases, messages, [f"{number:g}" for number in numbers])


RULES = (
    Rule(
        "promise_beyond_law",
        "承诺时限超过法定时限",
        "行政许可法第四十二条",
        _promise_beyond_law,
        ("accept",),
        about="item",
    ),
    Rule(
        "stages_beyond_promise",
        "各环节时限之和超过承诺时限",
        DOC,
        _stages_beyond_promise,
        ("accept", "stage"),
        about="item",
    ),
    Rule("limit_uncountable", "时限为负数、不是整月或者单位不合规则，无法计时", DOC, _uncountable, COUNTED_KINDS),
)
