"""Which sources a night judges alike, and what is to be read of them to tell it from the night before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from etl import sources
from etl.domain.calendar import CalendarBook
from etl.domain.night import cutoff_at
from etl.domain.profile import ProfileBook
from etl.runs.reconciling import declared_pairs
from etl.settings import settings
from etl.store import feeds
from etl.store.calendars import Calendars
from etl.store.engine import engine
from etl.store.profiles import profile_book
from etl.supervision.published_engine import refuse_read_only
from etl.supervision.question import Doubt, freed, is_revised


@dataclass(frozen=True)
class Group:
    """Sources judged at one moment by one profile.

    `before` is the moment the night before judged them at (None: not at all); `frozen` their nights from which nothing
    may be concluded. Cases over by `since` about which nothing came afterwards are judged alike on both nights, but for
    `always`; None: every case may be judged otherwise.
    """

    names: list[str]
    before: datetime | None
    moment: datetime
    rules: ProfileBook
    book: CalendarBook
    since: datetime | None
    always: set[str]
    frozen: dict[str, list[datetime]]


def completeness_until(night: date) -> feeds.Completeness:
    """What judging any night up to this one may conclude from: of two systems that hold the same cases, only both."""
    found = feeds.completeness(engine(), night)
    for names in _same_cases():
        found = found.together(names)
    return found


def _same_cases() -> list[set[str]]:
    found: list[set[str]] = []
    for pair in declared_pairs():
        names = {pair.upstream, pair.downstream}
        joined = [group for group in found if group & names]
        found = [*(group for group in found if group not in joined), names.union(*joined)]
    return found


def groups(
    night: date, completeness: feeds.Completeness, calendars: Calendars, doubts: Sequence[Doubt]
) -> Iterator[Group]:
    """The groups of a night, without the sources that have nothing new to say.

    Args:
        doubts: records that are here and unusable.
    """
    earlier, now = judged_moments(night - timedelta(days=1), completeness), judged_moments(night, completeness)
    found: defaultdict[tuple[datetime | None, datetime, str], list[str]] = defaultdict(list)
    for name, moment in now.items():
        if earlier.get(name) != moment:  # a source still frozen has nothing new to say
            found[earlier.get(name), moment, sources.get(name).profile].append(name)
    for (before, moment, _), names in found.items():
        rules = rules_of(names[0])
        book = calendars.book(rules.calendar)
        since = None if before is None or is_revised(before, moment, book, rules) else before
        frozen = completeness.frozen_cutoffs(moment, settings().cutoff)
        yield Group(names, before, moment, rules, book, since, freed(doubts, before, moment), frozen)


def judged_moments(night: date, completeness: feeds.Completeness) -> dict[str, datetime]:
    """Per source the moment a night judges it at: the cut-off of its last complete night."""
    judged = completeness.judged(night)
    return {source: cutoff_at(complete_on, settings().cutoff) for source, complete_on in judged.items()}


def rules_of(source: str) -> ProfileBook:
    """The profile a source is judged by; `SafetyRefusal` for one that nothing may be issued by."""
    profiles = profile_book(sources.get(source).profile)
    refuse_read_only(profiles, source)
    return profiles
