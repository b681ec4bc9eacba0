"""Files that are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

from etl.store.disk import room_in


def write_file(path: Path, content: bytes) -> None:
    """Temporary name, fsync, rename, fsync of the folder; folders are made as needed.

    Raises:
        DiskFull: nothing was written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with room_in(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
