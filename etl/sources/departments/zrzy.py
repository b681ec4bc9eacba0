"""区自然资源和规划局: nightly files with Chinese headings, CSV in GB18030 and decisions as XLSX.

An application travels in the row of its acceptance, a certificate in the row of the decision.
"""

from datetime import date, timedelta
from functools import partial

from etl.sources.contract import Link, Source
from etl.sources.dialect import Columns, Fields, When, to
from etl.sources.kinds import FileDrop, Files
from etl.sources.values import applicant, code, first_of, listing, number, text, time, whole

HEAD, TAIL = "办件编号 版本 事项编码 事项名称", "写入时间 接收时间"
ACCEPT = "申请人 申请人类型 申请方式 申请时间 受理时间 受理结果 不予受理原因 承诺时限 法定时限 时限单位 办件类型"
FILES = {
    "受理": ("受理_{date}.csv", f"{ACCEPT} 需发证照 联合办理 环节计划"),
    "过程": ("过程_{date}.csv", "序号 环节 开始时间 结束时间 环节时限 办理人 意见"),
    "特别程序": ("特别程序_{date}.csv", "序号 记录 时间 种类 批准天数 批准人 事由 结论"),
    "补正": ("补正_{date}.csv", "序号 记录 时间 补正材料"),
    "办结": ("办结_{date}.xlsx", "办结时间 办结结果 原因 收费金额 收费依据 证照编号 发证时间"),
}
FINISHED = {"准予": "granted", "不予": "refused", "退件": "returned", "作废": "voided", "撤回": "withdrawn"}
FLAG = {"是": True, "否": False}
SPECIAL = {"延长期限": "extension", "听证": "hearing", "现场踏勘": "inspection"}
SPECIAL |= {"专家评审": "expert_review", "公示": "publicity"}

ACCEPTANCE: Fields = {
    "outcome": code("受理结果", {"受理": "passed", "不予受理": "refused", "补正": "supplement"}, required=True),
    "reason": text("不予受理原因"),
    "promised_limit": number("承诺时限"),
    "statutory_limit": number("法定时限"),
    "limit_unit": code("时限单位", {"工作日": "working_day", "自然日": "natural_day"}, required=True),
    "case_type": code("办件类型", {"即办件": "instant", "承诺件": "promised"}, required=True),
    "channel": code("申请方式", {"窗口": "window", "网上": "online", "其他": "other"}),
    "certificate_required": code("需发证照", FLAG, required=True),
    "joint": code("联合办理", FLAG, required=True),
    "stage_plan": listing("环节计划", "、"),
}
STEP: Fields = {
    "name": text("环节", required=True),
    "began_at": time("开始时间", required=True),
    "limit": number("环节时限"),
    "handler": text("办理人"),
    "outcome": code("意见", {"同意": "agreed", "退回": "sent_back"}),
}
SUSPENSION: Fields = {
    "special_kind": code("种类", SPECIAL, required=True),
    "approved_days": number("批准天数"),
    "approver": text("批准人"),
    "reason": text("事由"),
}
DECISION: Fields = {
    "outcome": code("办结结果", FINISHED, required=True),
    "reason": text("原因"),
    "fee": number("收费金额"),
    "fee_basis": text("收费依据"),
    "certificate_no": text("证照编号"),
}
SEQ = whole("序号")
said = partial(When, "记录")

SOURCE = Source(
    name="zrzy",
    title="区自然资源和规划局",
    department="11511301MB1550442U",
    region="511602",
    timezone="Asia/Shanghai",
    encoding="gb18030",
    in_force_from=date(2026, 11, 1),
    kind=FileDrop(
        {family: Files(name, (*f"{HEAD} {own} {TAIL}".split(),)) for family, (name, own) in FILES.items()},
        expects_daily=True,
    ),
    dialect=Columns(
        case_no="办件编号",
        version=whole("版本", least=1),
        written=time("写入时间"),
        received=time("接收时间"),
        item_code=text("事项编码"),
        item_name=text("事项名称"),
        streams={
            "受理": [
                to("apply", time("申请时间"), channel=ACCEPTANCE["channel"], applicant=applicant("申请人")),
                to("accept", time("受理时间"), ACCEPTANCE),
            ],
            "过程": [to("stage", first_of((time("结束时间"), time("写入时间"))), STEP, seq=SEQ)],
            "特别程序": [
                to("special_start", time("时间"), SUSPENSION, seq=SEQ, when=said("申请")),
                to("special_result", time("时间"), seq=SEQ, when=said("结果"), outcome=text("结论")),
            ],
            "补正": [
                to("supplement_notice", time("时间"), seq=SEQ, when=said("告知"), materials=listing("补正材料", "；")),
                to("supplement_receipt", time("时间"), seq=SEQ, when=said("收件")),
            ],
            "办结": [
                to("finish", time("办结时间"), DECISION),
                to("certificate", time("发证时间"), when=When("证照编号"), certificate_no=text("证照编号")),
            ],
        },
    ),
    links=(Link("file_exchange", "政务外网文件交换", "nightly", warn_after=timedelta(hours=12)),),
)
