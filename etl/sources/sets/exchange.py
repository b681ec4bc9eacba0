"""The ten tables of the widely used exchange set between approval systems and supervision.

Columns are the set's own abbreviations: sblsh 申办流水号, sjbbh 数据版本号, sxbm 事项编码, xtsj 系统写入时间, rksj
入库时间. The finish row carries the certificate, which therefore dates from the finish.
"""

from __future__ import annotations

from collections.abc import Mapping

from etl.sources.dialect import Columns, Fields, When, to
from etl.sources.kinds import Table, TableSpec
from etl.sources.sets import Codes
from etl.sources.values import applicant, code, first_of, listing, number, text, time, whole

_SHARED = ("sblsh", "sjbbh", "sxbm", "sxmc", "xtsj", "rksj")


def _table(name: str, columns: str, *sequence: str) -> TableSpec:
    return TableSpec(name, ("sblsh", *sequence), "sjbbh", "rksj", (*_SHARED, *columns.split()))


TABLES = Table(
    {
        "apply": _table("ex_sb", "sbsj sqrmc sqfs"),
        "pre_accept": _table("ex_ysl", "yslsj ysljg bslyy"),
        "accept": _table("ex_sl", "slsj sljg bslyy cnsx gdblsx gdblsxdw bjlx sqfs zzsf lbsf sphjs"),
        "approve": _table("ex_sp", "spxh sphjdm kssj spsj hjsx spr spyj sbgsj", "spxh"),
        "finish": _table("ex_bj", "bjsj bjjgdm bjjgms sfje sfyj zzbh"),
        "special_start": _table("ex_tbcxsq", "tbcxxh tbcxzl tbcxksrq tbcxsx tbcxpzr tbcxsqly", "tbcxxh"),
        "special_result": _table("ex_tbcxjg", "tbcxxh tbcxjsrq tbcxjg", "tbcxxh"),
        "supplement_notice": _table("ex_bzgz", "bzxh bzgzsj bzclqd", "bzxh"),
        "supplement_receipt": _table("ex_bzsl", "bzxh bzsj", "bzxh"),
        "collect": _table("ex_lq", "lqsj lqfs"),
    }
)


STAGES = {"1": "承办", "2": "审核", "3": "批准"}


def codes(finished: Mapping[str, str]) -> Codes:
    """The set's own code lists with one department's codes for how a case ended (bjjgdm), which differ."""
    return Codes(
        accepted={"1": "passed", "2": "refused", "3": "supplement"},
        finished=finished,
        special={"A": "extension", "B": "other"},
        case_type={"1": "instant", "2": "promised"},
        channel={"1": "window", "2": "online", "9": "other"},
        limit_unit={"G": "working_day", "Z": "natural_day"},
        opinion={"同意": "agreed", "退回": "sent_back"},
        flag={"1": True, "0": False},
    )


def dialect(codes: Codes, stages: Mapping[str, str] = STAGES) -> Columns:
    """The set's columns with one department's code lists; `stages` names its stage codes (sphjdm)."""
    acceptance: Fields = {
        "outcome": code("sljg", codes.accepted, required=True),
        "reason": text("bslyy"),
        "promised_limit": number("cnsx"),
        "statutory_limit": number("gdblsx"),
        "limit_unit": code("gdblsxdw", codes.limit_unit, required=True),
        "case_type": code("bjlx", codes.case_type, required=True),
        "channel": code("sqfs", codes.channel),
        "certificate_required": code("zzsf", codes.flag, required=True),
        "joint": code("lbsf", codes.flag, required=True),
        "stage_plan": listing("sphjs", ","),
    }
    step: Fields = {
        "name": code("sphjdm", stages, required=True),
        "began_at": time("kssj", required=True),
        "limit": number("hjsx"),
        "handler": text("spr"),
        "outcome": code("spyj", codes.opinion),
    }
    decision: Fields = {
        "outcome": code("bjjgdm", codes.finished, required=True),
        "reason": text("bjjgms"),
        "fee": number("sfje"),
        "fee_basis": text("sfyj"),
        "certificate_no": text("zzbh"),
    }
    suspension: Fields = {
        "special_kind": code("tbcxzl", codes.special, required=True),
        "approved_days": number("tbcxsx"),
        "approver": text("tbcxpzr"),
        "reason": text("tbcxsqly"),
    }
    return Columns(
        case_no="sblsh",
        version=whole("sjbbh", least=1),
        written=time("xtsj"),
        received=time("rksj"),
        item_code=text("sxbm"),
        item_name=text("sxmc"),
        ignored=frozenset({"xzqhdm", "sqrlx"}),
        streams={
            "apply": [to("apply", time("sbsj"), channel=code("sqfs", codes.channel), applicant=applicant("sqrmc"))],
            "pre_accept": [
                to(
                    "pre_accept",
                    time("yslsj"),
                    outcome=code("ysljg", codes.accepted, required=True),
                    reason=text("bslyy"),
                )
            ],
            "accept": [to("accept", time("slsj"), acceptance)],
            "approve": [to("stage", first_of((time("spsj"), time("sbgsj"))), step, seq=whole("spxh"))],
            "finish": [
                to("finish", time("bjsj"), decision),
                to("certificate", time("bjsj"), when=When("zzbh"), certificate_no=text("zzbh")),
            ],
            "special_start": [to("special_start", time("tbcxksrq"), suspension, seq=whole("tbcxxh"))],
            "special_result": [to("special_result", time("tbcxjsrq"), seq=whole("tbcxxh"), outcome=text("tbcxjg"))],
            "supplement_notice": [
                to("supplement_notice", time("bzgzsj"), seq=whole("bzxh"), materials=listing("bzclqd", ","))
            ],
            "supplement_receipt": [to("supplement_receipt", time("bzsj"), seq=whole("bzxh"))],
            "collect": [to("collect", time("lqsj"), method=text("lqfs"))],
        },
    )
