"""Numbers, rates and masks as readers see them."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from etl.domain.chinese import KIND, UNIT
from etl.domain.message import CODES, KINDS
from etl.publish import wording
from etl.publish.privacy import HIDDEN, mask, redact


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (Decimal(20) - Decimal("3.6"), 20, "82.00%"),
        (Decimal(13) - Decimal("3.6"), 13, "72.31%"),
        (Decimal(20) - Decimal("0.55"), 20, "97.25%"),
        (10_705, 10_904, "98.17%"),
        (20 - 13, 20, "35.00%"),
        (1, 8_000, "0.01%"),
        (1, 0, "–"),
        (0, 0, "–"),
        (-1, 3, "-33.33%"),
    ],
)
def test_published_rates(part: Decimal, whole: int, shown: str) -> None:
    assert wording.percent(part, whole) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [("2.005", "2.01"), ("2.004999", "2.00"), ("-0.001", "0.00"), ("8.125", "8.13"), (None, "–")]
)
def test_numbers_are_rounded_half_up(value: str | None, shown: str) -> None:
    assert wording.number(None if value is None else Decimal(value)) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0 秒"), (59, "59 秒"), (60, "1.00 分钟"), (90_000, "1.04 天")])
def test_durations(seconds: int, shown: str) -> None:
    assert wording.duration(seconds) == shown


def test_every_code_has_words() -> None:
    assert set(KIND) == set(KINDS)
    assert set(UNIT) == CODES["limit_unit"]


def test_a_hop_is_named_by_its_ends() -> None:
    assert wording.titled("scjg->supervision", {"scjg": "市监局"}) == "市监局 → 电子监察平台"
    assert wording.titled("entry:scjg", {"scjg": "市监局"}) == "市监局 录入"
    assert wording.titled("unheard_of", {}) == "unheard_of"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("王小明", "王**"),
        ("李四", "李*"),
        ("张", "***"),
        ("", "***"),
        ("广安众诚食品有限责任公司", "广安****公司"),
        ("张三13800138000", "张*"),
        ("13800138000", "***"),
        ("王\r\n小明", "王***"),
    ],
)
def test_applicants_are_masked(name: str, shown: str) -> None:
    assert mask(name) == shown


@pytest.mark.parametrize(
    "number",
    [
        *(
            "13800138000",
            "138 0013 8000",
            "138-0013-8000",
            "138 - 0013 - 8000",
            "+86 13800138000",
            "8613800138000",
            "１３８００１３８０００",
        ),
        *("510123199001011234", "51012319900101123X", "510123 19900101 1234", "510123900101123", "0826-2345678"),
    ],
)
def test_numbers_of_people_are_hidden(number: str) -> None:
    assert redact(f"联系{number}。") == f"联系{HIDDEN}。"


@pytest.mark.parametrize("text", ["2026-11-22 15:30 前办结", "限 20 个工作日", "建〔2026〕123 号", "511A0138000000"])
def test_other_numbers_stay(text: str) -> None:
    assert redact(text) == text


def test_redaction_takes_linear_time() -> None:
    began = time.perf_counter()
    redact("1 " * 50_000 + "x")
    assert time.perf_counter() - began < 2
