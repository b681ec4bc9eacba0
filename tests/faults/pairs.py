"""Two processes run the same night at the same time and no lock holds either back: constraints alone keep it one night.

The advisory locks are taken out of the database, not out of the code: `lockless.sql` puts functions that do nothing
before PostgreSQL's own, for the ledger of one story.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue
from random import Random

from tests.faults.kills import mode_of, points
from tests.faults.stories import Tally, pool_of, table
from tests.faults.warm import Warm, go_on, stands_still
from tests.faults.world import ADMITTED, FIRST, GAP, NIGHT, Ended, Mode, Scenario, World, private_world

LOST = {
    "another run did the same": "lost to a key",
    "another run was at the same work": "lost to a deadlock",
    "another sender is at work": "lost to another sender",
    "disappeared while the folder was read": "found a file gone",
}
"""What the slower one may end with, by what it says, besides an ordinary end."""


@dataclass(frozen=True)
class Story:
    """Two runs; when asked the first stands still at a point for a while. The second starts `delay_s` after the first,
    or (None) when that one stands still.
    """

    name: str
    scenario: Scenario
    mode: Mode
    delay_s: float | None
    stop_at: str = ""
    stop_s: float = 0.0

    def __str__(self) -> str:
        stop = f", the first stopped at {self.stop_at} for {self.stop_s:.2f} s" if self.stop_at else ""
        when = "while it stands still" if self.delay_s is None else f"after {self.delay_s:.2f} s"
        return f"story {self.name}: {self.scenario}, {self.mode}, the second {when}{stop}"


@dataclass
class Told(Tally):
    """What came of a story."""

    ends: Counter[str] = field(default_factory=Counter)
    scenarios: Counter[str] = field(default_factory=Counter)
    stops: Counter[str] = field(default_factory=Counter)
    held: int = 0


def draw(seed: int, name: str) -> Story:
    """The story of that name, ``pair/17``."""
    rng = Random(f"{seed}/{name}")
    if rng.random() < 0.5:
        point = rng.choice([*points("file", "night"), *points("live", "night")])
        scenario = rng.choice((NIGHT, NIGHT, GAP) if point.startswith(("pull", "admit")) else (ADMITTED, NIGHT, GAP))
        visit = rng.choice((1, 1, 1, 2, 3))
        return Story(name, scenario, mode_of(point), rng.uniform(0, 0.3), f"{point}:{visit}", rng.uniform(0, 2))
    scenario = rng.choices((NIGHT, GAP, ADMITTED, FIRST), (45, 25, 25, 5))[0]
    return Story(name, scenario, rng.choice(("file", "live")), rng.choice((0.0, rng.uniform(0, 1.5))))


def tell(story: Story, world: World, warm: Warm | None = None) -> Told:
    """Run the pair and then the night once more; `AssertionError` unless all of it is one undisturbed night."""
    truth, _ = world.undisturbed(story.scenario, story.mode)
    branch = world.branch(story.scenario, story.mode, warm)
    branch.without_locks()
    told = Told(scenarios=Counter([story.scenario.name]))
    first = branch.start(*story.scenario.command, stop_at=story.stop_at)
    if story.delay_s is None:
        assert stands_still(first[0]), f"alone, it never came to {story.stop_at}"
    time.sleep(story.delay_s or 0)
    second = branch.start(*story.scenario.command)
    if story.stop_at and stands_still(first[0]):
        told.stops[story.stop_at.partition(":")[0]] += 1
        time.sleep(story.stop_s)
        go_on(first[0])
    told.ends.update(_end(branch.end(*started)) for started in (first, second))
    branch.done(*story.scenario.command)
    told.held = branch.settle()
    branch.truth().must_equal(truth)
    branch.drop()
    return told


def _end(ended: Ended) -> str:
    if ended.code in (0, 1):
        return "finished"
    said = [end for words, end in LOST.items() if words in ended.err]
    is_clear = said and ended.code in (3, 5) and "Traceback" not in ended.err
    assert is_clear, f"exit {ended.code}\n{ended.out}{ended.err}"
    return said[0]


@dataclass
class Pairs:
    """Pairs of processes over one world for all workers."""

    target: int
    name: str = "pairs"
    title: str = "Two runs of the same night without locks"
    kinds: tuple[str, ...] = ("pair",)
    draw = staticmethod(draw)
    told: Told = field(default_factory=Told)

    @contextmanager
    def opened(self, workers: int) -> Iterator[Queue[Warm]]:
        with private_world(("rsj", "scjg", "zrzy")) as self._world, pool_of(Warm, workers) as free:
            yield free

    def next_kind(self) -> str:
        return self.kinds[0] if self.told.scenarios.total() < self.target else ""

    def tell(self, story: Story, worker: Warm) -> Told:
        return tell(story, self._world, worker)

    def add(self, told: Told) -> int:
        self.told.add(told)
        return self.told.scenarios.total()

    def report(self) -> list[str]:
        return [
            f"{self.told.scenarios.total()} pairs of processes ran the same night at the same time while PostgreSQL's "
            f"advisory locks locked nothing; in {self.told.stops.total()} pairs the first stood still at a point for a "
            "while. Then the night was run once more and compared with a run nobody disturbed: both ledger digests "
            "equal, every mail delivered exactly once, the evidence chain verifies. "
            f"{self.told.held} mails were held for a person.",
            *table("how the runs ended", dict(self.told.ends.most_common())),
            *table("scenario", dict(self.told.scenarios.most_common())),
        ]
