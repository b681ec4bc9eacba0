"""1,434 real permit applications: late by the instant, by the local date and by the UTC date are three numbers.

The log's terms do not let it be kept here: the tests run where JIANCHA_REAL_DATA has it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from etl.domain.night import cutoff_at
from tests.real.conftest import Raw, Register
from tests.real.nights import Row, cards, counts, night, night_after, put, quarantine, read
from tests.real.sources.permit_receipt import source

ZONE = ZoneInfo("Europe/Amsterdam")
NAME = "receipt_even.csv"
DROPPED_AT = datetime(2012, 1, 24, tzinfo=ZONE)  # the last event is of the day before
Reading = Literal["instant", "local_date", "utc_date"]


@pytest.mark.database
@pytest.mark.parametrize(
    ("reading", "closed_late"),
    [("instant", 377), ("local_date", 309), ("utc_date", 358)],
)
def test_a_night_counts_the_late_applications_as_their_deadline_is_read(
    ready: Engine, register: Register, raw: Raw, reading: Reading, closed_late: int
) -> None:
    declared, content = source(reading), raw(NAME).read_bytes()
    put(register(declared), NAME, content, DROPPED_AT)
    on = night_after(DROPPED_AT)
    assert night(on).code == 1, "some rows were rejected"

    log = read(content)
    # One application came in on 2010-10-31 at 02:06, an hour that night had twice: its three events are refused.
    doubled = [number for number, row in enumerate(log) if _is_doubled(row["case:startdate"])]
    assert [(number, reason) for number, reason, _ in quarantine(ready, declared.name)] == [
        (number, "ambiguous_time") for number in doubled
    ]
    cases = {row["case:concept:name"]: row for row in log}
    refused = {log[number]["case:concept:name"] for number in doubled}
    found = counts(declared.name)
    assert (len(log), len(cases), len(doubled), len(refused)) == (4443, 1434, 3, 1)
    assert (found["accepted"], found["repeated"]) == (1433, 4443 - 3 - 1433)
    assert (found["quarantined"], found["unexplained"]) == (3, 0)

    late = {case for case, row in cases.items() if _is_late(row, reading, cutoff_at(on))}
    assert not late & refused, "the case that is not judged was in time either way"
    assert {card["case_no"] for card in cards(ready, declared.name)} == late
    closed = {case for case, row in cases.items() if row["case:enddate"]}
    assert (len(closed), len(late & closed)) == (1329, closed_late)


def _is_late(row: Row, reading: Reading, as_of: datetime) -> bool:
    ended = _wall(row["case:enddate"]) if row["case:enddate"] else as_of
    due = _wall(row["case:deadline"])
    if reading == "instant":
        return ended.astimezone(UTC) > due.astimezone(UTC)
    zone = ZONE if reading == "local_date" else UTC
    return ended.astimezone(zone).date() > due.astimezone(zone).date()


def _is_doubled(value: str) -> bool:
    return _wall(value).utcoffset() != _wall(value).replace(fold=1).utcoffset()


def _wall(value: str) -> datetime:
    return datetime.fromisoformat(value.removesuffix("+00:00")).replace(tzinfo=ZONE)
