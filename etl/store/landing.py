"""Raw landing: bytes as received, content-addressed and immutable, before anything is believed about them.

Order of a pull: file written and fsynced, then its manifest row; after the last page one transaction {feed, watermark}.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import orjson
from pyarrow import fs
from sqlalchemy import Connection, Engine

from etl.crashpoints import reach
from etl.errors import EvidenceBroken, UsageError
from etl.settings import settings
from etl.store.disk import private, room_in
from etl.store.statements import sql


@dataclass(frozen=True)
class LandedPage:
    """One manifest row and where its bytes lie."""

    page_id: int
    source: str
    business_on: date
    stream: str
    page_no: int
    sha256: str
    path: str
    meta: Mapping[str, Any]
    known_basis: str
    known_at: datetime | None

    def content(self) -> bytes:
        """The landed bytes; `EvidenceBroken` if they are not what was landed."""
        try:
            with _filesystem().open_input_stream(self.path) as stream:
                content: bytes = stream.read()
        except FileNotFoundError:
            raise EvidenceBroken(f"landed page {self.path} is gone from the disk; restore it") from None
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise EvidenceBroken(f"landed page {self.path} changed on disk; restore it before admitting it")
        return content


def land(
    engine: Engine,
    source: str,
    business_on: date,
    *,
    stream: str,
    page_no: int,
    content: bytes,
    media_type: str,
    meta: Mapping[str, Any],
    known_basis: str,
) -> None:
    """Write one page and its manifest row; landing the same bytes again changes nothing."""
    digest = hashlib.sha256(content).hexdigest()
    path = f"{source}/{business_on}/{stream}/{digest}"
    reach("pull.before_write")
    _write(path, content)
    reach("pull.after_fsync")
    with engine.begin() as connection:
        connection.execute(
            sql("feeds/land_page"),
            {
                "source": source,
                "business_on": business_on,
                "stream": stream,
                "page_no": page_no,
                "sha256": digest,
                "path": path,
                "byte_count": len(content),
                "media_type": media_type,
                "meta": orjson.dumps(dict(meta)).decode(),
                "known_basis": known_basis,
            },
        )
    reach("pull.after_manifest")


@contextmanager
def only_puller(engine: Engine, source: str) -> Iterator[None]:
    """Wait until no other run pulls this source; the server frees the place when this process dies.

    Two pulls at once would take each other's files away.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sql("feeds/lock_pull"), {"source": source})
        try:
            yield
        finally:
            connection.execute(sql("feeds/unlock_pull"), {"source": source})


def pages_to_admit(connection: Connection, source: str, business_on: date) -> Sequence[LandedPage]:
    """Landed but unadmitted pages of nights up to `business_on`, in order of landing."""
    rows = connection.execute(sql("feeds/pages_to_admit"), {"source": source, "business_on": business_on})
    return [LandedPage(**row) for row in rows.mappings()]


def set_aside(engine: Engine, source: str, business_on: date, actor: str, reason: str) -> list[Any]:
    """Give up pages of nights up to `business_on` that nobody could admit -> (business_on, stream, path) of each.

    The next pull asks for everything since the last complete night. Where that lands the same bytes for the same night
    again, the page waits again.

    Raises:
        UsageError: nobody decides it, for no reason, or no page waits.
    """
    if not (actor.strip() and reason.strip()):
        raise UsageError("setting pages aside needs the name of who decides it and a reason")
    asked = {"source": source, "business_on": business_on, "actor": actor, "reason": reason}
    with engine.begin() as connection:
        pages = list(connection.execute(sql("feeds/set_pages_aside"), asked))
    if not pages:
        raise UsageError(f"source {source} has no page up to {business_on} that waits to be admitted")
    return pages


def page(connection: Connection, page_id: int) -> LandedPage:
    """One landed page by its number."""
    row = connection.execute(sql("feeds/page"), {"page_id": page_id}).mappings().one()
    return LandedPage(**row)


def watermark(connection: Connection, source: str) -> datetime | None:
    """Until when everything of the source has been pulled; None before the first night."""
    covers_until: datetime | None = connection.execute(sql("feeds/watermark"), {"source": source}).scalar()
    return covers_until


def _filesystem() -> fs.FileSystem:
    root = private(settings().var_dir / "landing")
    return fs.SubTreeFileSystem(str(root), fs.LocalFileSystem())


def _write(path: str, content: bytes) -> None:
    filesystem = _filesystem()
    if filesystem.get_file_info(path).size == len(content):
        return
    # Written beside and renamed: a crash leaves no half page under its final name. Another run of the same night may
    # be writing the same page, so each has a draft of its own.
    draft = f"{path}.{uuid4().hex}.part"
    with room_in(settings().var_dir / "landing"):
        filesystem.create_dir(path.rsplit("/", 1)[0], recursive=True)
        try:
            with filesystem.open_output_stream(draft) as stream:
                stream.write(content)
            _sync(filesystem, draft)
            filesystem.move(draft, path)
        except OSError:
            with suppress(FileNotFoundError):
                filesystem.delete_file(draft)
            raise
        _sync(filesystem, path.rsplit("/", 1)[0])


def _sync(filesystem: fs.SubTreeFileSystem, path: str) -> None:
    if not isinstance(filesystem.base_fs, fs.LocalFileSystem):
        return  # object stores are durable once the stream is closed
    descriptor = os.open(f"{filesystem.base_path}/{path}", os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
