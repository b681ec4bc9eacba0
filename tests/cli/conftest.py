"""The commands need the same ledger and feeds as whole nights do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from tests.runs.conftest import addressed, expectations, platform, ready, unasked

__all__ = ["addressed", "expectations", "platform", "pointed_at", "ready", "unasked"]


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
