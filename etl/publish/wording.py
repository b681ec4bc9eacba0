"""How codes, numbers and instants read in Chinese mails and bulletins. An unknown code is an error, never a blank."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from etl.domain.chinese import LEVEL, UNIT
from etl.domain.night import ZONE

NONE = "–"
ENTRY, TOTAL = "entry:", "total:"
TITLES = {"supervision": "电子监察平台", "platform": "政务服务平台"}

Number = int | Decimal


def number(value: Number | None, places: int = 2) -> str:
    """Half-up to `places` decimals; nothing known gives a dash."""
    if value is None:
        return NONE
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{rounded + 0:f}"


def percent(part: Number, whole: Number) -> str:
    """part / whole as ``97.25%``; a denominator of 0 gives a dash."""
    return NONE if whole == 0 else f"{number(Decimal(part) * 100 / Decimal(whole))}%"


def change(now: int, before: int) -> str:
    """Week on week: the signed difference and its share of the earlier week."""
    return f"{now - before:+d}（{percent(now - before, before)}）" if now != before else "持平"


def plain(value: Number) -> str:
    """A number without needless zeros: 7, 2.5."""
    return f"{Decimal(value).normalize() + 0:f}"


def limit(value: Number | None, unit: str | None) -> str:
    """``7 个工作日``; a limit of nothing is the same day's business, 即办."""
    if value == 0:
        return "即办"
    return NONE if value is None else f"{plain(value)} {UNIT[unit]}" if unit else plain(value)


def duration(seconds: int | None) -> str:
    """Seconds in the largest unit that keeps the number above one."""
    if seconds is None:
        return NONE
    for size, unit in ((86_400, "天"), (3_600, "小时"), (60, "分钟")):
        if abs(seconds) >= size:
            return f"{number(Decimal(seconds) / size)} {unit}"
    return f"{seconds} 秒"


def minute(instant: datetime | None) -> str:
    """``2026-11-22 09:05`` in Asia/Shanghai."""
    return NONE if instant is None else f"{instant.astimezone(ZONE):%Y-%m-%d %H:%M}"


def day(on: date | None) -> str:
    """``2026-11-22``."""
    return NONE if on is None else on.isoformat()


def levels(counts: Mapping[str, int], separator: str = " ") -> str:
    """``红牌2 黄牌3``, without the levels that do not occur."""
    return separator.join(f"{name}{counts[level]}" for level, name in LEVEL.items() if counts.get(level))


def silence(first_on: date, working_days: int) -> str:
    """How long a source has sent nothing."""
    return f"{day(first_on)} 起连续 {working_days} 个工作日没有数据"


def titled(code: str | None, titles: Mapping[str, str]) -> str:
    """A system, a hop ``from->to``, ``entry:system``, ``total:system`` as people call it; by its code when unnamed."""
    if code is None:
        return NONE
    if code.startswith(ENTRY):
        return f"{titled(code.removeprefix(ENTRY), titles)} 录入"
    if code.startswith(TOTAL):
        return f"{titled(code.removeprefix(TOTAL), titles)} 全程"
    return " → ".join(titles.get(end, TITLES.get(end, end)) for end in code.split("->"))
