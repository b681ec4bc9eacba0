"""Every clock's cards, judged again from nothing at every cut-off night.

Reads only canonical messages. Straight loops: for each case, for each night, select what was known, count, compare.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from math import comb
from typing import Any

from tests.oracle.calendar import Calendar
from tests.oracle.look import KINDS, Boundary, Case, Which, cut_off_after, cut_off_from, key, known_at, name_of
from tests.oracle.profiles import HUNAN, LEVELS, Profile
from tests.oracle.runs import Message, at, has_passed, occurred
from tests.oracle.stepping import as_known, count, local, local_day, second

Sets = list[frozenset[str]]


def is_first(message: Message, every: list[Message]) -> bool:
    """Version 1; an accept also when every earlier version only asked for a supplement."""
    if message["version"] == 1:
        return True
    if message["kind"] != "accept" or not has_passed(message):
        return False
    earlier = {m["version"]: m for m in every if key(m) == key(message) and m["version"] < message["version"]}
    return 1 in earlier and all(m["payload"].get("outcome") == "supplement" for m in earlier.values())


def sizes(count: int) -> Iterator[int]:
    """How many of so many doubtful messages are taken together: every number, as long as there are 2,048 ways; all."""
    ways = 0
    for number in range(1, count):
        ways += comb(count, number)
        if ways > 2048:
            break
        yield number
    if count:
        yield count


def nature_of_removed(
    case: Case, which: Which, boundary: Boundary, held_at: int, as_of: int, known_by: int
) -> tuple[str | None, Sets, str | None]:
    """(nature, the sets of messages that may be named as deciding, responsible hop); None: it never was a card."""
    known, today = case.known(known_by), as_known(local_day(known_by))

    def was_in_time(message: Message, reached: int) -> bool:
        written = message["written_at"]
        return is_first(message, known) and written is not None and at(written) <= reached

    own_night = min(cut_off_after(boundary.reached), as_of)
    doubtful = [
        m
        for m in known
        if m["kind"] in KINDS[which[0]] and known_at(m) > own_night and not was_in_time(m, boundary.reached)
    ]

    def stands(believed: list[Message], calendar: Calendar) -> Boundary | None:
        """The card as it would be, reached by the night on which it last held."""
        found = case.held(believed, as_of, calendar).get(which)
        return found if found is not None and found.reached <= held_at else None

    def stands_without(unsaid: list[Message]) -> Boundary | None:
        return stands([m for m in known if m not in unsaid], today)

    def is_proof(unsaid: list[Message]) -> bool:
        """Without them the card stands, and none of them was entered before it would have come about."""
        then = stands_without(unsaid)
        return then is not None and not any(was_in_time(m, then.reached) for m in unsaid)

    if stands(known, as_known(local_day(held_at))):
        return "calendar", [], None
    for number in sizes(len(doubtful)):
        found = [unsaid for unsaid in combinations(doubtful, number) if is_proof(list(unsaid))]
        if found:
            return "suspect", [frozenset(map(name_of, unsaid)) for unsaid in found], None
    late = [
        m
        for m in known
        if m["kind"] in KINDS[which[0]]
        and m not in doubtful
        and known_at(m) > own_night
        and max(known_at(m), occurred(m)) > held_at
    ]
    deciding = [m for m in late if stands_without([m, *doubtful])] or late
    if not deciding:
        return ("suspect", [frozenset()], None) if doubtful else (None, [], None)
    return "push_delay", [frozenset(map(name_of, deciding))], responsible_hop(min(deciding, key=earliest))


def earliest(message: Message) -> tuple[Any, ...]:
    """When it happened; of two records of one moment the order of their names."""
    return (occurred(message), *(message[name] for name in ("source", "kind", "seq", "version")))


def responsible_hop(message: Message) -> str | None:
    """The first hop that took longer than it may: an hour to the platform, the next night from there."""
    if message["received_at"] is None:
        is_late = known_at(message) > cut_off_from(at(message["written_at"]) + 3600)
        return f"{message['source']}->supervision" if is_late else None
    if at(message["received_at"]) - at(message["written_at"]) > 3600:
        return f"{message['source']}->platform"
    if known_at(message) > cut_off_from(at(message["received_at"])):
        return "platform->supervision"
    return None


@dataclass(frozen=True)
class Doubt:
    """Records of these kinds of a case lie in quarantine from one cut-off (None: ever) until another (None: still)."""

    case_no: str
    kinds: frozenset[str]
    since: datetime | None
    until: datetime | None

    def holds_up(self, clock: str, instant: int) -> bool:
        is_begun = self.since is None or second(self.since) <= instant
        return (
            is_begun and bool(self.kinds & set(KINDS[clock])) and (self.until is None or instant < second(self.until))
        )


def last_free(clock: str, known: int, doubts: list[Doubt]) -> int | None:
    """The moment itself, or the last cut-off before it at which no doubt held the clock up; None: there was none."""
    while any(doubt.holds_up(clock, known) for doubt in doubts):
        if any(doubt.since is None and doubt.holds_up(clock, known) for doubt in doubts):
            return None
        known = cut_off_from(known) - 86_400
    return known


def judge(
    messages: list[Message],
    as_of: datetime,
    known_by: datetime | None = None,
    profile: Profile = HUNAN,
    step: int = 60,
    doubts: Sequence[Doubt] = (),
) -> list[dict[str, Any]]:
    """Cards listed at (as_of, known_by). Messages and moments are whole steps (seconds) from a full hour."""
    now, known = second(as_of), second(known_by or as_of)
    cards: list[dict[str, Any]] = []
    for case_no in sorted({m["case_no"] for m in messages}):
        count.cache_clear()
        case = Case([m for m in messages if m["case_no"] == case_no], profile, step)
        mine = [doubt for doubt in doubts if doubt.case_no == case_no]
        clocks_at: dict[int | None, set[str]] = {}
        for clock in KINDS:
            clocks_at.setdefault(last_free(clock, known, mine), set()).add(clock)
        for moment, clocks in clocks_at.items():
            if moment is not None:
                cards += judge_case(case, min(now, moment) if moment < known else now, moment, clocks, mine)
    return sorted(
        cards, key=lambda card: (card["case_no"], card["clock"], card["clock_key"], LEVELS.index(card["level"]))
    )


def judge_case(case: Case, now: int, known: int, clocks: set[str], doubts: list[Doubt]) -> Iterator[dict[str, Any]]:
    """The cards of some clocks of a case; nothing holds them up at this moment, though something may have before."""

    def held(by: int, as_of: int) -> dict[Which, Boundary]:
        found = case.held(case.known(by), as_of, as_known(local_day(by)))
        return {which: one for which, one in found.items() if which[0] in clocks}

    standing = held(known, now)
    last_held: dict[Which, tuple[int, Boundary]] = {}
    seen: set[Which] = set()
    cut = min((known_at(m) for m in case.messages), default=now)
    while cut <= min(now, known):
        for which, boundary in held(cut, cut).items():
            last_held[which] = (cut, boundary)
            if not any(doubt.holds_up(which[0], cut) for doubt in doubts):
                seen.add(which)
        cut = cut_off_after(cut)

    for which in sorted(standing.keys() | last_held.keys()):
        sets: Sets = []
        hop = None
        nature: str | None
        if which in standing:
            boundary = standing[which]
            own_night = min(cut_off_after(boundary.reached), now, known)
            stood_then = which in case.held(case.known(known), now, as_known(local_day(own_night)))
            nature = "conduct" if stood_then else "calendar"
        else:
            held_at, boundary = last_held[which]
            nature, sets, hop = nature_of_removed(case, which, boundary, held_at, now, known)
        if nature is None or (nature == "push_delay" and which not in seen):
            continue
        yield {
            "case_no": case.messages[0]["case_no"],
            "clock": which[0],
            "clock_key": which[1],
            "level": which[2],
            "reached_at": local(boundary.reached).isoformat(),
            "due_at": None if boundary.due is None else local(boundary.due).isoformat(),
            "used_days": float(boundary.used_days),
            "excluded_days": float(boundary.excluded_days),
            "limit_days": float(boundary.limit_days),
            "base": boundary.rule.base,
            "nature": nature,
            "standing": which in standing or nature == "suspect",
            "provisional": boundary.provisional,
            "responsible_hop": hop,
            "evidence": case.evidence(which, now, known),
            "deciding": sets,
        }
