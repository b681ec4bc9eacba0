"""When a night's volume is not believed, and how seldom a healthy one is doubted."""

from __future__ import annotations

import random
from datetime import date, timedelta

import numpy as np
import pytest

from etl.supervision.completeness import Doubt, volume_doubt
from tests.faults.offices import Office, Volume, business_day

MONDAY = date(2026, 3, 2)
WEEK = [True] * 5 + [False] * 2


def doubt(*counts: int, first: date = MONDAY, works: list[bool] | None = None) -> Doubt | None:
    is_working = np.array(works or (WEEK * (len(counts) // 7 + 1))[: len(counts)])
    return volume_doubt(first, is_working, {"accept": np.array(counts)})


USUAL = (40, 44, 38, 41, 42, 6, 4) * 3


def test_a_night_far_below_its_kind_is_low_and_says_by_how_much() -> None:
    found = doubt(*USUAL, 9)
    assert found is not None
    assert found.state == "low"
    assert found.detail.startswith(
        "2026-03-23 之夜各类消息合计仅到 9 条，此前 15 个工作日中位数 41 条、次少 38 条，低于下限 10.25 条"
    )
    assert doubt(*USUAL, 11) is None


def test_a_rest_day_has_a_band_of_its_own() -> None:
    assert doubt(*USUAL) is None, "four on a Sunday is no four on a Monday"
    busy = (40, 44, 38, 41, 42, 26, 24) * 3
    assert doubt(*busy, 40, 44, 38, 41, 42, 5) is not None


def test_nothing_at_all_is_silence_and_a_quiet_week_end_does_not_end_it() -> None:
    for after in ((0,), (0, 0, 0), (40, 41, 38, 39, 0, 3, 0)):
        found = doubt(*USUAL, *after)
        assert found is not None, after
        assert found.state == ("low" if any(after) else "silent")
    assert doubt(*USUAL, 40, 41, 38, 39, 0, 3, 0, 40) is None


def test_a_fault_does_not_become_the_new_normal_however_long_it_lasts() -> None:
    assert doubt(*USUAL, *(5, 5, 5, 5, 5, 0, 0) * 30, 5) is not None


def test_one_kind_of_message_that_stays_away_is_enough() -> None:
    is_working = np.array(WEEK * 3 + [True])
    usual = np.array([*USUAL, 40])
    missing = np.array([*USUAL, 0])
    found = volume_doubt(MONDAY, is_working, {"accept": usual, "stage": usual, "finish": missing})
    assert found is not None
    assert "办结仅到 0 条" in found.detail


def test_three_months_of_records_in_one_night_are_no_doubt_nor_do_they_raise_the_band_for_good() -> None:
    assert doubt(*USUAL, 4000) is None
    assert doubt(*USUAL, 4000, 40) is None


@pytest.mark.parametrize(("share", "quiet"), [(1.0, 4), (0.9, 6)])
def test_a_small_source_is_silent_once_chance_no_longer_explains_it(share: float, quiet: int) -> None:
    rng = random.Random(7)
    brought = [1 if number % 10 < 10 * share else 0 for number in range(20)]
    rng.shuffle(brought)
    brought[-1] = 1
    works = [True] * (20 + quiet)
    silent = doubt(*brought, *[0] * quiet, works=works)
    assert silent is not None
    assert silent.state == "silent"
    assert doubt(*brought, *[0] * (quiet - 1), works=works[:-1]) is None


def test_of_a_source_that_often_brings_nothing_no_silence_means_anything() -> None:
    assert doubt(*[1, 0, 1, 1, 0] * 4, *[0] * 30, works=[True] * 50) is None


def test_too_short_a_history_says_nothing() -> None:
    assert doubt(*USUAL[:10], 0) is None


def test_healthy_offices_of_every_size_are_not_doubted() -> None:
    """Thousands of nights with their week-ends, holidays, make-up days and bad days."""
    rng, nights = random.Random(20261127), 0
    for _ in range(25):
        mean = rng.choice([rng.uniform(0.1, 3), rng.uniform(3, 30), rng.uniform(30, 400)])
        volume = Volume(mean, rng.uniform(0, 0.3), rng.uniform(0, 0.7))
        first = date(2025, 1, 1) + timedelta(days=rng.randrange(500))
        last = first + timedelta(days=100)
        office = Office(rng, "x", volume, first, last, 0.05)
        counts = {kind: np.zeros(101, np.int64) for kind in ("accept", "finish")}
        for row in office.rows:
            if (number := (business_day(row.received) - first).days) <= 100:
                counts["finish" if row.is_decision else "accept"][number] += 1
        is_working = np.array([office.is_working(first + timedelta(days=number)) for number in range(101)])
        for end in range(20, 102):
            found = volume_doubt(first, is_working[:end], {kind: mine[:end] for kind, mine in counts.items()})
            assert found is None, (volume, first + timedelta(days=end - 1), found)
            nights += 1
    assert nights > 2000
