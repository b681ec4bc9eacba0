"""Made-up senders between a department's system and a platform, some broken; they know nothing of the code under test.

Times are minutes from the beginning of a day. Every record is written when somebody did something at a desk and
received when the sender passed it on.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

DAY = 24 * 60


@dataclass(frozen=True)
class Sent:
    """One record: of which case, what it is, when it was written and when it was received."""

    case_no: str
    kind: str
    written: float
    received: float


Waiting = list[tuple[float, str, str]]
"""(written, case_no, kind) in order of writing."""


def desk(rng: Random, days: int, cases_a_day: float) -> Waiting:
    """What a department writes: an acceptance, one or two steps, a decision some days later; in office hours."""
    waiting: Waiting = []
    for day in range(days):
        if day % 7 in (5, 6):
            continue
        for number in range(max(1, round(rng.gauss(cases_a_day, cases_a_day / 4)))):
            case, at = f"{day:03}-{number:03}", day * DAY + _office_minute(rng)
            waiting.append((at, case, "accept"))
            for _ in range(rng.choice([1, 1, 2])):
                at += rng.choice([0, 0, 1]) * DAY + rng.uniform(5, 60)
                waiting.append((at, case, "stage"))
            at += rng.choice([0, 1, 2, 3]) * DAY + rng.uniform(5, 60)
            waiting.append((at, case, "finish"))
    return sorted(waiting)


def _office_minute(rng: Random) -> float:
    return rng.choice([rng.uniform(540, 720), rng.uniform(810, 1020)])


def prompt(rng: Random, waiting: Waiting) -> list[Sent]:
    """Each a few minutes after it was written."""
    return [Sent(case, kind, at, at + rng.expovariate(1 / 4) + 0.2) for at, case, kind in waiting]


def polled(rng: Random, waiting: Waiting) -> list[Sent]:
    """At each tick everything that waits, a second apart."""
    tick, found, at_tick = rng.choice([5, 10, 30, 60]), [], 0
    last = -1.0
    for at, case, kind in waiting:
        here = (at // tick + 1) * tick
        at_tick = at_tick + 1 if here == last else 0
        last = here
        found.append(Sent(case, kind, at, here + at_tick / 60))
    return found


def nightly(rng: Random, waiting: Waiting) -> list[Sent]:
    """Everything of a day at one time of the night, a second or less apart."""
    begin, found = rng.uniform(1200, 1380), []
    for number, (at, case, kind) in enumerate(waiting):
        day = (at - begin) // DAY + 1
        found.append(Sent(case, kind, at, day * DAY + begin + number % 500 / 100))
    return found


def flaky(rng: Random, waiting: Waiting) -> list[Sent]:
    """Prompt, but the line is down for some hours now and then and then gives everything at once, in any order."""
    downs = sorted((begin, begin + rng.uniform(60, 400)) for begin in (rng.uniform(0, 28 * DAY) for _ in range(3)))
    found = []
    for sent in prompt(rng, waiting):
        end = next((end for begin, end in downs if begin <= sent.received < end), None)
        moved = sent.received if end is None else end + rng.uniform(0, 5)
        found.append(Sent(sent.case_no, sent.kind, sent.written, moved))
    return found


HEALTHY: tuple[Callable[[Random, Waiting], list[Sent]], ...] = (prompt, polled, nightly, flaky)


def one_per_tick(rng: Random, waiting: Waiting) -> list[Sent]:
    """A leftover throttle: exactly one record at every tick, the oldest first."""
    tick = rng.choice([2, 5, 10, 15])
    found, free = [], 0.0
    for at, case, kind in waiting:
        free = max(free + tick, (at // tick + 1) * tick)
        found.append(Sent(case, kind, at, free + rng.uniform(0, 0.03)))
    return found


def finished_only(rng: Random, waiting: Waiting) -> list[Sent]:
    """Nothing of a case before it is decided; then all of it."""
    decided = {case: at for at, case, kind in waiting if kind == "finish"}
    delay = {case: rng.expovariate(1 / 5) for case in decided}
    return [Sent(case, kind, at, decided[case] + delay[case] + rng.uniform(0, 0.2)) for at, case, kind in waiting]


def starved(rng: Random, waiting: Waiting) -> list[Sent]:
    """A cap of so many records a night, acceptances first: what is left over waits, ever more of it."""
    per_night = len(waiting) / (max(at for at, _, _ in waiting) // DAY + 1)
    cap, begin = max(5, int(per_night * rng.uniform(0.5, 0.8))), rng.uniform(1200, 1380)
    found: list[Sent] = []
    queue: list[tuple[int, float, str, str]] = []
    arriving = iter([*waiting, (float("inf"), "", "")])
    following = next(arriving)
    for day in range(40):
        until = day * DAY + begin
        while following[0] <= until:
            at, case, kind = following
            bisect.insort(queue, (0 if kind == "accept" else 1, at, case, kind))
            following = next(arriving)
        for number, (_, at, case, kind) in enumerate(queue[:cap]):
            found.append(Sent(case, kind, at, until + number / 100))
        del queue[:cap]
    return found


def blocked(rng: Random, waiting: Waiting) -> list[Sent]:
    """In order; one record fails again and again, nothing passes it, until it is mended: then all of it in order."""
    healthy = sorted(prompt(rng, waiting), key=lambda sent: sent.written)
    stuck = next(sent for sent in healthy if sent.written > rng.uniform(7, 14) * DAY)
    mended = stuck.received + rng.uniform(1.1, 4) * DAY
    found, passed = [], 0.0
    for sent in healthy:
        at = sent.received
        if stuck.written <= sent.written and at < mended:
            passed += rng.uniform(0.008, 0.012)
            at = mended + passed
        found.append(Sent(sent.case_no, sent.kind, sent.written, at))
    return found


def backfilled(rng: Random, waiting: Waiting) -> list[Sent]:
    """Nothing for weeks, and then all the old records in an hour or two of one day, in no order."""
    until = rng.uniform(16, 24) * DAY
    day = until // DAY * DAY + rng.uniform(600, 1200)
    found = []
    for sent in prompt(rng, waiting):
        at = sent.received if sent.written >= day - DAY / 2 else day + rng.uniform(0, 90)
        found.append(Sent(sent.case_no, sent.kind, sent.written, at))
    return found


BROKEN: dict[str, Callable[[Random, Waiting], list[Sent]]] = {
    "one_per_tick": one_per_tick,
    "finished_only": finished_only,
    "starved": starved,
    "blocked_head": blocked,
    "backfill": backfilled,
}
