"""The national set as a feed of changes: five tables whose rows say I (insert), U (update) or D (delete) of a record.

Column names are the national platform's (project_no, task_code, …, cd_operation, cd_time, cd_batch). Nothing numbers
the reports of a record, so its version comes from the row itself and is the same in whatever order the rows come: 1
for the insert, for a change the seconds from 2000 until cd_time, when it was captured. A batch sent again therefore
repeats what is known, whatever its cd_batch.

A delete is never a silence. Of an acceptance it says that the case is void (删除办结). No message takes back a stage, a
suspension, a notice or a decision, so such a row is set aside (`deleted_in_source`) and what it deletes still counts
until a person has looked.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from etl.sources.dialect import Columns, Fields, When, to
from etl.sources.kinds import Table, TableSpec
from etl.sources.sets import DELETE, INSERT, IS_DELETED, UPDATE, Codes, undeleted
from etl.sources.sets.national import Said
from etl.sources.values import COMPACT, Rows, code, constant, first_of, listing, text, time, whole

_HEAD, _TAIL = "row_guid project_no task_code task_name", "cd_operation cd_time cd_batch receive_time"
_OWN = {
    "accept": "apply_date apply_type applyer_name accept_date accept_result reason promise_date",
    "process": "process_no process_name event_start_time event_end_time handler opinion",
    "special_procedure": "special_no special_type start_date end_date approved_days approver reason",
    "material": "notice_no notice_date materials receipt_date",
    "result": "result_date result_type reason fee cert_no",
}
COLUMNS = {stream: tuple(f"{_HEAD} {own} {_TAIL}".split()) for stream, own in _OWN.items()}
"""What a row of each table holds."""
TABLES = Table(
    {
        stream: TableSpec(
            f"up_{stream}", ("project_no", "row_guid", "cd_operation", "cd_time"), None, "receive_time", columns
        )
        for stream, columns in COLUMNS.items()
    }
)
OPERATION = "cd_operation"
_EPOCH_SECONDS = 946_684_800
"""2000-01-01T00:00:00Z."""
_at = partial(time, layout=COMPACT)


@dataclass(frozen=True)
class _Version:
    """The number of a report, from what was done and when."""

    operation: str
    at: time

    @property
    def column(self) -> str:
        """The column named when the value is missing."""
        return self.operation

    def read(self, rows: Rows) -> pa.Array:
        """-> int32 array."""
        code(self.operation, IS_DELETED, required=True).read(rows)
        is_insert = pc.is_in(rows.text(self.operation), value_set=pa.array(INSERT))
        at = self.at.read(rows)
        seconds = pc.subtract(pc.divide(pc.cast(at, pa.int64()), 1_000_000), _EPOCH_SECONDS)
        fits = pc.less(seconds, 2**31)
        rows.fault(pc.invert(fits), "bad_time", self.at.column)
        number = pc.if_else(is_insert, pa.scalar(1, pa.int64()), pc.if_else(fits, seconds, pa.scalar(0, pa.int64())))
        return pc.cast(number, pa.int32())


def dialect(codes: Codes) -> Columns:
    """The set's columns with one department's code lists."""
    who, accepted, step, suspension, decision = Said.by(codes)
    acceptance: Fields = {**accepted, "promised_due_at": _at("promise_date")}
    stands, deleted = When(OPERATION, (*INSERT, *UPDATE)), When(OPERATION, DELETE)
    special, notice = whole("special_no"), whole("notice_no")
    return Columns(
        case_no="project_no",
        version=_Version(OPERATION, _at("cd_time", required=True)),
        written=_at("cd_time"),
        received=_at("receive_time"),
        item_code=text("task_code"),
        item_name=text("task_name"),
        ignored=frozenset({"row_guid", "cd_batch"}),
        streams={
            "accept": [
                to("apply", _at("apply_date"), who, when=stands),
                to("accept", _at("accept_date"), acceptance, when=stands),
                to("finish", _at("cd_time"), when=deleted, outcome=constant("voided")),
            ],
            "process": [
                to("stage", undeleted(first_of((_at("event_end_time"), _at("cd_time")))), step, seq=whole("process_no"))
            ],
            "special_procedure": [
                to("special_start", undeleted(_at("start_date")), suspension, seq=special),
                to("special_result", undeleted(_at("end_date")), seq=special, when=When("end_date")),
            ],
            "material": [
                to(
                    "supplement_notice", undeleted(_at("notice_date")), seq=notice, materials=listing("materials", "；")
                ),
                to("supplement_receipt", undeleted(_at("receipt_date")), seq=notice, when=When("receipt_date")),
            ],
            "result": [
                to("finish", undeleted(_at("result_date")), decision),
                to("certificate", undeleted(_at("result_date")), when=When("cert_no"), certificate_no=text("cert_no")),
            ],
        },
    )
