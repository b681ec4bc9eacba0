"""Benchmarks reduced: what takes turns does the same work, and the page keeps what is not measured anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sqlalchemy import Connection, Engine

from benchmarks import (
    admission,
    due_dates,
    history,
    increment,
    judging,
    lags,
    large_night,
    night,
    reconciliation,
    staging,
    suspensions,
)
from benchmarks.__main__ import registered, replaced
from etl.domain.night import NEVER
from etl.errors import UsageError
from etl.settings import settings
from etl.store import binary_copy, calendars, message_files
from etl.store import ledger as store


def test_every_benchmark_is_found() -> None:
    names = ["admission", "due_dates", "history", "increment", "judging", "lags", "large_night", "night"]
    assert list(registered()) == [*names, "reconciliation", "staging", "suspensions"]


def test_a_new_section_leaves_the_others_as_they_were() -> None:
    order = ["one", "two"]
    page = replaced(replaced("", "two", "## Two\nold two\n", order), "one", "## One\nold one\n", order)
    again = replaced(page, "two", "## Two\nnew two\n", order)
    assert again == page.replace("old two", "new two")
    assert again.index("old one") < again.index("new two")


def test_due_dates_are_those_counted_day_by_day() -> None:
    calendar = calendars.packaged().cn()
    due = due_dates.contestants(300)[due_dates.WHOLE]()
    random = np.random.default_rng(20261122)
    days, limits = random.integers(13_514, 20_400, 300), random.integers(1, 60, 300)
    for day, limit, found in zip(days.tolist(), limits.tolist(), due.tolist(), strict=True):
        while limit:
            day += 1
            limit -= bool(calendar.is_working[day - calendar.first])
        end = date(1970, 1, 1) + timedelta(days=day)
        assert np.datetime64(found, "us") == np.datetime64(f"{end}T15:59:59")  # 23:59:59 in Shanghai


@pytest.mark.database
def test_staging_holds_exactly_what_the_server_copies(ledger: Engine, embedded_var: Path) -> None:
    told = staging.numbered(500)
    odd = pa.array(['逗号,"引号"\\\t\n喆堃祎', "", None, r"\N", "\U0001f600"] * 100)
    told = told.set_column(told.schema.get_field_index("item_name"), "item_name", odd)
    unreceived = pc.if_else(
        pa.array(np.arange(500) % 3 == 0), pa.scalar(None, told["received_at"].type), told["received_at"]
    )
    told = told.set_column(told.schema.get_field_index("received_at"), "received_at", unreceived)
    rows = store.staged_rows(told, "night")
    filled = {}
    for name, fill in staging.fills(ledger, rows, _readable(embedded_var)).items():
        with ledger.connect() as connection:
            fill(connection)
            filled[name] = _staged(connection)
    assert filled["ours"] == filled["server text"] == filled["server binary"]
    expected = rows.to_pylist()
    for number, row in enumerate(filled["ours"]):
        for name in ("message_no", "case_no", "seq", "item_name", "occurred_at", "received_at", "known_at"):
            assert row[name] == expected[number][name], (number, name)


def _readable(folder: Path) -> Path:
    place = folder / "bench"
    place.mkdir()
    place.chmod(0o777)
    return place


def _staged(connection: Connection) -> list[dict[str, object]]:
    return [dict(row) for row in connection.exec_driver_sql("select * from staged order by message_no").mappings()]


@pytest.mark.parametrize(
    ("column", "type_"),
    [(pa.array([2**31]), "int4"), (pa.array([1.5]), "numeric")],
    ids=["number beyond int4", "type not written"],
)
def test_binary_copy_refuses_what_it_cannot_write(column: pa.Array, type_: str) -> None:
    with pytest.raises(UsageError):
        list(binary_copy.stream(pa.table({"x": column}), {"x": type_}))


def test_binary_copy_refuses_a_missing_whole_number() -> None:
    with pytest.raises((UsageError, pa.ArrowInvalid)):
        list(binary_copy.stream(pa.table({"x": pa.array([1, None], pa.int32())}), {"x": "int4"}))


@pytest.mark.database
def test_a_night_admits_judges_and_traces_what_its_files_say(
    ledger: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIANCHA_CONNECTION_ZRZY", str(tmp_path / "inbox"))
    (tmp_path / "inbox").mkdir()
    settings.cache_clear()
    calendars.seed(ledger)
    night.write_night(tmp_path / "inbox", night.FIRST, range(60), range(0), open_for=5)
    _, first = night.run_night(night.FIRST)
    assert first["admit"]["accepted"] == 60
    on = night.FIRST + timedelta(days=1)
    night.write_night(tmp_path / "inbox", on, range(60, 70), range(10))
    _, second = night.run_night(on)
    assert second["admit"] == {"accepted": 20, "repeated": 0, "quarantined": 0, "failed_sources": 0}
    assert second["judge"]["nights"] == 1
    assert first["judge"]["issued"] > 0
    assert second["judge"]["issued"] > 0
    assert second["trace"]["nights"] == 1


def test_judging_and_admission_report_what_they_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "seconds_to_import", lambda: 0.0)
    assert any("| 20 |" in line for line in judging.report((10, 20), runs=1))
    assert any("seconds for 100 rows" in line for line in admission.report(100, runs=1))


def test_a_history_is_judged_in_processes_of_its_own_and_every_step_has_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_files, "FILE_PARTS", 1)
    monkeypatch.setattr(history, "PART_CASES", 200)
    assert history.write(tmp_path / "files", 500) > 500
    told = pa.concat_tables(message_files.read(tmp_path / "files"))
    assert pc.count_distinct(told["case_no"]).as_py() == 500
    alone, *split = history.measured(tmp_path / "files", *history.halves(tmp_path / "files"), threads=1)
    assert alone.line_bytes == history.judge(tmp_path / "files") == sum(one.line_bytes for one in split) > 100_000
    assert 2**27 < alone.peak_bytes < 2**31
    shares = history.stages(tmp_path / "files", 2)
    assert set(shares) == set(history.STAGES.values())
    assert 0.4 < sum(shares.values()) < 1
    text = "\n".join(history.report(600, runs=1))
    for named in ("| 600 |", "two processes", "GiB at the peak", "decoding Parquet", "every moment judged"):
        assert named in text, named


@pytest.mark.database
def test_judging_agrees_with_sql_and_its_suspensions_with_duckdb(ledger: Engine) -> None:
    cases = suspensions.generated(3_000)
    verdicts = suspensions.judged("whole_day")(cases)
    reached = np.count_nonzero(verdicts.reached != NEVER, axis=0).tolist()
    assert suspensions.in_sql(ledger, cases)() == (*reached, verdicts.used_days.sum())
    assert min(reached) > 0
    excluded = suspensions.united(suspensions.positions(cases))
    assert excluded.sum() == verdicts.excluded_days.sum()
    assert suspensions.duckdb_union(cases)()[1] == excluded.sum() > 0  # type: ignore[index]


@pytest.mark.database
def test_judging_with_suspensions_reports_every_contestant(
    ledger: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspensions, "fresh_ledger", _instead(ledger, tmp_path))
    text = "\n".join(suspensions.report(2_000, 500, runs=1))
    for named in ("plain copy", "numpy busday", "office_clock", "DuckDB", "500 cases", "peak memory"):
        assert named in text, named


@pytest.mark.database
def test_a_large_night_is_judged_in_parts_of_whole_cases(
    ledger: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calendars.seed(ledger)
    monkeypatch.setattr(store, "PART_MESSAGES", 50)
    monkeypatch.setattr(large_night, "fresh_ledger", _instead(ledger, tmp_path))
    monkeypatch.setenv("JIANCHA_CONNECTION_ZRZY", "")
    assert any("| judge |" in line for line in large_night.report(400))
    parts = [set(part["case_no"].to_pylist()) for part in store.case_messages(["zrzy"], large_night.LAST, ["accept"])]
    assert len(parts) > 1
    assert sum(map(len, parts)) == len(set.union(*parts))


@pytest.mark.database
def test_reconciling_finds_what_a_full_join_finds_and_a_night_its_own_share(ledger: Engine) -> None:
    reconciliation.fill(ledger, 2_000)
    everything, joined, merged, night = (work() for work in reconciliation.contestants(ledger).values())
    assert everything == joined == merged == {"missing": 2, "extra": 2, "wrong": 2}
    assert night == {"wrong": 2}, "of the cases it told of"


@pytest.mark.database
def test_a_nights_increment_arrives_whole_and_is_told_step_by_step() -> None:
    lines = "\n".join(increment.report(100))
    for named in (
        "bare table",
        "pulling: 10 pages",
        "landing",
        "reading",
        "checking",
        "inserting",
        "together",
        "100 records",
    ):
        assert named in lines, named


def _instead(engine: Engine, folder: Path):  # type: ignore[no-untyped-def]
    @contextmanager
    def ledger_of_the_test() -> Iterator[tuple[Engine, Path]]:
        yield engine, folder

    return ledger_of_the_test


def test_lag_percentiles_are_the_observed_values_a_walk_over_the_sorted_lags_finds(tmp_path: Path) -> None:
    lags.write(tmp_path / "events.parquet", 30_000, 3)
    works = lags.contestants(tmp_path / "events.parquet", 3)
    assert works["decode"]() == 30_000
    found = works["percentiles"]()
    for on in lags.nights(3):
        events: dict[tuple[str, str], list[int]] = {}
        for row in lags.night(on, 10_000).to_pylist():
            lag = (row["received_at"] - row["written_at"]) // timedelta(seconds=1)
            events.setdefault((row["link"], row["department"]), []).append(lag)
        expected = []
        for (link, department), seconds in events.items():
            counted = sorted(second for second in seconds if second >= 0)
            ranks = [counted[-(-len(counted) * percent // 100) - 1] for percent in (50, 95)]
            expected.append((link, department, len(seconds), len(seconds) - len(counted), ranks, counted[-1]))
        assert sorted(found[on]) == sorted(expected)
    assert any("percentiles ÷ decoding" in line for line in lags.report(3_000, 3, runs=1))
