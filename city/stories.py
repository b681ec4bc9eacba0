"""The ways a case can go. A story decides what people did and when they wrote it down, never what anybody concludes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from city import people
from city.departments import Department
from city.histories import Event, History
from city.hours import FIRST_DAY, LAST_DAY, at


def brisk(h: History) -> None:
    h.open()
    h.finish(h.due(h.rng.uniform(0.15, 0.85)))


def on_the_spot(h: History) -> None:
    h.open()
    h.finish(h.accepted_at + timedelta(minutes=h.rng.randint(5, 30)), stages=False)


def not_on_the_spot(h: History) -> None:
    h.open()
    h.finish(h.later(h.accepted_at, h.rng.uniform(1.1, 2.0)), stages=False)


def last_minute(h: History) -> None:
    h.open()
    h.finish(h.due(h.rng.uniform(0.95, 0.999)))


def past_promise(h: History) -> None:
    h.open()
    days = h.item.promised + h.rng.uniform(0.05, 0.7) * (h.item.statutory - h.item.promised)
    h.finish(h.later(h.accepted_at, days))


def past_law(h: History) -> None:
    h.open()
    h.finish(h.later(h.accepted_at, h.item.statutory + h.rng.uniform(0.1, 2.0)))


def unfinished(h: History) -> None:
    h.open()
    first = h.due(h.rng.uniform(0.2, 0.5))
    h.stage(1, h.accepted_at, first)
    h.stage(2, first, None, reported=h.later(first, 0.1))


def just_begun(h: History) -> None:
    h.open()
    h.stage(1, h.accepted_at, None, reported=h.later(h.accepted_at, 0.1))


def inspected(h: History) -> None:
    h.open()
    days = h.rng.choice((2, 3, 5))
    start, spent = h.due(0.3), days * h.rng.uniform(0.5, 0.95)
    h.suspend(1, start, h.later(start, spent), days, special_kind=h.rng.choice(("inspection", "expert_review")))
    h.finish(h.later(h.due(h.rng.uniform(0.5, 0.9)), spent))


def inspected_too_long(h: History) -> None:
    h.open()
    days = h.rng.choice((2, 3))
    start, spent = h.due(0.3), days + h.rng.uniform(0.3, 2.5)
    h.suspend(1, start, h.later(start, spent), days, special_kind="hearing")
    h.finish(h.later(h.due(0.6), spent))


def inspection_never_ends(h: History) -> None:
    h.open()
    start = h.due(0.4)
    h.suspend(1, start, start if h.rng.random() < 0.5 else None, h.rng.choice((5, 10, None)))


def overlapping(h: History) -> None:
    h.open()
    start = h.due(0.3)
    h.suspend(1, start, h.later(start, 2), 3)
    h.suspend(2, h.later(start, 1), h.later(start, 4), 5, special_kind="publicity", reason="公示")
    h.finish(h.later(h.due(0.7), 4))


def extended(h: History) -> None:
    h.open()
    facts = {"special_kind": "extension", "reason": "案情复杂"}
    h.suspend(1, h.due(0.8), None, 5, **facts)
    h.finish(h.later(h.due(1.0), 1.5))


def extended_unsigned(h: History) -> None:
    h.open()
    h.suspend(1, h.due(0.8), None, 5, special_kind="extension", approver=None, reason="案情复杂")
    h.finish(h.later(h.due(1.0), 1.5))


def supplemented(h: History) -> None:
    applied = h.apply(h.accepted_at - h.later(h.accepted_at, -3.5))
    h.supplement(h.later(applied, 1), h.later(applied, 3.2))
    h.accept(applied)
    h.finish(h.due(h.rng.uniform(0.3, 0.8)))


def supplemented_twice(h: History) -> None:
    applied = h.apply(h.accepted_at - h.later(h.accepted_at, -6))
    h.supplement(h.later(applied, 1), h.later(applied, 2.5))
    h.supplement(h.later(applied, 3.5), h.later(applied, 5.5), seq=2)
    h.accept(applied)
    h.finish(h.due(0.7))


def not_accepted(h: History) -> None:
    applied = h.apply()
    h.accept(applied, outcome="refused", reason=h.rng.choice(("不属于本机关职权", None)))


def refused(h: History) -> None:
    h.open()
    h.finish(h.due(h.rng.uniform(0.3, 0.8)), "refused")


def returned(h: History) -> None:
    h.open()
    h.finish(h.due(h.rng.uniform(0.3, 0.8)), "returned")


def voided(h: History) -> None:
    h.open()
    h.finish(h.due(0.4), "voided", reason=h.rng.choice(("重复申请", None)))


def withdrawn(h: History) -> None:
    h.open()
    h.finish(h.due(0.4), "withdrawn", reason="申请人撤回")


def corrected(h: History) -> None:
    """Something harmless is reported again: the acceptance, then the decision's legal basis for its fee."""
    applied = h.apply()
    h.accept(applied)
    h.accept(applied, version=2, written=h.later(h.accepted_at, 0.4), reason="更正申请信息")
    end = h.due(h.rng.uniform(0.4, 0.8))
    h.finish(end)
    h.finish(end, stages=False, version=2, written=h.later(end, 1.2), reason="补录收费依据")


