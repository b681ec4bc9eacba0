"""Nights on which an office's feed is not what it should be: nobody pays for it with a wrong card, a lost row or a day.

What has to come of each fault is said by `tests.faults.offices`, which shares nothing with the code under test: while
records are missing the night is not complete and no card moves; a row nobody can use is the only one set aside, and its
case stands still; a feed that is merely untidy is complete. Whatever happens, a neighbour's night is the usual one.

A night is the real one over a real server and a database of its own. The expectations, which take most of the time and
have nothing to say to these records, are asked in some of the stories only.
"""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from queue import Queue
from random import Random
from typing import Any

import structlog

from etl.runs import nightly
from etl.store.engine import engine
from tests.faults.desk import Desk
from tests.faults.drop_folder import Folder
from tests.faults.interface import SICK, Interface
from tests.faults.offices import DAY, HARM, UNPULLED, Harm, Office, Sick, Volume, business_day
from tests.faults.stories import Tally, pool_of
from tests.quality.unchecked import unchecked

FORMS = {"rest": SICK, "files": "zrzy"}
NEIGHBOUR = "jtj"
"""A small office behind the same platform, whose feed is always well."""
KINDS = [(form, what) for form, kinds in HARM.items() for what in kinds]


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
    is_checked: bool
    """Whether the expectations are asked too."""

    def __str__(self) -> str:
        wrong = ", ".join(f"{self.load + (n + 1) * DAY}: {what}" for n, what in enumerate(self.nights) if what)
        return f"story {self.name}: {self.form}, {self.volume}, from {self.load} on; {wrong or 'nothing wrong'}"


@dataclass
class Told(Tally):
    """What came of stories; nights by what was wrong and how it was sent, stories alike, verdicts by harm."""

    nights: Counter[tuple[str, str]] = field(default_factory=Counter)
    stories: Counter[tuple[str, str]] = field(default_factory=Counter)
    states: Counter[tuple[Harm, str]] = field(default_factory=Counter)
    refused: int = 0
    healthy: int = 0
    cards: int = 0

    def of(self, harm: Harm) -> int:
        """Nights of that harm."""
        return sum(n for (form, what), n in self.nights.items() if HARM[form][what] is harm)


def draw(seed: int, name: str, episodes: int = 6) -> Story:
    """The story of that name: ``feed/17`` has faults, ``healthy/17`` has none. Every kind of fault has its turn.

    Args:
        episodes: how many faults, each of one night or several.
    """
    rng, number = Random(f"{seed}/{name}"), int(name.rpartition("/")[2])
    is_sick = name.startswith("feed")
    earlier = [_form(other) for other in range(number)]
    form = _form(number)
    volume = (
        Volume(rng.uniform(24, 32), rng.uniform(0, 0.15), rng.uniform(0, 0.5))
        if is_sick or rng.random() < 0.5
        else Volume(rng.uniform(0.3, 12), rng.uniform(0, 0.4), rng.uniform(0, 0.5))
    )
    small = Volume(rng.uniform(0.3, 3), rng.uniform(0, 0.5), rng.choice([0.0, 0.3]))
    first = date(2026, 3, 2) + rng.randrange(200) * DAY
    works = Office(Random(0), "", Volume(0, 0, 0), first, first, 0).is_working
    working = [day for day in (first + n * DAY for n in range(40)) if works(day)]
    load = working[rng.randrange(12, 15)] + rng.randrange(3) * DAY  # fewer working days before would say nothing
    nights: list[str] = []

    def rest() -> None:
        while not works(load + (len(nights) + 1) * DAY):
            nights.append("")

    before = Harm.HARMLESS
    for what in _dealt(seed, form, earlier.count(form), episodes) if is_sick else ():
        harm = HARM[form][what]
        # One trouble can follow another; new codes are told from old ones only where they are most of a night.
        if not before is harm is Harm.MISSING or what == "recoded" or rng.random() < 0.7:
            nights += [""] * rng.choice([1, 1, 1, 2])
        rest()  # on a rest day nothing is expected, and nothing is missed
        nights += [what] * (rng.choice([1, 1, 2, 3]) if harm is Harm.MISSING else 1)
        while what == "recoded" and not works(load + (len(nights) + 1) * DAY):
            nights.append(what)  # what is told again counts for the day it comes, and a rest day proves nothing
        before = harm
    if is_sick:
        nights.append("")
        rest()
    nights += [""] * (1 if is_sick else 14)
    return Story(
        name, form, first, load, tuple(nights), volume, small, rng.uniform(0, 0.1), is_checked=rng.random() < 0.05
    )


def _form(number: int) -> str:
    """Of which form the sick office of a story is, about as many as there are kinds of fault."""
    return "rest" if number % 5 in (0, 2, 4) else "files"


def _dealt(seed: int, form: str, number: int, episodes: int) -> list[str]:
    """The faults of a story: every kind comes once before any comes again."""
    dealt = []
    for place in range(number * episodes, (number + 1) * episodes):
        turn, at = divmod(place, len(HARM[form]))
        kinds = list(HARM[form])
        Random(f"{seed}/{form}/{turn}").shuffle(kinds)
        dealt.append(kinds[at])
    return dealt


