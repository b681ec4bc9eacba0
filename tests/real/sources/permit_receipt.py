"""The receiving phase of environmental permits in a Dutch municipality, as published; times are its wall clock.

Source: 4TU.ResearchData, "Receipt phase of an environmental permit application process (WABO), CoSeLoG project". The
file calls every time +00:00, but people work from 8 to 17 with lunch at 13 in summer and winter alike: these are local
times, and the offset was put there by a conversion. A row is an event; what it says of its case is repeated with every
event.

Whether a deadline is a moment or a day is part of the count, so the same log is read three ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from etl.sources.contract import Source
from etl.sources.dialect import Columns, When, to
from etl.sources.kinds import FileDrop, Files
from etl.sources.values import Reader, Rows, code, constant, text, time

HEADER = (
    *("case:channel", "case:concept:name", "case:deadline", "case:department", "case:enddate"),
    *("case:enddate_planned", "case:group", "case:responsible", "case:startdate", "concept:instance"),
    *("concept:name", "lifecycle:transition", "org:group", "org:resource", "time:timestamp"),
)
DEADLINE = "case:deadline"
WALL = (r"\+00:00$", "")
LAST_MOMENT_OF_DAY = (r"^(\d{4}-\d\d-\d\d) .*$", r"\1 23:59:59.999999")
CHANNEL = {"Internet": "online", "Desk": "window", "Post": "other", "e-mail": "other", "Intern": "other"}


@dataclass(frozen=True)
class last_moment_of_utc_day:
    """The end of the day an instant falls on in UTC."""

    moment: Reader

    @property
    def column(self) -> str:
        """The column named when the value is missing."""
        return self.moment.column

    def read(self, rows: Rows) -> pa.Array:
        """-> timestamp[us, UTC] array."""
        day = pc.floor_temporal(self.moment.read(rows), unit="day")
        return pc.add(day, pa.scalar(86_400_000_000 - 1, pa.duration("us")))


DUE: dict[str, Reader] = {
    "instant": time(DEADLINE, WALL),
    "local_date": time(DEADLINE, LAST_MOMENT_OF_DAY),
    "utc_date": last_moment_of_utc_day(time(DEADLINE, WALL)),
}


def source(reading: Literal["instant", "local_date", "utc_date"]) -> Source:
    """The log with its deadline read as that."""
    return Source(
        name=f"permit_receipt_{reading}",
        title="环境许可收件",
        department="permit_receipt",
        region="nl",
        timezone="Europe/Amsterdam",
        encoding="utf-8",
        in_force_from=date(2010, 1, 1),
        kind=FileDrop({"receipt": Files("receipt_even.csv", HEADER)}),
        dialect=Columns(
            case_no="case:concept:name",
            version=constant(1),
            written=constant(None),
            received=constant(None),
            item_code=constant(None),
            item_name=text("case:department"),
            streams={
                "receipt": [
                    to(
                        "accept",
                        time("case:startdate", WALL),
                        outcome=constant("passed"),
                        channel=code("case:channel", CHANNEL, required=True),
                        promised_due_at=DUE[reading],
                    ),
                    to(
                        "finish",
                        time("case:enddate", WALL),
                        outcome=constant("other"),
                        when=When("case:enddate"),
                    ),
                ]
            },
        ),
        links=(),
        profile="due_moment",
    )
