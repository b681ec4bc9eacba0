"""REST with keyset paging: ``GET {connection}/{stream}?since&until&after&limit`` answers one JSON envelope a page.

Pages follow each other by key, because offsets lose rows while the list shifts; the declared total is compared at the
end. Nothing the other side sends decides where a request goes: no link and no redirect is followed, so credentials
stay with the origin in the connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any, Self
from urllib.parse import quote, unquote, urlsplit

import requests
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, IncompleteRead, InvalidHeader, ProtocolError
from urllib3.util.retry import Retry

from etl.errors import ConfigurationError, SourceContractBroken, SourceError, SourceIncomplete, SourceUnavailable
from etl.settings import settings
from etl.sources.contract import Decoded, Page, Pulled, Source, Window
from etl.sources.kinds.deadline import Deadline, DeadlineAdapter
from etl.sources.kinds.decode import Reject, columns
from etl.sources.kinds.envelope import Envelope, Repeated, flatten, parse, plain

_RETRIED = frozenset({429, 500, 502, 503, 504})
_CHUNK = 64 * 1024
PEEK_SINCE = timedelta(days=7)
_Get = Callable[[str, Mapping[str, str]], tuple[bytes, str, dict[str, Any]]]


@dataclass(frozen=True)
class Rest:
    """A department platform that serves its records over HTTP.

    Args:
        streams: path below the connection for each kind of record, e.g. ``("accept", "finish")``.
        page_rows: rows asked for per page.
        rows_max_depth: how deeply lists and objects may nest in a row value (0: scalars only); they become JSON text.
        retries: repeats after a refused connection, a time-out, 429 or 5xx, per request.
        total_seconds: limit on the whole pull, waiting between repeats included.
    """

    streams: tuple[str, ...]
    page_rows: int = 500
    rows_max_depth: int = 2
    retries: int = 4
    backoff_seconds: float = 0.5
    total_seconds: float = 900.0

    def pull(self, source: Source, connection: str, window: Window) -> Generator[Page | Pulled]:
        """Yield every page of every stream as received, then its `Pulled`.

        Raises:
            SourceUnavailable: refused, timed out, asked to come back later, or over the total time limit.
            SourceIncomplete: a body or the number of rows falls short of what was declared.
            SourceContractBroken: another envelope, encoding or size; a link or a standing key instead of the next key.
        """
        origin = _Origin.of(connection)
        deadline = Deadline(self.total_seconds)
        with deadline.enforced(), requests.Session() as session:
            retry = _Patience(
                total=self.retries,
                redirect=0,
                status_forcelist=_RETRIED,
                allowed_methods={"GET"},
                backoff_factor=self.backoff_seconds,
                backoff_max=30,
                raise_on_status=False,
                deadline=deadline,
            )
            session.mount(origin.base, DeadlineAdapter(deadline, max_retries=retry))
            session.auth = origin.auth
            session.headers.update({"Accept": "application/json", "Accept-Encoding": "gzip"})
            for stream in self.streams:
                try:
                    yield from self._stream(source, stream, window, partial(_get, session, origin, deadline))
                except SourceError as error:
                    raise type(error)(f"{source.name}/{stream}: {error}") from error.__cause__

    def decode(self, source: Source, stream: str, content: bytes, meta: Mapping[str, Any]) -> Decoded:
        """Body bytes of one page -> text columns; a column is there when any row has the key."""
        envelope = parse(source, plain(content, meta, settings().page_bytes_max))
        row_nos: list[int] = []
        rows: list[dict[str, Any]] = []
        rejects: list[Reject] = []
        for row_no, row in enumerate(envelope.rows):
            if isinstance(row, dict):
                row_nos.append(row_no)
                rows.append(row)
            elif isinstance(row, Repeated):
                rejects.append((row_no, "duplicate_key", "the row gives one key twice"))
            else:
                rejects.append((row_no, "not_an_object", "the row is not a JSON object"))
        names = dict.fromkeys(chain.from_iterable(rows))
        return columns(
            {name: [row.get(name) for row in rows] for name in names},
            row_nos,
            rejects,
            damaged=envelope.damaged,
            flatten=partial(flatten, depth_max=self.rows_max_depth),
        )

    def columns(self, stream: str) -> tuple[str, ...]:
        """None: what a row may lack is the dialect's business."""
        return ()

    def peek(self, source: Source, connection: str, stream: str, until: datetime, rows: int) -> Page | None:
        """The first page of the last days, or of all there is; asked once, for somebody waits for the answer."""
        alone = replace(self, streams=(stream,), page_rows=rows, retries=0)
        for since in (until - PEEK_SINCE, None):
            with closing(alone.pull(source, connection, Window(until.date(), since, until))) as pages:
                page = next(pages)
            if isinstance(page, Page) and self.look(source, stream, page.content, page.meta).rows.num_rows:
                return page
        return None

    def look(self, source: Source, stream: str, content: bytes, meta: Mapping[str, Any]) -> Decoded:
        """A page of rows says itself which columns it has."""
        return self.decode(source, stream, content, meta)

    def settle(self, source: Source, connection: str, landed: Sequence[Mapping[str, Any]]) -> None:
        """Nothing to do: a platform keeps its own records."""

    def _stream(self, source: Source, stream: str, window: Window, get: _Get) -> Iterator[Page | Pulled]:
        asked = {"until": window.until.isoformat(), "limit": str(self.page_rows)}
        if window.since is not None:
            asked["since"] = (window.since - source.overlap).isoformat()
        seen: set[str] = set()
        totals: list[int] = []
        received = number = 0
        while True:
            number += 1
            content, media_type, meta = get(stream, asked)
            envelope: Envelope = parse(source, plain(content, meta, settings().page_bytes_max))
            received += len(envelope.rows)
            totals.append(envelope.total)
            yield Page(stream, number, content, media_type, meta)
            if envelope.next is None:
                break
            if envelope.next in seen or not envelope.rows:
                raise SourceContractBroken(
                    f"page {number} does not advance: it is empty or its next key was used before"
                )
            if received > envelope.total:
                break
            seen.add(envelope.next)
            asked["after"] = envelope.next
        if received != envelope.total:
            raise SourceIncomplete(f"{received} rows came, {envelope.total} were declared")
        if sorted(totals) not in (totals, totals[::-1]):
            # Rows came and went: one may have come behind the key for each that went, and the count would not show it.
            raise SourceIncomplete(
                f"the declared total rose and fell between {min(totals)} and {max(totals)}; pull again"
            )
        yield Pulled(stream, envelope.total, envelope.data_until)


