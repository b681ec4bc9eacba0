"""The night's findings by rules other than time: a difference, like its cards, computed from messages alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

import pyarrow.compute as pc
from sqlalchemy import Engine

from etl import sources
from etl.domain.night import ZONE
from etl.runs.night_groups import Group
from etl.runs.ways import links
from etl.settings import settings
from etl.store import findings as finding_store
from etl.supervision.findings import FINDINGS, changes, find_table
from etl.supervision.question import Doubt
from etl.supervision.rules import rules


def record_night(engine: Engine, night: date, asked: Sequence[Group], doubts: Sequence[Doubt]) -> int:
    """Store find(night) - find(night before) -> number of events.

    Args:
        doubts: records that are here and unusable.
    """
    items, events = finding_store.catalogue(engine), []
    find_in = partial(find_table, items=items, cutoff=settings().cutoff, links=links(), doubts=doubts)
    for group in asked:
        before, moment = group.before, group.moment
        find = partial(find_in, profile=group.rules, book=group.book, frozen=group.frozen)
        for messages in finding_store.messages(group.names, moment, group.since, always=group.always):
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
