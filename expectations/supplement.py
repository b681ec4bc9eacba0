"""补正：告知的材料、告知与受理的先后。"""

from __future__ import annotations

from datetime import datetime

from expectations import Rule
from expectations._phrases import between, present, told

BASIS = "行政许可法第三十二条"
NOTICE, RECEIPT = frozenset({"supplement_notice"}), frozenset({"supplement_receipt"})


def suite(cutoff: datetime) -> list[Rule]:
    """Rules for `supplement_notice` and `supplement_receipt`, which pair by equal seq."""
    return [
        Rule("materials_missing", "补正告知未列明材料", "warning", present("material_count"), NOTICE),
        Rule(
            "materials_count", "补正告知所列材料不在1至100项之间", "warning", between("material_count", 1, 100), NOTICE
        ),
        Rule("before_apply", "补正告知早于申办", "warning", between("since_opened_s", 0, None), NOTICE),
        Rule("without_notice", "补正受理而同一来源至今没有对应的补正告知", "warning", told(), RECEIPT),
    ]
