"""A ledger to run real nights on, and sources that are registered for one test only."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from etl import sources
from etl.sources.contract import Source

Register = Callable[[Source], Path]
Raw = Callable[[str], Path]


@pytest.fixture
def ready(ledger: Engine) -> Engine:
    """The ledger with the packaged calendar."""
    from etl.store import calendars

    calendars.seed(ledger)
    return ledger


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Register:
    """Register a source beside those of the product and connect it to a drop folder, which is returned."""
    added: dict[str, Source] = {}
    names, get = sources.names, sources.get
    monkeypatch.setattr(sources, "names", lambda: sorted([*names(), *added]))
    monkeypatch.setattr(sources, "get", lambda name: added.get(name) or get(name))

    def add(source: Source) -> Path:
        added[source.name] = source
        folder = tmp_path / source.name
        folder.mkdir()
        monkeypatch.setenv(f"JIANCHA_CONNECTION_{source.name.upper()}", str(folder))
        return folder

    return add


@pytest.fixture(scope="session")
def raw() -> Raw:
    """A published file by its name, below the folder that JIANCHA_REAL_DATA names; the test is skipped without it."""

    def find(name: str) -> Path:
        folder = os.environ.get("JIANCHA_REAL_DATA")
        if not folder:
            pytest.skip(
                f"{name} is not kept here; set JIANCHA_REAL_DATA to a folder that has it (tests/real/README.md)"
            )
        found = sorted(Path(folder).rglob(name))
        if not found:
            pytest.skip(f"{name} is not below JIANCHA_REAL_DATA={folder} (tests/real/README.md)")
        return found[0]

    return find
