"""补录痕迹：一批记录放在一起才看得出的人为填写。

What one case shows alone (stages all at the finish, acceptance two seconds after application, …) is found by
`etl.supervision.rules.fabrication`, with the case as evidence.
"""

from __future__ import annotations

from datetime import datetime

from etl.domain.message import KINDS, REPEATING
from expectations import Rule
from expectations._phrases import between, lacks, present

BASIS = "补录数据特征（自定）"
ONCE = frozenset(KINDS) - REPEATING
AT_ONCE = 9
"""Cases of one department, item and kind that may fall into one second; clerks press no faster."""
TESTED = "(?i)(?:测试|演示数据|^test|demo)"


def suite(cutoff: datetime) -> list[Rule]:
    """Rules over columns `same_second` and `past_hour_s`; both are null where a time is a date alone."""
    return [
        Rule(
            "same_second",
            "同一部门同一事项同一秒发生十件以上",
            "warning",
            between("same_second", None, AT_ONCE),
            ONCE,
        ),
        Rule(
            "whole_hours",
            "本批二十分之一以上记录恰在整点发生",
            "warning",
            between("past_hour_s", 0.000001, None, mostly=0.95),
            least_rows=20,
        ),
        Rule(
            "dates_alone",
            "本批半数以上记录的发生时间只有日期",
            "warning",
            present("past_hour_s", mostly=0.5),
            least_rows=20,
        ),
        Rule("item_name_is_test", "事项名称含“测试”字样", "warning", lacks("item_name", TESTED)),
    ]
