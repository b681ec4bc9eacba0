"""`python -m tests.faults.prove`: the long proofs at full size, written to docs/proof.md.

Every story is drawn from the seed and its number alone: ``--seed S --story N`` tells exactly that one again.
"""

from __future__ import annotations

import argparse
import os
import platform
import queue
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random

from rich.console import Console
from rich.progress import Progress

from etl.crashpoints import POINTS
from tests.faults.kills import mode_of, points, survive, survive_beside
from tests.faults.warm import Warm
from tests.faults.world import ADMITTED, FIRST, GAP, NIGHT, WEEK, Mode, Scenario, World, world

ROOT = Path(__file__).resolve().parents[2]
PAPER = ROOT / "docs" / "proof.md"
PROPERTIES = (
    "tests/domain/test_clock_against_oracle.py",
    "tests/supervision/test_judge_against_oracle.py",
    "tests/supervision/test_past_nights.py",
)
SOURCES = ("rsj", "scjg", "zrzy")
WORKERS = 2
console = Console(stderr=True)


@dataclass(frozen=True)
class Story:
    """What happens to one copy of a ledger. `delay_s` None: one process at a time; else two, so long apart."""

    number: int
    scenario: Scenario
    mode: Mode
    kills: tuple[str, ...]
    delay_s: float | None

    def __str__(self) -> str:
        beside = "" if self.delay_s is None else f", a second process after {self.delay_s:.2f} s"
        return (
            f"story {self.number}: {self.scenario}, {self.mode}, killed at {' '.join(self.kills) or 'no point'}{beside}"
        )

    def tell(self, built: World, warm: Warm) -> tuple[list[str], int]:
        """Let it happen -> (kills that happened, mails held); `AssertionError` when it left a trace."""
        if self.delay_s is None:
            return survive(built, self.scenario, self.kills, self.mode, warm)
        return survive_beside(built, self.scenario, self.mode, self.delay_s, *self.kills, warm=warm)


@dataclass
class Result:
    """What the stories came to."""

    kills: Counter[str] = field(default_factory=Counter)
    stories: Counter[str] = field(default_factory=Counter)
    beside: int = 0
    held: int = 0
    failures: list[str] = field(default_factory=list)

    def is_enough(self, kills: int, each: int) -> bool:
        return self.kills.total() >= kills and min(self.kills[point] for point in POINTS) >= each

    def add(self, story: Story, happened: list[str], held: int) -> None:
        self.kills.update(kill.partition(":")[0] for kill in happened)
        self.stories[story.scenario.name] += 1
        self.beside += story.delay_s is not None
        self.held += held


def draw(built: World, seed: int, number: int) -> Story:
    """Story `number`: every point has its turn as the first kill, at a random visit; up to five later ones follow."""
    rng = Random(f"{seed}/{number}")
    point = POINTS[number % len(POINTS)]
    mode, verb = mode_of(point), point.partition(".")[0]
    scenario = _scenario(rng, verb)
    first = f"{point}:{rng.randint(1, built.undisturbed(scenario, mode)[1][point])}"
    if verb != "week" and rng.random() < 0.2:
        return Story(number, scenario, mode, rng.choice([(), (first,)]), rng.choice((0.0, rng.uniform(0.0, 2.5))))
    later = points(mode, verb)
    later = later[later.index(point) :]
    chosen = sorted(rng.choices(later, k=rng.randint(0, 5)), key=later.index)
    return Story(number, scenario, mode, (first, *(f"{name}:{rng.choice((1, 1, 2))}" for name in chosen)), None)


def _scenario(rng: Random, verb: str) -> Scenario:
    if verb == "week":
        return WEEK
    if verb in ("pull", "admit"):
        return rng.choices((NIGHT, GAP, FIRST), (70, 25, 5))[0]
    return rng.choices((ADMITTED, NIGHT, GAP), (60, 20, 20))[0]


def kill(seed: int, kills: int, each: int, minutes: float, only: int | None) -> Result:
    """Tell stories until `kills` processes died and every point killed `each`, or time is up; or only story `only`."""
    result, ends = Result(), time.monotonic() + 60 * minutes
    with (
        tempfile.TemporaryDirectory(prefix="jiancha-proof-") as folder,
        world(Path(folder), SOURCES) as built,
        _Warm(WORKERS) as warm,
        ThreadPoolExecutor(WORKERS) as pool,
        Progress(console=console) as progress,
    ):
        bar = progress.add_task("kills", total=kills)
        numbers = count() if only is None else iter([only])
        running: dict[Future[tuple[list[str], int]], Story] = {}
        while True:
            while len(running) < WORKERS and not result.failures and not result.is_enough(kills, each):
                if time.monotonic() > ends or (number := next(numbers, None)) is None:
                    break
                story = draw(built, seed, number)
                running[pool.submit(_tell, story, built, warm)] = story
            if not running:
                return result
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                story = running.pop(future)
                try:
                    result.add(story, *future.result())
                except AssertionError as error:
                    result.failures.append(f"{story}: {error}")
                    console.print(f"{story}\n{error}", style="red", highlight=False, markup=False)
                progress.update(bar, completed=result.kills.total())
                if not console.is_terminal and result.stories.total() % 10 == 0:
                    console.print(f"{result.stories.total()} stories, {result.kills.total()} kills")


