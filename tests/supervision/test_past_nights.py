"""Night N judged again, with what was known then, gives night N's cards byte for byte, whatever was learnt since."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given

from etl.domain.calendar import CalendarBook, CalendarDay
from etl.domain.message import distinct, parse, table
from etl.domain.night import cutoff_at, nights
from etl.domain.profile import Profile
from etl.store.calendars import packaged
from etl.store.profiles import profile
from etl.supervision.judge import judge_table, with_known_at
from tests.oracle.histories import judgements
from tests.oracle.proof import FULL, effort

# A year and more with the notices of 2020 and 2021 and the amendment of January 2020 in it.
FIRST, LAST = date(2019, 10, 15), date(2020, 12, 2)
WINDOWS = [FIRST + timedelta(days=13 * n) for n in range(29)]
HISTORIES = 3_000 if FULL else 20
EVERY = 1 if FULL else 40
"""Of the nights every so many-th is judged."""
REVISIONS = 5
ZONES = ("America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC", "Asia/Shanghai")

# Profiles in force one after another; the last two were made after all nights.
IN_FORCE: list[tuple[date, dict[str, Any]]] = [
    (FIRST, {}),
    (date(2019, 12, 1), {"extension_days_max": 5}),
    (date(2020, 3, 1), {"fixed_days": {"pre_accept": 1, "certificate": 5}}),
    (date(2020, 6, 1), {"count_mode": "whole_day"}),
    (date(2020, 9, 1), {"count_mode": "office_clock", "extension_days_max_joint": 20}),
    (LAST + timedelta(days=2), {"start_rule": "roll", "count_mode": "whole_day"}),
]


def rules_of(night: date) -> Profile:
    """The profile in force on a night."""
    number = max(n for n, (since, _) in enumerate(IN_FORCE) if since <= night)
    return profile("hunan").model_copy(update={"version": f"2018.{number}", **IN_FORCE[number][1]})


@cache
def told() -> list[dict[str, Any]]:
    """Histories of many cases, all over the nights."""
    found: list[dict[str, Any]] = []
    numbers = iter(range(10**9))

    @effort(HISTORIES, HISTORIES)
    @given(judgements(windows=WINDOWS))
    def collect(judgement: tuple[list[dict[str, Any]], datetime, datetime | None]) -> None:
        number = next(numbers)
        found.extend(message | {"case_no": f"{number}-{message['case_no']}"} for message in judgement[0])

    collect()
    return found


def revised(messages: list[dict[str, Any]], revision: int) -> list[dict[str, Any]]:
    """What is told again after the last night: a newer version of every third record, moved by days."""
    rng = Random(revision)
    newest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for message in messages:
        key = tuple(message[name] for name in ("source", "case_no", "kind", "seq"))
        if key not in newest or message["version"] > newest[key]["version"]:
            newest[key] = message
    again = []
    loaded = datetime.combine(LAST + timedelta(days=3 * revision), datetime.min.time()).astimezone()
    for message in newest.values():
        if rng.random() < 1 / 3:
            occurred = datetime.fromisoformat(message["occurred_at"]) + timedelta(days=rng.randint(-9, 9))
            times = {"occurred_at": occurred.isoformat(), "loaded_at": loaded.isoformat()}
            again.append(message | times | {"version": message["version"] + 1})
    return again


def flat(messages: list[dict[str, Any]]) -> pa.Table:
    return with_known_at(table([row for _, row in distinct(map(parse, messages)) if isinstance(row, dict)]))


class Books:
    """The calendar as far as it had been published, and the whole of it with rulings made after all nights."""

    def __init__(self) -> None:
        self._book = packaged().book("cn")
        self._known: dict[int, CalendarBook] = {}

    def published(self, by: date) -> CalendarBook:
        days = [day for day in self._book.days if day.known_from <= by]
        if len(days) not in self._known:
            statutory = [day for day in self._book.statutory if day.known_from <= by]
            self._known[len(days)] = CalendarBook("cn", days, statutory)
        return self._known[len(days)]

    def revised(self, revisions: int) -> CalendarBook:
        """Each later ruling makes a rest day of two weeks' Wednesdays within the nights."""
        extra = [
            CalendarDay(day, "holiday", "", f"{day.year}-amendment-{number}", LAST + timedelta(days=3 * number))
            for number in range(1, revisions + 1)
            for day in (
                date(2019, 11, 6) + timedelta(days=14 * number),
                date(2020, 4, 15) + timedelta(days=14 * number),
            )
        ]
        return CalendarBook("cn", [*self._book.days, *extra], self._book.statutory)


def judged(messages: pa.Table, night: date, book: CalendarBook) -> bytes:
    moment = cutoff_at(night)
    return orjson.dumps(judge_table(messages, moment, moment, rules_of(night), book).to_pylist())


def first_difference(then: bytes, now: bytes) -> str:
    told, retold = orjson.loads(then), orjson.loads(now)
    pair = next((pair for pair in zip(told, retold, strict=False) if pair[0] != pair[1]), (len(told), len(retold)))
    return f"then {pair[0]}, now {pair[1]}"


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Moves the process to a time zone."""

    def move(name: str) -> None:
        monkeypatch.setitem(os.environ, "TZ", name)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


def test_every_past_night_is_judged_again_byte_for_byte_after_five_revisions_of_data_calendar_and_profile(
    zone: Any,
) -> None:
    books, messages = Books(), told()
    first = flat(messages)
    every = list(nights(FIRST, LAST))[::EVERY]
    assert len(list(nights(FIRST, LAST))) >= 365

    then: dict[date, bytes] = {}
    for night in every:  # as it happened: nothing later is there to be seen
        known = first.filter(pc.less_equal(first["known_at"], pa.scalar(cutoff_at(night))))
        then[night] = judged(known, night, books.published(night + timedelta(days=1)))
    assert sum(cards.count(b'"push_delay"') + cards.count(b'"suspect"') for cards in then.values()) > len(every)

    for revision in range(1, REVISIONS + 1):
        messages = messages + revised(messages, revision)
        rng = Random(revision)
        zone(ZONES[revision % len(ZONES)])
        shuffled = flat(rng.sample(messages, len(messages)))
        shuffled = shuffled.take(pa.array(rng.sample(range(len(shuffled)), len(shuffled))))
        again = every if revision == REVISIONS else rng.sample(every, 5)
        for night in again:
            now = judged(shuffled, night, books.revised(revision))
            assert now == then[night], f"night {night}, revision {revision}: {first_difference(then[night], now)}"

    # The revisions were real ones: with today's knowledge the last night looks otherwise.
    moment = cutoff_at(LAST)
    today = judge_table(shuffled, moment, cutoff_at(LAST + timedelta(days=60)), rules_of(LAST), books.revised(5))
    assert orjson.dumps(today.to_pylist()) != then.get(LAST, judged(first, LAST, books.revised(0)))
