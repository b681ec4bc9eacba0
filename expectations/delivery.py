"""送达：领取登记与电子证照。"""

from __future__ import annotations

from datetime import datetime

from expectations import Rule
from expectations._phrases import between, length, present, told

BASIS = "行政许可法第四十四条"
DATA = "GB/T 39046-2020《政务服务平台基础数据规范》"
COLLECT, CERTIFICATE = frozenset({"collect"}), frozenset({"certificate"})


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for `collect` and `certificate`."""
    return [
        Rule("method_missing", "未写明领取方式", "warning", present("method"), COLLECT),
        Rule("method_length", "领取方式不在1至60个字符之间", "warning", length("method", 1, 60), COLLECT, basis=DATA),
        Rule("without_finish", "领取或出证而同一来源至今没有办结记录", "warning", told(), COLLECT | CERTIFICATE),
        Rule(
            "before_finish", "领取或出证早于办结", "warning", between("since_opened_s", 0, None), COLLECT | CERTIFICATE
        ),
        Rule(
            "certificate_no_missing", "出证而无证照编号", "warning", present("certificate_no"), CERTIFICATE, basis=DATA
        ),
        Rule(
            "certificate_no_length",
            "证照编号不在1至100个字符之间",
            "warning",
            length("certificate_no", 1, 100),
            CERTIFICATE,
            basis=DATA,
        ),
    ]
