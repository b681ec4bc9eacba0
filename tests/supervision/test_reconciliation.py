"""Which sources are a pair, and how two sorted sides are merged."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from etl.domain.chinese import FIELD
from etl.domain.message import PAYLOAD_COLUMNS, whole_cases
from etl.domain.office_axis import OfficeAxis
from etl.store.calendars import packaged
from etl.supervision.delays import LinkLimit, Route, own_systems
from etl.supervision.reconciliation import Pair, differences, pairs

MONDAY = datetime(2026, 11, 16, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
HOUR, NIGHTLY = LinkLimit("platform"), LinkLimit("files", mode="nightly")
AXIS = OfficeAxis(packaged().cn())


def told(pair: Pair) -> tuple[str, str, str, int, bool, bool, bool]:
    return (
        *(pair.upstream, pair.downstream, pair.hop, pair.position),
        *(pair.is_written, pair.back is not None, pair.says_wrong),
    )


def test_a_ministry_read_directly_feeds_the_system_keyed_again_and_finds_what_only_that_has() -> None:
    routes = {"own": Route("ministry", (LinkLimit("own_entry"),)), "ministry": Route("ministry", ())}
    assert list(map(told, pairs(routes))) == [("ministry", "own", "ministry->own_entry", 0, True, True, True)]


def test_a_place_on_the_way_is_upstream_of_its_end_and_dates_records_as_received_there() -> None:
    routes = {"district": Route("own", (LinkLimit("district"),)), "far": Route("own", (LinkLimit("district"), HOUR))}
    assert list(map(told, pairs(routes))) == [
        ("district", "far", "district->platform", 1, False, False, True),
        ("far", "district", "own->district", 0, True, False, False),
    ], "each finds what it lacks itself, and one of them what differs"


def test_sources_that_share_no_place_before_the_end_are_no_pair() -> None:
    assert pairs({"one": Route("one", (HOUR,)), "other": Route("other", (HOUR,)), "alone": Route("alone", ())}) == []


def test_a_copy_passed_on_is_no_departments_own_system_and_one_keyed_again_is() -> None:
    entered = Route("ministry", (LinkLimit("own_entry"),), is_keyed_twice=True)
    routes = {"own": entered, "ministry": Route("ministry", ()), "copy": Route("own_entry", (LinkLimit("exchange"),))}
    assert own_systems(routes) == ["own"]
    assert told(pairs(routes)[0]) == ("ministry", "own", "ministry->own_entry", 0, True, True, True)
    assert told(pairs(routes)[1]) == ("own", "copy", "own_entry->exchange", 0, False, True, True)
    assert own_systems({"own": entered, "other": Route("other", (HOUR,))}) == ["other", "own"]


def row(case: str, is_upstream: bool, said: str = "{}", version: int = 1, minutes: int = 0) -> dict[str, object]:
    at = MONDAY + timedelta(minutes=minutes)
    return {
        "is_upstream": is_upstream, "case_no": case, "kind": "accept", "seq": 0, "version": version, "said": said,
        "first_at": MONDAY, "newest_at": at,
    }  # fmt: skip


ROWS = [
    row("both", True),
    row("both", False, version=3),
    row("extra", False),
    row("missing", True, minutes=9),
    row("wrong", True, '{"a": 1, "b": 2, "c": 3}', version=2, minutes=16 * 60),
    row("wrong", False, '{"a": 1, "b": 9, "d": 4}'),
]
PAIR = Pair("up", "down", Route("up", (HOUR,)), 0, is_written=True, back=())


def found(rows: list[dict[str, object]], pair: Pair) -> list[tuple[object, ...]]:
    table = differences(pa.Table.from_pylist(rows), pair, time(1), AXIS)
    names = ("class", "case_no", "upstream_version", "downstream_version", "fields", "due_at")
    return [
        (*(entry[name] for name in names[:-1]), f"{entry['due_at'].astimezone(MONDAY.tzinfo):%d %H:%M}")
        for entry in table.to_pylist()
    ]


def test_every_difference_is_named_with_its_sides_its_fields_and_the_cutoff_it_counts_from() -> None:
    assert found(ROWS, PAIR) == [
        ("missing", "missing", 1, 0, "", "17 01:00"),
        ("wrong", "wrong", 2, 1, "b,c,d", "18 01:00"),
        ("extra", "extra", 0, 1, "", "17 01:00"),
    ], "the second version was there at 02:00 on Tuesday, an hour past the cut-off"
    silent = Pair("up", "down", Route("up", (HOUR,)), 0, is_written=True, back=None, says_wrong=False)
    assert [entry[0] for entry in found(ROWS, silent)] == ["missing"]
    nightly = Pair("up", "down", Route("up", (NIGHTLY,)), 0, is_written=True, back=None)
    assert found(ROWS[3:4], nightly) == [("missing", "missing", 1, 0, "", "18 01:00")], "noon, then the cut-off"
    assert found([], PAIR) == []


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
def test_sides_cut_anywhere_are_merged_as_if_in_one_piece(size: int) -> None:
    whole = pa.Table.from_pylist(ROWS)
    pieces = list(whole_cases(whole.to_batches(max_chunksize=size), 1))
    assert pa.concat_tables(pieces) == whole
    merged = [entry for piece in pieces for entry in found(piece.to_pylist(), PAIR)]
    assert sorted(merged) == sorted(found(ROWS, PAIR))


def test_every_field_two_systems_can_differ_in_has_a_name() -> None:
    assert set(FIELD) == {"occurred_at", "item_code", *PAYLOAD_COLUMNS}
