"""The provincial platform's query interface for scjg's records: paged JSON in GBK whose header does not say so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

BASE = "/scjg"
PAGE_ROWS = 200
PAGE_ROWS_MAX = 1000


class BadQuery(Exception):
    """The query cannot be answered; the text goes to the caller."""


class Platform:
    """All rows in memory. `data_until`: the instant up to which the platform vouches for its data."""

    def __init__(self, folder: Path, data_until: datetime) -> None:
        self.data_until = data_until
        self._streams = {
            path.stem: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            for path in sorted(folder.glob("*.jsonl"))
        }

    def page(self, stream: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Rows received in (since, until], after row `after`, at most `limit`; `total` counts the whole window."""
        if stream not in self._streams:
            raise BadQuery(f"no stream {stream!r}")
        since, until = (_instant(query, name) for name in ("since", "until"))
        until = min(until, self.data_until) if until else self.data_until
        after, limit = _number(query, "after", 0), _number(query, "limit", PAGE_ROWS)
        window = [
            row
            for row in self._streams[stream]
            if (received := datetime.fromisoformat(row["receive_time"])) <= until and (not since or received > since)
        ]
        rest = [row for row in window if row["row_id"] > after]
        rows = rest[: max(1, min(limit, PAGE_ROWS_MAX))]
        following = rows[-1]["row_id"] if len(rest) > len(rows) else None
        return {"total": len(window), "rows": rows, "next": following, "data_until": self.data_until.isoformat()}


def server(platform: Platform, port: int) -> ThreadingHTTPServer:
    """A bound server on 127.0.0.1; the caller runs and closes it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(address.query).items()}
            base, _, stream = address.path.rpartition("/")
            try:
                if base != BASE:
                    raise BadQuery(f"nothing at {base}; streams are under {BASE}/")
                self._answer(200, platform.page(stream, query))
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
