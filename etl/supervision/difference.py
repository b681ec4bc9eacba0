"""A night is a difference: the card events of night N are judge(N) - judge(N-1), both computed from messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from etl.domain.night import ZONE

IDENTITY = ("source", "case_no", "clock", "clock_key", "level")
_CONTENT = (
    *IDENTITY,
    *("nature", "standing", "provisional", "reached_at", "due_at", "used_days", "limit_days", "excluded_days", "base"),
    *("responsible_hop", "department", "region", "item_code", "item_name", "evidence", "calendar_version"),
    "profile_version",
)
_DAYS = ("used_days", "limit_days", "excluded_days")
_REVISABLE = ("nature", "provisional", "reached_at", "due_at", "limit_days", "responsible_hop")


def changes(before: pa.Table, after: pa.Table) -> Iterator[dict[str, Any]]:
    """Cards (`etl.supervision.judge.CARDS`) of two judgements -> the later card and `event`, what happened to it."""
    known = {_identity(card): card for card in before.to_pylist()}
    for card in after.to_pylist():
        happened = _happened(known.get(_identity(card)), card)
        if happened is not None:
            yield card | {"event": happened}


def event(change: dict[str, Any], in_force_from: date) -> dict[str, Any]:
    """A change as the ledger keeps it, days to six decimals.

    A boundary before `in_force_from` makes it `is_baseline`: recorded, never mailed.
    """
    is_baseline = change["reached_at"].astimezone(ZONE).date() < in_force_from
    days = {name: Decimal(f"{change[name]:.6f}") for name in _DAYS}
    return {name: change[name] for name in (*_CONTENT, "event")} | days | {"is_baseline": is_baseline}


def _happened(old: dict[str, Any] | None, new: dict[str, Any]) -> str | None:
    if old is None:
        return "issued"
    if old["standing"] != new["standing"]:
        return "reinstated" if new["standing"] else "withdrawn"
    if any(old[name] != new[name] for name in _REVISABLE):
        return "revised"
    return None


def _identity(card: dict[str, Any]) -> tuple[str, ...]:
    # The acceptance may change hands between systems; the card stays the case's.
    return tuple(card[name] for name in IDENTITY[1:])