def _tell(story: Story, built: World, free: queue.Queue[Warm]) -> tuple[list[str], int]:
    warm = free.get()
    try:
        return story.tell(built, warm)
    finally:
        free.put(warm)


class _Warm:
    """So many warm servers, each used by one story at a time."""

    def __init__(self, servers: int) -> None:
        self._all = [Warm() for _ in range(servers)]

    def __enter__(self) -> queue.Queue[Warm]:
        free: queue.Queue[Warm] = queue.Queue()
        for warm in self._all:
            free.put(warm)
        return free

    def __exit__(self, *_: object) -> None:
        for warm in self._all:
            warm.close()


def properties() -> Iterator[tuple[str, bool, str]]:
    """Each file of property tests at full effort -> (file, passed, pytest's last line)."""
    for file in PROPERTIES:
        console.print(f"{file}, JIANCHA_PROOF=full")
        command = [sys.executable, "-m", "pytest", "-q", file]
        env = os.environ | {"JIANCHA_PROOF": "full"}
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            console.print(done.stdout, highlight=False, markup=False)
        yield file, done.returncode == 0, done.stdout.strip().splitlines()[-1].strip("= ")


def paper(
    commit: str, seed: int, asked: str, result: Result, seconds: float, proved: list[tuple[str, bool, str]]
) -> str:
    """docs/proof.md."""
    is_fine = not result.failures and all(passed for _, passed, _ in proved)
    fewest = min(result.kills[point] for point in POINTS)
    lines = [
        "# Proofs",
        "",
        "Written by `make prove`; `python -m tests.faults.prove --help` says how to repeat a part of it.",
        "",
        f"Result: **{'everything held' if is_fine else 'FAILED'}**. Commit {commit}, {datetime.now(UTC):%Y-%m-%d}, "
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors.",
        "",
        "## Killed processes",
        "",
        f"Seed {seed}, {asked}. {result.kills.total()} processes died by SIGKILL at a point of `etl/crashpoints.py` "
        f"(each point at least {fewest} times), in "
        f"{result.stories.total()} copies of a prepared ledger, {seconds / 60:.1f} minutes. In {result.beside} of the "
        "copies two processes ran the same night at the same time, some of them with one of the two killed.",
        "",
        "Each copy was then run to the end and compared with a run nobody disturbed: both ledger digests equal, every "
        "mail delivered exactly once (.eml files, or Message-IDs at a real SMTP server), the evidence chain verifies, "
        "landed bytes as in their manifest, every file of the drop folder in exactly one place and unchanged. "
        f"{result.held} mails were held for a person, exactly one for each death between the last dot and its answer, "
        "none elsewhere.",
        "",
        "| scenario | copies |",
        "|---|---|",
        *(f"| {name} | {copies} |" for name, copies in result.stories.most_common()),
        "",
        "| point | kills |",
        "|---|---|",
        *(f"| `{point}` | {result.kills[point]} |" for point in POINTS),
        "",
        "## Fast code against slow oracles",
        "",
        "Property tests at full effort (`JIANCHA_PROOF=full`), fresh random examples:",
        "",
        *(f"- `{file}`: {said}" for file, _, said in proved),
        *([] if proved else ["Not run this time."]),
    ]
    if result.failures:
        lines += ["", "## Failures", "", *(f"    {line}" for text in result.failures for line in text.splitlines())]
    return "\n".join(lines) + "\n"


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout

    changed = [line for line in git("status", "--porcelain").splitlines() if not line.endswith("docs/proof.md")]
    return git("rev-parse", "--short", "HEAD").strip() + (" with changes not yet committed" if changed else "")


def main() -> int:
    """Parse the command line, prove, write the paper; exit 1 when anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.prove", description=__doc__)
    parser.add_argument("--kills", type=int, default=int(os.environ.get("JIANCHA_PROOF_KILLS", "1000")))
    parser.add_argument("--each", type=int, default=20, help="kills at every point, at least")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--minutes", type=float, default=24 * 60, help="begin no story after that many")
    parser.add_argument("--story", type=int, help="only this one; writes no paper")
    parser.add_argument("--no-properties", action="store_true", help="without the property tests")
    options = parser.parse_args()
    console.print(f"seed {options.seed}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    commit, began = _commit(), time.monotonic()
    result = kill(options.seed, options.kills, options.each, options.minutes, options.story)
    seconds = time.monotonic() - began
    if options.story is not None:
        return bool(result.failures)
    proved = [] if options.no_properties or result.failures else list(properties())
    asked = f"{options.kills} kills and {options.each} at each point asked for"
    if not result.is_enough(options.kills, options.each):
        asked += f", ended after {options.minutes:g} minutes"
    PAPER.write_text(paper(commit, options.seed, asked, result, seconds, proved), encoding="utf-8")
    return bool(result.failures) or not all(passed for _, passed, _ in proved)


if __name__ == "__main__":
    sys.exit(main())
