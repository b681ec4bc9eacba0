"""A stage over its own limit in a case that is on time (2018 rules: 环节超时). Whole working days.

Cases with a special procedure are left to the stage clock, which knows what it stops.
"""

from __future__ import annotations

import numpy as np

from etl.domain.night import NEVER
from etl.supervision.cards.clock import UNITS, units_of
from etl.supervision.rules.rule import Found, Rule, View


def _over(view: View) -> Found:
    accept, finish = view.one("accept"), view.one("finish")
    suspended = np.zeros(view.size, np.bool_)
    suspended[view.every("special_start")[0]] = True
    case = np.flatnonzero((accept >= 0) & (finish >= 0) & ~suspended)
    promised = view.messages.number("promised_limit")[accept[case]]
    counted = (promised > 0) & (units_of(view.messages, accept[case]) == UNITS.index("working_day"))
    case, promised = case[counted], promised[counted]
    late = view.is_after_working_days(view.occurred(accept[case]), promised, view.occurred(finish[case]))
    on_time = np.zeros(view.size, np.bool_)
    on_time[case[~late]] = True
    stage_case, stage = view.every("stage")
    began, limit = view.messages.instant("began_at")[stage], view.messages.number("limit")[stage]
    asked = on_time[stage_case] & (began != NEVER) & (limit > 0) & ~view.is_blank("outcome")[stage]
    stage_case, stage, began, limit = (column[asked] for column in (stage_case, stage, began, limit))
    over = view.is_after_working_days(began, limit, view.occurred(stage))
    return Found(stage_case[over], stage[over], [f"环节时限 {days:g} 个工作日" for days in limit[over]])


KINDS = ("accept", "finish", "special_start", "stage")
RULES = (Rule("stage_over_case_on_time", "办件未超时而环节超时", "2018年省级电子监察规则：环节超时", _over, KINDS),)
