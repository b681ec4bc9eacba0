"""What commands share: options, and text read as dates, instants and JSON."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import Annotated

import orjson
import typer

from etl.errors import UsageError

YEARS = range(1980, 2980)
"""Years a date on the command line may lie in; nights, windows and weeks around it have dates too."""

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Sources = Annotated[list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")]


def json_or_text(line: bytes) -> object:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return f"not JSON: {line[:60].decode(errors='replace').strip()}"


def instant_of(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not an RFC 3339 instant") from None
    if moment.tzinfo is None:
        raise UsageError(f"{option} {text!r} has no offset; add one such as +08:00")
    _refuse_far(moment)
    return moment


def date_of(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date such as 2026-11-22") from None
    _refuse_far(day)
    return day


def _refuse_far(day: date) -> None:
    if day.year not in YEARS:
        raise UsageError(f"{day.isoformat()} is not between {YEARS[0]} and {YEARS[-1]}")


def print_json(value: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(value, default=str) + b"\n")
