"""A full disk said plainly."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from etl.errors import DiskFull


@contextmanager
def room_in(folder: Path) -> Iterator[None]:
    """Writing below `folder`; `DiskFull` names it when the disk, or the quota on it, is used up."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(f"no room left in {folder}; make room there and run the same command again") from None
