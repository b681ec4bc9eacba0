"""特别程序：类别与批准时限。"""

from __future__ import annotations

from datetime import datetime

from etl.domain.message import CODES
from expectations import Rule
from expectations._phrases import between, known, lacks, present
from expectations.stage import PHONE

START = frozenset({"special_start"})


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for `special_start`; `approved_days` in working days."""
    return [
        Rule("kind_missing", "特别程序类别为空", "error", present("special_kind"), START),
        Rule("kind_known", "特别程序类别不在约定值之内", "error", known("special_kind", CODES["special_kind"]), START),
        Rule("approved_range", "特别程序批准时限不在0至365天之间", "error", between("approved_days", 0, 365), START),
        Rule("approver_is_phone", "批准人一栏填写了手机号码", "warning", lacks("approver", PHONE), START),
        Rule("approved_missing", "特别程序未写明批准时限", "warning", present("approved_days"), START),
    ]
