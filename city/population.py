"""Who applies for what and when: every case of one department, from the plans and a seed; and a crowd on demand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from city import people
from city.departments import DEPARTMENTS
from city.histories import Case, Event, History
from city.hours import DAY, LAST_DAY, at, working_days_between
from city.items import Item, items
from city.stories import PLANS, THE_SILENCE, THE_STOP, Plan, applicant, cut_off_by_silence, eve_of_the_stop, live

CROWD_DAYS = 20
"""Working days before the last one over which the open cases of a scaled city were accepted."""


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
            accepted = _accepted(plan, days, nth, item, source, rng)
            case = _case(plan, source, item, accepted, serial, rng)
            found += live(plan, History(case, accepted, rng))
    return found


def crowd(source: str, seed: int, count: int) -> Iterator[list[Event]]:
    """`count` cases that are still open on the last day, one after the other in order of acceptance.

    Nine in ten are within their promise. Nothing is kept: a caller that keeps nothing either needs no memory.
    """
    department, rng = DEPARTMENTS[source], Random(f"{seed}/{source}/crowd")
    hours = department.hours
    promised = [item for item in items(source) if item.promised]
    last = working_days_between(date(2026, 10, 9), LAST_DAY)[-1]
    end = hours.coordinate(at(last, "17:00"))
    for nth in range(count):
        left = CROWD_DAYS * DAY * (count - nth) // count
        item = rng.choice([item for item in promised if item.promised * DAY > left] or promised)
        if rng.random() < 0.1:
            item = rng.choice(promised)
        accepted = hours.moment(end - left)
        is_business = rng.random() < department.businesses
        name = (
            people.business(rng, department.place, department.trades) if is_business else people.person(rng, rare=False)
        )
        channel = "window" if rng.random() < 0.5 else "online"
        number = f"{department.region}{accepted:%Y%m%d}{department.serial}{nth:07d}"
        history = History(Case(source, number, item, name, is_business, channel, "crowd"), accepted, rng)
        history.open(timedelta(seconds=rng.randint(240, 1500)))
        history.stage(1, accepted, None, reported=history.later(accepted, 0.02))
        yield history.events


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


def _accepted(plan: Plan, days: list[date], nth: int, item: Item, source: str, rng: Random) -> datetime:
    """Spread evenly over the plan's days, in opening hours, never in the last half hour."""
    hours = DEPARTMENTS[source].hours
    if plan.story is eve_of_the_stop:
        boundary = hours.later(THE_STOP[0], rng.uniform(0.3, 0.97))
        return hours.later(boundary, -item.promised)
    if plan.story is cut_off_by_silence:
        return hours.later(THE_SILENCE, -rng.uniform(0.2, 0.65) * item.promised)
    day = days[min((nth * len(days) + rng.randrange(len(days))) // plan.count, len(days) - 1)]
    return hours.later(at(day, "09:00"), rng.uniform(0.04, 0.92))


def _case(plan: Plan, source: str, item: Item, accepted: datetime, serial: int, rng: Random) -> Case:
    department = DEPARTMENTS[source]
    is_business = rng.random() < department.businesses
    is_window = department.form in ("day_files", "case_files") or item.promised == 0 or rng.random() < 0.5
    number = f"{department.region}{accepted:%Y%m%d}{department.serial}{serial:05d}"
    # The platform's code page has no rare characters.
    rare = department.form != "platform"
    name = applicant(plan, rng, department, is_business=is_business, rare=rare)
    return Case(source, number, item, name, is_business, "window" if is_window else "online", plan.story.__name__)
