"""PostgreSQL servers of tests: where they keep their files, and that they wait for no disk."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine

MEMORY = Path("/dev/shm")
PLENTY_BYTES = 8 << 30


@contextmanager
def server_folder(name: str) -> Iterator[Path]:
    """A temporary folder the embedded server may use, which may run as another user.

    It lies in memory where there is plenty: a ledger is three hundred files, each test has one of its own, and on a
    disk making them costs more than filling them.
    """
    is_plenty = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= PLENTY_BYTES
    with tempfile.TemporaryDirectory(prefix=f"jiancha-{name}-", dir=MEMORY if is_plenty else None) as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


def started(folder: Path, database: str = "postgres") -> Engine:
    """The server in `folder`, started -> who administers it, from `database`.

    Tests never lose power, and a process that dies, the server too, loses nothing it gave the kernel: no need to wait
    for the disk.
    """
    from etl.store.engine import embedded_url

    admin = create_engine(embedded_url(folder, database), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql("alter system set fsync = off")
        connection.exec_driver_sql("select pg_reload_conf()")
    return admin
