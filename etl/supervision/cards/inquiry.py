"""The clocks of consultations and complaints (咨询、投诉): receipt to reply against the limit told at receipt."""

from __future__ import annotations

import numpy as np

from etl.domain.night import NEVER
from etl.supervision.cards.clock import Clock, earliest, units_of
from etl.supervision.cards.counting import Runs
from etl.supervision.history import Messages, Moments, Picked


def _clock(inquiry_kind: str) -> Clock:
    def run(messages: Messages, moments: Moments, picked: Picked) -> Runs:
        inquiry = picked.one(messages, "inquiry", len(moments))
        has = inquiry >= 0
        has[has] = messages.is_value("inquiry_kind", inquiry_kind)[inquiry[has]]
        moment = np.flatnonzero(has)
        inquiry = inquiry[moment]
        reply = picked.one(messages, "reply", len(moments))[moment]
        replied = np.where(reply >= 0, messages.occurred[reply], NEVER)
        return Runs.of(
            moment,
            inquiry,
            messages.occurred[inquiry],
            earliest(replied, moments.as_of[moment]),
            {"promised": messages.number("limit")[inquiry]},
            unit=units_of(messages, inquiry),
        )

    return Clock(inquiry_kind, ("inquiry", "reply"), run, starts=("inquiry_kind", inquiry_kind))


CLOCKS = (_clock("consultation"), _clock("complaint"))
