"""What a night rests on, looked up in order, is what counting it again for every night gives: the same text."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from random import Random

import orjson
import pytest

from etl import sources
from etl.domain.night import cutoff_at
from etl.runs.judged_nights import _Ground
from etl.runs.night_groups import rules_of
from etl.store.calendars import packaged
from etl.store.feeds import Completeness
from etl.supervision.question import Doubt

FIRST = date(2026, 11, 1)
NIGHTS = [FIRST + timedelta(days=number) for number in range(-2, 32)]


def counted_again(
    night: date,
    completeness: Completeness,
    known: Sequence[tuple[datetime, dict[str, int]]],
    doubts: Sequence[Doubt],
    cutoff: time,
) -> str:
    """One night's fingerprint from everything there is."""
    moment, counts = cutoff_at(night, cutoff), Counter[str]()
    for known_at, per_source in known:
        if known_at <= moment:
            counts.update(per_source)
    before, judged = completeness.judged(night - timedelta(days=1)), completeness.judged(night)
    books = {name: rules_of(name) for name in judged}
    basis = {
        "messages": dict(counts),
        "judged": {name: [str(before.get(name)), str(on)] for name, on in judged.items()},
        "frozen": {name: [str(on) for on in nights] for name, nights in completeness.frozen(night).items()},
        "doubts": [
            len([one for one in doubts if one.since is None or one.since <= moment]),
            len([one for one in doubts if one.until is not None and one.until <= moment]),
        ],
        "rules": {
            name: [book.fingerprint(moment.date()), packaged().book(book.calendar).fingerprint(moment.date())]
            for name, book in books.items()
        },
    }
    return hashlib.sha256(orjson.dumps(basis, option=orjson.OPT_SORT_KEYS)).hexdigest()


@pytest.mark.parametrize("seed", range(40))
def test_fingerprints_are_those_of_counting_everything_again_for_each_night(seed: int) -> None:
    draw, cutoff = Random(seed), time(1)
    moments = [cutoff_at(night, cutoff) + timedelta(hours=draw.choice((0, 0, 5))) for night in NIGHTS]
    names = draw.sample(sources.names(), draw.randint(0, 4))
    known = [
        (moment, {name: draw.randint(0, 3) for name in draw.sample(names, draw.randint(0, len(names)))})
        for moment in sorted(draw.sample(moments, draw.randint(0, 20)))
    ]
    ends = [None, *moments]
    doubts = [
        Doubt("A", frozenset({"finish"}), draw.choice(ends), draw.choice(ends)) for _ in range(draw.randint(0, 9))
    ]
    seen = {name: sorted(draw.sample(NIGHTS, 20)) for name in names}
    completeness = Completeness(
        {name: nights[draw.randint(0, 5)] for name, nights in seen.items()},
        {name: nights[::2] for name, nights in seen.items()},
        {name: nights[1::2] for name, nights in seen.items()},
    )
    ground = _Ground.of(completeness, packaged(), known, doubts)
    asked = draw.sample(NIGHTS, len(NIGHTS))  # in any order: a night may be passed over
    told = [ground.fingerprint(night) for night in asked]
    assert told == [counted_again(night, completeness, known, doubts, cutoff) for night in asked]
    assert len(set(told)) > 1 or not names
