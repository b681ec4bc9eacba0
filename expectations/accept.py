"""受理与预受理：结论、时限、单位。"""

from __future__ import annotations

from datetime import datetime

from etl.domain.message import CODES, OUTCOMES
from expectations import Rule
from expectations._phrases import FILLER, between, column, known, lacks, not_before, present

BASIS = "行政许可法第三十二、四十二条"
DATA = "GB/T 39046-2020《政务服务平台基础数据规范》"
ACCEPT = frozenset({"accept"})
DECIDED = ACCEPT | {"pre_accept"}


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for `accept` and `pre_accept`; limits in the unit the message names."""
    limited = column("promised_limit").is_not_null() | column("statutory_limit").is_not_null()
    unpromised = (column("outcome") == "passed") & column("promised_due_at").is_null()
    passed = column("outcome") == "passed"
    instant = column("case_type") == "instant"
    return [
        Rule("outcome_missing", "受理结论为空", "error", present("outcome"), DECIDED),
        Rule("outcome_known", "受理结论不在约定值之内", "error", known("outcome", OUTCOMES["accept"]), DECIDED),
        Rule("reason_is_filler", "不予受理的理由仅为“无”等占位文字", "warning", lacks("reason", FILLER), DECIDED),
        Rule("before_apply", "受理或预受理早于申办", "warning", between("since_opened_s", 0, None), DECIDED),
        Rule("promised_range", "承诺时限不在0至1000之间", "error", between("promised_limit", 0, 1000), ACCEPT),
        Rule("statutory_range", "法定时限不在0至1000之间", "error", between("statutory_limit", 0, 1000), ACCEPT),
        Rule(
            "limit_unit_known",
            "时限单位不在约定值之内",
            "error",
            known("limit_unit", CODES["limit_unit"]),
            ACCEPT,
            basis=DATA,
        ),
        Rule("limit_unit_missing", "有时限而无时限单位", "error", present("limit_unit", limited), ACCEPT, basis=DATA),
        Rule(
            "case_type_known",
            "办件类型不在约定值之内",
            "error",
            known("case_type", CODES["case_type"]),
            ACCEPT,
            basis=DATA,
        ),
        Rule(
            "channel_known", "申办渠道不在约定值之内", "error", known("channel", CODES["channel"]), ACCEPT, basis=DATA
        ),
        Rule("due_too_early", "承诺办结时刻早于受理", "error", not_before("promised_due_at", "occurred_at"), ACCEPT),
        Rule(
            "promise_too_long", "承诺时限长于法定", "warning", not_before("statutory_limit", "promised_limit"), ACCEPT
        ),
        Rule("promise_missing", "已受理而无承诺时限", "warning", present("promised_limit", unpromised), ACCEPT),
        Rule("statutory_missing", "已受理而无法定时限", "warning", present("statutory_limit", passed), ACCEPT),
        Rule("instant_limit", "即办件的承诺时限不为0", "warning", between("promised_limit", 0, 0, instant), ACCEPT),
    ]
