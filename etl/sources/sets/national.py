"""The national set as provincial platforms serve it: one stream per table, from application to result.

Business times are GB/T 39046-2020 (YYYYMMDDhhmmss) in local time; the platform stamps its reception with an offset. A
row whose cd_operation says D takes a record back, which no message can: it is set aside.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from etl.sources.dialect import Columns, Fields, When, to
from etl.sources.sets import Codes, undeleted
from etl.sources.values import COMPACT, applicant, code, first_of, listing, number, text, time, whole

STREAMS = ("apply", "accept", "process", "special", "special_result", "material", "material_receipt", "result")
_at = partial(time, layout=COMPACT)


class Said(NamedTuple):
    """What both forms of the set say alike of an application, acceptance, stage, special procedure and decision."""

    who: Fields
    acceptance: Fields
    step: Fields
    suspension: Fields
    decision: Fields

    @classmethod
    def by(cls, codes: Codes) -> Said:
        """The readers with one department's code lists."""
        return cls(
            who={"channel": code("apply_type", codes.channel), "applicant": applicant("applyer_name")},
            acceptance={
                "outcome": code("accept_result", codes.accepted, required=True),
                "reason": text("reason"),
                "channel": code("apply_type", codes.channel),
            },
            step={
                "name": text("process_name", required=True),
                "began_at": _at("event_start_time", required=True),
                "handler": text("handler"),
                "outcome": code("opinion", codes.opinion),
            },
            suspension={
                "special_kind": code("special_type", codes.special, required=True),
                "approved_days": number("approved_days"),
                "approver": text("approver"),
                "reason": text("reason"),
            },
            decision={
                "outcome": code("result_type", codes.finished, required=True),
                "reason": text("reason"),
                "fee": number("fee"),
                "certificate_no": text("cert_no"),
            },
        )


def dialect(codes: Codes) -> Columns:
    """The set's columns with one department's code lists."""
    said = Said.by(codes)
    acceptance: Fields = {
        **said.acceptance,
        "promised_limit": number("promise_limit"),
        "statutory_limit": number("law_limit"),
        "limit_unit": code("limit_unit", codes.limit_unit, required=True),
        "case_type": code("project_type", codes.case_type, required=True),
        "certificate_required": code("cert_required", codes.flag, required=True),
        "joint": code("is_joint", codes.flag, required=True),
        "stage_plan": listing("flow", "|"),
    }
    step: Fields = {**said.step, "limit": number("limit_days")}
    decision: Fields = {**said.decision, "fee_basis": text("fee_basis")}
    special, notice = whole("special_no"), whole("notice_no")
    return Columns(
        case_no="project_no",
        version=undeleted(whole("data_version", least=1)),
        written=_at("cd_time"),
        received=time("receive_time"),
        item_code=text("task_code"),
        item_name=text("task_name"),
        ignored=frozenset({"row_id", "org_code", "area_code", "applyer_type"}),
        streams={
            "apply": [to("apply", _at("apply_date"), said.who)],
            "accept": [to("accept", _at("accept_date"), acceptance)],
            "process": [to("stage", first_of((_at("event_end_time"), _at("cd_time"))), step, seq=whole("process_no"))],
            "special": [to("special_start", _at("start_date"), said.suspension, seq=special)],
            "special_result": [to("special_result", _at("end_date"), seq=special, outcome=text("conclusion"))],
            "material": [to("supplement_notice", _at("notice_date"), seq=notice, materials=listing("materials", "；"))],
            "material_receipt": [to("supplement_receipt", _at("receipt_date"), seq=notice)],
            "result": [
                to("finish", _at("result_date"), decision),
                to("certificate", _at("cert_date"), when=When("cert_no"), certificate_no=text("cert_no")),
            ],
        },
    )
