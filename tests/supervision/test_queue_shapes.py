"""Each broken sender is named as what it is, healthy ones as nothing: precision and recall over drawn senders."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest

from etl.domain.night import NEVER
from etl.supervision.queue_shapes import Shape, queue_shapes
from tests.supervision.senders import BROKEN, DAY, HEALTHY, Sent, desk, starved

MINUTE_US = 60_000_000
SENDERS = 25
"""Drawn per kind."""


def shapes(sent: list[Sent]) -> list[list[tuple[Shape, list[Sent]]]]:
    """Night by night, each closing at one o'clock, with the records each shape names."""
    sent = sorted(sent, key=lambda record: (record.received, record.written))
    received = np.array([record.received for record in sent])
    night_of = ((received - 60) // DAY).astype(int)
    nights: list[tuple[int, int]] = []
    found = []
    for night in range(int(night_of.max()) + 1):
        mine = np.flatnonzero(night_of == night)
        tonight = [sent[number] for number in mine]
        longest = max((record.received - record.written for record in tonight), default=0.0)
        nights.append((len(tonight), round(longest * 60)))
        _, case = np.unique([record.case_no for record in tonight], return_inverse=True)
        before = round(sent[mine[0] - 1].received * MINUTE_US) if len(mine) and mine[0] else NEVER
        said = queue_shapes(
            np.asarray(case, np.int64),
            np.array([record.kind == "finish" for record in tonight], np.bool_),
            np.array([round(record.written * MINUTE_US) for record in tonight], np.int64),
            np.array([round(record.received * MINUTE_US) for record in tonight], np.int64),
            before,
            nights[-20:],
        )
        found.append([(shape, [tonight[number] for number in shape.records]) for shape in said])
    return found


def named(sent: list[Sent]) -> set[str]:
    return {shape.name for night in shapes(sent) for shape, _ in night}


def test_healthy_senders_raise_no_alarm_on_hundreds_of_nights() -> None:
    rng, nights = Random(20261127), 0
    for number in range(4 * SENDERS):
        sender = HEALTHY[number % len(HEALTHY)]
        found = shapes(sender(rng, desk(rng, 28, rng.uniform(1, 60))))
        alarms = [(night, shape) for night, each in enumerate(found) for shape, _ in each]
        assert not alarms, (sender.__name__, alarms[0])
        nights += len(found)
    assert nights > 2000


def test_broken_senders_are_named_as_what_they_are() -> None:
    """Recall at least 0.95 of each kind, precision at least 0.95 of each name."""
    rng, right, wrong, missed = Random(20261127), Counter[str](), Counter[str](), Counter[str]()
    for name, sender in BROKEN.items():
        for _ in range(SENDERS):
            found = named(sender(rng, desk(rng, 28, rng.uniform(20, 60))))
            right[name] += name in found
            missed[name] += name not in found
            wrong.update(found - {name})
    report = {
        name: (
            round(right[name] / max(right[name] + wrong[name], 1), 3),
            round(right[name] / (right[name] + missed[name]), 3),
        )
        for name in BROKEN
    }
    print("precision, recall:", report)
    assert all(precision >= 0.95 and recall >= 0.95 for precision, recall in report.values()), report


@pytest.mark.parametrize("name", BROKEN)
def test_a_finding_says_in_numbers_what_to_look_for_and_names_records(name: str) -> None:
    rng = Random(7)
    found = shapes(BROKEN[name](rng, desk(rng, 28, 40)))
    shape, records = next((shape, records) for night in found for shape, records in night if shape.name == name)
    assert str(shape.record_count) in shape.detail
    assert 1 <= len(records) <= 3
    assert shape.record_count >= 10


def test_a_blocked_head_is_the_record_that_waited_longest() -> None:
    rng = Random(3)
    sent = BROKEN["blocked_head"](rng, desk(rng, 28, 40))
    (records,) = [records for night in shapes(sent) for shape, records in night if shape.name == "blocked_head"]
    assert records[0] == max(sent, key=lambda record: record.received - record.written)


def test_a_cap_that_is_never_reached_starves_nobody() -> None:
    rng = Random(5)
    waiting = desk(rng, 28, 3)
    generous = [record for record in starved(rng, waiting) if record.received - record.written < DAY]
    assert "starved" not in named(generous)
