"""区住建局: one CSV a night, one row for each case it has decided. What is still being handled there is never sent."""

from datetime import date, timedelta

from etl.sources.contract import Link, Source
from etl.sources.dialect import Columns, When, to
from etl.sources.kinds import FileDrop, Files
from etl.sources.values import applicant, code, constant, number, text, time, whole

HEADER = (
    "流水号 报送次数 事项编码 事项名称 申请单位 申请人类别 收件时间 受理时间 承诺工作日 法定工作日 办件类别 是否发证"
    " 办结时间 办结方式 不予许可理由 证号 录入时间 接收时间"
)
FINISHED = {"1-予以许可": "granted", "2-不予许可": "refused", "3-退回": "returned", "4-申请人撤回": "withdrawn"}

SOURCE = Source(
    name="zjj",
    title="区住建局",
    department="11511301008778255F",
    region="511602",
    timezone="Asia/Shanghai",
    encoding="gb18030",
    in_force_from=date(2026, 11, 1),
    kind=FileDrop({"办件": Files("办件_{date}.csv", tuple(HEADER.split()))}, expects_daily=True),
    dialect=Columns(
        case_no="流水号",
        version=whole("报送次数", least=1),
        written=time("录入时间"),
        received=time("接收时间"),
        item_code=text("事项编码"),
        item_name=text("事项名称"),
        streams={
            "办件": [
                to("apply", time("收件时间"), channel=constant("window"), applicant=applicant("申请单位")),
                to(
                    "accept",
                    time("受理时间"),
                    outcome=constant("passed"),
                    channel=constant("window"),
                    promised_limit=number("承诺工作日"),
                    statutory_limit=number("法定工作日"),
                    limit_unit=constant("working_day"),
                    case_type=code("办件类别", {"即办": "instant", "承诺": "promised"}, required=True),
                    certificate_required=code("是否发证", {"是": True, "否": False}, required=True),
                ),
                to(
                    "finish",
                    time("办结时间"),
                    outcome=code("办结方式", FINISHED, required=True),
                    reason=text("不予许可理由"),
                    certificate_no=text("证号"),
                ),
                to("certificate", time("办结时间"), when=When("证号"), certificate_no=text("证号")),
            ],
        },
    ),
    links=(Link("file_exchange", "政务外网文件交换", "nightly", warn_after=timedelta(hours=12)),),
)
