"""The case clock (办件): acceptance to finish against the promised and the statutory limit."""

from __future__ import annotations

import numpy as np

from etl.domain.night import NEVER
from etl.supervision.cards.clock import Clock, units_of
from etl.supervision.cards.counting import Runs
from etl.supervision.history import Messages, Moments, Picked


def _run(messages: Messages, moments: Moments, picked: Picked) -> Runs:
    """Acceptances that promise something; a case without any limit has no clock."""
    accept = picked.one(messages, "accept", len(moments))
    has = accept >= 0
    has[has] = messages.is_passed[accept[has]]
    promised, statutory = messages.number("promised_limit"), messages.number("statutory_limit")
    given_due = messages.instant("promised_due_at")
    is_named = {name: messages.is_value("case_type", name) for name in ("instant", "promised")}
    is_instant = ((promised == 0) & ~is_named["promised"]) | (np.isnan(promised) & is_named["instant"])
    has[has] = ((promised > 0) | (statutory > 0) | (given_due != NEVER) | is_instant)[accept[has]]
    moment = np.flatnonzero(has)
    accept = accept[moment]
    finish = picked.one(messages, "finish", len(moments))[moment]
    return Runs(
        moment=moment,
        key=np.zeros(len(moment), np.int64),
        subject=accept,
        start=messages.occurred[accept],
        stop=np.where(finish >= 0, messages.occurred[finish], moments.as_of[moment]),
        limits={"promised": promised[accept], "statutory": statutory[accept]},
        unit=units_of(messages, accept),
        given_due=given_due[accept],
        is_instant=is_instant[accept],
        is_joint=messages.is_value("joint", True)[accept],
    )


CLOCKS = (
    Clock("case", ("accept", "finish", "special_start", "special_result"), _run, is_suspended=True, is_extendable=True),
)
