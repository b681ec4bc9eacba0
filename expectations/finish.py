"""办结：结果、理由与收费。"""

from __future__ import annotations

from datetime import datetime

from etl.domain.message import OUTCOMES
from expectations import Rule
from expectations._phrases import FILLER, between, column, known, lacks, length, present, told

BASIS = "行政许可法第三十八、四十二条"
DATA = "GB/T 39046-2020《政务服务平台基础数据规范》"
FEES = "行政许可法第五十八、五十九条"
FINISH = frozenset({"finish"})


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for `finish`; fees in yuan."""
    charged = column("fee") > 0
    return [
        Rule("outcome_missing", "办结结果为空", "error", present("outcome"), FINISH, basis=DATA),
        Rule(
            "outcome_known", "办结结果不在约定值之内", "error", known("outcome", OUTCOMES["finish"]), FINISH, basis=DATA
        ),
        Rule("without_accept", "办结而同一来源至今没有受理记录", "warning", told(), FINISH),
        Rule("reason_is_filler", "办结说明仅为“无”等占位文字", "warning", lacks("reason", FILLER), FINISH),
        Rule("fee_range", "收费金额为负或超过一亿元", "error", between("fee", 0, 100_000_000), FINISH, basis=FEES),
        Rule("fee_basis_missing", "有收费而无收费依据", "warning", present("fee_basis", charged), FINISH, basis=FEES),
        Rule(
            "certificate_no_length",
            "证照编号不在1至100个字符之间",
            "warning",
            length("certificate_no", 1, 100),
            FINISH,
            basis=DATA,
        ),
    ]