def backdated(h: History) -> None:
    """The finish is first reported late and true; days afterwards a new version says it was in time."""
    h.open()
    end = h.later(h.due(1.0), 0.6)
    h.finish(end)
    h.finish(h.due(0.9), stages=False, version=2, written=h.later(end, h.rng.uniform(1, 2)))


def keyed_in_afterwards(h: History) -> None:
    h.open()
    h.finish(h.due(0.9), written=h.later(h.due(1.0), h.rng.uniform(1.0, 2.0)))


def too_good(h: History) -> None:
    """Accepted two seconds after the application, every stage at the second of the decision."""
    h.open(timedelta(seconds=2))
    end = h.due(0.7)
    for seq in (1, 2, 3):
        h.stage(seq, end, end)
    h.finish(end, stages=False)


def without_stages(h: History) -> None:
    h.open()
    h.finish(h.due(0.6), stages=False)


def certificate_forgotten(h: History) -> None:
    h.open()
    h.finish(h.due(0.6), certificate_no=None, certified_at=None)


def slow_stage(h: History) -> None:
    h.open()
    first = h.due(0.75)
    h.stage(1, h.accepted_at, None, reported=h.due(0.3))
    h.stage(1, h.accepted_at, first, version=2)
    h.stage(2, first, h.due(0.85))
    h.stage(3, h.due(0.85), h.due(0.9))
    h.finish(h.due(0.9), stages=False)


def decided_before_accepted(h: History) -> None:
    h.open()
    h.finish(h.accepted_at - timedelta(hours=1), stages=False)


def phone_for_a_name(h: History) -> None:
    """A telephone number stands where the applicant's name (see `applicant`) and the handler's should."""
    h.open()
    end = h.due(0.6)
    h.stage(1, h.accepted_at, end, handler=people.phone(h.rng))
    h.finish(end, stages=False)


def slow_transport(h: History) -> None:
    """In time where it happened; the record needs days to arrive."""
    h.open()
    h.finish(h.due(h.rng.uniform(0.9, 0.99)), transit=timedelta(hours=h.rng.uniform(26, 90)))


def eve_of_the_stop(h: History) -> None:
    """Decided on 18 November minutes before the promise runs out, while nothing leaves the department."""
    h.open()
    h.finish(h.later(h.due(1.0), -h.rng.uniform(0.02, 0.12)))


def cut_off_by_silence(h: History) -> None:
    """Accepted before the department falls silent, decided in time after it: the decision never arrives."""
    h.open()
    h.finish(h.due(0.7))


def keyed_again_too_late(h: History) -> None:
    """Decided in time in the ministry's system; keyed again in the department's own only days after the promise."""
    h.open()
    h.finish(h.due(h.rng.uniform(0.9, 0.99)), transit=timedelta(days=h.rng.uniform(4, 8)))


_NEIGHBOURS = ("syj", "jtj", "zjj", "ycsp", "wsny")


@dataclass(frozen=True)
class Plan:
    """How many cases live a story, accepted between which dates, on items with which limits."""

    story: Callable[[History], None]
    count: int
    first: date = FIRST_DAY
    last: date = LAST_DAY
    promised: tuple[int, int] = (2, 20)
    statutory: tuple[int, int] = (0, 60)
    sources: tuple[str, ...] = ("scjg", "rsj", "zrzy")
    certificate: bool = False


