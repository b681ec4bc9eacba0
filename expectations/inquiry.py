"""咨询与投诉：类别、层级、时限、答复。"""

from __future__ import annotations

from datetime import datetime

from etl.domain.message import CODES
from expectations import Rule
from expectations._phrases import between, column, known, length, present, told

BASIS = "2018年省级电子监察规则：咨询投诉"
INQUIRY, REPLY = frozenset({"inquiry"}), frozenset({"reply"})


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for `inquiry` and `reply`; the limit is in the unit the message names."""
    limited = column("limit").is_not_null()
    return [
        Rule("kind_missing", "未写明咨询或投诉", "error", present("inquiry_kind"), INQUIRY),
        Rule("kind_known", "诉求类别不在约定值之内", "error", known("inquiry_kind", CODES["inquiry_kind"]), INQUIRY),
        Rule("level_known", "受理层级不在约定值之内", "error", known("level", CODES["level"]), INQUIRY),
        Rule("limit_range", "答复时限不在0至1000之间", "error", between("limit", 0, 1000), INQUIRY),
        Rule("limit_unit_known", "时限单位不在约定值之内", "error", known("limit_unit", CODES["limit_unit"]), INQUIRY),
        Rule("limit_unit_missing", "有答复时限而无时限单位", "error", present("limit_unit", limited), INQUIRY),
        Rule("limit_missing", "未写明答复时限", "warning", present("limit"), INQUIRY),
        Rule("outcome_missing", "答复结果为空", "warning", present("outcome"), REPLY),
        Rule("outcome_length", "答复结果不在1至500个字符之间", "warning", length("outcome", 1, 500), REPLY),
        Rule("satisfaction_length", "满意度不在1至20个字符之间", "warning", length("satisfaction", 1, 20), REPLY),
        Rule("without_inquiry", "有答复而同一来源至今没有对应的咨询或投诉", "warning", told(), REPLY),
        Rule("before_inquiry", "答复早于咨询或投诉", "warning", between("since_opened_s", 0, None), REPLY),
    ]
