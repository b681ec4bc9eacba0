"""Tells stories: drawn from a seed and a name, told by several workers at once, until enough has happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, fields
from itertools import count
from queue import Queue
from typing import Any, Protocol, Self

from rich.console import Console
from rich.progress import Progress

console = Console(stderr=True)


class Proof(Protocol):
    """One kind of fault: how its stories are drawn and told, and how many are enough."""

    name: str
    title: str
    kinds: tuple[str, ...]
    """What the names of its stories begin with: ``pair`` for ``pair/17``."""
    target: int

    def opened(self, workers: int) -> AbstractContextManager[Queue[Any]]:
        """So many workers, for as long as the block runs; each tells one story at a time."""

    def next_kind(self) -> str:
        """Of which kind the next story shall be; empty when enough has happened."""

    def draw(self, seed: int, name: str) -> Any:
        """The story of that name; its `str` says what happens in it."""

    def tell(self, story: Any, worker: Any) -> Any:
        """Let it happen -> what came of it; `AssertionError` when it left a trace."""

    def add(self, told: Any) -> int:
        """Count it -> how much of `target` has happened."""

    def report(self) -> list[str]:
        """What happened, as Markdown."""


@dataclass
class Tally:
    """What came of a story, or of many: counters and numbers, which add up."""

    def add(self, other: Self) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass
class Run:
    """How a proof went."""

    seconds: float = 0.0
    stories: int = 0
    reached: int = 0
    """Of the proof's `target`."""
    is_enough: bool = False
    failures: list[str] = field(default_factory=list)


def run(proof: Proof, seed: int, *, workers: int = 2, minutes: float = 24 * 60, only: str = "") -> Run:
    """Tell stories until enough has happened, one failed, or time is up; or only the story of that name."""
    done, began, numbers = Run(), time.monotonic(), {kind: count() for kind in proof.kinds}
    with proof.opened(workers) as free, ThreadPoolExecutor(workers) as pool, Progress(console=console) as progress:
        bar = progress.add_task(proof.name, total=proof.target)
        names = iter([only]) if only else _names(proof, numbers)
        running: dict[Future[Any], Any] = {}
        while True:
            while len(running) < workers and not done.failures and time.monotonic() < began + 60 * minutes:
                if (name := next(names, "")) == "":
                    break
                story = proof.draw(seed, name)
                running[pool.submit(_tell, proof, story, free)] = story
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                story = running.pop(future)
                done.stories += 1
                try:
                    done.reached = proof.add(future.result())
                    progress.update(bar, completed=done.reached)
                except AssertionError as error:
                    done.failures.append(f"seed {seed}, {story}: {error}")
                    console.print(done.failures[-1], style="red", highlight=False, markup=False)
                if not console.is_terminal and done.stories % 10 == 0:
                    console.print(f"{proof.name}: {done.stories} stories, {done.reached} of {proof.target}")
        done.is_enough = not proof.next_kind()
    done.seconds = time.monotonic() - began
    return done


def _names(proof: Proof, numbers: dict[str, Iterator[int]]) -> Iterator[str]:
    while kind := proof.next_kind():
        yield f"{kind}/{next(numbers[kind])}"


def _tell(proof: Proof, story: Any, free: Queue[Any]) -> Any:
    worker = free.get()
    try:
        return proof.tell(story, worker)
    finally:
        free.put(worker)


@contextmanager
def pool_of(make: Callable[[], Any], workers: int) -> Iterator[Queue[Any]]:
    """So many workers with a `close` of their own, made side by side."""
    made: list[Any] = []
    free: Queue[Any] = Queue()
    try:
        with ThreadPoolExecutor(workers) as pool:
            for future in [pool.submit(make) for _ in range(workers)]:
                made.append(future.result())
                free.put(made[-1])
        yield free
    finally:
        for worker in made:
            worker.close()


def table(head: str, counts: dict[str, int]) -> list[str]:
    """A two-column table of counts."""
    return ["", f"| {head} | times |", "|---|---|", *(f"| `{name}` | {n} |" for name, n in counts.items())]
