"""Limits written as text: right or left to a person, never a wrong number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from etl.domain.limit_text import Limit, read

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "vectors" / "time_limit_text.json").read_text())
UNITS = {"workday": "working_day", "natural day": "natural_day", "month": "month"}
NUMERALS = {
    **dict(zip("一二两三四五六七八九十", (1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10), strict=True)),
    **{"十一": 11, "十五": 15, "二十": 20, "二十一": 21, "四十五": 45, "九十": 90, "九十九": 99, "一百": 100},
    **{"一百零五": 105, "一百一十": 110, "一百二十": 120, "二百三十四": 234},
}


@pytest.mark.parametrize("row", ROWS, ids=[row["text"][:20] or "empty" for row in ROWS])
def test_a_published_limit_is_read_as_people_read_it_or_not_at_all(row: dict[str, Any]) -> None:
    limit = read(row["text"])
    if row["cls"] == "single" and row["unit"] in UNITS:
        assert limit == Limit(row["n"], UNITS[row["unit"]])
    else:
        assert limit is None


def test_most_published_limits_are_read() -> None:
    assert sum(read(row["text"]) is not None for row in ROWS) >= 30


@pytest.mark.parametrize(("text", "number"), NUMERALS.items(), ids=list(NUMERALS))
def test_numerals_are_read_in_characters_and_in_full_width(text: str, number: int) -> None:
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in str(number))
    for written in (text, str(number), wide):
        assert read(f"{written}个工作日") == Limit(number, "working_day")


@pytest.mark.parametrize("text", ["即办", "当场办结", "即时办理。"])
def test_at_once_is_a_limit_of_nothing(text: str) -> None:
    assert read(text) == Limit(0, "working_day")


@pytest.mark.parametrize(
    "text",
    [
        "20日", "十十个工作日", "二三个工作日", "一百十零个工作日", "一百五个工作日", "不超过20个工作日左右",
        "20个工作日,特殊情况30个工作日",
        "20-30个工作日", "受理3;审核10;决定5", "20个工作日（需听证的除外）", "约20个工作日", "20个工作日（30个自然日）",
        "1e3个工作日", "-5个工作日", "个工作日", "五百千个工作日", "=20个工作日",
    ],
)  # fmt: skip
def test_what_is_not_certain_is_left_to_a_person(text: str) -> None:
    assert read(text) is None
