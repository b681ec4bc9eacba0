"""Feedback is due so many working days after a card was issued; overdue, it is followed up (督办), stage by stage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import orjson

from etl import sources
from etl.domain.axis import Targets
from etl.domain.date_axis import DateAxis
from etl.domain.night import ZONE, from_us, to_us
from etl.domain.profile import Profile
from etl.store.calendars import stored
from etl.store.engine import engine
from etl.store.profiles import profile
from etl.store.statements import sql

NOON = time(12, tzinfo=ZONE)


def raise_due(business_on: date) -> int:
    """Make an item to tell of every card whose feedback is overdue at the end of the night, once per stage -> how many.

    Only cards the department was told of; what owes feedback is ruled by the database (``owes_feedback``).
    """
    rules = {name: profile(sources.get(name).profile) for name in sources.names()}
    with engine().begin() as connection:
        shortest = min(min(rule.follow_up_days, default=0) for rule in rules.values())
        # A working day is at least a day: what was issued later cannot be due.
        asked = {"business_on": business_on, "issued_until": business_on - timedelta(days=shortest)}
        rows = connection.execute(sql("decisions/owing"), asked).mappings()
        by_source: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            by_source[row["source"]].append(dict(row))
        items = [
            _item(card, stage, due_on, business_on)
            for source, cards in by_source.items()
            for stage in range(1, len(rules[source].follow_up_days) + 1)
            for card, due_on in zip(cards, _due(cards, stage, rules[source], business_on), strict=True)
            if stage > card["stages"] and due_on <= business_on
        ]
        if items:
            connection.execute(sql("decisions/insert_follow_up"), items)
    return len(items)


def feedback_due_on(card: Mapping[str, Any]) -> date | None:
    """Last day for the department's feedback on a card, a row of ``decisions/cards``; None while none is owed."""
    rules = profile(sources.get(card["source"]).profile)
    if not card["owes_feedback"] or not rules.follow_up_days:
        return None
    return _due([card], 1, rules, card["issued_on"])[0]


def _due(cards: Sequence[Mapping[str, Any]], stage: int, rules: Profile, known_on: date) -> list[date]:
    """Per card the last day before a stage: whole working days, the day of issue not counted."""
    axis = DateAxis(stored(engine()).book(rules.calendar).known(known_on), working=True)
    issued = np.array([to_us(datetime.combine(card["issued_on"], NOON)) for card in cards], dtype=np.int64)
    target = axis.start(issued) + np.int64(rules.follow_up_days[stage - 1])
    return [from_us(due).date() for due in axis.due(Targets(target, target), issued).tolist()]


def _item(card: Mapping[str, Any], stage: int, due_on: date, business_on: date) -> dict[str, Any]:
    key = "/".join(str(card[part]) for part in ("source", "case_no", "clock", "clock_key", "level"))
    payload = {
        "stage": stage,
        "issued_on": str(card["issued_on"]),
        "due_on": str(due_on),
    }
    return {
        "item_key": f"D/{key}/{stage}", "business_on": business_on, "department": card["department"],
        "card_event_seq": card["seq"], "payload": orjson.dumps(payload).decode(),
    }  # fmt: skip
