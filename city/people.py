"""Invented applicants and officials. Some given names need GB18030's four-byte part, as real registers do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_COMPOUND = ("欧阳", "上官", "司马", "诸葛")
_GIVEN = "明华芳伟敏静丽强磊洋勇艳杰娟涛超霞平刚桂英文辉玲建国红梅志军海燕喆堃祎珺玥昊梓涵"
_RARE = "䶮㛃𬱖𫖯𬍛𣲘"
"""Characters no two-byte code page holds; a GBK system could never have recorded them."""


def person(rng: Random, *, rare: bool) -> str:
    """A natural person; `rare` lets one in twelve carry a character outside GBK."""
    surname = rng.choice(_COMPOUND) if rng.random() < 0.04 else rng.choice(_SURNAMES)
    given = rng.choice(_GIVEN) + (rng.choice(_GIVEN) if rng.random() < 0.7 else "")
    if rare and rng.random() < 1 / 12:
        given = given[:1] + rng.choice(_RARE)
    return surname + given


def business(rng: Random, place: str, trades: Sequence[str]) -> str:
    """A shop or company of that place in one of these trades."""
    return f"{place}{rng.choice(_GIVEN)}{rng.choice(_GIVEN)}{rng.choice(trades)}"


def official(rng: Random, source: str) -> str:
    """A handler; each department has six."""
    return _official(source, rng.randrange(6))


@cache
def _official(source: str, number: int) -> str:
    return person(Random(f"official/{source}/{number}"), rare=False)


def phone(rng: Random) -> str:
    """A mobile number in the block 199 0000 xxxx."""
    return f"1990000{rng.randrange(10_000):04d}"
