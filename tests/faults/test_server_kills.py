"""The database server dies under a night, every process of it; started again, it ends like an undisturbed night."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.server_kills import Story, draw, tell
from tests.faults.world import ADMITTED, NIGHT, World, private_world

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.xdist_group("server-faults")]
SEED = 20261127


@pytest.fixture(scope="module")
def mortal_world() -> Iterator[World]:
    with private_world(("scjg", "zrzy")) as built:
        yield built


def test_killed_twice_on_the_way(mortal_world: World) -> None:
    told = tell(Story("twice", NIGHT, "file", ("admit.before_commit:2", "judge.before_commit:1")), mortal_world)
    assert told.kills.total() == 2


def test_killed_while_a_mail_is_handed_over_which_is_held_for_a_person(mortal_world: World) -> None:
    told = tell(Story("mail", ADMITTED, "live", ("notify.after_final_dot:2",)), mortal_world)
    assert (told.kills.total(), told.held) == (1, 1)


@pytest.mark.parametrize("number", range(2))
def test_killed_as_drawn(mortal_world: World, number: int) -> None:
    assert tell(draw(SEED, f"server/{number}"), mortal_world).scenarios.total() == 1
