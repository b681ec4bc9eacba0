"""Where PostgreSQL servers of tests keep their files: in memory where there is plenty, else on the disk."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
PLENTY_BYTES = 8 << 30


@contextmanager
def server_folder(name: str) -> Iterator[Path]:
    """A temporary folder the embedded server may use, which may run as another user.

    A ledger is three hundred files, and each test has one of its own: on a disk making them costs more than filling
    them. Tests never lose power, so nothing is gained by a disk.
    """
    is_plenty = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= PLENTY_BYTES
    with tempfile.TemporaryDirectory(prefix=f"jiancha-{name}-", dir=MEMORY if is_plenty else None) as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
