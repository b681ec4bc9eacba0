"""审批环节：名称、起止、时限、经办人。"""

from __future__ import annotations

from datetime import datetime

from expectations import Rule
from expectations._phrases import between, lacks, length, not_before, present, told
from expectations.messages import EARLIEST

BASIS = "2018年省级电子监察规则：流程异常、环节超时"
STAGE = frozenset({"stage"})
PHONE = "1[3-9][0-9]{9}"
CODE = "^[A-Za-z]{0,4}[0-9]{1,10}$"


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for `stage`; limits in working days."""
    return [
        Rule("name_missing", "环节名称为空", "error", present("name"), STAGE),
        Rule("name_length", "环节名称长度不在1至60个字符之间", "error", length("name", 1, 60), STAGE),
        Rule("limit_range", "环节时限不在0至1000之间", "error", between("limit", 0, 1000), STAGE),
        Rule("began_too_early", "环节开始时间早于2007年", "error", between("began_at", EARLIEST, None), STAGE),
        Rule("ended_before_began", "环节结束早于开始", "error", not_before("occurred_at", "began_at"), STAGE),
        Rule("began_missing", "环节开始时间为空，无法计时", "warning", present("began_at"), STAGE),
        Rule("without_accept", "有审批环节而同一来源至今没有受理记录", "warning", told(), STAGE),
        Rule("handler_missing", "环节未写明经办人", "warning", present("handler"), STAGE),
        Rule("handler_is_phone", "经办人一栏填写了手机号码", "warning", lacks("handler", PHONE), STAGE),
        Rule(
            "handler_is_code",
            "经办人一栏填写了编号",
            "warning",
            lacks("handler", CODE),
            STAGE,
        ),
    ]
