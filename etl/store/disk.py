"""Folders only their owner reads, and a full disk said plainly."""

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


def private(folder: Path) -> Path:
    """The folder, for this process's user only when it has to be made: what departments sent and are told is in it.

    The folders above it stay as open as others: below them lies what the embedded server's user has to reach.
    """
    with room_in(folder.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
