"""A database server for nights that run in this process, one ledger after the other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

from etl.settings import settings
from etl.store import calendars
from etl.store import engine as engine_module
from etl.store.migrate import migrate
from tests.postgres_server import server_folder, started


class Desk:
    """An embedded server of its own, and this process's settings for as long as it is open; one story at a time."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.folder = self._stack.enter_context(server_folder("feeds"))
        self._before = {name: value for name, value in os.environ.items() if name.startswith("JIANCHA_")}
        self._admin = started(self.folder)
        self._serial = count()
        with self.ledger("migrated", connections={}):
            migrate(engine_module.engine())
            calendars.seed(engine_module.engine())

    @contextmanager
    def ledger(self, template: str = "", *, connections: dict[str, str]) -> Iterator[Path]:
        """A ledger that knows nothing yet, as this process's own -> its folder."""
        name = f"story_{next(self._serial)}" if template == "" else template
        if template == "":
            with self._admin.connect() as connection:
                connection.exec_driver_sql(f"create database {name} template migrated strategy file_copy")
        own = self.folder / name
        own.mkdir()
        for key in [key for key in os.environ if key.startswith("JIANCHA_")]:
            del os.environ[key]
        os.environ |= {
            "JIANCHA_DATABASE_URL": engine_module.embedded_url(self.folder, name), "JIANCHA_VAR_DIR": str(own),
            "JIANCHA_NOTIFY_MODE": "off",
        } | {f"JIANCHA_CONNECTION_{source.upper()}": where for source, where in connections.items()}  # fmt: skip
        settings.cache_clear()
        engine_module.engine.cache_clear()
        try:
            yield own
        finally:
            engine_module.engine().dispose()
            if template == "":
                with self._admin.connect() as connection:
                    connection.exec_driver_sql(f"drop database {name} with (force)")
                shutil.rmtree(own)
            self._forget()

    def _forget(self) -> None:
        for key in [key for key in os.environ if key.startswith("JIANCHA_")]:
            del os.environ[key]
        os.environ |= self._before
        settings.cache_clear()
        engine_module.engine.cache_clear()

    def close(self) -> None:
        self._admin.dispose()
        self._stack.close()
