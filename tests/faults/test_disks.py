"""A real disk is full under a night: it says so in one line, and with room again ends like an undisturbed one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.disks import Disk, Story, reason_not_to, tell, world_on_a_disk
from tests.faults.world import ADMITTED, NIGHT, World

pytestmark = [
    pytest.mark.database,
    pytest.mark.slow,
    pytest.mark.skipif(bool(reason_not_to()), reason=reason_not_to()),
    pytest.mark.xdist_group("server-faults"),
]


@pytest.fixture(scope="module")
def on_a_disk() -> Iterator[tuple[World, Disk]]:
    with world_on_a_disk() as built:
        yield built


@pytest.mark.parametrize(
    "story",
    [
        Story("pages", NIGHT, "landing", 60_000),
        Story("no page", NIGHT, "landing", 0),
        Story("mails", ADMITTED, "mail", 20_000),
        Story("ledger", NIGHT, "database", 0),
        Story("ledger late", ADMITTED, "database", 0, "judge.before_append:1"),
    ],
    ids=lambda story: story.name,
)
def test_full_and_then_with_room_again(on_a_disk: tuple[World, Disk], story: Story) -> None:
    assert tell(story, *on_a_disk).full[story.which] == 1, "what was left was enough"