PLANS = (
    Plan(brisk, 68),
    Plan(on_the_spot, 24, promised=(0, 0)),
    Plan(not_on_the_spot, 3, promised=(0, 0)),
    Plan(last_minute, 10),
    Plan(past_promise, 10, last=date(2026, 11, 13), promised=(2, 10)),
    Plan(past_law, 6, last=date(2026, 11, 9), statutory=(5, 10)),
    Plan(unfinished, 5, last=date(2026, 11, 10), promised=(2, 10)),
    Plan(just_begun, 8, first=date(2026, 11, 16)),
    Plan(just_begun, 6, first=date(2026, 11, 18), promised=(15, 20), statutory=(30, 60)),
    Plan(inspected, 8, promised=(5, 15)),
    Plan(inspected_too_long, 4, last=date(2026, 11, 12), promised=(5, 10)),
    Plan(inspection_never_ends, 4, last=date(2026, 11, 13), promised=(3, 10)),
    Plan(overlapping, 3, last=date(2026, 11, 10), promised=(5, 10)),
    Plan(extended, 3, last=date(2026, 11, 6), promised=(5, 10)),
    Plan(extended_unsigned, 2, last=date(2026, 11, 6), promised=(5, 10)),
    Plan(supplemented, 6, first=date(2026, 10, 19)),
    Plan(supplemented_twice, 2, first=date(2026, 10, 26), last=date(2026, 11, 12)),
    Plan(not_accepted, 3),
    Plan(refused, 4),
    Plan(returned, 3),
    Plan(voided, 2, last=date(2026, 11, 12)),
    Plan(withdrawn, 2, last=date(2026, 11, 12)),
    Plan(corrected, 5),
    Plan(backdated, 3, first=date(2026, 10, 30), last=date(2026, 11, 11), promised=(3, 5)),
    Plan(keyed_in_afterwards, 3, first=date(2026, 10, 30), last=date(2026, 11, 11), promised=(3, 5)),
    Plan(too_good, 2, last=date(2026, 11, 11), promised=(2, 10)),
    Plan(without_stages, 3, last=date(2026, 11, 11)),
    Plan(certificate_forgotten, 2, last=date(2026, 11, 6), promised=(2, 10), certificate=True),
    Plan(slow_stage, 3, last=date(2026, 11, 11), promised=(5, 10)),
    Plan(decided_before_accepted, 1, last=date(2026, 11, 11)),
    Plan(phone_for_a_name, 2, last=date(2026, 11, 11)),
    Plan(
        slow_transport, 4, first=date(2026, 10, 30), last=date(2026, 11, 12), promised=(3, 5), sources=("scjg", "rsj")
    ),
    Plan(eve_of_the_stop, 8, promised=(2, 10), sources=("scjg",)),
    # Appended: a plan's place in this list decides its cases' seeds.
    Plan(brisk, 36, sources=_NEIGHBOURS),
    Plan(on_the_spot, 8, promised=(0, 0), sources=_NEIGHBOURS),
    Plan(last_minute, 5, sources=_NEIGHBOURS),
    Plan(past_promise, 4, last=date(2026, 11, 13), promised=(2, 10), sources=_NEIGHBOURS),
    Plan(past_law, 2, last=date(2026, 11, 6), statutory=(5, 10), sources=_NEIGHBOURS),
    Plan(unfinished, 3, last=date(2026, 11, 10), promised=(2, 10), sources=_NEIGHBOURS),
    Plan(just_begun, 4, first=date(2026, 11, 16), sources=_NEIGHBOURS),
    Plan(refused, 2, sources=_NEIGHBOURS),
    Plan(inspected, 4, promised=(5, 15), sources=_NEIGHBOURS),
    Plan(supplemented, 2, first=date(2026, 10, 19), sources=_NEIGHBOURS),
    Plan(phone_for_a_name, 1, last=date(2026, 11, 6), sources=_NEIGHBOURS),
    Plan(cut_off_by_silence, 4, promised=(2, 5), sources=("jtj",)),
    Plan(keyed_again_too_late, 4, first=date(2026, 10, 30), last=date(2026, 11, 5), promised=(3, 5), sources=("syj",)),
)

THE_STOP = (at(date(2026, 11, 18), "09:00"), at(date(2026, 11, 19), "16:00"))
"""scjg's records written in this span wait for its end: 31 hours."""
THE_SILENCE = at(date(2026, 11, 16), "18:00")
"""Nothing jtj writes after this instant is ever sent."""


def live(plan: Plan, h: History) -> list[Event]:
    """The story's events, up to the last day of the demonstration."""
    plan.story(h)
    return [event for event in h.events if event.at.date() <= LAST_DAY]


def applicant(plan: Plan, rng: Random, department: Department, *, is_business: bool, rare: bool) -> str:
    """Whom the case is for."""
    if plan.story is phone_for_a_name:
        return people.phone(rng)
    if is_business:
        return people.business(rng, department.place, department.trades)
    return people.person(rng, rare=rare)
