"""The online pre-acceptance clock (网上预受理): submission online to the first answer, whatever it says.

A request for supplements is an answer, and stays one when its record is reported again as passed.
"""

from __future__ import annotations

import numpy as np

from etl.domain.night import NEVER, Instants
from etl.supervision.cards.clock import Clock, earliest
from etl.supervision.cards.counting import Runs
from etl.supervision.history import Messages, Moments, Picked


def _run(messages: Messages, moments: Moments, picked: Picked) -> Runs:
    apply = picked.one(messages, "apply", len(moments))
    accept = picked.one(messages, "accept", len(moments))
    online, is_told = messages.is_value("channel", "online"), messages.is_told("channel")
    # Where the application names no channel, the acceptance does.
    channel = np.where((accept >= 0) & ~is_told[apply], accept, apply)
    has = apply >= 0
    has[has] = online[channel[has]]
    moment = np.flatnonzero(has)

    def occurred(kind: str) -> Instants:
        row = picked.one(messages, kind, len(moments))[moment]
        return np.where(row >= 0, messages.occurred[row], NEVER)

    told = map(occurred, ("pre_accept", "accept", "finish"))
    answered = earliest(*told, picked.asked_at[moment], moments.as_of[moment])
    apply = apply[moment]
    return Runs.of(moment, apply, messages.occurred[apply], answered, {})


CLOCKS = (Clock("pre_accept", ("apply", "pre_accept", "accept", "finish"), _run, starts=("channel", "online")),)
