"""Nights on which an office's feed is not what it should be: never an all clear, never a card from what is missing.

A night is the real one, in this process, over a real server and a database of its own; only the expectations are left
out, which have nothing to say here and would take most of the time. What the offices did and what ails their feeds is
drawn by `tests.faults.offices`, which shares nothing with the code under test.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from queue import Queue
from random import Random
from typing import Any
from unittest.mock import patch

from sqlalchemy import create_engine

from etl.quality.check import FAILED, Findings
from etl.runs import admission, nightly
from etl.settings import settings
from etl.store import calendars
from etl.store import engine as engine_module
from etl.store.migrate import migrate
from tests.faults.offices import (
    ABSENT,
    DAY,
    FILE_ABSENT,
    FILE_OPEN,
    OPEN,
    UNPULLED,
    Folder,
    Interface,
    Office,
    Volume,
    business_day,
)
from tests.faults.stories import table

FORMS = {"rest": "scjg", "files": "zrzy"}
NEIGHBOUR = "jtj"
"""A small office behind the same platform, whose feed is always well."""


@dataclass(frozen=True)
class Story:
    """One office's nights from its first load on: per night what is wrong with its feed, or nothing."""

    name: str
    form: str
    first: date
    load: date
    nights: tuple[str, ...]
    volume: Volume
    small: Volume
    share: float

    def __str__(self) -> str:
        wrong = ", ".join(f"{self.load + (n + 1) * DAY}: {what}" for n, what in enumerate(self.nights) if what)
        return f"story {self.name}: {self.form}, {self.volume}, from {self.load} on; {wrong or 'nothing wrong'}"


@dataclass
class Told:
    """What came of a story: fault nights by what was wrong, healthy nights, cards of cases truly late."""

    faults: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    healthy: int = 0
    cards: int = 0


def draw(seed: int, name: str) -> Story:
    """The story of that name: ``feed/17`` has faults, ``healthy/17`` has none."""
    rng = Random(f"{seed}/{name}")
    form = rng.choice(["rest", "rest", "files"])
    is_sick = name.startswith("feed")
    volume = (
        Volume(rng.uniform(30, 45), rng.uniform(0, 0.25), rng.uniform(0, 0.5))
        if is_sick or rng.random() < 0.5
        else Volume(rng.uniform(0.3, 12), rng.uniform(0, 0.4), rng.uniform(0, 0.5))
    )
    small = Volume(rng.uniform(0.3, 3), rng.uniform(0, 0.5), rng.choice([0.0, 0.3]))
    first = date(2026, 3, 2) + rng.randrange(200) * DAY
    load = first + rng.randrange(18, 25) * DAY
    works = Office(Random(0), "", Volume(0, 0, 0), first, first, 0).is_working
    nights: list[str] = []
    while is_sick and len(nights) < 16:
        nights += [""] * rng.choice([1, 1, 2])
        if not works(load + (len(nights) + 1) * DAY):  # on a rest day nothing is expected, and nothing is missed
            continue
        absent, open_ = (ABSENT, OPEN) if form == "rest" else (FILE_ABSENT, FILE_OPEN)
        if rng.random() < 0.65:
            nights += [rng.choice(absent)] * rng.choice([1, 2, 2, 4])
        else:
            nights += [rng.choice([*open_, UNPULLED]) for _ in range(rng.choice([1, 2, 3]))]
    while is_sick and not works(load + (len(nights) + 1) * DAY):
        nights.append("" if not nights[-1] else nights[-1])
    nights += [""] * (2 if is_sick else 14)
    return Story(name, form, first, load, tuple(nights), volume, small, rng.uniform(0, 0.1))


