"""zjj's nightly files: one CSV a night, one row for each case it has decided, acceptance and decision together.

What is still being handled there never shows. Columns and writing are those of `day_files`.
"""

from __future__ import annotations

from city.day_files import Row, clock
from city.deliver import Record

FAMILIES = {
    "办件": (
        *("流水号", "报送次数", "事项编码", "事项名称", "申请单位", "申请人类别", "收件时间", "受理时间", "承诺工作日"),
        *("法定工作日", "办件类别", "是否发证", "办结时间", "办结方式", "不予许可理由", "证号", "录入时间", "接收时间"),
    ),
}
_FINISHED = {"granted": "1-予以许可", "refused": "2-不予许可", "returned": "3-退回", "withdrawn": "4-申请人撤回"}


def row(record: Record) -> tuple[str, Row]:
    """The record of a decision, with the acceptance it carries -> (family, row)."""
    event, facts = record.event, record.event.facts
    case, accepted = event.case, facts["accepted"]
    return "办件", {
        **{"流水号": case.number, "报送次数": event.version, "事项编码": case.item.code, "事项名称": case.item.name},
        "申请单位": case.applicant,
        "申请人类别": "企业" if case.is_business else "个人",
        "收件时间": clock(accepted.facts["applied_at"]),
        "受理时间": clock(accepted.at),
        "承诺工作日": accepted.facts["promised"],
        "法定工作日": case.item.statutory,
        "办件类别": "即办" if case.item.promised == 0 else "承诺",
        "是否发证": "是" if case.item.certificate else "否",
        "办结时间": clock(event.at),
        "办结方式": _FINISHED[facts["outcome"]],
        "不予许可理由": facts["reason"],
        "证号": facts["certificate_no"],
        **{"录入时间": clock(record.written), "接收时间": clock(record.received)},
    }
