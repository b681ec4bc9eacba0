"""The arithmetic of the engine published with the 2018 rules, beside the exact one: why an official system disagrees.

Used time = (dates from start to end inclusive - rest days among them - 2) days + what is left of the first day's office
hours + what has gone of the last day's, a day always as long as the acceptance date's; minus the same of every
suspension, each capped at its approved days, none merged; rounded up to whole days, then compared. A start or an end on
a rest day so loses up to a day, and the result can be negative. Read-only: nothing is issued by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from etl.domain.calendar import CalendarBook
from etl.domain.message import key_column
from etl.domain.night import NEVER, ZONE, Instants, to_us
from etl.domain.office_axis import OfficeAxis
from etl.domain.profile import LEVELS, Profile, ProfileBook
from etl.errors import SafetyRefusal
from etl.supervision.cards import clocks
from etl.supervision.cards.clock import UNITS, specials_of
from etl.supervision.cards.counting import Numbers
from etl.supervision.history import Indices, Messages, pick
from etl.supervision.judge import CARDS, judge_table
from etl.supervision.places import calendars_of, places_of
from etl.supervision.question import Question, book_of, moments_at

MODE = "published_engine"


def is_read_only(profile: Profile | ProfileBook) -> bool:
    """Whether any version of a profile only shows what another system computes."""
    return any(one.count_mode == MODE for one in book_of(profile).versions)


def refuse_read_only(profiles: ProfileBook, source: str) -> None:
    """`SafetyRefusal` for a source that names a profile nothing may be issued by."""
    if is_read_only(profiles):
        raise SafetyRefusal(
            f"source {source}: by profile {profiles.name} no card is ever issued, it only shows what the published "
            "engine computes; name another one in the source's module, and compare with `jiancha judge`"
        )


def used_us(axis: OfficeAxis, start: Instants, end: Instants, day: Instants) -> Instants:
    """The published formula, in office microseconds; `day` is the length of the acceptance date's day."""
    gone, whole = axis.of_date(start)
    used: Instants = (axis.working_days(start, end) - 2) * day + (whole - gone) + axis.of_date(end)[0]
    return used


def compare_table(
    messages: pa.Table, as_of: datetime, known_by: datetime, rules: ProfileBook, book: CalendarBook
) -> pa.Table:
    """Case cards of either arithmetic at (as_of, known_by): `CARDS` and `exact_used_days`.

    `used_days` is the published engine's, whole days. A card that stands is one it would issue; one that does not is a
    card of the exact arithmetic that it leaves out, nature `rule`. Limits in working days only, which is all it counts.
    """
    version = rules.current(known_by.astimezone(ZONE).date(), as_of.astimezone(ZONE).date())
    case_clock = clocks()["case"]
    history = Messages.of(messages, case_clock.kinds)
    size = len(history.case_nos)
    question = Question(to_us(as_of), to_us(known_by), rules, book, datetime.min.time(), {})
    moments = moments_at(question, np.arange(size), np.full(size, question.as_of), np.full(size, question.known_by))
    picked = pick(history, moments)
    runs = case_clock.run(history, moments, picked)
    runs = runs.take((runs.unit == UNITS.index("working_day")) & (runs.stop >= runs.start))
    specials = specials_of(history, moments, picked)
    used, day = np.zeros(len(runs.moment), np.int64), np.ones(len(runs.moment), np.int64)
    calendars, calendar = calendars_of(book, moments.calendar[runs.moment], places_of(history, runs.subject, book))
    owner = np.searchsorted(runs.moment, specials.moment)
    owner[owner == len(runs.moment)] = 0
    mine = np.flatnonzero(runs.moment[owner] == specials.moment) if len(runs.moment) else owner[:0]
    for number, one in enumerate(calendars):
        axis, rows = OfficeAxis(one), np.flatnonzero(calendar == number)
        day[rows] = axis.of_date(runs.start[rows])[1]
        used[rows] = used_us(axis, runs.start[rows], runs.stop[rows], day[rows])
        own = mine[calendar[owner[mine]] == number]
        begin = history.occurred[specials.message[own]]
        is_open = (specials.end[own] == NEVER) | (specials.end[own] == begin)
        case = owner[own]
        end = np.where(is_open, np.maximum(runs.stop[case], begin), specials.end[own])
        approved = history.number("approved_days")[specials.message[own]] * day[case]
        lost = used_us(axis, begin, end, day[case])
        np.subtract.at(used, case, np.where(approved < lost, approved, lost).astype(np.int64))
    whole = -(-used // day)

    exact = ProfileBook([one.model_copy(update={"count_mode": "office_clock"}) for one in rules.versions])
    cards = judge_table(messages, as_of, known_by, exact, book).to_pylist()
    exactly = {(card["case_no"], card["level"]): card for card in cards if card["clock"] == "case" and card["standing"]}
    listed = _listed(history, runs.subject, runs.moment, runs.limits, whole, version, exactly)
    schema = CARDS.append(pa.field("exact_used_days", pa.float64()))
    return pa.Table.from_pylist(sorted(listed, key=lambda one: (one["case_no"], LEVELS.index(one["level"]))), schema)


def _listed(
    history: Messages,
    subject: Indices,
    case: Indices,
    limits: Mapping[str, Numbers],
    whole: Indices,
    version: Profile,
    exactly: dict[tuple[str, str], dict[str, Any]],
) -> list[dict[str, Any]]:
    """A row per case and level that either arithmetic reaches; only those are looked at one by one."""
    keys, table, found = key_column(history.table), history.table, []
    levels = {rule.level: rule for rule in version.rules("case")}
    case_nos = history.case_nos.take(pa.array(case)).to_pylist()
    for level, rule in levels.items():
        limit = limits[rule.base]
        is_over = whole > limit + rule.offset_days
        known = np.isin(case_nos, [case_no for case_no, one in exactly if one == level])
        for row in np.flatnonzero((limit > 0) & (is_over | known)).tolist():
            case_no, message = case_nos[row], int(subject[row])
            card = exactly.get((case_no, level))
            found.append(
                {
                    **{name: table[name][message].as_py() for name in ("source", "department", "region")},
                    **{name: table[name][message].as_py() for name in ("item_code", "item_name")},
                    "case_no": case_no, "clock": "case", "clock_key": "", "level": level,
                    "reached_at": card and card["reached_at"], "due_at": card and card["due_at"],
                    "used_days": float(whole[row]), "exact_used_days": card and card["used_days"],
                    "limit_days": float(limit[row]), "excluded_days": card and card["excluded_days"],
                    "base": rule.base, "standing": bool(is_over[row]),
                    "provisional": bool(card and card["provisional"]),
                    "nature": "conduct" if is_over[row] and card else "rule", "responsible_hop": None,
                    "evidence": card["evidence"] if card else [keys[message].as_py()], "deciding": [],
                    "calendar_version": card and card["calendar_version"], "profile_version": version.label,
                }
            )  # fmt: skip
    return found
