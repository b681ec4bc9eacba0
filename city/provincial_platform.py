"""The provincial platform's query interface: paged JSON in GBK whose header does not say so, a path a department."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE_ROWS = 200
PAGE_ROWS_MAX = 1000


class BadQuery(Exception):
    """The query cannot be answered; the text goes to the caller."""


class _Stream:
    """One table on disk in order of arrival; in memory only where each row begins and when it arrived."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.received, self.begins = array("d"), array("q", [0])
        with path.open("rb") as file:
            for line in file:
                self.received.append(datetime.fromisoformat(json.loads(line)["receive_time"]).timestamp())
                self.begins.append(self.begins[-1] + len(line))

    def rows(self, first: int, last: int) -> list[dict[str, Any]]:
        """Rows at positions [first, last)."""
        with self.path.open("rb") as file:
            file.seek(self.begins[first])
            return [json.loads(file.readline()) for _ in range(first, last)]


class Platform:
    """What it holds of every department. `data_until`: the instant up to which it vouches for its data."""

    def __init__(self, folder: Path, data_until: datetime) -> None:
        self.data_until = data_until
        self._streams = {f"{path.parent.name}/{path.stem}": _Stream(path) for path in folder.glob("*/*.jsonl")}

    def page(self, name: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Rows of `department/stream` received in (since, until], after row `after`, at most `limit`.

        `total` counts the whole window.
        """
        stream = self._streams.get(name)
        if stream is None:
            raise BadQuery(f"no stream {name!r}; there are {', '.join(sorted(self._streams))}")
        since, until = (_instant(query, name) for name in ("since", "until"))
        until = min(until, self.data_until) if until else self.data_until
        after, limit = _number(query, "after", 0), _number(query, "limit", PAGE_ROWS)
        # A row's id is its position, counted from 1.
        begin = bisect_right(stream.received, since.timestamp()) if since else 0
        end = max(begin, bisect_right(stream.received, until.timestamp()))
        first = min(max(begin, after), end)
        last = min(first + max(1, min(limit, PAGE_ROWS_MAX)), end)
        return {
            "total": end - begin,
            "rows": stream.rows(first, last),
            "next": last if last < end else None,
            "data_until": self.data_until.isoformat(),
        }


def server(platform: Platform, port: int) -> ThreadingHTTPServer:
    """A bound server on 127.0.0.1; the caller runs and closes it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(address.query).items()}
            try:
                self._answer(200, platform.page(address.path.removeprefix("/"), query))
            except BadQuery as error:
                self._answer(400, {"error": str(error)})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body, ensure_ascii=False).encode("gbk")
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Quiet: the demonstration's terminal belongs to the pipeline."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _instant(query: Mapping[str, str], name: str) -> datetime | None:
    if not query.get(name):
        return None
    problem = BadQuery(f"{name} is not RFC 3339 with an offset (encode + as %2B): {query[name]!r}")
    try:
        instant = datetime.fromisoformat(query[name])
    except ValueError:
        raise problem from None
    if instant.tzinfo is None:
        raise problem
    return instant


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name) or str(default)
    if not text.isdecimal():
        raise BadQuery(f"{name} is not a whole number: {text!r}")
    return int(text)
