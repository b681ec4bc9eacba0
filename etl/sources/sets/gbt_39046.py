"""The case fields of GB/T 39046-2020 (政务服务平台基础数据规范) as nightly files, in CSV, Excel or XML.

Headings are the standard's names of data items, times YYYYMMDDhhmmss to the second, case types 1 即办, 2 承诺, 9 其他.
版本号 and 写入时间 are extensions, which its clause 4 allows: without them nobody could tell a correction from a
contradiction. `etl.sources.sets.nightly_files` says how the files are named and what XML looks like.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from etl.sources.dialect import Columns, Fields, When, to
from etl.sources.sets import Codes
from etl.sources.values import COMPACT, applicant, code, constant, first_of, listing, number, text, time, whole

_HEAD, _TAIL = "办件编号 版本号 实施编码 事项名称", "写入时间"
_LIMITS = "承诺办结时限 法定办结时限 办结时限单位 承诺办结时间"
_OWN = {
    "受理": f"申请人名称 申请类型 申请时间 受理时间 受理结果 不予受理原因 {_LIMITS} 办件类型",
    "过程": "环节序号 环节名称 环节开始时间 环节结束时间 办理人员 办理意见",
    "特别程序": "程序序号 程序类型 程序开始时间 程序结束时间 批准时限 批准人 程序理由",
    "补正": "告知序号 告知时间 补正材料 补正时间",
    "结果": "办结时间 办理结果 结果说明 收费金额 证照编号",
}
COLUMNS = {stream: tuple(f"{_HEAD} {own} {_TAIL}".split()) for stream, own in _OWN.items()}
"""The headings of each file."""
CASE_TYPE: Mapping[str, str | None] = {"1": "instant", "2": "promised", "9": None}
"""9 其他 is a code of the standard, and says nothing a clock could use."""
_at = partial(time, layout=COMPACT)


def dialect(codes: Codes) -> Columns:
    """The standard's items with one department's code lists, of which the case types are the standard's own."""
    channel = code("申请类型", codes.channel)
    acceptance: Fields = {
        "outcome": code("受理结果", codes.accepted, required=True),
        "reason": text("不予受理原因"),
        "promised_limit": number("承诺办结时限"),
        "statutory_limit": number("法定办结时限"),
        "limit_unit": code("办结时限单位", codes.limit_unit),
        "promised_due_at": _at("承诺办结时间"),
        "case_type": code("办件类型", CASE_TYPE, required=True),
        "channel": channel,
    }
    step: Fields = {
        "name": text("环节名称", required=True),
        "began_at": _at("环节开始时间", required=True),
        "handler": text("办理人员"),
        "outcome": code("办理意见", codes.opinion),
    }
    suspension: Fields = {
        "special_kind": code("程序类型", codes.special, required=True),
        "approved_days": number("批准时限"),
        "approver": text("批准人"),
        "reason": text("程序理由"),
    }
    decision: Fields = {
        "outcome": code("办理结果", codes.finished, required=True),
        "reason": text("结果说明"),
        "fee": number("收费金额"),
        "certificate_no": text("证照编号"),
    }
    special, notice = whole("程序序号"), whole("告知序号")
    return Columns(
        case_no="办件编号",
        version=whole("版本号", least=1),
        written=_at("写入时间"),
        received=constant(None),
        item_code=text("实施编码"),
        item_name=text("事项名称"),
        streams={
            "受理": [
                to("apply", _at("申请时间"), channel=channel, applicant=applicant("申请人名称")),
                to("accept", _at("受理时间"), acceptance),
            ],
            "过程": [to("stage", first_of((_at("环节结束时间"), _at("写入时间"))), step, seq=whole("环节序号"))],
            "特别程序": [
                to("special_start", _at("程序开始时间"), suspension, seq=special),
                to("special_result", _at("程序结束时间"), seq=special, when=When("程序结束时间")),
            ],
            "补正": [
                to("supplement_notice", _at("告知时间"), seq=notice, materials=listing("补正材料", "；")),
                to("supplement_receipt", _at("补正时间"), seq=notice, when=When("补正时间")),
            ],
            "结果": [
                to("finish", _at("办结时间"), decision),
                to("certificate", _at("办结时间"), when=When("证照编号"), certificate_no=text("证照编号")),
            ],
        },
    )
