"""What codes are called in Chinese: one name each, wherever a person reads them."""

from __future__ import annotations

LEVEL = {"red": "红牌", "yellow": "黄牌", "reminder": "预警"}
NATURE = {
    "conduct": "办理超时",
    "push_delay": "推送延时",
    "suspect": "待核实",
    "calendar": "日历调整",
    "rule": "规则调整",
}
NOT_YET = "临近时限"
EVENT = {"issued": "新发", "reinstated": "恢复", "revised": "更正", "withdrawn": "撤回", "void": "更正作废"}
STATE = {
    "pending": "待发牌",
    "issued": "已发牌",
    "superseded": "已升级",
    "appealed": "申诉中",
    "upheld": "维持",
    "revoked": "撤牌",
    "escalated": "提级处理",
    "withdrawn": "撤回",
    "closed": "已销号",
}
DECISION = {
    "issue": "发牌",
    "appeal": "申诉",
    "uphold": "维持原牌",
    "revoke": "撤销原牌",
    "escalate": "提级处理",
    "close": "销号",
}
CLOCK = {
    "case": "办件",
    "stage": "环节",
    "special": "特别程序",
    "pre_accept": "网上预受理",
    "certificate": "电子证照",
    "consultation": "咨询",
    "complaint": "投诉",
}
UNIT = {"working_day": "个工作日", "natural_day": "个自然日", "hour": "小时", "minute": "分钟", "month": "个月"}
FEED = {
    "pulled": "已取未核",
    "complete": "完整",
    "partial": "不完整",
    "late": "迟到",
    "failed": "失败",
    "stale": "旧数据",
    "low": "数量异常",
    "silent": "静默",
}
KIND = {
    "apply": "申办",
    "pre_accept": "预受理",
    "accept": "受理",
    "stage": "审批环节",
    "finish": "办结",
    "special_start": "特别程序申请",
    "special_result": "特别程序结果",
    "supplement_notice": "补正告知",
    "supplement_receipt": "补正受理",
    "collect": "领取登记",
    "certificate": "电子证照",
    "inquiry": "咨询投诉",
    "reply": "答复",
}
REFUSAL = {
    "ambiguous_time": "时间有两解",
    "bad_encoding": "编码不符",
    "bad_number": "数值无法识别",
    "bad_quoting": "引号不成对",
    "bad_time": "时间无法识别",
    "bad_value": "值无法识别",
    "deleted_in_source": "来源称记录已删除",
    "duplicate_key": "字段重复",
    "formula_error": "单元格公式出错",
    "missing_key": "缺少主键",
    "missing_time": "缺少业务时间",
    "missing_value": "缺少必填值",
    "nested_too_deep": "结构嵌套过深",
    "not_an_object": "不是一条记录",
    "poison_character": "含有控制字符",
    "time_without_zone": "时间没有时区",
    "too_long": "内容过长",
    "unknown_code": "代码不在约定范围",
    "version_conflict": "与已入库的同一版本内容不一致",
    "wrong_field_count": "列数不符",
}
"""Why a row is quarantined; of a failed expectation its title says."""
PUSH_CLASS = {
    "late": "迟报",
    "keyed_twice": "二次录入",
    "resent": "重报",
    "out_of_order": "倒序",
    "batch": "集中补录",
    "back_dated": "回填",
    "silent": "静默",
    "missing": "漏报",
    "extra": "上游未见",
    "wrong": "错报",
    "deleted": "来源删除",
    "one_per_tick": "逐条限流",
    "finished_only": "办结后补报",
    "starved": "定额积压",
    "blocked_head": "队首阻塞",
    "backfill": "突击补报",
}
FIELD = {
    "occurred_at": "发生时间",
    "item_code": "实施编码",
    "applicant": "申请人",
    "approved_days": "批准天数",
    "approver": "批准人",
    "began_at": "开始时间",
    "case_type": "办件类型",
    "certificate_no": "证照编号",
    "certificate_required": "是否发证",
    "channel": "申请方式",
    "fee": "收费金额",
    "fee_basis": "收费依据",
    "handler": "办理人",
    "inquiry_kind": "咨询投诉类别",
    "joint": "联合办理",
    "level": "层级",
    "limit": "时限",
    "limit_unit": "时限单位",
    "materials": "补正材料",
    "method": "领取方式",
    "name": "环节名称",
    "outcome": "结果",
    "promised_due_at": "承诺办结时刻",
    "promised_limit": "承诺时限",
    "reason": "理由",
    "satisfaction": "满意度",
    "special_kind": "特别程序种类",
    "stage_plan": "环节计划",
    "statutory_limit": "法定时限",
}
"""Business fields of a record: all that two systems can say differently."""
PUSH_STATE = {"late": "未恢复", "recovered": "已恢复"}
SEVERITY = {"critical": "整批拒收", "error": "隔离该条", "warning": "提示"}
MAIL_STATE = {"ready": "待发", "dot": "待核实", "held": "待核实", "sent": "已发", "refused": "被拒收"}


def nature(level: str, code: str) -> str:
    """A card's nature; a reminder stands for something that has not gone wrong yet."""
    return NOT_YET if (level, code) == ("reminder", "conduct") else NATURE[code]


def refusal(reason: str, detail: str = "不符合校验规则") -> str:
    """Why a row is quarantined; `detail` is the title of the expectation it failed."""
    return REFUSAL.get(reason, detail)
