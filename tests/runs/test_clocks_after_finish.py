"""Clocks that run on after a case is finished are judged on nights on which nothing came about it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from tests.cli.command import jiancha
from tests.runs.test_a_night import rows
from tests.runs.world import Exchange, Platform

pytestmark = pytest.mark.database
FIRST = date(2026, 11, 16)


def test_a_certificate_that_never_comes_gets_its_card_when_its_limit_is_over(platform: Platform, ready: Engine) -> None:
    platform.accept("no-certificate", "2026-11-12 09:00", cert_required="1")
    platform.finish("no-certificate", "2026-11-16 10:00")
    for number in range(5):
        assert jiancha("night", "--date", FIRST + timedelta(days=number)).code == 0
    issued = rows(ready, "select level, business_on, event from v_card_event where clock = 'certificate'")
    assert issued == [("yellow", date(2026, 11, 19), "issued")], "three working days after the finish"


@pytest.mark.parametrize("is_ended_at_once", [False, True])
def test_a_special_procedure_still_open_at_the_finish_gets_its_cards(
    exchange: Exchange, ready: Engine, is_ended_at_once: bool
) -> None:
    exchange.accept("left-open", "2026-11-12 09:00")
    started = {"tbcxxh": "1", "tbcxzl": "B", "tbcxksrq": "2026-11-13 10:00:00", "tbcxsx": "3", "tbcxpzr": "张某"}
    exchange.add("special_start", "left-open", "2026-11-13 10:00", started)
    if is_ended_at_once:  # which ends nothing
        ended = {"tbcxxh": "1", "tbcxjsrq": "2026-11-13 10:00:00"}
        exchange.add("special_result", "left-open", "2026-11-13 10:00", ended)
    exchange.finish("left-open", "2026-11-16 10:00")
    for number in range(6):
        assert jiancha("night", "--date", FIRST + timedelta(days=number)).code == 0
    issued = rows(ready, "select level, business_on from v_card_event where clock = 'special' and event = 'issued'")
    assert sorted(issued) == [
        ("red", date(2026, 11, 19)), ("reminder", date(2026, 11, 13)), ("yellow", date(2026, 11, 18)),
    ], "three working days after 13 November, and one more"  # fmt: skip
