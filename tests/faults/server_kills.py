"""The database server dies in the middle of a night, every process by SIGKILL; started again, the night is run again.

Each worker has a server of its own, which recovers by itself each time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from queue import Queue
from random import Random

from tests.faults.kills import IN_DOUBT, mode_of, points
from tests.faults.stories import Tally, table
from tests.faults.warm import Warm, go_on, stands_still
from tests.faults.world import ADMITTED, FIRST, GAP, NIGHT, Mode, Scenario, World, private_world

ANY = "any moment"


@dataclass(frozen=True)
class Story:
    """When the server dies: while the run stands still at a point (``name:visit``), or at a share of its usual time."""

    name: str
    scenario: Scenario
    mode: Mode
    moments: tuple[str | float, ...]

    def __str__(self) -> str:
        moments = (at if isinstance(at, str) else f"{at:.0%} of its time" for at in self.moments)
        return f"story {self.name}: {self.scenario}, {self.mode}, server killed at {' and at '.join(moments)}"


@dataclass
class Told(Tally):
    """What came of a story."""

    kills: Counter[str] = field(default_factory=Counter)
    scenarios: Counter[str] = field(default_factory=Counter)
    held: int = 0


def draw(seed: int, name: str) -> Story:
    """The story of that name, ``server/17``: half of the deaths at a point, half at any moment; some die twice."""
    rng = Random(f"{seed}/{name}")
    point = rng.choice([*points("file", "night"), *points("live", "night")])
    mode = mode_of(point)
    scenario = rng.choices((NIGHT, GAP, ADMITTED, FIRST), (45, 20, 30, 5))[0]
    if point.startswith("notify") and scenario is not FIRST and rng.random() < 0.7:
        scenario = ADMITTED
    moments = (
        f"{rng.choice((point, rng.choice(points(mode, 'night'))))}:{rng.choice((1, 1, 1, 2, 3))}"
        if rng.random() < 0.5
        else rng.uniform(0.05, 1)
        for _ in range(rng.choice((1, 1, 1, 2)))
    )
    return Story(name, scenario, mode, tuple(moments))


def tell(story: Story, world: World, warm: Warm | None = None) -> Told:
    """Kill the server at each moment, then let the night end; `AssertionError` unless it is as if undisturbed."""
    truth, _ = world.undisturbed(story.scenario, story.mode)
    usual_s = world.seconds(story.scenario, story.mode)
    branch = world.branch(story.scenario, story.mode, warm)
    told, in_doubt = Told(scenarios=Counter([story.scenario.name])), 0
    for at in story.moments:
        pid, output = branch.start(*story.scenario.command, stop_at=at if isinstance(at, str) else "")
        if isinstance(at, str):
            stands_still(pid)
        else:
            time.sleep(at * usual_s)
        world.kill_server()
        go_on(pid)
        ended = branch.end(pid, output)
        world.start_server()
        branch.engine.dispose()
        if ended.code in (0, 1):
            continue  # it was faster, or had nothing more to ask
        line = ended.err.strip().splitlines()[-1]
        assert ended.code == 5, f"exit {ended.code}\n{ended.err}"
        assert line.startswith("jiancha: the ledger's database: "), ended.err
        assert "Traceback" not in ended.err, ended.err
        point = at.partition(":")[0] if isinstance(at, str) else ANY
        told.kills[point] += 1
        in_doubt += point in (*IN_DOUBT, ANY) and story.mode == "live"
    branch.done(*story.scenario.command)
    told.held = branch.settle()
    assert told.held <= in_doubt, "more mails held than deaths of the server explain"
    branch.truth().must_equal(truth)
    branch.drop()
    return told


@dataclass
class ServerKills:
    """Database servers killed; each worker has its own."""

    target: int
    name: str = "server"
    title: str = "Killed database servers"
    kinds: tuple[str, ...] = ("server",)
    draw, tell = staticmethod(draw), staticmethod(tell)
    told: Told = field(default_factory=Told)

    @contextmanager
    def opened(self, workers: int) -> Iterator[Queue[World]]:
        free: Queue[World] = Queue()
        with ExitStack() as stack:
            for _ in range(workers):
                free.put(stack.enter_context(private_world(("scjg", "zrzy"))))
            yield free

    def next_kind(self) -> str:
        return self.kinds[0] if self.told.kills.total() < self.target else ""

    def add(self, told: Told) -> int:
        self.told.add(told)
        return self.told.kills.total()

    def report(self) -> list[str]:
        return [
            f"{self.told.kills.total()} times an embedded PostgreSQL died by SIGKILL, postmaster and every child, "
            f"under a night at work, in {self.told.scenarios.total()} copies of a prepared ledger; each time the night "
            "ended with exit code 5 and one line, the server was started again and recovered by itself. Then the night "
            "was run again and compared with a run nobody disturbed: both ledger digests equal, every mail delivered "
            f"exactly once, the evidence chain verifies. {self.told.held} mails were held for a person, at most one "
            "for each death while a mail was handed over.",
            *table("killed at", dict(sorted(self.told.kills.items()))),
            *table("scenario", dict(self.told.scenarios.most_common())),
        ]
