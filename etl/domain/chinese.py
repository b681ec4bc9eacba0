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
PUSH_CLASS = {
    "late": "迟报",
    "keyed_twice": "二次录入",
    "resent": "重报",
    "out_of_order": "倒序",
    "batch": "集中补录",
    "back_dated": "回填",
    "silent": "静默",
    "one_per_tick": "逐条限流",
    "finished_only": "办结后补报",
    "starved": "定额积压",
    "blocked_head": "队首阻塞",
    "backfill": "突击补报",
}
PUSH_STATE = {"late": "未恢复", "recovered": "已恢复"}
MAIL_STATE = {"ready": "待发", "dot": "待核实", "held": "待核实", "sent": "已发", "refused": "被拒收"}


def nature(level: str, code: str) -> str:
    """A card's nature; a reminder stands for something that has not gone wrong yet."""
    return NOT_YET if (level, code) == ("reminder", "conduct") else NATURE[code]
