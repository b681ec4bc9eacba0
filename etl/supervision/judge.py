"""Cards from messages, as of any moment and with the knowledge of any moment.

`judge_table` is pure: an Arrow table of messages in, one of cards out; no I/O, no clock of its own. A card is listed
when it holds at (as_of, known_by) or held at an earlier cut-off with what was known then; what removed it decides its
nature.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.calendar import CalendarBook
from etl.domain.message import KEY, SCHEMA, distinct, parse, table
from etl.domain.night import DAY_US, NEVER, ZONE, Instants, first_cutoffs, last_cutoffs, to_us
from etl.domain.office_axis import OfficeAxis
from etl.domain.profile import LEVELS, Profile
from etl.supervision.cards import case as case_clock
from etl.supervision.cards.case import Numbers
from etl.supervision.delays import LinkLimit, responsible_hop
from etl.supervision.history import Indices, Messages, Moments, Picked
from etl.supervision.nature import NATURES, removals
from etl.supervision.question import Question, evaluate, moments_at

CARDS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("source", "case_no", "clock", "clock_key", "level")),
        pa.field("reached_at", pa.timestamp("us", tz="UTC")),
        pa.field("due_at", pa.timestamp("us", tz="UTC")),
        *(pa.field(name, pa.float64()) for name in ("used_days", "limit_days", "excluded_days")),
        *(pa.field(name, pa.string()) for name in ("base", "nature")),
        *(pa.field(name, pa.bool_()) for name in ("standing", "provisional")),
        pa.field("responsible_hop", pa.string()),
        pa.field("evidence", pa.list_(pa.string())),
        pa.field("deciding", pa.list_(pa.string())),
        *(
            pa.field(name, pa.string())
            for name in ("department", "region", "item_code", "item_name", "calendar_version")
        ),
    ]
)


def judge_messages(
    messages: Iterable[dict[str, Any]],
    as_of: datetime,
    known_by: datetime | None = None,
    profile: str | Profile = "hunan",
    *,
    cutoff: time = time(1),
) -> list[dict[str, Any]]:
    """Contract objects in, contract cards out; a version told twice with other content counts as first told.

    Raises:
        RecordRejected: a message is outside the contract.
    """
    from etl.store.calendars import packaged
    from etl.store.profiles import profile as load_profile

    rules = load_profile(profile) if isinstance(profile, str) else profile
    told = (row for _, row in distinct(map(parse, messages)))
    flat = with_known_at(table([row for row in told if isinstance(row, dict)]), cutoff)
    cards = judge_table(flat, as_of, known_by or as_of, rules, packaged().book(rules.calendar), cutoff=cutoff)
    return [contract_card(card) for card in cards.to_pylist()]


def with_known_at(messages: pa.Table, cutoff: time = time(1)) -> pa.Table:
    """Append `known_at`: the first cut-off at or after loaded, else received, else written, else occurred."""
    moment = pc.coalesce(*(messages[name] for name in ("loaded_at", "received_at", "written_at", "occurred_at")))
    known = first_cutoffs(moment.cast(pa.int64()).to_numpy(), cutoff)
    return messages.append_column("known_at", pa.array(known).cast(SCHEMA.field("occurred_at").type))


def contract_card(card: dict[str, Any]) -> dict[str, Any]:
    """One row of `CARDS` as the contract prints it."""
    return {
        **{name: card[name] for name in ("case_no", "clock", "clock_key", "level")},
        "reached_at": card["reached_at"].astimezone(ZONE).isoformat(),
        **{name: _rounded(card[name]) for name in ("used_days", "limit_days")},
        **{name: card[name] for name in ("base", "nature", "standing", "provisional", "responsible_hop")},
        **{name: card[name] for name in ("evidence", "deciding", "calendar_version")},
    }


def judge_table(
    messages: pa.Table,
    as_of: datetime,
    known_by: datetime,
    profile: Profile,
    book: CalendarBook,
    *,
    cutoff: time = time(1),
    links: Mapping[str, LinkLimit] | None = None,
) -> pa.Table:
    """Messages (`SCHEMA` + known_at) -> cards (`CARDS`), sorted by case, clock and level.

    Args:
        links: per source the first hop its records take and its limit; used to name the responsible hop.

    Raises:
        CalendarNotCovering: a case lies where not even statutory holidays are known.
    """
    history = Messages.of(messages, case_clock.KINDS)
    question = Question(to_us(as_of), to_us(known_by), profile, book, cutoff, links or {})
    size = len(history.case_nos)
    if not size:
        return CARDS.empty_table()
    final = moments_at(question, np.arange(size), np.full(size, question.as_of), np.full(size, question.known_by))
    final_pick, verdict = evaluate(history, final, question)
    epochs = _epochs(history, question)
    _, past = evaluate(history, epochs, question)
    held_at = _last_held(epochs, past, size)

    case, rule = np.nonzero(verdict.holds | (held_at >= 0))
    stands = verdict.holds[case, rule]
    epoch = held_at[case, rule]
    boundary = np.where(stands, verdict.reached[case, rule], past.reached[epoch, rule])
    removal = removals(history, question, case, rule, np.flatnonzero(~stands), boundary, epochs.take(epoch))
    keep = np.flatnonzero(stands | (removal.nature >= 0))

    natures = np.where(stands, NATURES.index("conduct"), removal.nature)[keep]
    case, rule, epoch, stands = case[keep], rule[keep], epoch[keep], stands[keep]
    rules = profile.levels

    def named(field: str) -> pa.Array:
        return pa.array([getattr(one, field) for one in rules]).take(pa.array(rule))

    axis = OfficeAxis(book.version(int(final.calendar[0])))
    row = _describing_message(history, final_pick, epochs, past, case, epoch)
    keys = _keys(history)
    decided = [removal.deciding.get(number, []) for number in keep.tolist()]
    cards = pa.table(
        {
            "source": history.table["source"].take(row),
            "case_no": pa.array(history.case_nos).take(pa.array(case)),
            "clock": named("clock"),
            "clock_key": pa.repeat("", len(keep)),
            "level": named("level"),
            "reached_at": pa.array(boundary[keep]).cast(CARDS.field("reached_at").type),
            "due_at": _instants(np.where(stands, verdict.due[case, rule], past.due[epoch, rule])),
            **{
                name: _known(getattr(verdict, name), getattr(past, name), case, rule, epoch)
                for name in ("used_days", "limit_days", "excluded_days")
            },
            "base": named("base"),
            "nature": pa.array(NATURES).take(pa.array(natures)),
            "standing": stands | (natures == NATURES.index("suspect")),
            "provisional": np.where(stands, verdict.is_provisional[case, rule], past.is_provisional[epoch, rule]),
            "responsible_hop": [
                responsible_hop(history, rows, question.links, question.cutoff, axis)
                if NATURES[nature] == "push_delay" else None
                for rows, nature in zip(decided, natures, strict=True)
            ],
            "evidence": _evidence(history, final_pick, keys, case),
            "deciding": [keys.take(pa.array(rows)).to_pylist() if rows else [] for rows in decided],
            **{name: history.table[name].take(row) for name in ("department", "region", "item_code", "item_name")},
            "calendar_version": pa.repeat(book.version(int(final.calendar[0])).version, len(keep)),
        },
        schema=CARDS,
    )  # fmt: skip
    rank = np.array([LEVELS.index(one.level) for one in rules])
    order = np.lexsort((rank[rule], case))
    return cards.take(pa.array(order))


def _epochs(history: Messages, question: Question) -> Moments:
    """One cut-off per case and state of knowledge: the last one before the next message (or calendar) changes it.

    Between two changes used time only grows, so a card that held at any cut-off of the stretch holds at its last.
    """
    until = int(last_cutoffs(np.array([min(question.as_of, question.known_by)]), question.cutoff)[0])
    # A version replaces its predecessor when it becomes known, and counts once what it says has happened.
    moments = np.concatenate((history.known, np.maximum(history.known, history.occurred)))
    change, case = first_cutoffs(moments, question.cutoff), np.tile(history.case, 2)
    earliest = np.full(len(history.case_nos), NEVER)
    np.minimum.at(earliest, case, change)
    for revision in first_cutoffs(question.revisions, question.cutoff):
        affected = np.flatnonzero((earliest < revision) & (revision <= until))
        case, change = np.concatenate((case, affected)), np.concatenate((change, np.full(len(affected), revision)))
    case, change = case[change <= until], change[change <= until]
    if not len(case):  # nothing was known at any cut-off: ask one all the same, so that tables have a row
        case, change = np.zeros(1, np.int64), np.full(1, until)
    order = np.lexsort((change, case))
    case, change = case[order], change[order]
    is_new = np.ones(len(case), np.bool_)
    is_new[1:] = (case[1:] != case[:-1]) | (change[1:] != change[:-1])
    case, change = case[is_new], change[is_new]
    end = np.full(len(case), until)
    followed = case[1:] == case[:-1]
    end[:-1][followed] = change[1:][followed] - DAY_US
    return moments_at(question, case, end, end)


def _last_held(epochs: Moments, past: case_clock.Verdicts, size: int) -> Indices:
    """Per (case, rule) the row of the latest epoch at which the card held; -1 where it never did."""
    held_at = np.full((size, past.holds.shape[1]), -1)
    epoch, rule = np.nonzero(past.holds)
    np.maximum.at(held_at, (epochs.case[epoch], rule), epoch)
    return held_at


def _describing_message(
    history: Messages, final: Picked, epochs: Moments, past: case_clock.Verdicts, case: Indices, epoch: Indices
) -> pa.Array:
    """The acceptance a card is described by; any message of the case when the acceptance is gone again."""
    accepts = final.one(history, "accept", len(history.case_nos))[case]
    return pa.array(np.where(accepts >= 0, accepts, history.first[case]))


def _known(now: Numbers, past: Numbers, case: Indices, rule: Indices, epoch: Indices) -> Numbers:
    """Today's number, or the epoch's where today there is no acceptance to measure from."""
    today = now[case, rule] if now.ndim == 2 else now[case]
    then = past[epoch, rule] if past.ndim == 2 else past[epoch]
    return np.where(np.isnan(today), then, today)


def _instants(values: Instants) -> pa.Array:
    return pa.array(values, mask=values == NEVER).cast(CARDS.field("due_at").type)


def _keys(history: Messages) -> pa.ChunkedArray:
    """Every message's key as text."""
    source, case_no, kind, seq, version = (history.table[name].cast(pa.string()) for name in KEY)
    return pc.binary_join_element_wise(source, case_no, kind, seq, pc.binary_join_element_wise("v", version, ""), "/")


def _evidence(history: Messages, picked: Picked, keys: pa.ChunkedArray, case: Indices) -> pa.Array:
    """Per card the keys of all messages its verdict rests on, in order of business time."""
    order = np.lexsort((history.occurred[picked.message], picked.moment))
    first = np.searchsorted(picked.moment, np.arange(len(history.case_nos) + 1))
    size = first[case + 1] - first[case]
    offsets = np.concatenate(([0], np.cumsum(size)))
    rows = order[np.arange(offsets[-1]) - np.repeat(offsets[:-1], size) + np.repeat(first[case], size)]
    values = keys.take(pa.array(picked.message[rows])).combine_chunks()
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _rounded(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(value, 6)
