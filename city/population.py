"""Who applies for what and when: every case of one department, from the plans and a seed."""

from __future__ import annotations

from datetime import date, datetime
from random import Random

from city.histories import Case, Event, History
from city.hours import LAST_DAY, at, later, working_days_between
from city.items import DEPARTMENTS, REGION, Item, items
from city.stories import PLANS, THE_STOP, Plan, applicant, eve_of_the_stop, live


def events(source: str, seed: int) -> list[Event]:
    """Everything that happens in one department, case by case. Each case has its own generator, so that adding a
    plan changes no other case."""
    found: list[Event] = []
    serial = 0
    for number, plan in enumerate(PLANS):
        if source not in plan.sources:
            continue
        days = working_days_between(plan.first, min(plan.last, LAST_DAY))
        for nth in range(plan.count):
            rng = Random(f"{seed}/{source}/{number}/{plan.story.__name__}/{nth}")
            serial += 1
            item = _item(plan, source, rng)
            accepted = _accepted(plan, days, nth, item, rng)
            case = _case(plan, source, item, accepted, serial, rng)
            found += live(plan, History(case, accepted, rng))
    return found


def _item(plan: Plan, source: str, rng: Random) -> Item:
    low, high = plan.promised
    fits = [
        item
        for item in items(source)
        if low <= item.promised <= high
        and plan.statutory[0] <= item.statutory <= plan.statutory[1]
        and (item.certificate or not plan.certificate)
    ]
    return rng.choice(fits)


def _accepted(plan: Plan, days: list[date], nth: int, item: Item, rng: Random) -> datetime:
    """Spread evenly over the plan's days, in opening hours, never in the last half hour."""
    if plan.story is eve_of_the_stop:
        boundary = later(THE_STOP[0], rng.uniform(0.3, 0.97))
        return later(boundary, -item.promised)
    day = days[min((nth * len(days) + rng.randrange(len(days))) // plan.count, len(days) - 1)]
    return later(at(day, "09:00"), rng.uniform(0.04, 0.92))


def _case(plan: Plan, source: str, item: Item, accepted: datetime, serial: int, rng: Random) -> Case:
    is_business = rng.random() < (0.6 if source == "scjg" else 0.25)
    channel = "window" if source == "zrzy" or item.promised == 0 or rng.random() < 0.5 else "online"
    number = f"{REGION}{accepted:%Y%m%d}{DEPARTMENTS[source].serial}{serial:05d}"
    name = applicant(plan, rng, is_business=is_business, rare=source != "scjg")
    return Case(source, number, item, name, is_business, channel, plan.story.__name__)
