"""What commands share: options, and text read as dates, instants and JSON."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import Annotated

import orjson
import typer

from etl.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Sources = Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")]


def json_or_text(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return f"not JSON: {line[:60].decode(errors='replace').strip()}"


YEARS = range(1900, 3000)
"""Of dates people ask about: every date near one of them can be reckoned with."""


def instant_of(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not an RFC 3339 instant") from None
    if moment.tzinfo is None:
        raise UsageError(f"{option} {text!r} has no offset; add one such as +08:00")
    if moment.year not in YEARS:
        raise UsageError(f"{option} {text!r} is not of the years {YEARS.start} to {YEARS.stop - 1}")
    return moment


def date_of(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date such as 2026-11-22") from None
    if day.year not in YEARS:
        raise UsageError(f"{text!r} is not of the years {YEARS.start} to {YEARS.stop - 1}")
    return day


def print_json(value: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(value, default=str) + b"\n")
