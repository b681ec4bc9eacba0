"""所有消息：标识、长度、时间。"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from etl.domain.message import KINDS, REPEATING
from expectations import Rule
from expectations._phrases import between, column, known, lacks, length, matches, present

BASIS = "GB/T 39046-2020《政务服务平台基础数据规范》"
KEPT = "归集约定（自定）"
"""Of what no standard fixes: how sources and their clocks are agreed with them."""
EARLIEST = datetime(2007, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(hours=1)
ONCE = frozenset(KINDS) - REPEATING
UNPRINTABLE = "[\\s\\x00-\\x1f\\x7f-\\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufffd]"

REGION = "^[0-9]{6}(?:[0-9]{3}){0,2}$"
ITEM_CODE = "^(?:.{31}|.{33}|[0-9A-Z]{10,14}-[0-9]{12}-[0-9]{3}-[0-9A-Z]{18}-[0-9]-[0-9]{2})$"
"""By the standard, or as platforms print it: basic code, region, number, who is responsible, two more numbers."""
CHINESE = "[\u4e00-\u9fff]"
CHANGED_AT = 200_000_000
"""From here on a version is no count but the seconds from 2000 until the change (`etl.sources.sets`); this is 2006."""
INEXACT = "^[+-]?[0-9]+(?:[.][0-9]*(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)$"
"""A number as spreadsheets and floats write it, 5.11602E+17: an identifier it once was is lost."""


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for every kind. Columns `transport_lag_s` and `push_lag_s` are measured by `etl.quality.check`."""
    latest = cutoff + CLOCK_SKEW
    tomorrow = cutoff + timedelta(days=1)
    counted = column("version") < CHANGED_AT
    return [
        Rule("source_missing", "来源代码为空", "critical", present("source"), basis=KEPT),
        Rule("source_code", "来源代码不规范", "critical", matches("source", "^[a-z][a-z0-9_]*$"), basis=KEPT),
        Rule("kind_known", "消息类型不在约定的十三类之内", "critical", known("kind", KINDS), basis=KEPT),
        Rule(
            "zone_mistaken",
            "本批五分之一以上记录发生在截止时刻之后，疑为时区错误",
            "critical",
            between("occurred_at", None, latest, mostly=0.8),
            least_rows=20,
            basis=KEPT,
        ),
        Rule("case_no_missing", "办件编号为空", "error", present("case_no")),
        Rule("case_no_length", "办件编号长度不在1至64个字符之间", "error", length("case_no", 1, 64)),
        Rule("case_no_printable", "办件编号含空白或不可见字符", "error", lacks("case_no", UNPRINTABLE)),
        Rule("case_no_number", "办件编号是小数或科学计数法，尾数已丢失", "error", lacks("case_no", INEXACT)),
        Rule("seq_range", "序号不在0至999之间", "error", between("seq", 0, 999), basis=KEPT),
        Rule("seq_single", "不可重复的消息带有序号", "error", between("seq", 0, 0), ONCE, basis=KEPT),
        Rule("version_range", "重报版本号不在1至999之间", "error", between("version", 1, 999, counted), basis=KEPT),
        Rule("occurred_missing", "业务发生时间为空", "error", present("occurred_at")),
        Rule("occurred_too_early", "业务发生时间早于2007年", "error", between("occurred_at", EARLIEST, None)),
        Rule("occurred_in_future", "业务发生时间晚于截止时刻一日以上", "error", between("occurred_at", None, tomorrow)),
        Rule(
            "written_in_future",
            "写入时间晚于截止时刻一小时以上",
            "error",
            between("written_at", None, latest),
            basis=KEPT,
        ),
        Rule(
            "received_in_future",
            "接收时间晚于截止时刻一小时以上",
            "error",
            between("received_at", None, latest),
            basis=KEPT,
        ),
        Rule(
            "received_before_written",
            "接收早于写入五分钟以上",
            "warning",
            between("transport_lag_s", -300, None),
            basis=KEPT,
        ),
        Rule(
            "written_before_occurred",
            "写入早于发生五分钟以上",
            "warning",
            between("push_lag_s", -300, None),
            basis=KEPT,
        ),
        Rule("written_missing", "无写入时间，无法区分推送延时与补录", "warning", present("written_at"), basis=KEPT),
        Rule("item_code_form", "实施编码既非31或33位，也非分段写法", "warning", matches("item_code", ITEM_CODE)),
        Rule("item_code_is_name", "实施编码一栏填写了名称", "warning", lacks("item_code", CHINESE)),
        Rule("item_name_is_code", "事项名称一栏填写了编码", "warning", lacks("item_name", "^[0-9][0-9A-Za-z-]{8,}$")),
        Rule("item_name_missing", "事项名称为空", "warning", present("item_name")),
        Rule("item_code_missing", "实施编码为空", "warning", present("item_code")),
        Rule("department_missing", "办理部门为空", "warning", present("department")),
        Rule("region_digits", "行政区划代码不是6、9或12位数字", "warning", matches("region", REGION)),
        Rule("item_name_length", "事项名称长度不在2至300个字符之间", "warning", length("item_name", 2, 300)),
    ]