def tell(story: Story, desk: Desk) -> Told:
    """Run every night; `AssertionError` at an all clear that is none, a freeze without reason, or a wrong card."""
    rng, source = Random(f"{story.name}/{story.first}"), FORMS[story.form]
    last = story.load + len(story.nights) * DAY
    office = Office(rng, "a", story.volume, story.first, last, 0.05)
    small = Office(rng, "b", story.small, story.first, last, 0.1)
    told = Told(stories=Counter({(story.form, what) for what in story.nights if what}))
    with ExitStack() as stack:
        interface = Interface("rest", office, story.share, neighbours={NEIGHBOUR: small})
        url = stack.enter_context(interface.served())
        drop = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jiancha-drop-")))
        is_rest = story.form == "rest"
        connections = {NEIGHBOUR: f"{url}/{NEIGHBOUR}", source: f"{url}/{SICK}" if is_rest else str(drop)}
        stack.enter_context(desk.ledger(connections=connections))
        if not story.is_checked:
            stack.enter_context(unchecked())
        feed: Sick = interface if is_rest else Folder("files", office, story.share, path=drop)
        for number in range(0 if is_rest else (story.load - story.first).days):
            feed.turn(story.first + number * DAY, "")
        carded, before = set[str](), UNPULLED
        for number, wrong in enumerate(("", *story.nights)):
            night, is_after_trouble = story.load + number * DAY, HARM[story.form].get(before) is Harm.MISSING
            before = wrong
            feed.turn(night, wrong.replace(UNPULLED, ""))
            try:
                nightly.run(night, [NEIGHBOUR] if wrong == UNPULLED else None)
            except Exception as error:
                raise AssertionError(f"{night}: {wrong or 'nothing'} wrong, and the night ended: {error!r}") from error
            try:
                assert not interface.strays, f"asked where an answer pointed: {interface.strays}"
                _check_neighbour(small, night)
                carded = _check(feed, source, night, wrong, carded, told, is_after_trouble=is_after_trouble)
            except AssertionError as error:
                raise AssertionError(f"{night}, {wrong or 'nothing'} wrong: {error}") from None
        _check_in_the_end(source, told)
    return told


def _check(
    feed: Sick, source: str, night: date, wrong: str, before: set[str], told: Told, *, is_after_trouble: bool
) -> set[str]:
    """The sick office's night -> its cases with a card, of which `before` had one the night before."""
    harm = HARM[feed.form][wrong] if wrong else None
    state, detail, counted, unexplained, refused = _verdict(source, night)
    known, due = _known(source), {row.key for row in feed.office.rows if business_day(row.received) <= night}
    carded, late = _carded(source), feed.office.late(night)
    if harm is Harm.MISSING:
        assert state != "complete", "all clear"
        assert carded == before, f"frozen, and yet cards changed: {sorted(carded ^ before)[:5]}"
        assert known <= due, f"records nobody told: {sorted(known - due)[:5]}"
    else:
        held = {case for case, _ in feed.lacking}
        assert state == "complete", f"frozen for nothing: {state} {detail}"
        assert unexplained == 0, f"{unexplained} rows unexplained"
        assert refused == feed.refused, f"{refused} rows set aside, {feed.refused} were of no use"
        if feed.form == "rest" or not is_after_trouble:  # files are read again when a night is made up for
            assert counted == feed.sent, f"{counted} rows counted, {feed.sent} were sent"
        assert known == due - feed.lacking, f"lost or invented: {sorted(known ^ (due - feed.lacking))[:5]}"
        assert carded - held == late - held, f"cards wrong or withheld: {sorted((carded ^ late) - held)[:5]}"
        assert carded & held <= before, f"cards from rows of no use: {sorted(carded & held - before)[:5]}"
    ever = {row[0] for row in _rows("select case_no from card_event where source = %s and level <> 'reminder'", source)}
    assert ever <= late, f"cards nobody earned: {sorted(ever - late)[:5]}"
    if harm is None:
        told.healthy += 1
    else:
        told.nights[feed.form, wrong] += 1
        told.states[harm, state] += 1
        told.refused += refused if harm is Harm.SPOILT else 0
    return carded


def _check_neighbour(small: Office, night: date) -> None:
    """A neighbour's night is the usual one."""
    state, detail, _, unexplained, refused = _verdict(NEIGHBOUR, night)
    assert (state, unexplained, refused) == ("complete", 0, 0), f"a neighbour's feed is {state}: {detail}"
    due = {row.key for row in small.rows if business_day(row.received) <= night}
    assert _known(NEIGHBOUR) == due, f"a neighbour's records: {sorted(_known(NEIGHBOUR) ^ due)[:5]}"
    carded = _carded(NEIGHBOUR)
    assert carded == small.late(night), f"a neighbour's cards: {sorted(carded ^ small.late(night))[:5]}"


