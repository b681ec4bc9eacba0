"""记录数量：每类记录当夜的条数与近期常量相比。

Whether a feed is complete is not decided here; a night unlike the usual ones is only said.
"""

from __future__ import annotations

from datetime import datetime

from expectations import Rule
from expectations._phrases import between

BASIS = "近十四个同类日（工作日或休息日）的中位数（自定）"
LEAST, MOST = 0.3, 3.0


def suite(cutoff: datetime) -> list[Rule]:
    """Rules over `share_of_usual`: messages of a kind ÷ the trailing median; null where nothing is usual yet."""
    return [
        Rule("few", "记录数不足近期常量的三成", "warning", between("share_of_usual", LEAST, None), of="kinds"),
        Rule("many", "记录数超过近期常量的三倍", "warning", between("share_of_usual", None, MOST), of="kinds"),
    ]
