"""A real disk is full under a night: it says so in one line, and with room again ends like an undisturbed one."""

from __future__ import annotations

import pytest

from tests.faults.disks import Disk, Story, reason_not_to, tell
from tests.faults.world import ADMITTED, NIGHT, World

pytestmark = [
    pytest.mark.database,
    pytest.mark.slow,
    pytest.mark.skipif(bool(reason_not_to()), reason=reason_not_to()),
    pytest.mark.xdist_group("server-faults"),
]


@pytest.mark.parametrize(
    "story",
    [
        Story("pages", NIGHT, "landing", 60_000),
        Story("mails", ADMITTED, "mail", 20_000),
        Story("ledger", ADMITTED, "database", 0, "judge.before_append:1"),
    ],
    ids=lambda story: story.name,
)
def test_full_and_then_with_room_again(mortal_world: tuple[World, Disk | None], story: Story) -> None:
    built, disk = mortal_world
    assert disk is not None
    assert tell(story, built, disk).full[story.which] == 1, "what was left was enough"
