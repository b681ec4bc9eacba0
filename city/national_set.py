"""Records as the provincial platform keeps them: the national exchange set, one stream per table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

from city.deliver import Record
from city.departments import DEPARTMENTS
from city.hours import ZONE

STREAMS = ("apply", "accept", "process", "special", "special_result", "material", "material_receipt", "result")
_STREAM_OF = {
    "apply": "apply",
    "accept": "accept",
    "stage": "process",
    "special_start": "special",
    "special_result": "special_result",
    "supplement_notice": "material",
    "supplement_receipt": "material_receipt",
    "finish": "result",
}
_ACCEPTED = {"passed": "1", "refused": "2", "supplement": "3"}
_FINISHED = {"granted": "0", "refused": "1", "withdrawn": "2", "returned": "3", "voided": "4"}
_SPECIAL = {"hearing": "1", "inspection": "2", "expert_review": "3", "publicity": "4", "extension": "5"}
_CHANNEL = {"window": "1", "online": "2"}
Row = dict[str, Any]


def compact(instant: datetime | None) -> str | None:
    """GB/T 39046-2020 time: YYYYMMDDhhmmss, local."""
    return instant.astimezone(ZONE).strftime("%Y%m%d%H%M%S") if instant else None


def row(record: Record) -> tuple[str, Row] | None:
    """Record -> (stream, row); None for what the set has no table for."""
    stream = _STREAM_OF.get(record.event.kind)
    return (stream, _head(record) | _BODY[stream](record)) if stream else None


def write(folder: Path, found: Iterable[tuple[str, Row]]) -> Counter[str]:
    """One JSON line a row; `row_id` rises with arrival, as the platform's own sequence does -> rows per stream.

    `found` comes in order of arrival and is written as it comes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = Counter(dict.fromkeys(STREAMS, 0))
    with ExitStack() as open_files:
        files = {
            stream: open_files.enter_context((folder / f"{stream}.jsonl").open("w", encoding="utf-8"))
            for stream in STREAMS
        }
        for stream, fields in found:
            counts[stream] += 1
            line = json.dumps({"row_id": counts[stream], **fields}, ensure_ascii=False)
            line.encode("gbk")
            files[stream].write(line + "\n")
    return counts


def _head(record: Record) -> Row:
    event, item, department = record.event, record.event.case.item, DEPARTMENTS[record.event.case.source]
    return {
        "project_no": event.case.number,
        "data_version": event.version,
        "task_code": item.code,
        "task_name": item.name,
        "org_code": department.code,
        "area_code": department.region,
        "cd_operation": "I" if event.version == 1 else "U",
        "cd_time": compact(record.written),
        "receive_time": record.received.astimezone(ZONE).isoformat(timespec="seconds"),
    }


def _apply(record: Record) -> Row:
    case = record.event.case
    return {
        "apply_date": compact(record.event.at),
        "apply_type": _CHANNEL[case.channel],
        "applyer_name": case.applicant,
        "applyer_type": "2" if case.is_business else "1",
    }


def _accept(record: Record) -> Row:
    case, facts = record.event.case, record.event.facts
    return {
        "accept_date": compact(record.event.at),
        "accept_result": _ACCEPTED[facts["outcome"]],
        "reason": facts["reason"],
        "promise_limit": facts["promised"],
        "law_limit": case.item.statutory,
        "limit_unit": "G",
        "project_type": "1" if case.item.promised == 0 else "2",
        "apply_type": _CHANNEL[case.channel],
        "cert_required": "1" if case.item.certificate else "0",
        "is_joint": "1" if case.item.joint else "0",
        "flow": None if case.item.promised == 0 else "承办|审核|批准",
    }


def _process(record: Record) -> Row:
    facts = record.event.facts
    return {
        "process_no": record.event.seq,
        "process_name": facts["name"],
        "event_start_time": compact(facts["began_at"]),
        "event_end_time": compact(facts["ended_at"]),
        "limit_days": facts["limit"],
        "handler": facts["handler"],
        "opinion": "1" if facts["outcome"] else None,
    }


def _special(record: Record) -> Row:
    facts = record.event.facts
    return {
        "special_no": record.event.seq,
        "special_type": _SPECIAL[facts["special_kind"]],
        "start_date": compact(record.event.at),
        "approved_days": facts["approved_days"],
        "approver": facts["approver"],
        "reason": facts["reason"],
    }


def _special_result(record: Record) -> Row:
    return {"special_no": record.event.seq, "end_date": compact(record.event.at), "conclusion": "已完成"}


def _material(record: Record) -> Row:
    materials = "；".join(record.event.facts["materials"])
    return {"notice_no": record.event.seq, "notice_date": compact(record.event.at), "materials": materials}


def _material_receipt(record: Record) -> Row:
    return {"notice_no": record.event.seq, "receipt_date": compact(record.event.at)}


def _result(record: Record) -> Row:
    facts = record.event.facts
    return {
        "result_date": compact(record.event.at),
        "result_type": _FINISHED[facts["outcome"]],
        "reason": facts["reason"],
        "fee": facts["fee"],
        "fee_basis": facts["fee_basis"],
        "cert_no": facts["certificate_no"],
        "cert_date": compact(facts["certified_at"]),
    }


_BODY = {
    "apply": _apply,
    "accept": _accept,
    "process": _process,
    "special": _special,
    "special_result": _special_result,
    "material": _material,
    "material_receipt": _material_receipt,
    "result": _result,
}
