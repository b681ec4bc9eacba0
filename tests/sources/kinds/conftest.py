"""A source to hang a kind on; the dialect is never reached in these tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import MetaData, create_engine

from etl.settings import settings
from etl.sources.contract import Kind, Source, Window

SHANGHAI = ZoneInfo("Asia/Shanghai")
NIGHT = date(2026, 11, 16)
SINCE = datetime(2026, 11, 16, 1, tzinfo=SHANGHAI)
UNTIL = datetime(2026, 11, 17, 1, tzinfo=SHANGHAI)

MakeSource = Callable[..., Source]


class NoDialect:
    def messages(self, source, stream, rows):
        raise AssertionError("a kind never asks its dialect")


@pytest.fixture
def make_source() -> MakeSource:
    def make(kind: Kind, **changes: object) -> Source:
        fields = {
            "name": "test",
            "title": "测试",
            "department": "测试局",
            "region": "511602",
            "timezone": "Asia/Shanghai",
            "encoding": "utf-8",
            "in_force_from": date(2026, 11, 1),
            "overlap": timedelta(hours=2),
            **changes,
        }
        return Source(kind=kind, dialect=NoDialect(), links=(), **fields)

    return make


@pytest.fixture
def window() -> Window:
    return Window(NIGHT, SINCE, UNTIL)


@pytest.fixture(scope="session")
def front_database(embedded_var: Path) -> str:
    from etl.store.engine import embedded_url

    return embedded_url(embedded_var, f"front_{os.getpid()}")


@pytest.fixture
def postgresql_url(front_database: str) -> Iterator[str]:
    """An empty exchange database; a fresh one per test would cost half a second each."""
    yield front_database
    engine = create_engine(front_database)
    tables = MetaData()
    tables.reflect(engine)
    tables.drop_all(engine)
    engine.dispose()


@pytest.fixture
def set_setting(monkeypatch: pytest.MonkeyPatch):
    """Change a setting for one test."""

    def change(name: str, value: object) -> None:
        monkeypatch.setenv(f"JIANCHA_{name.upper()}", str(value))
        settings.cache_clear()

    yield change
    settings.cache_clear()
