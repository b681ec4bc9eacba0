"""Stand-stills, bursts of old entries, percentiles and clock skew, in small stories."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from etl.domain.night import NEVER
from etl.supervision.delays import LAGS, in_batches, standstills, summarise

MINUTE = 60_000_000
HOUR = 60 * MINUTE


def stood(set_out: list[int], reached: list[int], arrivals: list[int]) -> list[tuple[int, int] | None]:
    """Stand-stills of late records in minutes, on a link that allows an hour."""
    out, there = (np.array(minutes) * MINUTE for minutes in (set_out, reached))
    begins, ends = standstills(out, out + HOUR, there, np.array(arrivals) * MINUTE, HOUR)
    pairs = zip(begins.tolist(), ends.tolist(), strict=True)
    return [None if end == NEVER else (begin // MINUTE, end // MINUTE) for begin, end in pairs]


def test_what_waited_for_the_end_of_one_gap_belongs_together_from_when_each_began_to_wait() -> None:
    assert stood([10, 50, 100], [300, 301, 310], [0, 300, 301, 310]) == [(10, 300), (50, 300), (100, 300)]


def test_a_record_that_others_overtook_was_late_by_itself() -> None:
    others = list(range(0, 300, 20))
    assert stood([10, 20, 30], [300, 300, 300], [*others, 300]) == [None, None, None]


def test_what_would_have_been_late_without_the_gap_was_late_by_itself() -> None:
    # It waited 90 minutes for the end of the gap and then 61 more, while others passed.
    assert stood([10, 20, 40, 10], [100, 100, 101, 161], [0, 100, 101, 120, 140, 161]) == [
        (10, 100), (20, 100), (40, 100), None
    ]  # fmt: skip


def test_two_records_of_a_quiet_evening_are_no_stand_still() -> None:
    assert stood([10, 20], [300, 300], [0, 300]) == [None, None]


def test_nothing_before_the_first_arrival_ever_is_waiting_all_the_same() -> None:
    assert stood([10, 20, 30], [300, 300, 300], [300]) == [(10, 300), (20, 300), (30, 300)]


def lags(rows: list[dict[str, Any]]) -> pa.Table:
    base = {"record": 0, "source": "s", "department": "d", "kind": "finish", "hop": "s->p", "set_out": 0, "due": NEVER}
    base |= {"reached": 0, "working_days": 0.0, "is_late": False, "level": None, "class": None}
    return pa.Table.from_pylist([base | row for row in rows], schema=LAGS)


def test_percentiles_are_observed_values_and_negative_lags_only_count() -> None:
    seconds = [-100, -1, 0, 5, 7, 1000]
    (row,) = summarise(lags([{"reached": s * 1_000_000, "working_days": s / 10} for s in seconds]), ("source", "hop"))
    assert (row["message_count"], row["negative_count"]) == (6, 2)
    assert [row[f"{name}_seconds"] for name in ("p50", "p95", "max")] == [5, 1000, 1000]
    assert [row[f"{name}_working_days"] for name in ("p50", "p95", "max")] == [0.5, 100, 100]
    assert row["skew_seconds"] is None, "six records tell nothing of two clocks"


@pytest.mark.parametrize(("ahead", "skew"), [(0, None), (1, None), (2, -90)])
def test_a_clock_is_ahead_when_more_than_a_stray_record_says_so(ahead: int, skew: int | None) -> None:
    seconds = [-90] * ahead + [30] * (30 - ahead)
    (row,) = summarise(lags([{"reached": s * 1_000_000} for s in seconds]), ("source", "hop"))
    assert (row["negative_count"], row["skew_seconds"]) == (ahead, skew)


def test_groups_are_measured_apart() -> None:
    rows = summarise(
        lags([{"kind": kind, "reached": at * 1_000_000} for kind, at in [("a", 1), ("b", 9), ("a", 3)]]), ("kind",)
    )
    assert [(row["kind"], row["message_count"], row["max_seconds"]) for row in rows] == [("a", 2, 3), ("b", 1, 9)]


@pytest.mark.parametrize(
    ("old", "fresh", "found"), [(20, 20, 20), (19, 0, 0), (20, 21, 0)], ids=["a burst", "too few", "a usual day"]
)
def test_a_burst_of_old_entries_is_half_a_days_work_or_more(old: int, fresh: int, found: int) -> None:
    entries = [{"hop": "entry:s", "working_days": 3.0}] * old + [{"hop": "entry:s", "working_days": 0.5}] * fresh
    assert in_batches(lags([*entries, {"hop": "s->p", "working_days": 9.0}])).sum() == found
