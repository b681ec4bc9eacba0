"""A night is a difference: the card events of night N are judge(N) - judge(N-1), both computed from messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
    old = pc.index_in(_identities(after), _identities(before))
    is_new = old.is_null()
    then = before.take(pc.fill_null(old, 0)) if len(before) else pa.table(after.columns, after.schema)
    differs = {name: _differs(then[name], after[name]).to_numpy() for name in ("standing", *_REVISABLE)}
    is_turned = differs.pop("standing")
    standing = after["standing"].to_numpy()
    happened = np.select(
        [is_new.to_numpy(zero_copy_only=False), is_turned & standing, is_turned, np.any([*differs.values()], axis=0)],
        ["issued", "reinstated", "withdrawn", "revised"],
        "",
    )
    rows = np.flatnonzero(happened != "")
    for card, event in zip(after.take(pa.array(rows)).to_pylist(), happened[rows].tolist(), strict=True):
        yield card | {"event": event}


def between(
    before: pa.Table, after: pa.Table, told: Callable[[set[str]], Mapping[str, Sequence[str]]]
) -> Iterator[dict[str, Any]]:
    """`changes` between two knowledge times, each with the messages that decided it; also what stood before and is not
    even listed after, as withdrawn: with the later knowledge it held at no cut-off. Between nights there is no such
    card: what held at a cut-off is listed at every later one.

    Args:
        told: cases -> per case the keys of its messages that became known in between.
    """
    changed = list(changes(before, after))
    is_listed = pc.is_in(_identities(before), _identities(after))
    gone = before.filter(pc.and_(before["standing"], pc.invert(is_listed))).to_pylist()
    new = told({card["case_no"] for card in [*changed, *gone]})
    for card in changed:
        if not card["deciding"] and card["event"] != "withdrawn":
            card["deciding"] = [key for key in card["evidence"] if key in new.get(card["case_no"], ())]
        yield card
    for card in gone:
        yield card | {"event": "withdrawn", "standing": False, "deciding": list(new.get(card["case_no"], ()))}


def first_told_by(messages: pa.Table, own: Sequence[str]) -> dict[str, str]:
    """Of cases that several sources tell of, the one that did so first, by when it was known; of several the
    department's `own` system, else the one that tells of the earliest.

    A card is kept under its name for good, whichever of them is believed later.
    """
    told = messages.group_by(["case_no", "source"]).aggregate([("known_at", "min")])
    twice = told.group_by("case_no").aggregate([("source", "count")])
    twice = twice.filter(pc.greater(twice["source_count"], 1))["case_no"]
    if not len(twice):
        return {}
    mine = messages.filter(pc.is_in(messages["case_no"], twice))
    is_own = pc.is_in(mine["source"], pa.array(own, pa.string()))
    order = [("known_at", "ascending"), ("is_own", "descending"), ("occurred_at", "ascending"), ("source", "ascending")]
    mine = mine.select(["case_no", "source", "known_at", "occurred_at"]).append_column("is_own", is_own).sort_by(order)
    found: dict[str, str] = {}
    for case_no, source in zip(mine["case_no"].to_pylist(), mine["source"].to_pylist(), strict=True):
        found.setdefault(case_no, source)
    return found


def event(change: dict[str, Any], in_force_from: date) -> dict[str, Any]:
    """A change as the ledger keeps it, days to six decimals.

    A boundary before `in_force_from` makes it `is_baseline`: recorded, never mailed (`is_told`). Neither is a reminder
    whose clock has stopped: it tells nobody anything.
    """
    is_baseline = change["reached_at"].astimezone(ZONE).date() < in_force_from
    days = {name: Decimal(f"{change[name]:.6f}") for name in _DAYS}
    is_told = not is_baseline and not (change["level"] == "reminder" and change["is_stopped"])
    content = {name: change[name] for name in (*_CONTENT, "event")}
    return content | days | {"is_baseline": is_baseline, "is_told": is_told}


def _differs(old: pa.ChunkedArray, new: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.fill_null(pc.not_equal(old, new), pc.xor(old.is_null(), new.is_null()))


def _identities(cards: pa.Table) -> pa.Array:
    """Who the card is, as one text. The acceptance may change hands between systems; the card stays the case's."""
    return pc.binary_join_element_wise(*(cards[name] for name in IDENTITY[1:]), "\0").combine_chunks()
