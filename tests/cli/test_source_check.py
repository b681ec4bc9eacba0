"""`jiancha source check`: what a sample would become, over real wires, with nothing written and no ledger at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pytest_httpserver import HTTPServer

from etl import sources
from etl.settings import settings
from etl.sources.departments.zrzy import FILES
from tests.cli.command import Ended, jiancha
from tests.cli.test_without_a_database import refused
from tests.runs.world import Drop, Exchange, Platform, _zrzy_columns

GOLDEN = Path(__file__).parents[1] / "golden" / "sources"
UNKNOWN = GOLDEN / "scjg/an_unknown_result_code_is_rejected_and_never_defaulted/result.json"
PHONE = "13900001111"


@pytest.fixture(autouse=True)
def no_ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A database nobody answers for, and a var folder that must stay empty."""
    from etl.store import engine as engine_module

    monkeypatch.setenv("JIANCHA_DATABASE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("JIANCHA_VAR_DIR", str(tmp_path / "var"))
    settings.cache_clear()
    engine_module.engine.cache_clear()
    yield tmp_path / "var"
    assert not (tmp_path / "var").exists()
    settings.cache_clear()
    engine_module.engine.cache_clear()


def stream(ended: Ended, name: str) -> dict[str, Any]:
    (found,) = [each for each in ended.only["streams"] if each["stream"] == name]
    return found


def reasons(found: dict[str, Any]) -> dict[str, int]:
    return {one["reason"]: one["rows"] for one in found["quarantined"]}


def changes(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(change["what"], change["column"], change["value"]) for change in found["changes"]]


def everything_in(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_sample_file_is_read_column_by_column_and_its_new_code_named() -> None:
    ended = jiancha("source", "check", "scjg", "--sample", UNKNOWN, "--json")
    found = stream(ended, "result")
    assert (ended.code, found["rows"], found["accepted"], found["refused"]) == (1, 3, 1, None)
    assert reasons(found) == {"missing_value": 1, "unknown_code": 1}
    assert changes(found) == [("new_code", "result_type", "'77'")]
    mapped = {entry["to"]: entry for entry in found["columns"]}
    assert mapped["finish.outcome"] | {} == {
        "from": ["result_type"], "to": "finish.outcome", "as": "code", "filled": 2, "example": "'77'",
    }  # fmt: skip
    assert mapped["*.case_no"]["example"] == "999999999999…（20）"
    assert found["unread"] == ["row_id", "org_code", "area_code"]
    text = jiancha("source", "check", "scjg", "--sample", UNKNOWN).out
    assert "scjg result：样本3行，可入库1行，将隔离2行" in text
    assert "变化：result：字段result_type出现未约定的代码'77'" in text


@pytest.mark.usefixtures("expectations")
def test_a_platform_is_asked_for_a_few_rows_and_a_swapped_field_is_warned_of(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = Platform()
    monkeypatch.setenv("JIANCHA_CONNECTION_SCJG", platform.serve(httpserver))
    for number in range(5):
        platform.accept(f"A{number}", "2026-11-16 10:00", task_name="513A0102900001", neu=PHONE)
    ended = jiancha("source", "check", "scjg", "--rows", 3, "--json")
    found = stream(ended, "accept")
    assert (ended.code, found["rows"], found["accepted"]) == (0, 5, 5)
    assert {query["limit"] for query in platform.asked} == {"3"}
    assert changes(found) == [("new_column", "neu", "")]
    assert "事项名称一栏填写了编码" in [warning["title"] for warning in found["warnings"]]
    assert PHONE not in ended.out
    assert stream(ended, "result")["rows"] == 0


def test_a_renamed_column_of_a_platform_is_guessed_and_the_stream_refused(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = Platform()
    monkeypatch.setenv("JIANCHA_CONNECTION_SCJG", platform.serve(httpserver))
    platform.accept("A1", "2026-11-16 10:00")
    row = platform.rows["accept"][0]
    row["accept_datetime"] = row.pop("accept_date")
    row["promised"] = row.pop("promise_limit")
    del row["flow"]
    ended = jiancha("source", "check", "scjg", "--json")
    found = stream(ended, "accept")
    assert ended.code == 3
    assert "no column" in found["refused"]
    assert set(changes(found)) == {
        ("renamed", "accept_date", "accept_datetime"),
        ("renamed", "promise_limit", "promised"),
        ("dropped", "flow", ""),
    }


def test_a_table_shows_its_drift_even_where_a_pull_would_refuse_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'rsj.sqlite'}"
    monkeypatch.setenv("JIANCHA_CONNECTION_RSJ", url)
    exchange = Exchange.at(url)
    for number in range(4):
        exchange.accept(f"A{number}", "2026-11-16 10:00", slsj=f"176334480{number}000")
        exchange.finish(f"A{number}", "2026-11-16 11:00", bjjgdm="8" if number else "0")
    with exchange.engine.begin() as connection:
        connection.execute(sa.text("alter table ex_sl rename column bjlx to bjlxdm"))
        connection.execute(sa.text("alter table ex_bj add column extra text"))
    exchange.engine.dispose()
    before = everything_in(tmp_path)
    ended = jiancha("source", "check", "rsj", "--json")
    accept, finish = stream(ended, "accept"), stream(ended, "finish")
    assert ended.code == 3
    assert "lacks column bjlx" in accept["refused"]
    assert changes(accept) == [("renamed", "bjlx", "bjlxdm"), ("retyped", "slsj", "999999999999…（13）")]
    assert (finish["accepted"], reasons(finish)) == (1, {"unknown_code": 3})
    assert changes(finish) == [("new_column", "extra", ""), ("new_code", "bjjgdm", "'8'")]
    assert everything_in(tmp_path) == before


def test_a_drop_folder_is_looked_into_and_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import date

    folder = tmp_path / "zrzy"
    folder.mkdir()
    monkeypatch.setenv("JIANCHA_CONNECTION_ZRZY", str(folder))
    drop = Drop(folder)
    drop.accept("A1", "2026-11-16 10:00")
    drop.close(date(2026, 11, 16), "受理", header={"承诺时限": "承诺办结时限"})
    drop.finish("A1", "2026-11-16 11:00", 办结结果="撤销")
    drop.close(date(2026, 11, 16), "办结")
    before = everything_in(folder)
    ended = jiancha("source", "check", "zrzy", "--json")
    accept, finish = stream(ended, "受理"), stream(ended, "办结")
    assert ended.code == 3
    assert "the header lacks 承诺时限" in accept["refused"]
    assert changes(accept) == [("renamed", "承诺时限", "承诺办结时限")]
    assert (finish["rows"], changes(finish)) == (1, [("new_code", "办结结果", "'撤销'")])
    assert {path.name for path in folder.iterdir()} == {
        FILES[name][0].replace("{date}", "20261116") for name in ("受理", "办结")
    }
    assert everything_in(folder) == before
    assert len(_zrzy_columns("受理")) > 10


@pytest.mark.parametrize("name", ["rsj", "scjg", "syj", "zrzy"])
def test_a_sample_of_any_kind_of_source_that_is_not_there_is_refused_with_two(name: str, tmp_path: Path) -> None:
    first = next(iter(sources.get(name).dialect.streams))
    refused(jiancha("source", "check", name, "--sample", tmp_path / f"{first}.json"), 2, "No such file")
    refused(jiancha("source", "check", name, "--sample", tmp_path / "other.json"), 2, f"of no stream of {name}")


def test_a_sample_of_a_table_is_read() -> None:
    page = GOLDEN / "rsj/finish_code_1_is_returned_here_though_elsewhere_it_is_refused/finish.jsonl"
    ended = jiancha("source", "check", "rsj", "--sample", page, "--json")
    found = stream(ended, "finish")
    assert (ended.code, found["refused"], found["rows"], found["accepted"]) == (1, None, 3, 2)


def test_what_cannot_be_looked_at_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JIANCHA_CONNECTION_SCJG", raising=False)
    refused(jiancha("source", "check", "scjg"), 2, "JIANCHA_CONNECTION_SCJG is not set")
    refused(jiancha("source", "check", "nobody"), 2, "no source 'nobody'")
    refused(jiancha("source", "check", "scjg", "--sample", tmp_path / "other.json"), 2, "of no stream of scjg")
    refused(jiancha("source", "check", "scjg", "--sample", tmp_path / "accept.json"), 2, "No such file")
    refused(jiancha("source", "check", "syj", "--sample", tmp_path / "finish.jsonl"), 2, "No such file")
    refused(jiancha("source", "check", "syj", "--sample", tmp_path / "办结.csv"), 2, "of no stream of syj")
    monkeypatch.setenv("JIANCHA_CONNECTION_SCJG", "http://127.0.0.1:1/scjg")
    ended = jiancha("source", "check", "scjg", "--json")
    assert ended.code == 3
    assert "did not answer" in stream(ended, "accept")["refused"]
