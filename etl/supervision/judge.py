"""Cards from messages, as of any moment and with the knowledge of any moment.

`judge_table` is pure: an Arrow table of messages in, one of cards out; no I/O, no clock of its own. A card is listed
when it holds at (as_of, known_by) or held at an earlier cut-off with what was known then; what removed it decides its
nature.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import datetime, time
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.calendar import CalendarBook
from etl.domain.message import KINDS, REPEATING, SCHEMA, distinct, parse, table
from etl.domain.night import DAY_US, NEVER, Instants, first_cutoffs, last_cutoffs
from etl.domain.office_axis import OfficeAxis
from etl.domain.profile import LEVELS, Profile, ProfileBook
from etl.supervision.cards import clocks
from etl.supervision.cards.clock import Clock
from etl.supervision.cards.counting import BASES, Numbers, Verdicts
from etl.supervision.contract import contract_card
from etl.supervision.delays import Route, own_systems, responsible_hops
from etl.supervision.doubts import last_free, split
from etl.supervision.history import KIND, Indices, Mask, Messages, Moments, Picked, numbered
from etl.supervision.nature import NATURES, causes, removals
from etl.supervision.places import places_of
from etl.supervision.question import EVER, Doubt, Question, evaluate, moments_at

CARDS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("source", "case_no", "clock", "clock_key", "level")),
        pa.field("reached_at", pa.timestamp("us", tz="UTC")),
        pa.field("due_at", pa.timestamp("us", tz="UTC")),
        *(pa.field(name, pa.float64()) for name in ("used_days", "limit_days", "excluded_days")),
        *(pa.field(name, pa.string()) for name in ("base", "nature")),
        *(pa.field(name, pa.bool_()) for name in ("standing", "provisional", "is_stopped")),
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


def judge_table(
    messages: pa.Table | pa.RecordBatch,
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
    """Messages (`JUDGED`, or more of `SCHEMA` beside known_at) -> cards (`CARDS`), sorted by case, clock and level.

    Cases are judged alone: any parts of whole cases, in any threads or processes, give the same cards.

    Args:
        profile: the rules, in one version or in several with their dates.
        book: working days and office hours; each case goes by those of its region.
        links: per source the way of its records and its limits; used to name the responsible hop.
        frozen: per source the cut-offs of nights on which it was not complete: no card was issued then.
        doubts: records that are here and unusable: what needs them is judged as before they came.

    Raises:
        CalendarNotCovering: a case lies where not even statutory holidays are known.
    """
    question = Question.of(as_of, known_by, profile, book, cutoff, links, frozen, doubts)
    parts = list(_parts(pa.table(messages)))
    if len(parts) == 1:  # most nights; threads would cost more than they save
        return judge_part(parts[0], question)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        return pa.concat_tables(pool.map(lambda part: judge_part(part, question), parts))


def _parts(messages: pa.Table) -> Iterator[pa.Table]:
    """The messages of so many cases at a time, in order: cases are judged alone, and what is worked on stays small."""
    names, order = messages["case_no"].combine_chunks(), None
    if not pc.all(pc.less_equal(names[:-1], names[1:])).as_py():
        number = numbered(messages["case_no"])[1]
        order = np.argsort(number, kind="stable")
        begins = np.flatnonzero(np.diff(number[order]))
    else:
        begins = np.flatnonzero(pc.not_equal(names[:-1], names[1:]).to_numpy(zero_copy_only=False))
    for first, last in pairwise([0, *(begins[PART_CASES - 1 :: PART_CASES] + 1).tolist(), len(messages)]):
        yield messages.slice(first, last - first) if order is None else messages.take(pa.array(order[first:last]))


def judge_part(messages: pa.Table, question: Question) -> pa.Table:
    """The cards of some cases, sorted by case, clock and level."""
    own = own_systems(question.links)
    asked = [clock for name, clock in sorted(clocks().items()) if question.profiles.judges(name)]
    history = Messages.of(messages, tuple(sorted({kind for clock in asked for kind in clock.kinds})), own)
    judged = [(CARDS.empty_table(), np.zeros(0, np.int64))]
    for clock in asked:
        parts = split(clock.history(history), question, clock.kinds)
        judged.extend(_judge_clock(*part, clock) for part in parts if len(part[0].cases))
    tables, cases = zip(*judged, strict=True)
    case, cards = np.concatenate(cases), pa.concat_tables(tables)
    if (case[1:] >= case[:-1]).all():  # of one clock
        return cards
    return cards.combine_chunks().take(pa.array(np.argsort(case, kind="stable")))


def _judge_clock(history: Messages, question: Question, clock: Clock) -> tuple[pa.Table, Indices]:
    """The cards of one clock, sorted by case, key and level; and of which case each is."""
    size = len(history.cases)
    epochs, since = _epochs(history, question)
    moments, is_epoch, last = _with_the_end(epochs, question, size)
    picked, verdicts = evaluate(history, moments, question, clock)

    # One row per run that ever was; at the end, and at the last cut-off at which each of its levels held.
    run_case, run_key = _every_run(moments.case[verdicts.runs.moment], verdicts.runs.key)
    now_row = verdicts.row_of(last[run_case], run_key)
    holds = verdicts.holds[now_row] & (now_row >= 0)[:, None] if len(verdicts.holds) else verdicts.holds
    past_row = _last_held(moments, verdicts, run_case, run_key, is_epoch)

    run, level = np.nonzero(holds | (past_row >= 0))
    case, key, stands = run_case[run], run_key[run], holds[run, level]
    then, today = past_row[run, level], now_row[run]
    boundary = _at(verdicts.reached, np.where(stands, today, then), level)
    held = moments.take(verdicts.runs.moment[then])
    removal = removals(history, question, clock, case, key, level, np.flatnonzero(~stands), boundary, held)
    exists, excused = stands | (removal.nature >= 0), removal.nature == NATURES.index("push_delay")
    if (question.frozen or len(question.doubts)) and excused.any():
        # A card for want of a record that nobody was there to miss never existed.
        seen = _unfrozen(history, question, clock, epochs, since, case[excused])
        seen_then = evaluate(history, seen, question, clock)[1]
        was_seen = _last_held(seen, seen_then, run_case, run_key)[run, level] >= 0
        exists &= was_seen | ~excused
    keep = np.flatnonzero(exists)

    removal.nature[stands] = causes(history, question, clock, *(c[stands] for c in (case, key, level, boundary)))
    natures = removal.nature[keep]
    case, key, level, then, today = (column[keep] for column in (case, key, level, then, today))
    stands = stands[keep]
    shown = np.where(stands, today, then)
    # Told by what rules the run today, or by what ruled it when it last held.
    ruled = np.where((today >= 0) & (_at(verdicts.version, today, level) >= 0), today, then)

    def named(names: Sequence[str], values: npt.NDArray[Any]) -> pa.Array:
        return pa.array(names, pa.string()).take(pa.array(_at(values, ruled, level)))

    def number(values: npt.NDArray[Any]) -> Numbers:
        """Today's number, or the one of the night it last held where today nothing runs to measure."""
        at_end = _at(values, today, level)
        known: Numbers = np.where(np.isnan(at_end), _at(values, then, level), at_end)
        return known

    book, known = question.book, int(moments.calendar[last[0]])
    subject = _at(verdicts.runs.subject, np.where(today >= 0, today, then), level)
    place = places_of(history, subject, book)
    # Few cards have messages that decided their removal.
    decided = np.flatnonzero(np.isin(keep, list(removal.deciding)))
    deciding = [removal.deciding[row] for row in keep[decided].tolist()]
    deciding_count = np.zeros(len(keep), np.int64)
    deciding_count[decided] = [len(messages) for messages in deciding]
    late = np.flatnonzero(natures[decided] == NATURES.index("push_delay"))
    hop = np.full(len(keep), None, object)
    for where in np.unique(place[decided[late]]).tolist():
        mine = late[place[decided[late]] == where]
        axis = OfficeAxis(book.version(known, book.places[where]))
        hop[decided[mine]] = responsible_hops(
            history, [deciding[row] for row in mine.tolist()], question.links, question.cutoff, axis, question.known_by
        )
    cards = pa.table(
        {
            "source": history.texts("source", subject),
            "case_no": history.case_nos.take(pa.array(case)),
            "clock": pa.repeat(clock.name, len(keep)),
            "clock_key": pa.array(key).cast(pa.string()) if clock.is_keyed else pa.repeat("", len(keep)),
            "level": pa.array(LEVELS).take(pa.array(level)),
            "reached_at": pa.array(boundary[keep]).cast(CARDS.field("reached_at").type),
            "due_at": _instants(_at(verdicts.due, shown, level)),
            "used_days": number(verdicts.used_days),
            "limit_days": number(verdicts.limit_days),
            "excluded_days": number(verdicts.excluded_days),
            "base": named(BASES, verdicts.base),
            "nature": pa.array(NATURES).take(pa.array(natures)),
            "standing": stands | (natures == NATURES.index("suspect")),
            "provisional": _at(verdicts.is_provisional, shown, level),
            "is_stopped": _at(verdicts.runs.stop, today, level) < np.where(today >= 0, question.as_of, EVER),
            "responsible_hop": pa.array(hop, pa.string()),
            "evidence": _evidence(history, picked, last, clock, case, key),
            "deciding": _lists(history, deciding_count, [row for rows in deciding for row in rows]),
            **{name: history.texts(name, subject) for name in ("department", "region", "item_code", "item_name")},
            "calendar_version": pa.array([book.version(known, name).version for name in book.places]).take(place),
            "profile_version": named([one.label for one in question.profiles.versions], verdicts.version),
        },
        schema=CARDS,
    )  # fmt: skip
    return cards, history.cases[case]


