"""The JSON envelope of a REST page: ``{"total": n, "rows": [{…}], "next": key or null, "data_until": time}``.

Numbers are kept as the text the source wrote: an 18-digit identifier sent as a JSON number would lose digits as a
float, and ``12.50`` would lose its zero.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from etl.errors import RecordRejected, SourceContractBroken, SourceIncomplete
from etl.sources.contract import Source
from etl.sources.kinds.decode import check_row_count, text

KEY_CHARACTERS_MAX = 500
_LOOKS_LIKE_URL = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?//|^\s*https?:|^\s*[/?]", re.IGNORECASE)


class Number(str):
    """The text of a JSON number; kept apart from text so that nested values can be written back."""

    __slots__ = ()


@dataclass(frozen=True)
class Repeated:
    """A JSON object that gives one key twice: which of the two values counts is anybody's guess."""

    key: str


@dataclass(frozen=True)
class NotFinite:
    """NaN or Infinity, which are not JSON; with a spelling, so that the same row has the same fingerprint."""

    spelling: str


@dataclass(frozen=True)
class Envelope:
    """One parsed page. `damaged`: some bytes did not decode and stand in the rows as lone surrogates."""

    total: int
    rows: list[Any]
    next: str | None
    data_until: datetime
    damaged: bool


def parse(source: Source, content: bytes) -> Envelope:
    """Plain body bytes -> envelope, with the source's declared encoding whatever the sender's header says.

    Raises:
        SourceIncomplete: the JSON stops before its end.
        SourceContractBroken: anything else that is not the envelope above.
    """
    decoded, damaged = text(content, source.encoding)
    try:
        body = json.loads(
            decoded,
            parse_int=Number,
            parse_float=Number,
            parse_constant=NotFinite,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        if _stops_at(error, decoded):
            raise SourceIncomplete(f"the JSON stops in the middle, after {len(content)} bytes") from None
        raise SourceContractBroken(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise SourceContractBroken("JSON is nested too deeply to read") from None
    if isinstance(body, Repeated):
        raise SourceContractBroken(f"the envelope has {body.key[:40]!a} twice")
    if not isinstance(body, dict):
        raise SourceContractBroken("the answer is not a JSON object")
    missing = [name for name in ("total", "rows", "next", "data_until") if name not in body]
    if missing:
        raise SourceContractBroken(f"the envelope lacks {', '.join(missing)}")
    if not isinstance(body["rows"], list):
        raise SourceContractBroken("rows is not a list")
    check_row_count(len(body["rows"]))
    return Envelope(
        _total(body["total"]), body["rows"], _key(body["next"]), _instant(body["data_until"], source), damaged
    )


def plain(content: bytes, meta: Mapping[str, Any], limit: int) -> bytes:
    """Undo the content coding a page was received with; never makes more than `limit` bytes.

    Raises:
        SourceIncomplete: the compressed body is truncated.
        SourceContractBroken: it is larger than `limit`, damaged, or in another coding than gzip.
    """
    coding = meta.get("content_encoding") or "identity"
    if coding == "identity":
        return content
    if coding != "gzip":
        raise SourceContractBroken(f"content coding {coding[:20]!a}; only gzip is asked for")
    inflate = zlib.decompressobj(wbits=31)
    try:
        out = inflate.decompress(content, limit + 1)
    except zlib.error:
        raise SourceContractBroken("the body is not gzip although its header says so") from None
    if len(out) > limit:
        raise SourceContractBroken(f"the page is larger than {limit} bytes once decompressed")
    if not inflate.eof:
        raise SourceIncomplete(f"the compressed body stops after {len(content)} bytes")
    if inflate.unused_data:
        raise SourceContractBroken("something follows the compressed body")
    return out


def flatten(value: object, depth_max: int) -> str:
    """A row value that is not text -> text: true, false, or compact JSON of a list or object.

    Raises:
        RecordRejected: NaN, a repeated key, or nesting deeper than `depth_max`.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, NotFinite):
        raise RecordRejected("bad_number", "NaN or Infinity is not a number")
    if isinstance(value, Repeated):
        raise RecordRejected("duplicate_key", "an object gives one key twice")
    if not isinstance(value, dict | list):
        raise RecordRejected("bad_value", f"{type(value).__name__} is not JSON")
    if depth_max < 1:
        raise RecordRejected("nested_too_deep", "lists or objects are nested too deeply")
    if isinstance(value, list):
        return f"[{','.join(_json(entry, depth_max - 1) for entry in value)}]"
    return f"{{{','.join(f'{_quoted(key)}:{_json(entry, depth_max - 1)}' for key, entry in value.items())}}}"


def _json(value: object, depth_max: int) -> str:
    if value is None:
        return "null"
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    return flatten(value, depth_max)


def _quoted(value: str) -> str:
    if "\x00" in value:
        # Quoting would hide it as six harmless characters from the guard, and PostgreSQL refuses it in jsonb.
        raise RecordRejected("poison_character", "a nested value holds U+0000")
    return json.dumps(value, ensure_ascii=False)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | Repeated:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    names = [name for name, _ in pairs]
    return Repeated(next(name for name in names if names.count(name) > 1))


def _stops_at(error: json.JSONDecodeError, decoded: str) -> bool:
    """Whether the text simply ends where the parser wanted more."""
    rest = decoded[error.pos : error.pos + 10].rstrip()
    if error.msg.startswith("Invalid \\u"):
        return len(rest) < 6
    return error.msg.startswith("Unterminated") or any(word.startswith(rest) for word in ("true", "false", "null", "-"))


def _total(value: object) -> int:
    if not isinstance(value, Number) or not value.isascii() or not value.isdigit() or len(value) > 12:
        raise SourceContractBroken("total is not a row count")
    return int(value)


def _key(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value or len(value) > KEY_CHARACTERS_MAX or not value.isprintable():
        raise SourceContractBroken("next is neither a key nor null")
    if _LOOKS_LIKE_URL.match(value):
        raise SourceContractBroken("next is a link; a page is continued by its key, and no link is ever followed")
    return str(value)


def _instant(value: object, source: Source) -> datetime:
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    if instant is None:
        raise SourceContractBroken("data_until is not an ISO 8601 time")
    return instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(source.timezone))
