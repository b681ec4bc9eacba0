"""One world a test session."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.world import World, world


@pytest.fixture(scope="session")
def small_world() -> Iterator[World]:
    # Not pytest's own folder: that one is private, and the embedded server may run as another user.
    with (
        tempfile.TemporaryDirectory(prefix="jiancha-faults-") as folder,
        world(Path(folder), ("scjg", "zrzy")) as built,
    ):
        yield built