class Desk:
    """An embedded server of its own, and this process's settings for as long as it is open; one story at a time."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="jiancha-feeds-")))
        self.folder.chmod(0o755)
        nothing = Findings([], FAILED.empty_table())
        self._stack.enter_context(patch.object(admission, "check", lambda *_: nothing))
        self._before = {name: value for name, value in os.environ.items() if name.startswith("JIANCHA_")}
        self._admin = create_engine(engine_module.embedded_url(self.folder, "postgres"), isolation_level="AUTOCOMMIT")
        with self._admin.connect() as connection:
            connection.exec_driver_sql("alter system set fsync = off")
            connection.exec_driver_sql("select pg_reload_conf()")
        self._serial = count()
        with self.ledger("migrated", connections={}):
            migrate(engine_module.engine())
            calendars.seed(engine_module.engine())

    @contextmanager
    def ledger(self, template: str = "", *, connections: dict[str, str]) -> Iterator[Path]:
        """A ledger that knows nothing yet, as this process's own -> its folder."""
        name = f"story_{next(self._serial)}" if template == "" else template
        if template == "":
            with self._admin.connect() as connection:
                connection.exec_driver_sql(f"create database {name} template migrated strategy file_copy")
        own = self.folder / name
        own.mkdir()
        for key in [key for key in os.environ if key.startswith("JIANCHA_")]:
            del os.environ[key]
        os.environ |= {
            "JIANCHA_DATABASE_URL": engine_module.embedded_url(self.folder, name), "JIANCHA_VAR_DIR": str(own),
            "JIANCHA_NOTIFY_MODE": "off",
        } | {f"JIANCHA_CONNECTION_{source.upper()}": where for source, where in connections.items()}  # fmt: skip
        settings.cache_clear()
        engine_module.engine.cache_clear()
        try:
            yield own
        finally:
            engine_module.engine().dispose()
            if template == "":
                with self._admin.connect() as connection:
                    connection.exec_driver_sql(f"drop database {name} with (force)")
                shutil.rmtree(own)
            self._forget()

    def _forget(self) -> None:
        for key in [key for key in os.environ if key.startswith("JIANCHA_")]:
            del os.environ[key]
        os.environ |= self._before
        settings.cache_clear()
        engine_module.engine.cache_clear()

    def close(self) -> None:
        self._admin.dispose()
        self._stack.close()


def tell(story: Story, desk: Desk) -> Told:
    """Run every night; `AssertionError` at an all clear that is none, a freeze without reason, or a wrong card."""
    rng, source = Random(f"{story.name}/{story.first}"), FORMS[story.form]
    last = story.load + len(story.nights) * DAY
    office = Office(rng, "a", story.volume, story.first, last, 0.05)
    small = Office(rng, "b", story.small, story.first, last, 0.0)
    interface = Interface({"scjg": office, NEIGHBOUR: small}, share=story.share)
    told = Told()
    with ExitStack() as stack:
        url = stack.enter_context(interface.served())
        drop = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jiancha-drop-")))
        connections = {NEIGHBOUR: f"{url}/{NEIGHBOUR}", source: f"{url}/scjg" if story.form == "rest" else str(drop)}
        stack.enter_context(desk.ledger(connections=connections))
        folder = Folder(office, drop, share=story.share)
        before = ""
        for number in range((story.load - story.first).days if story.form == "files" else 0):
            folder.deliver(story.first + number * DAY)
        for number, wrong in enumerate(("", *story.nights)):
            night = story.load + number * DAY
            if wrong != before:
                interface.since = night
            before = wrong
            interface.wrong = {"scjg": wrong}
            if story.form == "files":
                folder.deliver(night, wrong)
            if wrong == UNPULLED:
                told.faults[wrong] += 1
                continue
            nightly.run(night)
            _check(night, source, wrong, told)
            _check_cards(office, source, night, wrong, told)
        _check_in_the_end(office, source, last, told)
    return told


def _check(night: date, source: str, wrong: str, told: Told) -> None:
    states = {row[0]: row[1:] for row in _rows("select source, state, detail, unexplained_rows from feed "
                                               "where business_on = %s", night)}  # fmt: skip
    assert states[NEIGHBOUR][0] == "complete", f"{night}: a small office is frozen: {states[NEIGHBOUR]}"
    if wrong:
        assert states[source][0] != "complete", f"{night}: all clear, and yet {wrong}: {states[source]}"
        told.faults[wrong] += 1
        told.states[states[source][0]] += 1
    else:
        assert states[source][0] == "complete", f"{night}: frozen for nothing: {states[source]}"
        assert states[source][2] == 0, f"{night}: {states[source][2]} rows unexplained"
        told.healthy += 2


