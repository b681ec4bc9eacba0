"""A drop folder: a department puts CSV, XLSX or XML files in, and finds them moved to ``done/`` or ``failed/``.

The folder itself is the inbox. When a file reached us is its modification time. A file that arrives late with an old
time is still taken, because whatever lies in the inbox has not been taken. Under ``done/`` and ``failed/`` only the
nights are opened whose files can lie in the window asked for; all of ``done/`` only when a day's file seems missing.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import Any

import structlog

from etl.domain.night import night_of, nights
from etl.errors import ConfigurationError, SourceContractBroken, SourceLate, SourceUnavailable
from etl.settings import settings
from etl.sources.contract import Decoded, Page, Pulled, Source, Window
from etl.sources.kinds import tabular
from etl.sources.kinds.tabular import Files

_NIGHT = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PLACES = DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class FileDrop:
    """A source that drops files.

    Args:
        streams: the files of each kind of record.
        expects_daily: makes the absence of a day's file known instead of silent.
        quiet_seconds: a file written to more recently is watched that long before it is believed to be whole.
    """

    streams: Mapping[str, Files]
    expects_daily: bool = False
    quiet_seconds: float = 2.0

    def __post_init__(self) -> None:
        if self.expects_daily and not all("{date}" in files.pattern for files in self.streams.values()):
            raise ConfigurationError("expects_daily needs {date} in every file pattern")

    def pull(self, source: Source, connection: str, window: Window) -> Iterator[Page | Pulled]:
        """Yield each file of the window, oldest first, then the stream's `Pulled`; report faults after all files.

        A file with another header, or one that cannot be opened safely, goes to ``failed/`` and is reported again by
        every pull whose window holds it, until a newer file of that name arrives or the failed one is removed.

        Raises:
            SourceUnavailable: the folder is not there.
            SourceLate: a day's file is missing, or a file is still being written.
            SourceContractBroken: a file is not what the module declares.
        """
        with _reachable(source):
            yield from self._pull(source, _folder(source, connection), window)

    def _pull(self, source: Source, folder: Path, window: Window) -> Iterator[Page | Pulled]:
        faults: list[str] = []
        absent: list[str] = []
        lying, first = _scan(folder), None if window.since is None else night_of(window.since)
        moved = {place: [each for each in _past(folder, place, first) if each.within(window)] for place in _PLACES}
        ever_taken = cache(lambda: [each for each in _past(folder, DONE) if each.until(window)])
        for stream, files in self.streams.items():
            inbox = [found for found in lying if files.match(found.name) and found.until(window)]
            taken, failed = ([found for found in moved[place] if files.match(found.name)] for place in _PLACES)
            pages = sorted([*inbox, *taken])
            before = len(faults) + len(absent)
            faults += [
                f"{found.name} is still in {FAILED}/; send it again corrected"
                for found in failed
                if not any(newer.name == found.name and newer > found for newer in (*inbox, *taken))
            ]
            number, declared = 0, list[int | None]()
            seen: set[str] = set()
            for found in pages:
                try:
                    content = _read(found, self.quiet_seconds)
                    rows = tabular.check(files, content, source.encoding)
                except _StillWritten:
                    absent.append(f"{found.name} is still being written")
                    continue
                except SourceContractBroken as error:
                    faults.append(f"{found.name}: {error}")
                    if found.path.parent == folder:
                        _move(folder, found.path, FAILED, window.business_on.isoformat())
                    continue
                meta = found.meta(content, window.business_on)
                # The same content under two names is one page, but both files have been taken.
                if meta["sha256"] not in seen:
                    seen.add(meta["sha256"])
                    number += 1
                    declared.append(rows)
                yield Page(stream, number, content, files.media_type, meta)
            if self.expects_daily:
                missing = _missing_days(files, window, [*inbox, *taken, *failed])
                if missing:  # a file sent ahead was taken on a night before the window
                    missing = _missing_days(files, window, [*inbox, *failed, *ever_taken()])
                absent += missing
            if len(faults) + len(absent) == before:
                counted = [rows for rows in declared if rows is not None]
                yield Pulled(stream, sum(counted) if len(counted) == len(declared) else None)
        self._name_strangers(source, lying)
        if faults:
            raise SourceContractBroken(f"{source.name}: {'; '.join([*faults, *absent])}")
        if absent:
            raise SourceLate(f"{source.name}: {'; '.join(absent)}")

    def decode(self, source: Source, stream: str, content: bytes, meta: Mapping[str, Any]) -> Decoded:
        """File bytes -> the declared columns as text; `row_no` counts the rows after the header."""
        return tabular.decode(self.streams[stream], content, source.encoding)

    def columns(self, stream: str) -> tuple[str, ...]:
        """The declared header."""
        return self.streams[stream].header

    def peek(self, source: Source, connection: str, stream: str, until: datetime, rows: int) -> Page | None:
        """The newest file of the stream, waiting or already taken, as a whole; it stays where it is."""
        with _reachable(source):
            folder, files = _folder(source, connection), self.streams[stream]
            found = [each for each in (*_scan(folder), *_past(folder, DONE)) if files.match(each.name)]
            if not found:
                return None
            content = _read(max(found), 0)
            return Page(stream, 1, content, files.media_type, max(found).meta(content, until.date()))

    def look(self, source: Source, stream: str, content: bytes, meta: Mapping[str, Any]) -> Decoded:
        """File bytes under whatever header the file has."""
        return tabular.look(self.streams[stream], content, source.encoding)

    def settle(self, source: Source, connection: str, landed: Sequence[Mapping[str, Any]]) -> None:
        """Move landed files out of the inbox into ``done/<business date>/``.

        Args:
            landed: the `meta` of each landed page. A file already moved is passed over, and so is one that was
                replaced since it was read: the next pull takes it.
        """
        with _reachable(source):
            folder = _folder(source, connection)
            inbox = {found.path for found in _scan(folder)}
            for meta in landed:
                path = folder / Path(str(meta["file"])).name
                # Gone already is what a repeated call finds.
                with suppress(FileNotFoundError):
                    if path in inbox and _sha256(path) == meta["sha256"]:
                        _move(folder, path, DONE, str(meta["business_on"]))

    def _name_strangers(self, source: Source, lying: Sequence[_Found]) -> None:
        for found in lying:
            if not found.name.startswith(".") and not any(files.match(found.name) for files in self.streams.values()):
                # Its name may hold line ends, escapes or bytes of another encoding.
                shown = repr(os.fsencode(found.name).decode(errors="backslashreplace"))
                structlog.get_logger().warning("file_drop_unknown_name", source=source.name, file=shown)


class _StillWritten(Exception):
    """The file changed while it was read."""


@dataclass(frozen=True, order=True)
class _Found:
    """A regular file seen in a folder; ordered by the time it was last written."""

    modified_ns: int
    name: str
    path: Path

    @property
    def modified_at(self) -> datetime:
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self.modified_ns // 1000)

    def until(self, window: Window) -> bool:
        return self.modified_at <= window.until

    def within(self, window: Window) -> bool:
        return self.until(window) and (window.since is None or self.modified_at > window.since)

    def meta(self, content: bytes, business_on: date) -> dict[str, Any]:
        return {
            "file": self.name,
            "modified_at": self.modified_at.isoformat(),
            "sha256": hashlib.sha256(content).hexdigest(),
            "business_on": business_on.isoformat(),
        }


@contextmanager
def _reachable(source: Source) -> Iterator[None]:
    """A share that breaks off, is full, or does not let us in is the fault of this source alone."""
    try:
        yield
    except OSError as error:
        raise SourceUnavailable(f"{source.name}: the drop folder cannot be worked in ({error.strerror})") from error


def _folder(source: Source, connection: str) -> Path:
    if "://" in connection:  # not repeated: it may hold a password
        raise ConfigurationError("the connection of a drop folder is a path on this machine, not a URL")
    folder = Path(connection)
    if not folder.is_dir():
        raise SourceUnavailable(f"{source.name}: the drop folder {folder} is not there; is the share mounted?")
    for name in (DONE, FAILED):
        place = folder / name
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise SourceContractBroken(f"{source.name}: {place} is a link or file; it must be a folder of its own")
    return folder


def _scan(folder: Path) -> list[_Found]:
    """Regular files of one folder; links, pipes and folders are not files anybody dropped."""
    if not folder.is_dir():
        return []
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # taken away since it was listed
                if entry.is_file(follow_symlinks=False):
                    found.append(_Found(entry.stat(follow_symlinks=False).st_mtime_ns, entry.name, Path(entry.path)))
    return found


def _past(folder: Path, name: str, first: date | None = None) -> list[_Found]:
    """Files already moved: ``name/<night>/file``, or one folder deeper when a name came twice in one night.

    Args:
        first: nights before it are not opened. What a night took had been written by its cut-off, within the day after
            it: nothing of a night before `night_of(since)` is newer than `since`, whatever the cut-off was then.
    """
    if not (folder / name).is_dir():
        return []
    below = [
        path
        for path in (folder / name).glob("*/")
        if not (first and _NIGHT.fullmatch(path.name) and path.name < first.isoformat()) and not path.is_symlink()
    ]
    deeper = [path for parent in below for path in parent.glob("*/") if not path.is_symlink()]
    return [found for path in (*below, *deeper) for found in _scan(path)]


def _read(found: _Found, quiet_seconds: float) -> bytes:
    """The whole file, opened so that a link or pipe put in its place is not followed.

    Raises:
        SourceContractBroken: it is too large or not a regular file.
        SourceUnavailable: it disappeared.
    """
    limit = settings().page_bytes_max
    age = time.time() - found.modified_ns / 1e9
    if 0 <= age < quiet_seconds:
        time.sleep(quiet_seconds - age)
    try:
        file = _open(found.path)
    except FileNotFoundError:
        raise SourceUnavailable(f"{found.name} disappeared while the folder was read; pull again") from None
    with file:
        before = os.fstat(file.fileno())
        if before.st_size > limit:
            raise SourceContractBroken(f"holds {before.st_size} bytes; at most {limit} are read")
        content = file.read(limit + 1)
        after = os.fstat(file.fileno())
    if not (len(content) == before.st_size == after.st_size and found.modified_ns == after.st_mtime_ns):
        raise _StillWritten
    return content


def _open(path: Path) -> BufferedReader:
    """A regular file: a link, pipe or device in its place is neither followed nor waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise SourceContractBroken(f"cannot be opened as a regular file ({error.strerror})") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceContractBroken("is not a regular file")
    return os.fdopen(descriptor, "rb")


def _missing_days(files: Files, window: Window, there: Sequence[_Found]) -> list[str]:
    first = window.business_on if window.since is None else night_of(window.since) + timedelta(days=1)
    present = {files.date_of(found.name) for found in there}
    expected = [f"{day:%Y%m%d}" for day in nights(min(first, window.business_on), window.business_on)]
    return [
        f"{files.pattern.replace('{date}', day)} has not come; a day without records sends its header only"
        for day in expected
        if day not in present
    ]


def _move(folder: Path, path: Path, to: str, day: str) -> None:
    """Rename within the drop folder; a different file of that name there already is never overwritten."""
    target = folder / to / date.fromisoformat(day).isoformat() / path.name
    content_hash = _sha256(path)
    if os.path.lexists(target) and _sha256(target) != content_hash:
        target = target.parent / content_hash[:12] / path.name
    for parent in (target.parent, target.parent.parent):
        if parent.is_symlink():
            raise SourceContractBroken(f"{parent} is a link; it must be a folder of its own")
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)


def _sha256(path: Path) -> str:
    with _open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
