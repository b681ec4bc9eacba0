"""The night's findings by rules other than time: a difference, like its cards, computed from messages alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial

import pyarrow.compute as pc
from sqlalchemy import Engine

from etl import sources
from etl.domain.night import ZONE
from etl.runs.ways import links
from etl.settings import settings
from etl.store import feeds
from etl.store import findings as finding_store
from etl.store.calendars import Calendars
from etl.store.profiles import profile_book
from etl.supervision.findings import FINDINGS, changes, find_table
from etl.supervision.question import Doubt, freed, is_revised
from etl.supervision.rules import rules


def record_night(
    engine: Engine,
    night: date,
    earlier: Mapping[str, datetime],
    now: Mapping[str, datetime],
    calendars: Calendars,
    doubts: Sequence[Doubt],
) -> int:
    """Store find(night) - find(night before) -> number of events.

    Args:
        earlier, now: per source the moment it is judged at on the night before and on this one.
        doubts: records that are here and unusable.
    """
    groups: defaultdict[tuple[datetime | None, datetime, str], list[str]] = defaultdict(list)
    for name, moment in now.items():
        if earlier.get(name) != moment:
            groups[earlier.get(name), moment, sources.get(name).profile].append(name)
    items, events = finding_store.catalogue(engine), []
    ways, cutoff = links(), settings().cutoff
    for (before, moment, rules_name), names in groups.items():
        ruled = profile_book(rules_name)
        book = calendars.book(ruled.calendar)
        is_anew = before is None or is_revised(before, moment, book, ruled)
        always = freed(doubts, before, moment)
        parts = finding_store.messages(names, moment, None if is_anew else before, always=always)
        frozen = feeds.frozen_cutoffs(engine, moment, cutoff)
        find = partial(
            find_table, profile=ruled, book=book, items=items, cutoff=cutoff, links=ways, frozen=frozen, doubts=doubts
        )
        for messages in parts:
            old = FINDINGS.empty_table()
            if before is not None:
                old = find(messages.filter(pc.less_equal(messages["known_at"], before)), before, before)
            for event in changes(old, find(messages, moment, moment)):
                in_force_from = sources.get(event["source"]).in_force_from
                is_baseline = event["occurred_at"].astimezone(ZONE).date() < in_force_from
                events.append(event | {"business_on": night, "is_baseline": is_baseline})
    told = [{"rule": one.code, "title": one.title, "basis": one.basis, "about": one.about} for one in rules().values()]
    finding_store.record_night(engine, night, told, events)
    return len(events)