def _check_cards(office: Office, source: str, night: date, wrong: str, told: Told) -> None:
    if wrong:
        new = _rows("select case_no, level from v_card_event where source = %s and business_on = %s", source, night)
        assert not new, f"{night}: {wrong}, and yet {len(new)} card events, such as {new[0]}"
    carded = {row[0] for row in _rows("select case_no from card_event where level <> 'reminder'")}
    assert carded <= office.overdue, f"{night}: wrong cards for {sorted(carded - office.overdue)[:5]}"


def _check_in_the_end(office: Office, source: str, last: date, told: Told) -> None:
    """Nothing was lost: every record told is known, and every case truly late has its card."""
    due = [row for row in office.rows if business_day(row.received) <= last]
    known = _rows(
        "select case_no, kind = 'finish' from message where source = %s and kind in ('accept', 'finish')", source
    )
    assert {tuple(row) for row in known} == {(row.case_no, row.is_decision) for row in due}, "records are lost"
    decided = {row.case_no for row in due if row.is_decision}
    carded = {row[0] for row in _rows("select case_no from v_card where level = 'yellow' and standing")}
    assert office.overdue & decided <= carded, f"no card for {sorted(office.overdue & decided - carded)[:5]}"
    told.cards += len(carded)
    opened = _rows("select count(*) from v_feed_incident where source = %s", source)[0][0]
    raised = _rows("select count(*) from notice_item where mail_kind = 'C' and not is_muted")[0][0]
    assert raised <= opened, f"{raised} incidents told, {opened} there were"


def _rows(query: str, *values: Any) -> list[Any]:
    with engine_module.engine().connect() as connection:
        return list(connection.exec_driver_sql(query, values))


@dataclass
class Feeds:
    """Fault nights and healthy ones over a server of their own; this process's settings allow one story at a time."""

    target: int
    healthy: int
    name: str = "feeds"
    title: str = "Feeds that fail without saying so"
    kinds: tuple[str, ...] = ("feed", "healthy")
    told: Told = field(default_factory=Told)
    without: int = 0
    """Healthy nights of stories without a fault."""

    @contextmanager
    def opened(self, workers: int) -> Iterator[Queue[Desk]]:
        desk, free = Desk(), Queue[Desk]()
        free.put(desk)
        try:
            yield free
        finally:
            desk.close()

    def next_kind(self) -> str:
        if self.told.faults.total() < self.target:
            return "feed"
        return "healthy" if self.without < self.healthy else ""

    def draw(self, seed: int, name: str) -> Story:
        return draw(seed, name)

    def tell(self, story: Story, worker: Desk) -> Told:
        return tell(story, worker)

    def add(self, told: Told) -> int:
        self.told.faults.update(told.faults)
        self.told.states.update(told.states)
        self.told.healthy += told.healthy
        self.told.cards += told.cards
        if not told.faults:
            self.without += told.healthy
        return self.told.faults.total()

    def report(self) -> list[str]:
        return [
            f"{self.told.faults.total()} nights on which an office's feed lacked records, most of them behind an "
            "interface that answered and vouched for everything: not one was reported complete, no card was issued or "
            "withdrawn on them, no case decided in time ever had a yellow or red card, and once all was well again "
            f"no record was lost and every case truly late had its card ({self.told.cards}). "
            f"On {self.told.healthy} healthy nights, {self.without} of them without any fault before, none was frozen: "
            "week-ends, holidays, make-up days, offices with a few records a week.",
            *table("what was wrong", dict(self.told.faults.most_common())),
            *table("verdict", dict(self.told.states.most_common())),
        ]
