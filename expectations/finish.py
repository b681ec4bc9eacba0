"""办结：结果与收费。"""

from __future__ import annotations

from datetime import datetime

from etl.domain.message import OUTCOMES
from expectations import Rule
from expectations._phrases import between, column, known, length, present

FINISH = frozenset({"finish"})


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for `finish`; fees in yuan."""
    charged = column("fee") > 0
    return [
        Rule("outcome_missing", "办结结果为空", "error", present("outcome"), FINISH),
        Rule("outcome_known", "办结结果不在约定值之内", "error", known("outcome", OUTCOMES["finish"]), FINISH),
        Rule("fee_range", "收费金额为负或超过一亿元", "error", between("fee", 0, 100_000_000), FINISH),
        Rule("fee_basis_missing", "有收费而无收费依据", "warning", present("fee_basis", charged), FINISH),
        Rule(
            "certificate_no_length", "证照编号不在1至100个字符之间", "warning", length("certificate_no", 1, 100), FINISH
        ),
    ]
