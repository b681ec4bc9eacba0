"""Two processes run the same night at the same time and no lock holds either back; it is one night all the same."""

from __future__ import annotations

import pytest

from tests.faults.pairs import Story, draw, tell
from tests.faults.world import ADMITTED, World

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.xdist_group("faults")]
SEED = 20261127


@pytest.mark.parametrize("number", [1, 2])
def test_a_pair_as_drawn(small_world: World, number: int) -> None:
    assert tell(draw(SEED, f"pair/{number}"), small_world).ends.total() == 2


def test_two_claims_at_once_tell_each_item_once(small_world: World) -> None:
    stop = "notify.before_claim_commit:1"
    told = tell(Story("claims", ADMITTED, "file", None, stop, 2.0), small_world)
    assert told.stops["notify.before_claim_commit"] == 1


def test_without_locks_a_night_waits_for_nobody_and_with_them_it_does(small_world: World) -> None:
    """The stand-ins are what runs: the same lock, taken by a stranger, holds back a night only where they are not."""
    for is_lockless in (True, False):
        branch = small_world.branch(ADMITTED)
        if is_lockless:
            branch.without_locks()
        with branch.engine.connect() as stranger:
            stranger.exec_driver_sql("select pg_catalog.pg_advisory_xact_lock(hashtext('jiancha.judge'))")
            started = branch.start(*ADMITTED.command)
            if is_lockless:
                assert branch.end(*started).code in (0, 1)
            else:
                branch.must_wait()
        if not is_lockless:
            assert branch.end(*started).code in (0, 1)
        branch.drop()


def test_the_same_seed_draws_the_same_pairs() -> None:
    names = [f"pair/{number}" for number in range(20)]
    assert [draw(1, name) for name in names] == [draw(1, name) for name in names]
    assert [draw(1, name) for name in names] != [draw(2, name) for name in names]
