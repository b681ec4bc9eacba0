"""Disks that fill while a night is running: real file systems of their own, and a file that takes up what is left.

Mounting needs root; elsewhere these stories cannot be told. The landing folder and the mail folder of a ledger, or the
whole folder of a database server, lie on such a disk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from random import Random

from tests.faults.kills import points
from tests.faults.stories import Tally, table
from tests.faults.warm import Warm, go_on, stands_still
from tests.faults.world import ADMITTED, GAP, NIGHT, Branch, Scenario, World, world
from tests.postgres_server import server_folder

WHICH = ("landing", "mail", "database")
NEEDED_BYTES = {"landing": 400_000, "mail": 150_000, "database": 4_000_000}
"""About what a night writes there."""


class Disk:
    """A tmpfs of its own over a folder: what does not fit in gets the kernel's ENOSPC."""

    def __init__(self, folder: Path, size_mib: int) -> None:
        self.folder = folder
        self._filler = folder / ".filler"
        folder.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=755", "jiancha", folder], check=True)

    def leave(self, size_bytes: int) -> None:
        """Take up everything but so many bytes."""
        room = os.statvfs(self.folder)
        taken = room.f_bavail * room.f_frsize - size_bytes
        if taken > 0:
            with self._filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, taken)

    def make_room(self) -> None:
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", self.folder], check=True)


def reason_not_to() -> str:
    """Why this machine cannot mount; empty when it can."""
    if os.geteuid() != 0:
        return "mounting a small file system needs root"
    with tempfile.TemporaryDirectory(prefix="jiancha-disk-") as folder:
        try:
            Disk(Path(folder), 1).close()
        except (OSError, subprocess.CalledProcessError) as error:
            return f"no file system can be mounted here: {error}"
    return ""


@dataclass(frozen=True)
class Story:
    """Which disk fills up: to `left_bytes` before the run, or while it stands still at a point (``name:visit``)."""

    name: str
    scenario: Scenario
    which: str
    left_bytes: int
    stop_at: str = ""

    def __str__(self) -> str:
        when = f"when it is at {self.stop_at}" if self.stop_at else "from the beginning"
        return f"story {self.name}: {self.scenario}, {self.left_bytes} bytes left on the disk of {self.which} {when}"


@dataclass
class Told(Tally):
    """What came of a story."""

    full: Counter[str] = field(default_factory=Counter)
    enough: int = 0


def draw(seed: int, name: str) -> Story:
    """The story of that name, ``disk/17``: the three disks take turns."""
    rng = Random(f"{seed}/{name}")
    which = WHICH[int(name.rpartition("/")[2]) % len(WHICH)]
    scenario = ADMITTED if which == "mail" else rng.choice((NIGHT, GAP) if which == "landing" else (NIGHT, ADMITTED))
    stop_at = f"{rng.choice(points('file', 'night'))}:1" if which == "database" and rng.random() < 0.5 else ""
    return Story(name, scenario, which, rng.randrange(NEEDED_BYTES[which]), stop_at)


def tell(story: Story, world: World, disk: Disk, warm: Warm | None = None) -> Told:
    """Run the night with too little room, make room, run it again; `AssertionError` unless it is as if undisturbed.

    Args:
        disk: the one `world`'s database server lies on.
    """
    truth, _ = world.undisturbed(story.scenario)
    branch = world.branch(story.scenario, warm=warm)
    told = Told()
    own = disk if story.which == "database" else _move_to_disk(branch, story.which)
    try:
        if not story.stop_at:
            own.leave(story.left_bytes)
        started = branch.start(*story.scenario.command, stop_at=story.stop_at)
        if story.stop_at:
            stands_still(started[0])
            own.leave(story.left_bytes)
            go_on(started[0])
        ended = branch.end(*started)
        own.make_room()
        if story.which == "database":
            world.start_server()  # a server that cannot write what it must gives up
            branch.engine.dispose()
        if ended.code in (0, 1):
            told.enough += 1
        else:
            assert ended.code == 5, f"exit {ended.code}\n{ended.err}"
            assert "Traceback" not in ended.err, ended.err
            line = ended.err.strip().splitlines()[-1]
            folder = branch.folder / story.which
            says = "jiancha: the ledger's database: " if own is disk else f"jiancha: no room left in {folder}"
            assert line.startswith(says), ended.err
            assert line.endswith("run the same command again"), ended.err
            told.full[story.which] += 1
        branch.done(*story.scenario.command)
        assert branch.settle() == 0
        assert not list(branch.folder.rglob("*.part")), "a half page was left"
        branch.truth().must_equal(truth)
    finally:
        own.make_room()
        if own is not disk:
            own.close()
    branch.drop()
    return told


def _move_to_disk(branch: Branch, which: str) -> Disk:
    folder, before = branch.folder / which, branch.folder / f"{which}-before"
    folder.mkdir(exist_ok=True)
    folder.rename(before)
    disk = Disk(folder, 64)
    shutil.copytree(before, folder, dirs_exist_ok=True)
    shutil.rmtree(before)
    return disk


@contextmanager
def world_on_a_disk() -> Iterator[tuple[World, Disk]]:
    """A world whose database server lies on a disk of its own."""
    with server_folder("disks") as folder:
        disk = Disk(folder / "pgdata", 1024)
        try:
            with world(folder, ("scjg", "zrzy")) as built:
                with built.admin.connect() as connection:
                    connection.exec_driver_sql("alter system set max_wal_size = '64MB'")
                    connection.exec_driver_sql("select pg_reload_conf()")
                yield built, disk
        finally:
            disk.close()


@dataclass
class Disks:
    """Disks that fill up; each worker has its own."""

    target: int
    name: str = "disks"
    title: str = "Full disks"
    kinds: tuple[str, ...] = ("disk",)
    draw = staticmethod(draw)
    told: Told = field(default_factory=Told)

    @contextmanager
    def opened(self, workers: int) -> Iterator[Queue[tuple[World, Disk]]]:
        free: Queue[tuple[World, Disk]] = Queue()
        with ExitStack() as stack:
            for _ in range(workers):
                free.put(stack.enter_context(world_on_a_disk()))
            yield free

    def next_kind(self) -> str:
        return self.kinds[0] if self.told.full.total() < self.target else ""

    def tell(self, story: Story, worker: tuple[World, Disk]) -> Told:
        return tell(story, *worker)

    def add(self, told: Told) -> int:
        self.told.add(told)
        return self.told.full.total()

    def report(self) -> list[str]:
        return [
            f"{self.told.full.total()} times a disk of its own (a mounted tmpfs) was full under a night at work: exit "
            "code 5, one line naming the place and what to do, no half-written file left. Then there was room again "
            "and the night was run again and compared with a run nobody disturbed: both ledger digests equal, every "
            "mail written exactly once, the evidence chain verifies, landed bytes as in their manifest. In "
            f"{self.told.enough} further stories what was left was enough.",
            *table("full disk", dict(sorted(self.told.full.items()))),
        ]
