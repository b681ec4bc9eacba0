"""New York City, 311 service requests: due moments given by the city, on a twelve-hour clock, month first.

Source: NYC Open Data, "311 Service Requests from 2010 to Present".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.message import INSTANT
from etl.sources.contract import Source
from etl.sources.dialect import Columns, When, to
from etl.sources.kinds import FileDrop, Files
from etl.sources.values import Rows, code, constant, text

LAYOUT = "%m/%d/%Y %I:%M:%S %p"
CLOSED = "Closed Date"
STATUS = {"Closed": "passed", "Assigned": "passed", "Pending": "passed"}


@dataclass(frozen=True)
class twelve_hour_time:
    """04/18/2019 09:55:45 PM in the source's zone; an hour that comes twice or never is a fault, as elsewhere."""

    column: str

    def read(self, rows: Rows) -> pa.Array:
        """-> timestamp[us, UTC] array."""
        found = rows.text(self.column)
        wall = pc.strptime(found, LAYOUT, "s", error_is_null=True)
        # 02/30 is read as 2 March: only what reads back the same was a date.
        rows.fault(
            pc.invert(pc.fill_null(pc.equal(pc.strftime(wall, LAYOUT), found), pc.is_null(found))),
            "bad_time",
            self.column,
        )
        first, last = (
            pc.cast(pc.assume_timezone(wall, rows.zone, ambiguous=side, nonexistent=side), INSTANT)
            for side in ("earliest", "latest")
        )
        rows.fault(pc.not_equal(first, last), "ambiguous_time", self.column)
        return first


@dataclass(frozen=True)
class _Accepted:
    """Outcome of every request, once its status agrees with its closing time."""

    status: code

    @property
    def column(self) -> str:
        """The column named when the value is missing."""
        return self.status.column

    def read(self, rows: Rows) -> pa.Array:
        """-> string array; a contradiction is a fault of the row."""
        outcome = self.status.read(rows)
        is_closed = pc.equal(rows.text(self.column), "Closed")
        rows.fault(pc.not_equal(is_closed, pc.is_valid(rows.text(CLOSED))), "contradiction", self.column)
        return outcome


SOURCE = Source(
    name="nyc_311",
    title="纽约市311服务请求",
    department="nyc_311",
    region="nyc",
    timezone="America/New_York",
    encoding="utf-8",
    in_force_from=date(2010, 1, 1),
    kind=FileDrop(
        {
            "requests": Files(
                "requests.csv",
                ("Unique Key", "Created Date", CLOSED, "Agency", "Complaint Type", "Status", "Due Date"),
            )
        }
    ),
    dialect=Columns(
        case_no="Unique Key",
        version=constant(1),
        written=constant(None),
        received=constant(None),
        item_code=constant(None),
        item_name=text("Complaint Type"),
        streams={
            "requests": [
                to(
                    "accept",
                    twelve_hour_time("Created Date"),
                    outcome=_Accepted(code("Status", STATUS, required=True)),
                    promised_due_at=twelve_hour_time("Due Date"),
                ),
                to("finish", twelve_hour_time(CLOSED), outcome=constant("other"), when=When(CLOSED)),
            ]
        },
    ),
    links=(),
    profile="due_moment",
)
