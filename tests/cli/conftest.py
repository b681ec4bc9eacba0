"""The commands need the same ledger and feeds as whole nights do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest
from sqlalchemy import Engine

from tests.quality.unchecked import unchecked
from tests.runs.conftest import addressed, platform, ready

__all__ = ["addressed", "platform", "pointed_at", "ready"]


@pytest.fixture
def expectations() -> None:
    """A test that asks for it looks at what expectations say."""


@pytest.fixture(autouse=True)
def unasked(request: pytest.FixtureRequest) -> Iterator[None]:
    """The nights of other tests ask none, which would take half their time."""
    with nullcontext() if "expectations" in request.fixturenames else unchecked():
        yield


@pytest.fixture
def pointed_at(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Let the process use another database URL."""
    from etl.settings import settings
    from etl.store import engine as engine_module

    def point(url: str) -> None:
        monkeypatch.setenv("JIANCHA_DATABASE_URL", url)
        settings.cache_clear()
        engine_module.engine.cache_clear()

    yield point
    point(ledger.url.render_as_string(hide_password=False))
