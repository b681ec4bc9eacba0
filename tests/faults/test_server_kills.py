"""The database server dies under a night, every process of it; started again, it ends like an undisturbed night."""

from __future__ import annotations

import pytest

from tests.faults.disks import Disk
from tests.faults.server_kills import Story, draw, tell
from tests.faults.world import ADMITTED, NIGHT, World

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.xdist_group("server-faults")]


def test_killed_twice_on_the_way(mortal_world: tuple[World, Disk | None]) -> None:
    moments = ("admit.before_commit:2", "judge.before_commit:1", 0.5)
    assert tell(Story("on the way", NIGHT, "file", moments), mortal_world[0]).kills.total() >= 2


def test_killed_while_a_mail_is_handed_over_which_is_held_for_a_person(mortal_world: tuple[World, Disk | None]) -> None:
    told = tell(Story("mail", ADMITTED, "live", ("notify.after_final_dot:2",)), mortal_world[0])
    assert (told.kills.total(), told.held) == (1, 1)


def test_the_same_seed_draws_the_same_deaths() -> None:
    names = [f"server/{number}" for number in range(20)]
    assert [draw(1, name) for name in names] == [draw(1, name) for name in names]
    assert [draw(1, name) for name in names] != [draw(2, name) for name in names]
