"""申办：申请人。"""

from __future__ import annotations

from datetime import datetime

from expectations import Rule
from expectations._phrases import lacks

APPLY = frozenset({"apply"})
MASKED_PHONE = "1[3-9][0-9][*]{4}[0-9]{4}"
"""A telephone number keeps its shape when applicants are masked."""


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for `apply`; names come masked."""
    return [
        Rule("applicant_is_phone", "申请人一栏填写了手机号码", "warning", lacks("applicant", MASKED_PHONE), APPLY),
    ]
