"""What a source module declares and what a source kind can do. A new department is one file declaring one `Source`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, Protocol, runtime_checkable

import pyarrow as pa


@dataclass(frozen=True)
class Link:
    """One link of the way a source's records take to where we read them, and within how long they must pass it.

    `written` of a record is when it set out on the first link, `received` when it reached the end of the last one.
    `origin` of the first is the system they set out from if not the source itself: a ministry's, from which a person
    keys them again (mode double_entry), or one that passes on a copy.
    """

    target: str
    title: str
    mode: Literal["real_time", "nightly", "double_entry"] = "real_time"
    warn_after: timedelta = timedelta(hours=1)
    yellow_after_working_days: float = 1.0
    red_after_working_days: float = 3.0
    origin: str = ""
    origin_title: str = ""


@dataclass(frozen=True)
class Window:
    """What to pull: everything that reached the source in (since, until]; `since` None is "from the beginning"."""

    business_on: date
    since: datetime | None
    until: datetime


@dataclass(frozen=True)
class Page:
    """One answer of a source as received, before anything is believed about it.

    `declared_rows` is what the source itself says the page (or the whole stream, on its last page) holds.
    """

    stream: str
    number: int
    content: bytes
    media_type: str
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pulled:
    """The end of one stream: how many rows the source says the window holds (None: it cannot say)."""

    stream: str
    declared_rows: int | None
    data_until: datetime | None = None


@dataclass(frozen=True)
class Decoded:
    """A landed page as text columns plus the rows that could not even be decoded.

    `rows`: string columns, plus int64 `row_no` (position in the page, from 0).
    `rejects`: (row_no, reason, detail).
    `reject_sha256s`: fingerprint of what a rejected row says, so that it is the same row on whichever page it comes;
    row_nos that could not be split into cells are absent.
    `refused`: what can be read of those rows, in the columns of `rows`.
    """

    rows: pa.Table
    rejects: Sequence[tuple[int, str, str]]
    reject_sha256s: Mapping[int, str] = field(default_factory=dict)
    refused: pa.Table | None = None


class Kind(Protocol):
    """How a kind of source is read. Implementations: REST, database table, file drop."""

    def pull(self, source: Source, connection: str, window: Window) -> Iterator[Page | Pulled]:
        """Yield pages as received; after the last page of each stream its `Pulled`.

        Raises SourceUnavailable (retry), SourceIncomplete, SourceContractBroken.
        """
        ...

    def decode(self, source: Source, stream: str, content: bytes, meta: Mapping[str, Any]) -> Decoded:
        """Bytes of a landed page -> text columns, with the source's declared encoding; pure."""
        ...

    def columns(self, stream: str) -> tuple[str, ...]:
        """Columns a page must have whatever the dialect reads; none where the kind takes any."""
        ...

    def peek(self, source: Source, connection: str, stream: str, until: datetime, rows: int) -> Page | None:
        """A page of some recent rows as they are now, whatever their columns; nothing is moved, marked or written.

        None: there is nothing to see. Raises what `pull` raises, but not for columns.
        """
        ...

    def look(self, source: Source, stream: str, content: bytes, meta: Mapping[str, Any]) -> Decoded:
        """`decode` under whatever columns there are, so that they can be compared with the declared ones."""
        ...

    def settle(self, source: Source, connection: str, landed: Sequence[Mapping[str, Any]]) -> None:
        """After landing committed: move files to done; nothing for other kinds. Safe to repeat."""
        ...


@runtime_checkable
class Listing(Protocol):
    """A kind that can also say, at any time, which cases its source holds; no other is asked."""

    @property
    def keeps_rows(self) -> bool:
        """Whether the source purges nothing, so that a case it no longer holds was deleted."""
        ...

    def case_numbers(self, source: Source, connection: str) -> Iterator[pa.Array]:
        """The number of every case the source holds, in pieces; a number may come more than once.

        Raises what `pull` raises; pieces are worth nothing unless all of them came.
        """
        ...


class Dialect(Protocol):
    """Turns text columns into canonical messages, column by column."""

    @property
    def case_no(self) -> str:
        """The column that holds the case number, in every stream."""
        ...

    @property
    def streams(self) -> Mapping[str, Any]:
        """What it can read, by name of the stream."""
        ...

    @property
    def ignored(self) -> frozenset[str]:
        """Columns known to come and not read."""
        ...

    def mapping(self, stream: str) -> Sequence[tuple[str, str, Any]]:
        """(message kind, field of the message, its reader) of everything the stream says."""
        ...

    def messages(self, source: Source, stream: str, rows: pa.Table) -> tuple[pa.Table, Sequence[tuple[int, str, str]]]:
        """-> (table of `etl.domain.message.SCHEMA` + int64 `row_no`, rejects (row_no, reason, detail)).

        One source row may become several messages; a row with any reject yields none.
        """
        ...

    def subjects(self, stream: str, rows: pa.Table) -> Mapping[int, tuple[str | None, tuple[str, ...]]]:
        """Text columns + `row_no` of refused rows -> per row_no its case, where one can be read, and the kinds of
        message it would have been."""
        ...


@dataclass(frozen=True)
class Source:
    """One department system or platform we pull from."""

    name: str
    title: str
    department: str
    region: str
    timezone: str
    encoding: str
    in_force_from: date
    kind: Kind
    dialect: Dialect
    links: tuple[Link, ...]
    profile: str = "hunan"
    overlap: timedelta = timedelta(hours=2)
