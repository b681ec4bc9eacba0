"""One world a test session whose server lives, and one whose server dies and whose disk fills up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.disks import Disk, reason_not_to, world_on_a_disk
from tests.faults.world import World, private_world


@pytest.fixture(scope="session")
def small_world() -> Iterator[World]:
    # Not pytest's own folder: that one is private, and the embedded server may run as another user.
    # The expectations, half of a night's time, are asked in the other world, and in both at full size.
    with private_world(("scjg", "zrzy"), is_checked=False) as built:
        yield built


@pytest.fixture(scope="session")
def mortal_world() -> Iterator[tuple[World, Disk | None]]:
    """Its disk is None where nothing can be mounted."""
    if reason_not_to():
        with private_world(("scjg", "zrzy")) as built:
            yield built, None
    else:
        with world_on_a_disk() as on_a_disk:
            yield on_a_disk
