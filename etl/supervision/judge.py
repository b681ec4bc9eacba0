"""Cards from messages, as of any moment and with the knowledge of any moment.

`judge_table` is pure: an Arrow table of messages in, one of cards out; no I/O, no clock of its own. A card is listed
when it holds at (as_of, known_by) or held at an earlier cut-off with what was known then; what removed it decides its
nature.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.calendar import CalendarBook
from etl.domain.message import KEY, KINDS, REPEATING, SCHEMA, distinct, key_column, parse, table
from etl.domain.night import DAY_US, NEVER, ZONE, Instants, first_cutoffs, last_cutoffs, to_us
from etl.domain.office_axis import OfficeAxis
from etl.domain.profile import LEVELS, Profile, ProfileBook
from etl.supervision.cards import clocks
from etl.supervision.cards.clock import Clock
from etl.supervision.cards.counting import BASES, Numbers, Verdicts
from etl.supervision.delays import Route, own_systems, responsible_hops
from etl.supervision.doubts import last_free, split
from etl.supervision.history import KIND, Indices, Messages, Moments, Picked
from etl.supervision.nature import NATURES, causes, removals
from etl.supervision.places import places_of
from etl.supervision.question import Doubt, Doubts, Question, book_of, evaluate, moments_at

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
            for name in ("department", "region", "item_code", "item_name", "calendar_version", "profile_version")
        ),
    ]
)

PART_CASES = 32_768
"""Cases judged at a time, several such parts side by side."""
_REPEATS = np.array([kind in REPEATING for kind in KINDS])


def judge_messages(
    messages: Iterable[dict[str, Any]],
    as_of: datetime,
    known_by: datetime | None = None,
    profile: str | Profile | ProfileBook = "hunan",
    *,
    cutoff: time = time(1),
) -> list[dict[str, Any]]:
    """Contract objects in, contract cards out; a version told twice with other content counts as first told.

    Raises:
        RecordRejected: a message is outside the contract.
    """
    from etl.store.calendars import packaged
    from etl.store.profiles import profile_book

    rules = profile_book(profile) if isinstance(profile, str) else profile
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
        "reached_at": card["reached_at"] and card["reached_at"].astimezone(ZONE).isoformat(),
        **{name: _rounded(card[name]) for name in ("used_days", "limit_days")},
        **{name: card[name] for name in ("base", "nature", "standing", "provisional", "responsible_hop")},
        **{name: card[name] for name in ("evidence", "deciding", "calendar_version", "profile_version")},
    }


def judge_table(
    messages: pa.Table,
    as_of: datetime,
    known_by: datetime,
    profile: Profile | ProfileBook,
    book: CalendarBook,
    *,
    cutoff: time = time(1),
    links: Mapping[str, Route] | None = None,
    frozen: Mapping[str, Sequence[datetime]] | None = None,
    doubts: Sequence[Doubt] = (),
) -> pa.Table:
    """Messages (`SCHEMA` + known_at) -> cards (`CARDS`), sorted by case, clock and level.

    Args:
        profile: the rules, in one version or in several with their dates.
        book: working days and office hours; each case goes by those of its region.
        links: per source the way of its records and its limits; used to name the responsible hop.
        frozen: per source the cut-offs of nights on which it was not complete: no card was issued then.
        doubts: records that are here and unusable: what needs them is judged as before they came.

    Raises:
        CalendarNotCovering: a case lies where not even statutory holidays are known.
    """
    silent = {name: np.array([to_us(moment) for moment in moments]) for name, moments in (frozen or {}).items()}
    question = Question(
        to_us(as_of), to_us(known_by), book_of(profile), book, cutoff, links or {}, silent, Doubts.of(doubts)
    )
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        judged = pool.map(lambda part: _judge_part(part, question), _parts(messages))
        cards = pa.concat_tables([CARDS.empty_table(), *judged])
    rank = pc.index_in(cards["level"], pa.array(LEVELS))
    key = cards["clock_key"].cast(pa.string())
    order = pa.table({"case_no": cards["case_no"], "clock": cards["clock"], "key": pc.utf8_lpad(key, 12), "rank": rank})
    by = [(name, "ascending") for name in order.column_names]
    return cards.take(pc.sort_indices(order, sort_keys=by))


def _parts(messages: pa.Table) -> Iterator[pa.Table]:
    """The messages of so many cases at a time: cases are judged alone, and what is worked on stays small."""
    case = messages["case_no"].combine_chunks().dictionary_encode().indices.to_numpy()
    if not len(case) or case.max() < PART_CASES:
        yield messages
        return
    order = np.argsort(case // PART_CASES, kind="stable")
    edges = np.searchsorted(case[order] // PART_CASES, np.arange(case.max() // PART_CASES + 2))
    for first, last in pairwise(edges):
        yield messages.take(pa.array(order[first:last]))


def _judge_part(messages: pa.Table, question: Question) -> pa.Table:
    own = own_systems(question.links)
    asked = [clock for name, clock in clocks().items() if question.profiles.judges(name)]
    history = Messages.of(messages, tuple(sorted({kind for clock in asked for kind in clock.kinds})), own)
    cards = [_judge_clock(*part, clock) for clock in asked for part in split(clock.history(history), question, clock)]
    return pa.concat_tables([CARDS.empty_table(), *cards])


def _judge_clock(history: Messages, question: Question, clock: Clock) -> pa.Table:
    """The cards of one clock."""
    size = len(history.case_nos)
    if not size:
        return CARDS.empty_table()
    final = moments_at(question, np.arange(size), np.full(size, question.as_of), np.full(size, question.known_by))
    final_pick, now = evaluate(history, final, question, clock)
    epochs, since = _epochs(history, question)
    _, past = evaluate(history, epochs, question, clock)

    # One row per run that ever was; at the end, and at the last cut-off at which each of its levels held.
    run_case, run_key = _every_run(now.runs.moment, now.runs.key, epochs.case[past.runs.moment], past.runs.key)
    now_row = now.row_of(run_case, run_key)
    holds = np.zeros((len(run_case), now.holds.shape[1]), np.bool_)
    holds[now_row >= 0] = now.holds[now_row[now_row >= 0]]
    past_row = _last_held(epochs, past, run_case, run_key)

    run, level = np.nonzero(holds | (past_row >= 0))
    case, key, stands = run_case[run], run_key[run], holds[run, level]
    then, today = past_row[run, level], now_row[run]
    boundary = np.where(stands, _at(now.reached, today, level), _at(past.reached, then, level))
    held = epochs.take(past.runs.moment[then]) if len(past.runs.moment) else final.take(case)
    removal = removals(history, question, clock, case, key, level, np.flatnonzero(~stands), boundary, held)
    exists, excused = stands | (removal.nature >= 0), removal.nature == NATURES.index("push_delay")
    if (
        question.frozen or len(question.doubts)
    ) and excused.any():  # a card for want of a record that nobody was there to miss never existed
        seen = _unfrozen(history, question, clock, epochs, since, case[excused])
        was_seen = _last_held(seen, evaluate(history, seen, question, clock)[1], run_case, run_key)[run, level] >= 0
        exists &= was_seen | ~excused
    keep = np.flatnonzero(exists)

    removal.nature[stands] = causes(history, question, clock, *(c[stands] for c in (case, key, level, boundary)))
    natures = removal.nature[keep]
    case, key, level, then, today = (column[keep] for column in (case, key, level, then, today))
    stands = stands[keep]

    def named(names: Sequence[str], values: npt.NDArray[Any], past_values: npt.NDArray[Any]) -> pa.Array:
        """Names of what rules the run today, or of what ruled it when it last held."""
        at_end, at_night = _at(values, today, level), _at(past_values, then, level)
        is_ruled = (today >= 0) & (_at(now.version, today, level) >= 0)
        return pa.array(names, pa.string()).take(pa.array(np.where(is_ruled, at_end, at_night)))

    def number(field: str) -> Numbers:
        """Today's number, or the one of the night it last held where today nothing runs to measure."""
        at_end, at_night = (_at(getattr(verdict, field), row, level) for verdict, row in ((now, today), (past, then)))
        known: Numbers = np.where(np.isnan(at_end), at_night, at_end)
        return known

    book, known = question.book, int(final.calendar[0])
    axis = OfficeAxis(book.version(known))  # links have no region
    rows = np.where(today >= 0, _at(now.runs.subject, today, level), _at(past.runs.subject, then, level))
    place, subject = places_of(history, rows, book), pa.array(rows)
    # Few cards have messages that decided their removal.
    decided = np.flatnonzero(np.isin(keep, list(removal.deciding)))
    deciding = [removal.deciding[row] for row in keep[decided].tolist()]
    deciding_count = np.zeros(len(keep), np.int64)
    deciding_count[decided] = [len(messages) for messages in deciding]
    late = np.flatnonzero(natures[decided] == NATURES.index("push_delay"))
    hop = np.full(len(keep), None, object)
    hop[decided[late]] = responsible_hops(
        history, [deciding[row] for row in late.tolist()], question.links, question.cutoff, axis, question.known_by
    )
    return pa.table(
        {
            "source": history.table["source"].take(subject),
            "case_no": history.case_nos.take(pa.array(case)),
            "clock": pa.repeat(clock.name, len(keep)),
            "clock_key": pa.array(key).cast(pa.string()) if clock.is_keyed else pa.repeat("", len(keep)),
            "level": pa.array(LEVELS).take(pa.array(level)),
            "reached_at": pa.array(boundary[keep]).cast(CARDS.field("reached_at").type),
            "due_at": _instants(np.where(stands, _at(now.due, today, level), _at(past.due, then, level))),
            **{name: number(name) for name in ("used_days", "limit_days", "excluded_days")},
            "base": named(BASES, now.base, past.base),
            "nature": pa.array(NATURES).take(pa.array(natures)),
            "standing": stands | (natures == NATURES.index("suspect")),
            "provisional": np.where(
                stands, _at(now.is_provisional, today, level), _at(past.is_provisional, then, level)
            ),
            "responsible_hop": pa.array(hop, pa.string()),
            "evidence": _evidence(history, final_pick, clock, case, key),
            "deciding": _lists(history, deciding_count, [row for rows in deciding for row in rows]),
            **{name: history.table[name].take(subject) for name in ("department", "region", "item_code", "item_name")},
            "calendar_version": pa.array([book.version(known, name).version for name in book.places]).take(place),
            "profile_version": named([one.label for one in question.profiles.versions], now.version, past.version),
        },
        schema=CARDS,
    )  # fmt: skip


