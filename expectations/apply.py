"""申办：申请人、渠道。"""

from __future__ import annotations

from datetime import datetime

from etl.domain.message import CODES
from expectations import Rule
from expectations._phrases import known, lacks, length, present

BASIS = "GB/T 39046-2020《政务服务平台基础数据规范》"
APPLY = frozenset({"apply"})
MASKED_PHONE = "1[3-9][0-9][*]{4}[0-9]{4}"
"""A telephone number keeps its shape when applicants are masked."""


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for `apply`; names come masked."""
    return [
        Rule("applicant_missing", "申请人为空", "warning", present("applicant"), APPLY),
        Rule("applicant_length", "申请人不在1至200个字符之间", "warning", length("applicant", 1, 200), APPLY),
        Rule("applicant_is_phone", "申请人一栏填写了手机号码", "warning", lacks("applicant", MASKED_PHONE), APPLY),
        Rule("channel_known", "申办渠道不在约定值之内", "error", known("channel", CODES["channel"]), APPLY),
    ]
