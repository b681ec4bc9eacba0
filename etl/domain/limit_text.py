"""Time limits as catalogues write them (free text): certain forms become numbers, the rest goes to a person.

A number is only taken when the whole text is understood. A bare 日 is no certain unit: it is working days where the
licensing law speaks (行政许可法 art. 82) and natural days elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_DIGITS = dict(zip("一二两三四五六七八九", (1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_NUMERAL = re.compile(
    r"(?:(?P<hundreds>[一二两三四五六七八九])百(?:(?P<zero>零)(?=[一二三四五六七八九]$))?)?"
    r"(?:(?P<tens>[一二三四五六七八九])?(?P<ten>十))?(?P<ones>[一二两三四五六七八九])?"
)
_UNITS = {
    "工作日": "working_day",
    "自然日": "natural_day",
    "日历日": "natural_day",
    "月": "month",
    "小时": "hour",
    "分钟": "minute",
}
_AT_ONCE = {"即办", "即时办理", "即时办结", "当场办理", "当场办结", "当日办结"}
_LIMIT = re.compile(
    r"(?:(?:审查|办理|办结|法定|承诺|审批)(?:时限|期限)[::]|自(?:受理|收到申请)(?:申请)?之日起)*"
    r"(?P<number>[0-9]+(?:\.[0-9]+)?|[零〇一二两三四五六七八九十百]+)"
    r"个?(?P<unit>工作日|自然日|日历日|月|小时|分钟)(?:以?内)?"
    r"(?:\((?:依据|根据)?《?[^()0-9一二三四五六七八九十]{2,40}(?:法|条例|规定|办法)》?\))?[。;]?"
)


@dataclass(frozen=True)
class Limit:
    """A limit read from text: so many of a unit (as `limit_unit` of the message)."""

    number: float
    unit: str


def read(text: str) -> Limit | None:
    """Free text -> its limit; None where the form is not certain (exclusions, stages, conditions, a bare 日)."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    if plain.rstrip("。") in _AT_ONCE:
        return Limit(0, "working_day")
    found = _LIMIT.fullmatch(plain)
    if found is None:
        return None
    number = _number(found["number"])
    return None if number is None else Limit(number, _UNITS[found["unit"]])


def _number(text: str) -> float | None:
    """Digits or a Chinese numeral below a thousand; None for one that is not well formed (一百五 is 150 to some)."""
    if text[0].isascii():
        return float(text)
    found = _NUMERAL.fullmatch(text)
    if found is None or (found["hundreds"] and found["ones"] and not (found["ten"] or found["zero"])):
        return None
    tens = _DIGITS[found["tens"] or "一"] if found["ten"] else 0
    return float(_DIGITS.get(found["hundreds"], 0) * 100 + tens * 10 + _DIGITS.get(found["ones"], 0))
