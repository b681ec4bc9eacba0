"""The e-certificate clock (电子证照): a granted case to its certificate, where the item requires one."""

from __future__ import annotations

import numpy as np

from etl.domain.night import NEVER
from etl.supervision.cards.clock import Clock, earliest
from etl.supervision.cards.counting import Runs
from etl.supervision.history import Messages, Moments, Picked


def _run(messages: Messages, moments: Moments, picked: Picked) -> Runs:
    accept, finish = (picked.one(messages, kind, len(moments)) for kind in ("accept", "finish"))
    has = (accept >= 0) & (finish >= 0)
    has[has] = (
        messages.is_value("certificate_required", True)[accept[has]]
        & messages.is_value("outcome", "granted")[finish[has]]
    )
    moment = np.flatnonzero(has)
    finish = finish[moment]
    certificate = picked.one(messages, "certificate", len(moments))[moment]
    issued = np.where(certificate >= 0, messages.occurred[certificate], NEVER)
    stop = earliest(issued, moments.as_of[moment])
    return Runs.of(moment, finish, messages.occurred[finish], stop, {})


CLOCKS = (Clock("certificate", ("accept", "finish", "certificate"), _run, starts=("certificate_required", True)),)