def _check_in_the_end(source: str, told: Told) -> None:
    told.cards += len(_carded(source)) + len(_carded(NEIGHBOUR))
    left = _rows("select business_on, state, unexplained_rows from feed where unexplained_rows <> 0")
    assert not left, f"rows unexplained in the end: {left}"
    opened = _rows("select count(*) from v_feed_incident where source = %s", source)[0][0]
    raised = _rows("select count(*) from notice_item where mail_kind = 'C' and not is_muted")[0][0]
    assert raised <= opened, f"{raised} incidents told, {opened} there were"


def _verdict(source: str, night: date) -> tuple[str, str, int, int, int]:
    """State, detail, rows that ended somewhere, rows that did not, and those set aside."""
    rows = _rows(
        "select state, detail, accepted_rows + repeated_rows + quarantined_rows, unexplained_rows, quarantined_rows "
        "from feed where source = %s and business_on = %s", source, night,
    )  # fmt: skip
    return tuple(rows[0]) if rows else (UNPULLED, "", 0, 0, 0)


def _known(source: str) -> set[tuple[str, bool]]:
    query = "select case_no, kind = 'finish' from message where source = %s and kind in ('accept', 'finish')"
    return {tuple(row) for row in _rows(query, source)}


def _carded(source: str) -> set[str]:
    """Cases with a yellow card that stands."""
    query = "select case_no from v_card where source = %s and level = 'yellow' and standing"
    return {row[0] for row in _rows(query, source)}


def _rows(query: str, *values: Any) -> list[Any]:
    with engine().connect() as connection:
        return list(connection.exec_driver_sql(query, values))


class Worker:
    """A process with a desk of its own."""

    def __init__(self) -> None:
        self._process = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))

    def tell(self, story: Story) -> Told:
        return self._process.submit(_tell, story).result()

    def close(self) -> None:
        self._process.submit(_close).result()
        self._process.shutdown()


@lru_cache
def _desk() -> Desk:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # whoever started this process closes it, and the server with it
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    return Desk()


def _tell(story: Story) -> Told:
    return tell(story, _desk())


def _close() -> None:
    _desk().close()


@dataclass
class Feeds:
    """Fault nights and healthy ones, each kind of fault in `each` stories at least; each worker has its own server."""

    target: int
    healthy: int
    each: int
    name: str = "feeds"
    title: str = "Feeds that fail"
    kinds: tuple[str, ...] = ("feed", "healthy")
    draw = staticmethod(draw)
    told: Told = field(default_factory=Told)
    without: int = 0
    """Healthy nights of stories without a fault."""

    @contextmanager
    def opened(self, workers: int) -> Iterator[Queue[Worker]]:
        with pool_of(Worker, workers) as free:
            yield free

    def next_kind(self) -> str:
        if self.told.of(Harm.MISSING) < self.target or min(self.told.stories[kind] for kind in KINDS) < self.each:
            return "feed"
        return "healthy" if self.without < self.healthy else ""

    def tell(self, story: Story, worker: Worker) -> Told:
        return worker.tell(story)

    def add(self, told: Told) -> int:
        self.told.add(told)
        if not told.nights:
            self.without += told.healthy
        return min(self.told.of(Harm.MISSING), self.target)

    def report(self) -> list[str]:
        told, fewest = self.told, min(self.told.stories[kind] for kind in KINDS)
        rows = [(form, what, HARM[form][what]) for form, what in KINDS]
        return [
            f"{len({what for _, what in KINDS})} kinds of fault; each, in either way of sending where it occurs, in at "
            f"least {fewest} stories drawn from different seeds. On every night: no case decided in time had a "
            "yellow or red card, and a neighbour behind the same platform had its usual records, verdict and cards.",
            "",
            f"- On {told.of(Harm.MISSING)} nights records were missing, on many of them behind a feed that answered "
            "and vouched for everything: not one was reported complete, and no card was issued or withdrawn.",
            f"- On {told.of(Harm.SPOILT)} nights single rows were of no use: exactly these {told.refused} were set "
            "aside, every other row of the batch was admitted, and their cases stood still until they came again.",
            f"- On {told.of(Harm.HARMLESS)} nights a feed was merely untidy, and {told.healthy} nights were healthy, "
            f"{self.without} of them in stories without any fault (week-ends, holidays, make-up days, offices with a "
            "few records a week): none was frozen.",
            "- On every night that was complete the rows sent, counted by the sender, were those accepted, repeated or "
            "set aside, every record told was known, and the cards that stood were exactly those of the cases then "
            f"late; in the end no row was unexplained ({told.cards} cards stood).",
            "",
            "| what was wrong | sent as | so that | stories | nights |",
            "|---|---|---|---|---|",
            *(
                f"| `{what}` | {form} | {harm.value} | {told.stories[form, what]} | {told.nights[form, what]} |"
                for form, what, harm in rows
            ),
            "",
            "| so that | verdict | nights |",
            "|---|---|---|",
            *(f"| {harm.value} | `{state}` | {n} |" for (harm, state), n in told.states.most_common()),
        ]
