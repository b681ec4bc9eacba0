"""Fixtures: one embedded PostgreSQL a test session, one fresh migrated database a test."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, NullPool, create_engine

_serial = itertools.count()


@pytest.fixture(scope="session")
def embedded_var() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="jiancha-tests-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


@pytest.fixture(scope="session")
def embedded_server(embedded_var: Path) -> Path:
    """The same folder with its server running. Tests never lose power, so the server need not wait for the disk."""
    from etl.store.engine import embedded_url

    admin = create_engine(embedded_url(embedded_var, "postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("alter system set fsync = off")
        connection.exec_driver_sql("select pg_reload_conf()")
    admin.dispose()
    return embedded_var


@pytest.fixture(scope="session")
def fresh_ledger(embedded_server: Path) -> Callable[[str], str]:
    """Name -> URL of a new migrated ledger: a copy of one that was migrated once a session."""
    from etl.store.engine import embedded_url
    from etl.store.migrate import migrate

    first = create_engine(embedded_url(embedded_server, "migrated"), poolclass=NullPool)
    migrate(first)
    admin = create_engine(embedded_url(embedded_server, "postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def make(name: str) -> str:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"create database {name} template migrated strategy file_copy")
        return embedded_url(embedded_server, name)

    return make


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
