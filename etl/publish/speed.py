"""How much faster than allowed: used, promised and statutory days of finished cases, summed exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import numpy as np
from sqlalchemy import Connection

from etl.domain.clock import Spans, suspend
from etl.domain.night import ZONE, Instants, to_us
from etl.domain.office_axis import OfficeAxis
from etl.publish.chapter import Week
from etl.publish.wording import percent
from etl.store import outbox
from etl.store.calendars import stored
from etl.store.outbox import Row


@dataclass(frozen=True)
class Speed:
    """Sums over `cases` finished cases, in working days."""

    cases: int
    used: Decimal
    promised: Decimal
    statutory: Decimal

    @property
    def by_use(self) -> str:
        """法定提速率 = (Σ statutory − Σ used) / Σ statutory."""
        return percent(self.statutory - self.used, self.statutory)

    @property
    def by_promise(self) -> str:
        """承诺提速率 = (Σ statutory − Σ promised) / Σ statutory."""
        return percent(self.statutory - self.promised, self.statutory)


def speed(connection: Connection, week: Week) -> Speed:
    """The week's finished cases with both limits in working days; used days are office time of their region."""
    cases = outbox.rows(connection, "week_finished", **week.parameters())
    case_nos = [case["case_no"] for case in cases]
    spans = outbox.rows(connection, "week_suspensions", case_nos=case_nos, **week.parameters())
    used, book = Decimal(0), stored(connection.engine).book("cn")
    for place in sorted({book.place(case["region"]) for case in cases}):
        here = [case for case in cases if book.place(case["region"]) == place]
        own = {case["case_no"] for case in here}
        axis = OfficeAxis(book.known(week.data_until.astimezone(ZONE).date(), place))
        used += Decimal(int(_used(axis, here, [span for span in spans if span["case_no"] in own]).sum())) / axis.day
    return Speed(
        cases=len(cases),
        used=used,
        promised=sum((case["promised_limit"] for case in cases), Decimal(0)),
        statutory=sum((case["statutory_limit"] for case in cases), Decimal(0)),
    )


def _used(axis: OfficeAxis, cases: Sequence[Row], spans: Sequence[Row]) -> Instants:
    place = {case["case_no"]: number for number, case in enumerate(cases)}
    begin = axis.start(_instants([case["accepted_at"] for case in cases]))
    end = np.maximum(axis.at(_instants([case["finished_at"] for case in cases])), begin)
    suspensions = suspend(
        axis,
        begin,
        Spans(
            owner=np.array([place[span["case_no"]] for span in spans], dtype=np.int64),
            begin=_instants([span["began_at"] for span in spans]),
            end=_instants([span["ended_at"] or span["began_at"] for span in spans]),
            is_open=np.array([span["ended_at"] in (None, span["began_at"]) for span in spans], dtype=np.bool_),
        ),
        np.array([np.nan if span["approved_days"] is None else span["approved_days"] for span in spans], dtype=float),
    )
    used: Instants = end - begin - suspensions.excluded(end)
    return used


def _instants(moments: Sequence[datetime]) -> Instants:
    return np.array([to_us(moment) for moment in moments], dtype=np.int64)
