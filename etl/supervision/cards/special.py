"""The special procedure's own clock (特别程序): start to result against the approved days.

It runs on after a normal finish; a case that ends otherwise ends its procedures. An extension is no procedure.
"""

from __future__ import annotations

import numpy as np

from etl.domain.night import NEVER
from etl.supervision.cards.clock import Clock, earliest, specials_of
from etl.supervision.cards.counting import Runs
from etl.supervision.history import Messages, Moments, Picked

ENDING = ("returned", "voided", "withdrawn", "transferred")


def _run(messages: Messages, moments: Moments, picked: Picked) -> Runs:
    specials = specials_of(messages, moments, picked)
    moment, message = specials.moment, specials.message
    start = messages.occurred[message]
    finish = picked.one(messages, "finish", len(moments))[moment]
    is_ending = np.any([messages.is_value("outcome", outcome) for outcome in ENDING], axis=0)
    ends = finish >= 0
    ends[ends] = is_ending[finish[ends]]
    ended = np.where(ends, messages.occurred[finish], NEVER)
    # A result at the instant of its start is no result yet.
    result = np.where(specials.end == start, NEVER, specials.end)
    return Runs.of(
        moment,
        message,
        start,
        earliest(result, ended, moments.as_of[moment]),
        {"approved": messages.number("approved_days")[message]},
        key=messages.seq[message],
    )


CLOCKS = (Clock("special", ("special_start", "special_result", "finish"), _run, is_keyed=True),)