@dataclass(frozen=True)
class _Origin:
    """Where requests go; the credentials are kept out of every URL, and so out of every message."""

    base: str
    auth: tuple[str, str] | None

    @classmethod
    def of(cls, connection: str) -> Self:
        try:
            parts = urlsplit(connection)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment or "@" in parts.path:
            raise ConfigurationError("a REST connection is http(s)://[user:password@]host[:port][/path]")
        name = f"[{host}]" if ":" in host else host
        base = f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path.rstrip('/')}/"
        auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        return cls(base, auth)

    def __repr__(self) -> str:
        return f"_Origin({self.base})"


class _Patience(Retry):
    """urllib3's Retry, but it never sleeps past the pull's deadline, whatever Retry-After asks for."""

    def __init__(self, *args: Any, deadline: Deadline, **options: Any) -> None:
        super().__init__(*args, **options)
        self.deadline = deadline

    def new(self, **changes: Any) -> Self:
        return super().new(**{"deadline": self.deadline, **changes})

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        try:
            asked = self.get_retry_after(response) if response is not None else None
        except InvalidHeader:
            asked = None
        wait = self.get_backoff_time() if asked is None else asked
        self.deadline.check()
        if wait > self.deadline.left():
            raise SourceUnavailable(f"asks to wait {wait:.0f} s; {self.deadline.left():.0f} s are left for this pull")
        time.sleep(wait)


def _get(
    session: requests.Session, origin: _Origin, deadline: Deadline, stream: str, asked: Mapping[str, str]
) -> tuple[bytes, str, dict[str, Any]]:
    """One page: body bytes as received, media type without parameters, meta."""
    deadline.check()
    timeout = min(settings().source_timeout_seconds, deadline.left())
    try:
        with closing(
            session.get(origin.base + quote(stream), params=asked, timeout=timeout, stream=True, allow_redirects=False)
        ) as response:
            _check_status(response)
            content = _body(response, deadline)
    except (requests.RequestException, HTTPError) as error:
        deadline.check()
        raise _named(origin, error) from error
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    return content, media_type or "application/json", {"content_encoding": coding, "asked": dict(asked)}


def _named(origin: _Origin, error: Exception) -> SourceError:
    """What went wrong on the wire, as the error tree calls it."""
    if isinstance(error, requests.Timeout | requests.ConnectionError):
        return SourceUnavailable(f"{origin.base} did not answer ({type(error).__name__})")
    if isinstance(error, IncompleteRead):
        return SourceIncomplete("the body is shorter than its declared length")
    if isinstance(error, ProtocolError):
        return SourceIncomplete("the connection broke in the middle of the body")
    if isinstance(error, HTTPError):
        return SourceUnavailable(f"{origin.base} stopped answering ({type(error).__name__})")
    return SourceContractBroken(f"{origin.base} does not speak HTTP as expected ({type(error).__name__})")


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status == requests.codes.ok:
        return
    if 300 <= status < 400:
        raise SourceContractBroken(f"answered {status}, a redirect; none is followed, so that credentials stay here")
    if status in (401, 403):
        raise SourceContractBroken(f"answered {status}: it refuses our credentials")
    if status >= 500 or status in (408, 425, 429):
        raise SourceUnavailable(f"answered {status}, also after repeats")
    raise SourceContractBroken(f"answered {status}")


def _body(response: requests.Response, deadline: Deadline) -> bytes:
    limit = settings().page_bytes_max
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise SourceContractBroken(f"the page declares {declared} bytes; at most {limit} are read")
    received = bytearray()
    # read1 returns what has arrived: read(n) would wait for n bytes, for ever when they dribble in.
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        received += chunk
        if len(received) > limit:
            raise SourceContractBroken(f"the page is larger than {limit} bytes")
        deadline.check()
    deadline.check()  # a connection cut off looks like an end
    if declared.isdecimal() and len(received) != int(declared):
        raise SourceIncomplete(f"{len(received)} of {declared} declared bytes came")
    return bytes(received)
