"""What two systems say differently, night by night, found slowly with dicts and sets; shares nothing with the product.

What one side has `at` a moment has an hour for its way to the other, and the first cut-off after that to be known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Said:
    """One version of one record by one side; `content` is all that both systems can say."""

    is_upstream: bool
    key: tuple[str, str, int]
    version: int
    content: tuple[tuple[str, object], ...]
    at: datetime
    known_at: datetime


Finding = tuple[str, tuple[str, str, int], int, int | None, tuple[str, ...]]
"""Class, key, number of the night it opened and closed on, fields that differ."""


def findings(said: list[Said], nights: list[datetime], complete: list[bool], by: int) -> set[Finding]:
    """Findings by the knowledge of night number `by`; `nights` are cut-offs, `complete` where both sides were."""
    found: set[Finding] = set()
    running: dict[tuple[str, tuple[str, str, int]], list] = {}  # -> [due, opened, fields]
    for number, cutoff in enumerate(nights[: by + 1]):
        if not complete[number]:
            continue
        now = _differences([one for one in said if one.known_at <= cutoff], nights)
        for name in set(running) - set(now):
            _, opened, fields = running.pop(name)
            if opened is not None:
                found.add((*name, opened, number, fields))
        for name, (due, fields) in now.items():
            difference = running.setdefault(name, [due, None, fields])
            if difference[1] is None and difference[0] <= cutoff:
                difference[1] = number
    for name, (_, opened, fields) in running.items():
        if opened is not None:
            found.add((*name, opened, None, fields))
    return found


def _differences(known: list[Said], nights: list[datetime]) -> dict:
    sides: dict[bool, dict[tuple[str, str, int], list[Said]]] = {True: {}, False: {}}
    for one in known:
        sides[one.is_upstream].setdefault(one.key, []).append(one)
    found = {}
    for key in set(sides[True]) | set(sides[False]):
        up, down = (sides[side].get(key) for side in (True, False))
        if up and not down:
            found["missing", key] = _due(min(one.at for one in up) + timedelta(hours=1), nights), ()
        elif down and not up:
            found["extra", key] = _due(min(one.at for one in down) + timedelta(hours=1), nights), ()
        else:
            newest, heard = (max(versions, key=lambda one: one.version) for versions in (up, down))
            if newest.content != heard.content:
                said, other = dict(newest.content), dict(heard.content)
                fields = tuple(sorted(name for name in said | other if said.get(name) != other.get(name)))
                found["wrong", key] = _due(newest.at + timedelta(hours=1), nights), fields
    return found


def _due(moment: datetime, nights: list[datetime]) -> datetime:
    cutoff = nights[0] - timedelta(days=30)
    while cutoff < moment:
        cutoff += timedelta(days=1)
    return cutoff
