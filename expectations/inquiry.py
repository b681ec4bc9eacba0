"""咨询与投诉：类别、层级、时限。"""

from __future__ import annotations

from datetime import datetime

from etl.domain.message import CODES
from expectations import Rule
from expectations._phrases import between, column, known, present

INQUIRY = frozenset({"inquiry"})


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for `inquiry`; the limit is in the unit the message names."""
    limited = column("limit").is_not_null()
    return [
        Rule("kind_missing", "未写明咨询或投诉", "error", present("inquiry_kind"), INQUIRY),
        Rule("kind_known", "诉求类别不在约定值之内", "error", known("inquiry_kind", CODES["inquiry_kind"]), INQUIRY),
        Rule("level_known", "受理层级不在约定值之内", "error", known("level", CODES["level"]), INQUIRY),
        Rule("limit_range", "答复时限不在0至1000之间", "error", between("limit", 0, 1000), INQUIRY),
        Rule("limit_unit_known", "时限单位不在约定值之内", "error", known("limit_unit", CODES["limit_unit"]), INQUIRY),
        Rule("limit_unit_missing", "有答复时限而无时限单位", "error", present("limit_unit", limited), INQUIRY),
    ]
