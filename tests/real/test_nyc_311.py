"""New York's service requests: whoever the city closed after its own due moment, or left open past it, has a card."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from sqlalchemy import Engine

from etl.domain.night import cutoff_at
from etl.sources.values import Rows
from tests.real.conftest import Raw, Register
from tests.real.nights import Row, cards, counts, night, night_after, put, quarantine, read, unpacked
from tests.real.sources.nyc_311 import SOURCE, twelve_hour_time

ZONE = ZoneInfo("America/New_York")
EXTRACT = Path(__file__).parent / "nyc_311" / "requests.csv.gz"
DROPPED_AT = datetime(2020, 12, 21, tzinfo=ZONE)  # the last closing is of the day before


@pytest.mark.database
def test_a_night_gives_a_card_to_every_request_past_the_citys_due_moment(ready: Engine, register: Register) -> None:
    put(register(SOURCE), "requests.csv", unpacked(EXTRACT), DROPPED_AT)
    on = night_after(DROPPED_AT)
    assert night(on).code == 1, "a row was rejected"

    log = read(unpacked(EXTRACT))
    pending = [number for number, row in enumerate(log) if row["Status"] == "Pending"]
    assert len(pending) == 1
    assert quarantine(ready, "nyc_311") == [(pending[0], "contradiction", "Status is 'Pending'")]
    found = counts("nyc_311")
    assert (found["accepted"], found["repeated"], found["quarantined"], found["unexplained"]) == (99, 0, 1, 0)

    late = {row["Unique Key"]: _instant(row["Due Date"]) for row in log if _is_late(row, cutoff_at(on))}
    assert {card["case_no"]: card["reached_at"] for card in cards(ready, "nyc_311")} == late
    is_closed = {row["Unique Key"]: bool(row["Closed Date"]) for row in log}
    assert sorted(map(is_closed.get, late)) == [False, *[True] * 8]


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        ("04/18/2019 09:55:45 PM", datetime(2019, 4, 19, 1, 55, 45, tzinfo=UTC)),
        ("12/15/2010 12:00:00 AM", datetime(2010, 12, 15, 5, tzinfo=UTC)),
        ("12/15/2010 12:00:00 PM", datetime(2010, 12, 15, 17, tzinfo=UTC)),
        ("02/30/2019 09:00:00 AM", "bad_time"),
        ("18/04/2019 09:00:00 AM", "bad_time"),
        ("04/18/2019 21:55:45", "bad_time"),
        ("03/10/2019 02:30:00 AM", "ambiguous_time"),
        ("11/03/2019 01:30:00 AM", "ambiguous_time"),
        ("", None),
    ],
)
def test_a_twelve_hour_time_is_read_exactly_or_refused(value: str, read_as: datetime | str | None) -> None:
    rows = Rows(pa.table({"at": [value]}), SOURCE.timezone)
    (found,) = twelve_hour_time("at").read(rows).to_pylist()
    assert [fault.reason for fault in rows.faults] == ([read_as] if isinstance(read_as, str) else [])
    assert isinstance(read_as, str) or found == read_as


def test_the_extract_says_what_the_published_sample_says(raw: Raw) -> None:
    header = SOURCE.kind.streams["requests"].header  # type: ignore[attr-defined]
    published = read(raw("nyc311-100.csv").read_bytes())
    assert read(unpacked(EXTRACT)) == [{name: row[name] for name in header} for row in published]


def _is_late(row: Row, as_of: datetime) -> bool:
    if not row["Due Date"]:
        return False
    return (_instant(row["Closed Date"]) if row["Closed Date"] else as_of) > _instant(row["Due Date"])


def _instant(value: str) -> datetime:
    return datetime.strptime(value, "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=ZONE).astimezone(UTC)
