"""Canonical messages, written short: `Case("A1").accept(...).finish(...)` collects a message file."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def shanghai(text: str) -> datetime:
    """`2018-10-15 10:00` (seconds optional) in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class Case:
    def __init__(self, case_no: str = "CASE-1", source: str = "health", department: str = "卫生健康局") -> None:
        self.case_no, self.source, self.department = case_no, source, department
        self.messages: list[dict[str, Any]] = []

    def add(
        self,
        kind: str,
        occurred: str,
        payload: dict[str, Any],
        *,
        seq: int = 0,
        version: int = 1,
        written: str | None = "same",
        received: str | None = "same",
        loaded: str | None = None,
    ) -> Case:
        """`written` and `received` default to the moment before them ("same"); None leaves them unknown."""

        def stamp(text: str | None) -> str | None:
            return None if text is None else shanghai(text).isoformat()

        if written == "same":
            written = occurred
        if received == "same":
            received = written
        self.messages.append(
            {
                "source": self.source,
                "case_no": self.case_no,
                "kind": kind,
                "seq": seq,
                "version": version,
                "occurred_at": stamp(occurred),
                "written_at": stamp(written),
                "received_at": stamp(received),
                "loaded_at": stamp(loaded),
                "department": self.department,
                "region": "430000000000",
                "item_code": "1143000000000000000100010100000",
                "item_name": "医疗机构设置审批",
                "payload": payload,
            }
        )
        return self

    def accept(self, occurred: str, promised: float | None, statutory: float | None, **more: Any) -> Case:
        envelope = {name: more.pop(name) for name in ("version", "written", "received", "loaded") if name in more}
        payload = {
            "promised_limit": promised,
            "statutory_limit": statutory,
            "limit_unit": "working_day",
            "promised_due_at": None,
            "case_type": "promised",
            "channel": "window",
            "certificate_required": False,
            "joint": False,
            "stage_plan": None,
            "outcome": "passed",
            "reason": None,
        }
        return self.add("accept", occurred, payload | more, **envelope)

    def finish(self, occurred: str, outcome: str = "granted", **envelope: Any) -> Case:
        payload = {"outcome": outcome, "reason": None, "fee": None, "fee_basis": None, "certificate_no": None}
        return self.add("finish", occurred, payload, **envelope)

    def special(
        self, start: str, end: str | None, approved: float | None, *, seq: int = 1, kind: str = "inspection"
    ) -> Case:
        self.add(
            "special_start",
            start,
            {"special_kind": kind, "approved_days": approved, "approver": "王某", "reason": "现场核查"},
            seq=seq,
        )
        if end is not None:
            self.add("special_result", end, {"outcome": "passed"}, seq=seq)
        return self

    def extension(self, occurred: str, days: float | None, approver: str | None = "张某", *, seq: int = 9) -> Case:
        payload = {"special_kind": "extension", "approved_days": days, "approver": approver, "reason": "案情复杂"}
        return self.add("special_start", occurred, payload, seq=seq)
