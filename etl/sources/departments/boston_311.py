"""City of Boston, 311 service requests: a real log whose own on-time flag our verdicts are compared with.

Source: Analyze Boston, "311 Service Requests" (PDDL 1.0). The city names the due moment itself, to the second. Its
export has had two headers, so each is a stream of its own and a file with the wrong one is refused, not guessed at.
A wall time that daylight saving repeats or skips is rejected by the dialect: either reading could decide a card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from etl.sources.contract import Source
from etl.sources.dialect import Columns, To, When, to
from etl.sources.kinds import FileDrop, Files
from etl.sources.values import Reader, Rows, code, constant, text, time

CLOSED = "closed_dt"
UNSAID = constant(None)


@dataclass(frozen=True)
class _Accepted:
    """Outcome of every request, once its status agrees with its closing time: a closed one without would look late."""

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


def messages(due: Reader, at: Callable[[str], Reader] = time, reason: Reader = UNSAID) -> Sequence[To]:
    """What a row of any of the city's exports says.

    Args:
        due: reads the due moment, whose column's name tells the exports apart.
        at: reads the moments of opening and closing from their columns.
        reason: reads why a request was closed, where the export is asked for it.
    """
    accepted = _Accepted(code("case_status", {"Open": "passed", "Closed": "passed"}, required=True))
    return (
        to("accept", at("open_dt"), outcome=accepted, promised_due_at=due),
        to("finish", at(CLOSED), outcome=constant("other"), reason=reason, when=When(CLOSED)),
    )


def _files(pattern: str, due: str) -> Files:
    head = ("case_enquiry_id", "open_dt", due, CLOSED, "case_status")
    return Files(pattern, (*head, "reason", "type", "queue", "department"))


SOURCE = Source(
    name="boston_311",
    title="波士顿市311服务请求",
    department="boston_311",
    region="boston",
    timezone="America/New_York",
    encoding="utf-8",
    in_force_from=date(2016, 1, 1),
    kind=FileDrop(
        {
            "sla_target": _files("requests_2016.csv", "sla_target_dt"),
            "target": _files("requests_2022.csv", "target_dt"),
        }
    ),
    dialect=Columns(
        case_no="case_enquiry_id",
        version=constant(1),
        written=constant(None),
        received=constant(None),
        item_code=constant(None),
        item_name=text("type"),
        streams={"sla_target": messages(time("sla_target_dt")), "target": messages(time("target_dt"))},
    ),
    links=(),
    profile="due_moment",
)
