"""Feeds with something wrong: a few of the stories `make prove` tells at full size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults.desk import Desk
from tests.faults.feeds import KINDS, draw, tell

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.xdist_group("faults")]
SEED = 20261127


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


@pytest.mark.parametrize("number", [0, 3])
def test_a_feed_that_fails_as_drawn(desk: Desk, number: int) -> None:
    assert len(tell(draw(SEED, f"feed/{number}", episodes=3), desk).nights) == 3


def test_a_feed_that_is_well(desk: Desk) -> None:
    assert tell(replace(draw(SEED, "healthy/0"), nights=("",) * 5), desk).healthy == 6


def test_every_kind_of_fault_has_its_turn() -> None:
    told = Counter[tuple[str, str]]()
    for number in range(110):
        story = draw(SEED, f"feed/{number}")
        told.update({(story.form, what) for what in story.nights if what})
    assert min(told[kind] for kind in KINDS) >= 10


def test_the_same_seed_draws_the_same_story() -> None:
    names = [f"{kind}/{number}" for kind in ("feed", "healthy") for number in range(20)]
    assert [draw(1, name) for name in names] == [draw(1, name) for name in names]
    assert [draw(1, name) for name in names] != [draw(2, name) for name in names]
