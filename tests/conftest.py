"""Fixtures: one embedded PostgreSQL a test session, one fresh migrated database a test."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine

from tests.postgres_server import server_folder, started

_serial = itertools.count()


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes and long text name no test: a zip made while tests are collected is another in every worker."""
    return argname if isinstance(val, bytes) or (isinstance(val, str) and len(val) > 100) else None


def pytest_collection_finish() -> None:
    """What is imported and collected stays: looking through it for garbage again and again took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def embedded_var() -> Iterator[Path]:
    with server_folder("tests") as folder:
        yield folder


@pytest.fixture(scope="session")
def embedded_server(embedded_var: Path) -> Path:
    """The same folder with its server running."""
    started(embedded_var).dispose()
    return embedded_var


@pytest.fixture(scope="session")
def template(embedded_server: Path) -> Iterator[Engine]:
    """The server of a database `migrated`, a ledger's template: migrating once is enough."""
    from etl.store.engine import embedded_url
    from etl.store.migrate import migrate

    migrate(create_engine(embedded_url(embedded_server, "migrated"), poolclass=NullPool))
    url = embedded_url(embedded_server, "postgres")
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    yield admin
    admin.dispose()


@pytest.fixture
def fresh_ledger(template: Engine) -> Iterator[Callable[[str], str]]:
    """Name -> URL of a new migrated ledger that goes with the test."""
    made: list[str] = []

    def make(name: str) -> str:
        with template.connect() as connection:
            connection.exec_driver_sql(f"create database {name} template migrated strategy file_copy")
        made.append(name)
        return template.url.set(database=name).render_as_string(hide_password=False)

    yield make
    with template.connect() as connection:
        for name in made:
            connection.exec_driver_sql(f"drop database {name} with (force)")


@pytest.fixture
def database_url(embedded_server: Path) -> str:
    from etl.store.engine import embedded_url

    return embedded_url(embedded_server, f"test_{os.getpid()}_{next(_serial)}")


@pytest.fixture
def ledger(fresh_ledger: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A fresh, migrated ledger that the whole process uses (settings point at it)."""
    from etl.settings import settings
    from etl.store import engine as engine_module

    for name in [name for name in os.environ if name.startswith("JIANCHA_CONNECTION_")]:
        monkeypatch.delenv(name)  # nothing of the machine's own is pulled from
    monkeypatch.setenv("JIANCHA_DATABASE_URL", fresh_ledger(f"ledger_{os.getpid()}_{next(_serial)}"))
    monkeypatch.setenv("JIANCHA_VAR_DIR", str(tmp_path / "var"))
    settings.cache_clear()
    engine_module.engine.cache_clear()
    yield engine_module.engine()
    engine_module.engine().dispose()
    settings.cache_clear()
    engine_module.engine.cache_clear()
