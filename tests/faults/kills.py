"""Kill a command as often as asked, let it finish, and demand what an undisturbed run leaves behind."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue
from random import Random

from etl.crashpoints import POINTS
from etl.publish.sender import FILE_CRASH_POINTS, SMTP_CRASH_POINTS
from tests.faults.stories import pool_of, table
from tests.faults.warm import Warm
from tests.faults.world import ADMITTED, FIRST, GAP, NIGHT, WEEK, Mode, Scenario, World, private_world

KILLED = -9
IN_DOUBT = ("notify.after_dot_commit", "notify.after_final_dot", "notify.after_reply")
"""Where a sender dies leaving nobody able to say whether the server has the mail."""


def mode_of(point: str) -> Mode:
    """The delivery in which a point is passed."""
    return "live" if point.partition(":")[0] in SMTP_CRASH_POINTS else "file"


def points(mode: Mode, verb: str) -> list[str]:
    """Points a ``night`` or ``week`` passes in this mode."""
    foreign = FILE_CRASH_POINTS if mode == "live" else SMTP_CRASH_POINTS
    return [point for point in POINTS if (verb == "week") == point.startswith("week.") and point not in foreign]


def survive(
    world: World, scenario: Scenario, kills: Sequence[str], mode: Mode, warm: Warm | None = None
) -> tuple[list[str], int]:
    """Kill the scenario's command at each of `kills` in turn, then let it end -> (kills that happened, mails held).

    A later point may no longer be passed once an earlier run got beyond it; then the command simply ends. Fails when
    anything is other than without the kills: ledger, facts, mails, collected files, evidence.
    """
    truth, _ = world.undisturbed(scenario, mode)
    branch = world.branch(scenario, mode, warm)
    happened = []
    for kill in kills:
        ended = branch.run(*scenario.command, kill_at=kill)
        if ended.code == KILLED:
            happened.append(kill)
            continue
        assert ended.code in (0, 1), f"exit {ended.code}\n{ended.out}{ended.err}"
    branch.done(*scenario.command)
    held = branch.settle()
    # One mail at most for each kill, and exactly for those of which nobody can know.
    assert held == sum(kill.partition(":")[0] in IN_DOUBT for kill in happened)
    branch.truth().must_equal(truth)
    branch.drop()
    return happened, held


def survive_beside(
    world: World, scenario: Scenario, mode: Mode, delay_s: float, kill: str = "", warm: Warm | None = None
) -> tuple[list[str], int]:
    """Two processes run the same command, the second starting `delay_s` later and, when asked, dying at `kill`.

    -> (kills that happened, mails held); fails as `survive` does.
    """
    truth, _ = world.undisturbed(scenario, mode)
    branch = world.branch(scenario, mode, warm)
    first = branch.start(*scenario.command)
    time.sleep(delay_s)
    second = branch.start(*scenario.command, kill_at=kill or "nowhere")
    ended = [branch.end(*first), branch.end(*second)]
    happened = [kill] if kill and ended[1].code == KILLED else []
    for run in ended[: 2 - len(happened)]:
        assert run.code in (0, 1), f"exit {run.code}\n{run.out}{run.err}"
    branch.done(*scenario.command)
    held = branch.settle()
    assert held == sum(point.partition(":")[0] in IN_DOUBT for point in happened)
    branch.truth().must_equal(truth)
    branch.drop()
    return happened, held


@dataclass(frozen=True)
class Story:
    """What happens to one copy of a ledger. `delay_s` None: one process at a time; else two, so long apart."""

    name: str
    scenario: Scenario
    mode: Mode
    kills: tuple[str, ...]
    delay_s: float | None

    def __str__(self) -> str:
        beside = "" if self.delay_s is None else f", a second process after {self.delay_s:.2f} s"
        where = " ".join(self.kills) or "no point"
        return f"story {self.name}: {self.scenario}, {self.mode}, killed at {where}{beside}"


@dataclass
class Kills:
    """Processes of nights and bulletins killed at every point; one world for all workers."""

    target: int
    each: int
    name: str = "kills"
    title: str = "Killed processes"
    kinds: tuple[str, ...] = ("process",)
    kills: Counter[str] = field(default_factory=Counter)
    scenarios: Counter[str] = field(default_factory=Counter)
    beside: int = 0
    held: int = 0

    @contextmanager
    def opened(self, workers: int) -> Iterator[Queue[Warm]]:
        with private_world(("rsj", "scjg", "zrzy")) as self._world, pool_of(Warm, workers) as free:
            yield free

    def next_kind(self) -> str:
        is_enough = self.kills.total() >= self.target and min(self.kills[point] for point in POINTS) >= self.each
        return "" if is_enough else self.kinds[0]

    def draw(self, seed: int, name: str) -> Story:
        """Every point has its turn as the first kill, at a random visit; up to five later ones follow."""
        rng, number = Random(f"{seed}/{name}"), int(name.rpartition("/")[2])
        point = POINTS[number % len(POINTS)]
        mode, verb = mode_of(point), point.partition(".")[0]
        scenario = _scenario(rng, verb)
        first = f"{point}:{rng.randint(1, self._world.undisturbed(scenario, mode)[1][point])}"
        if verb != "week" and rng.random() < 0.2:
            return Story(name, scenario, mode, rng.choice([(), (first,)]), rng.choice((0.0, rng.uniform(0.0, 2.5))))
        later = points(mode, verb)
        later = later[later.index(point) :]
        chosen = sorted(rng.choices(later, k=rng.randint(0, 5)), key=later.index)
        return Story(name, scenario, mode, (first, *(f"{at}:{rng.choice((1, 1, 2))}" for at in chosen)), None)

    def tell(self, story: Story, worker: Warm) -> tuple[Story, list[str], int]:
        if story.delay_s is None:
            return story, *survive(self._world, story.scenario, story.kills, story.mode, worker)
        return story, *survive_beside(self._world, story.scenario, story.mode, story.delay_s, *story.kills, warm=worker)

    def add(self, told: tuple[Story, list[str], int]) -> int:
        story, happened, held = told
        self.kills.update(kill.partition(":")[0] for kill in happened)
        self.scenarios[story.scenario.name] += 1
        self.beside += story.delay_s is not None
        self.held += held
        return self.kills.total()

    def report(self) -> list[str]:
        return [
            f"{self.kills.total()} processes died by SIGKILL at a point of `etl/crashpoints.py`, each point at least "
            f"{min(self.kills[point] for point in POINTS)} times, in {self.scenarios.total()} copies of a prepared "
            f"ledger. In {self.beside} of the copies two processes ran the same night at the same time, some of them "
            "with one of the two killed.",
            "",
            "Each copy was then run to the end and compared with a run nobody disturbed: both ledger digests equal, "
            "every mail delivered exactly once (.eml files, or Message-IDs at a real SMTP server), the evidence chain "
            "verifies, landed bytes as in their manifest, every file of the drop folder in exactly one place and "
            f"unchanged. {self.held} mails were held for a person, exactly one for each death between the last dot and "
            "its answer, none elsewhere.",
            *table("scenario", dict(self.scenarios.most_common())),
            *table("killed at", {point: self.kills[point] for point in POINTS}),
        ]


def _scenario(rng: Random, verb: str) -> Scenario:
    if verb == "week":
        return WEEK
    if verb in ("pull", "admit"):
        return rng.choices((NIGHT, GAP, FIRST), (70, 25, 5))[0]
    return rng.choices((ADMITTED, NIGHT, GAP), (60, 20, 20))[0]