def _every_run(case: Indices, key: Indices, past_case: Indices, past_key: Indices) -> tuple[Indices, Indices]:
    """Every (case, key) of either side once, sorted."""
    width = int(max(key.max(initial=0), past_key.max(initial=0))) + 1
    packed = np.concatenate((case * width + key, past_case * width + past_key))
    if (packed[1:] <= packed[:-1]).any():
        packed = np.unique(packed)
    return packed // width, packed % width


def _at(values: npt.NDArray[Any], row: Indices, level: Indices) -> npt.NDArray[Any]:
    """Numbers of runs, or of (run, level) pairs, at these rows; whatever a row -1 gives is not looked at."""
    if not len(values):
        return np.full(len(row), np.nan if values.dtype.kind == "f" else 0, values.dtype)
    picked: npt.NDArray[Any] = values[row, level] if values.ndim == 2 else values[row]
    return np.where(row >= 0, picked, np.nan) if values.dtype.kind == "f" else picked


def _epochs(history: Messages, question: Question) -> tuple[Moments, Instants]:
    """One cut-off per case and state of knowledge: the last one before the next message (or revision) changes it.

    Between two changes used time only grows, so a card that held at any cut-off of the stretch holds at its last.
    Beside the last ones, the first ones.
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
    # Cut-offs are whole days apart: one sort of packed numbers orders them by case and leaves each once.
    oldest = int(change.min())
    width = (until - oldest) // DAY_US + 1
    packed = np.unique(case * width + (change - oldest) // DAY_US)
    case, change = packed // width, packed % width * DAY_US + oldest
    end = np.full(len(case), until)
    followed = case[1:] == case[:-1]
    end[:-1][followed] = change[1:][followed] - DAY_US
    return moments_at(question, case, end, end), change


def _unfrozen(
    history: Messages, question: Question, clock: Clock, epochs: Moments, since: Instants, cases: Indices
) -> Moments:
    """Each epoch of these cases at its last cut-off at which nothing of the case stood still; none where all did."""
    mine = np.flatnonzero(np.isin(epochs.case, cases))
    epochs, since = epochs.take(mine), since[mine]
    end = last_free(history, question, clock, epochs.case, epochs.as_of)
    asked = end >= since
    if not asked.any():  # ask one all the same, when nothing was known, so that tables have a row
        asked[0], end[0] = True, int(history.known.min()) - 1
    return moments_at(question, epochs.case[asked], end[asked], end[asked])


def _last_held(epochs: Moments, past: Verdicts, case: Indices, key: Indices) -> Indices:
    """Per (run, rule) the row of `past` of the latest epoch at which the card held; -1 where it never did."""
    held = np.full((len(case), past.holds.shape[1]), -1)
    row, rule = np.nonzero(past.holds)
    width = int(key.max(initial=0)) + 1
    run = np.searchsorted(case * width + key, epochs.case[past.runs.moment[row]] * width + past.runs.key[row])
    np.maximum.at(held, (run, rule), row)
    return held


def _instants(values: Instants) -> pa.Array:
    return pa.array(values, mask=values == NEVER).cast(CARDS.field("due_at").type)


def _lists(history: Messages, sizes: Indices, messages: Sequence[int] | Indices) -> pa.Array:
    """Lists of message keys, one after the other."""
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    keys = key_column(history.table.select(KEY).take(pa.array(messages, pa.int64()))).combine_chunks()
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), keys)


def _evidence(history: Messages, picked: Picked, clock: Clock, case: Indices, key: Indices) -> pa.Array:
    """Per card the keys of all messages its verdict rests on, in order of business time."""
    order = np.lexsort((history.occurred[picked.message], picked.moment))
    first = np.searchsorted(picked.moment, np.arange(len(history.case_nos) + 1))
    size = first[case + 1] - first[case]
    card = np.repeat(np.arange(len(case)), size)
    rows = order[np.arange(len(card)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(first[case], size)]
    message = picked.message[rows]
    if clock.is_keyed:  # of what repeats, only the run's own and what suspended it
        is_other = _REPEATS[history.kind[message]] & (history.seq[message] != key[card])
        mine = ~is_other | (clock.is_suspended & ~np.isin(history.kind[message], [KIND[clock.kinds[0]]]))
        card, message = card[mine], message[mine]
    return _lists(history, np.bincount(card, minlength=len(case)), message)


def _rounded(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else round(value, 6)
