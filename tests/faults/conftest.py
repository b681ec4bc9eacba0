"""One world a test session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.world import World, private_world


@pytest.fixture(scope="session")
def small_world() -> Iterator[World]:
    # Not pytest's own folder: that one is private, and the embedded server may run as another user.
    with private_world(("scjg", "zrzy")) as built:
        yield built
