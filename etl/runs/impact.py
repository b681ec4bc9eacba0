"""What a change of calendar, rules or limits would do to the cards, before anybody makes it; writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl import sources
from etl.domain.calendar import CalendarBook, CalendarDay
from etl.domain.night import ZONE
from etl.domain.profile import Profile, ProfileBook
from etl.errors import UsageError
from etl.runs import ways
from etl.runs.night_groups import completeness_until, judged_moments
from etl.settings import settings
from etl.store import feeds, ledger
from etl.store.calendars import stored
from etl.store.engine import engine
from etl.store.profiles import profile_book
from etl.supervision import cards as card_rules
from etl.supervision import difference
from etl.supervision.contract import contract_card
from etl.supervision.judge import judge_table
from etl.supervision.question import Doubt

AHEAD = timedelta(days=366)
"""Boundaries of open cases are compared this far ahead, as if nothing more happened to them."""
MOVES = ("reached_at", "due_at", "provisional")


def _same(messages: pa.Table) -> pa.Table:
    return messages


@dataclass(frozen=True)
class Change:
    """Rulings to add, a profile's version to put in, and what else the messages would say."""

    days: Sequence[Mapping[str, Any]] = ()
    profile: Profile | None = None
    messages: Callable[[pa.Table], pa.Table] = field(default=_same)
    item_code: str | None = None


def item_limits(item_code: str, promised: float | None, statutory: float | None) -> Change:
    """Every acceptance of an item with other limits, in the unit it has; None leaves a limit as it is."""

    def changed(messages: pa.Table) -> pa.Table:
        is_meant = pc.and_(pc.equal(messages["kind"], "accept"), pc.equal(messages["item_code"], item_code))
        for name, limit in (("promised_limit", promised), ("statutory_limit", statutory)):
            if limit is not None:
                at, old = messages.schema.get_field_index(name), messages[name]
                new = pc.if_else(pc.fill_null(is_meant, False), pa.scalar(limit, old.type), old)
                messages = messages.set_column(at, messages.schema.field(at), new)
        return messages

    return Change(messages=changed, item_code=item_code)


def impact(change: Change) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Counts, and every card that would change, as of the last night judged and with its knowledge.

    `moved`: boundaries that move (reached or still ahead, of `cases` cases); `issued`, `withdrawn`: cards of today;
    `resolved`: boundaries no longer provisional. `UsageError` for an item nobody applied for, or before the first night
    (where rulings may be added all the same: nothing changes by them).
    """
    judged = feeds.fingerprints(engine())
    counts = Counter(cases=0, moved=0, issued=0, withdrawn=0, resolved=0)
    if not judged and change.days:
        return dict(counts), []
    if not judged:
        raise UsageError("no night has been judged yet; run a night first")
    lines: list[dict[str, Any]] = []
    moved_cases = set()
    for before, after in _judged_twice(change, max(judged)):
        for event in difference.changes(before.now, after.now):
            if event["event"] in ("issued", "reinstated", "withdrawn"):
                kind = "withdrawn" if event["event"] == "withdrawn" else "issued"
                counts[kind] += 1
                lines.append({"change": kind, **contract_card(event)})
        known = {_identity(card): card for card in before.ahead}
        for card in after.ahead:
            old = known.pop(_identity(card), None)
            was_provisional = old["provisional"] if old else bool(change.days) and card["level"] == "red"
            counts["resolved"] += was_provisional and not card["provisional"]
            if old is None or any(old[name] != card[name] for name in MOVES):
                moved_cases.add(card["case_no"])
                counts["moved"] += 1
                was = old and old["reached_at"].astimezone(ZONE).isoformat()
                lines.append({"change": "moved", "was": was, **contract_card(card)})
        for card in known.values():
            moved_cases.add(card["case_no"])
            counts["moved"] += 1
            lines.append({"change": "dropped", **contract_card(card)})
    counts["cases"] = len(moved_cases)
    return dict(counts), lines


@dataclass(frozen=True)
class _Judged:
    now: pa.Table
    ahead: list[dict[str, Any]]


def _judged_twice(change: Change, night: date) -> Iterator[tuple[_Judged, _Judged]]:
    moments = judged_moments(night, completeness_until(night))
    is_found = change.item_code is None
    doubts = list(map(Doubt.of, ledger.doubts(engine())))
    for moment, name in sorted({(moments[source], sources.get(source).profile) for source in moments}):
        names = [source for source in moments if (moments[source], sources.get(source).profile) == (moment, name)]
        rules, on_date = profile_book(name), moment.astimezone(ZONE).date()
        # Known at this moment and at no earlier cut-off, so that what changes is laid to the change.
        days = [(row["calendar"], CalendarDay(**{n: row[n] for n in CalendarDay._fields} | {"known_from": on_date}))
                for row in change.days]  # fmt: skip
        book, new_book = (stored(engine(), more).book(rules.calendar) for more in ((), days))
        new_rules = rules
        if change.profile is not None and change.profile.name == rules.name:
            kept = [one for one in rules.versions if one.version != change.profile.version]
            new_rules = ProfileBook([*kept, change.profile.model_copy(update={"known_from": on_date})])

        def judged(told: pa.Table, by: ProfileBook, in_book: CalendarBook, moment: Any = moment) -> _Judged:
            now, ahead = (
                judge_table(
                    told, as_of, moment, by, in_book, cutoff=settings().cutoff, links=ways.links(), doubts=doubts
                )
                for as_of in (moment, moment + AHEAD)
            )
            return _Judged(now, [card for card in ahead.to_pylist() if card["standing"]])

        for messages in ledger.case_messages(names, moment, card_rules.kinds()):
            is_found = is_found or change.item_code in pc.unique(messages["item_code"]).to_pylist()
            yield judged(messages, rules, book), judged(change.messages(messages), new_rules, new_book)
    if not is_found:
        raise UsageError(f"no case of item {change.item_code} is known; give its code as `item_code` has it")


def of_profile(version: Profile) -> Change:
    """A new or rewritten version of a profile; `UsageError` where no source is judged by it."""
    used = {profile_book(sources.get(name).profile).name for name in sources.names()}
    if version.name not in used:
        raise UsageError(f"no source is judged by profile {version.name}; used: {', '.join(sorted(used))}")
    return Change(profile=version)


def _identity(card: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(card[name] for name in difference.IDENTITY[1:])


def as_text(counts: Mapping[str, int]) -> str:
    """The counts for people."""
    return (
        f"界限移动 {counts['moved']} 个（涉及办件 {counts['cases']} 件），其中不再暂定 {counts['resolved']} 个；"
        f"将新发 {counts['issued']} 张，撤回 {counts['withdrawn']} 张"
    )
