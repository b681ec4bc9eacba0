"""特别程序：类别、批准时限、申请与结果的对应。"""

from __future__ import annotations

from datetime import datetime

from etl.domain.message import CODES
from expectations import Rule
from expectations._phrases import FILLER, between, known, lacks, length, present, told
from expectations.stage import PHONE

BASIS = "行政许可法第四十二、四十五条"
START, RESULT = frozenset({"special_start"}), frozenset({"special_result"})


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for `special_start` and `special_result`, which pair by equal seq; `approved_days` in working days."""
    return [
        Rule("kind_missing", "特别程序类别为空", "error", present("special_kind"), START),
        Rule("kind_known", "特别程序类别不在约定值之内", "error", known("special_kind", CODES["special_kind"]), START),
        Rule("approved_range", "特别程序批准时限不在0至365天之间", "error", between("approved_days", 0, 365), START),
        Rule("approver_is_phone", "批准人一栏填写了手机号码", "warning", lacks("approver", PHONE), START),
        Rule("approved_missing", "特别程序未写明批准时限", "warning", present("approved_days"), START),
        Rule("reason_is_filler", "特别程序的理由仅为“无”等占位文字", "warning", lacks("reason", FILLER), START),
        Rule("without_accept", "启动特别程序而同一来源至今没有受理记录", "warning", told(), START),
        Rule("before_accept", "特别程序早于受理启动", "warning", between("since_opened_s", 0, None), START),
        Rule("outcome_missing", "特别程序结果为空", "warning", present("outcome"), RESULT),
        Rule("outcome_length", "特别程序结果不在1至200个字符之间", "warning", length("outcome", 1, 200), RESULT),
        Rule("without_start", "特别程序有结果而同一来源至今没有对应的申请", "warning", told(), RESULT),
    ]
