"""The stage clock (环节): begin to end of one step of handling against the step's own limit.

An open stage is re-reported without an outcome and runs until the case finishes.
"""

from __future__ import annotations

import numpy as np

from etl.domain.night import NEVER
from etl.supervision.cards.clock import Clock, earliest
from etl.supervision.cards.counting import Runs
from etl.supervision.history import Messages, Moments, Picked


def _run(messages: Messages, moments: Moments, picked: Picked) -> Runs:
    moment, message = picked.many(messages, "stage")
    began = messages.instant("began_at")[message]
    has = began != NEVER
    moment, message, began = moment[has], message[has], began[has]
    finish = picked.one(messages, "finish", len(moments))[moment]
    finished = np.where(finish >= 0, messages.occurred[finish], NEVER)
    is_open = ~messages.is_told("outcome")[message]
    until = earliest(finished, moments.as_of[moment])
    return Runs.of(
        moment,
        message,
        began,
        np.where(is_open, until, messages.occurred[message]),
        {"stage": messages.number("limit")[message]},
        key=messages.seq[message],
    )


CLOCKS = (
    Clock("stage", ("stage", "finish", "special_start", "special_result"), _run, is_keyed=True, is_suspended=True),
)
