"""Feeds that lack records and do not say so: a few of the stories `make prove` tells at full size."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.feeds import Desk, draw, tell

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.xdist_group("faults")]
SEED = 20261127


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


@pytest.mark.parametrize("number", range(3))
def test_a_feed_that_fails_as_drawn(desk: Desk, number: int) -> None:
    assert tell(draw(SEED, f"feed/{number}"), desk).faults.total() > 2


@pytest.mark.parametrize("number", range(1))
def test_a_feed_that_is_well(desk: Desk, number: int) -> None:
    assert tell(draw(SEED, f"healthy/{number}"), desk).healthy >= 28


def test_the_same_seed_draws_the_same_story() -> None:
    names = [f"{kind}/{number}" for kind in ("feed", "healthy") for number in range(20)]
    assert [draw(1, name) for name in names] == [draw(1, name) for name in names]
    assert [draw(1, name) for name in names] != [draw(2, name) for name in names]