def _every_run(case: Indices, key: Indices) -> tuple[Indices, Indices]:
    """Every (case, key) once, sorted."""
    width = int(key.max(initial=0)) + 1
    packed = _once(case * width + key)
    return packed // width, packed % width


def _once(numbers: Indices) -> Indices:
    """Each number once, sorted; made for numbers that nearly are."""
    numbers = np.sort(numbers, kind="stable")
    once: Indices = numbers[np.append(np.ones(min(1, len(numbers)), np.bool_), numbers[1:] != numbers[:-1])]
    return once


def _with_the_end(epochs: Moments, question: Question, size: int) -> tuple[Moments, Mask, Indices]:
    """Epochs and the moment asked about of every case, sorted by case; which of them are epochs; each case's last.

    The last epoch of a case often is the moment asked about, and then stands for both.
    """
    asked = moments_at(question, *(np.full(size, value) for value in (0, question.as_of, question.known_by)))
    is_asked = (epochs.as_of == question.as_of) & (epochs.known_by == question.known_by)
    rest = np.setdiff1d(np.arange(size), epochs.case[is_asked], assume_unique=True)
    ends = replace(asked.take(rest), case=rest)
    order = np.argsort(np.concatenate((epochs.case, rest)), kind="stable")
    moments = Moments(
        *(np.concatenate((getattr(epochs, one.name), getattr(ends, one.name)))[order] for one in fields(Moments))
    )
    return moments, order < len(epochs), np.searchsorted(moments.case, np.arange(size), side="right") - 1


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
    earliest = np.full(len(history.cases), NEVER)
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
    packed = _once(case * width + (change - oldest) // DAY_US)
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
    end = last_free(history, question, clock.kinds, epochs.case, epochs.as_of)
    asked = end >= since
    if not asked.any():  # ask one all the same, when nothing was known, so that tables have a row
        asked[0], end[0] = True, int(history.known.min()) - 1
    return moments_at(question, epochs.case[asked], end[asked], end[asked])


def _last_held(moments: Moments, past: Verdicts, case: Indices, key: Indices, is_epoch: Mask | None = None) -> Indices:
    """Per (run, rule) the row of `past` of the latest epoch at which the card held; -1 where it never did."""
    held = np.full((len(case), past.holds.shape[1]), -1)
    holds = past.holds if is_epoch is None else past.holds & is_epoch[past.runs.moment][:, None]
    row, rule = np.nonzero(holds)
    width = int(key.max(initial=0)) + 1
    run = np.searchsorted(case * width + key, moments.case[past.runs.moment[row]] * width + past.runs.key[row])
    np.maximum.at(held, (run, rule), row)
    return held


def _instants(values: Instants) -> pa.Array:
    return pa.array(values, mask=values == NEVER).cast(CARDS.field("due_at").type)


def _lists(history: Messages, sizes: Indices, messages: Sequence[int] | Indices) -> pa.Array:
    """Lists of message keys, one after the other."""
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), history.keys(np.asarray(messages, np.int64)))


def _evidence(history: Messages, picked: Picked, last: Indices, clock: Clock, case: Indices, key: Indices) -> pa.Array:
    """Per card the keys of all messages its verdict rests on at the last moment of its case, by business time."""
    order = np.lexsort((history.occurred[picked.message], picked.moment))
    first, end = (np.searchsorted(picked.moment, last[case], side=side) for side in ("left", "right"))
    size = end - first
    card = np.repeat(np.arange(len(case)), size)
    rows = order[np.arange(len(card)) - np.repeat(np.cumsum(size) - size, size) + np.repeat(first, size)]
    message = picked.message[rows]
    if clock.is_keyed:  # of what repeats, only the run's own and what suspended it
        is_other = _REPEATS[history.kind[message]] & (history.seq[message] != key[card])
        mine = ~is_other | (clock.is_suspended & ~np.isin(history.kind[message], [KIND[clock.kinds[0]]]))
        card, message = card[mine], message[mine]
    return _lists(history, np.bincount(card, minlength=len(case)), message)
