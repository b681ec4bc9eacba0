"""What `check` promises whatever the rules are: positions, severities, plain data, no silent pass."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pytest

from etl.domain.message import SCHEMA
from etl.errors import JianchaError
from etl.quality.check import FAILED, Findings, RuleResult, check
from expectations import Rule, names
from expectations._phrases import between, known, present
from tests.quality import golden

CUTOFF = datetime.fromisoformat("2026-11-17T01:00:00+08:00")


@pytest.fixture(scope="module")
def everything() -> pa.Table:
    """All golden messages in one table, with the positional columns admission adds."""
    joined = pa.concat_tables([golden.messages(folder) for folder in golden.cases()])
    joined = joined.append_column("row_no", pa.array(range(len(joined), 0, -1), pa.int64()))
    return joined.append_column("page", pa.array([7] * len(joined), pa.int64()))


@pytest.fixture(scope="module")
def findings(everything: pa.Table) -> Findings:
    return check(everything, CUTOFF)


@pytest.fixture(scope="module")
def finishes() -> pa.Table:
    """The messages of one golden folder: enough where what is said of them does not matter."""
    return next(golden.messages(folder) for folder in golden.cases() if folder.parent.name == "finish")


def test_rows_are_positions_in_the_given_table_whatever_was_joined(findings: Findings) -> None:
    offset, wanted = 0, set()
    for folder in golden.cases():
        for rule, rows in golden.expected(folder)["failed"].items():
            wanted |= {(folder.parent.name, rule, offset + row) for row in rows}
        offset += len(golden.messages(folder))
    got = {(row["suite"], row["rule"], row["row"]) for row in findings.failed.to_pylist()}
    # Rules about shares of a batch, about other records and about whole nights say something else of another batch.
    alone = {"zone_mistaken", "whole_hours", "dates_alone", "few", "many"}
    alone |= {rule for _, rule, _ in wanted if rule.startswith("without_")}
    assert {entry for entry in wanted if entry[1] not in alone} <= got
    assert not any(rule in alone - {"whole_hours"} for _, rule, _ in got)


def test_counts_agree_with_the_failed_rows(findings: Findings, everything: pa.Table) -> None:
    assert findings.failed.schema == FAILED
    assert sum(result.failed_rows for result in findings.results) == findings.failed.num_rows > 0
    by_rule = {(result.suite, result.rule): result for result in findings.results}
    assert len(by_rule) == len(findings.results)
    accepts = everything["kind"].to_pylist().count("accept")
    assert by_rule["accept", "promised_range"].checked_rows == accepts
    assert by_rule["messages", "case_no_missing"].checked_rows == len(everything)
    for row in findings.failed.to_pylist():
        assert row["severity"] == by_rule[row["suite"], row["rule"]].severity


def test_nothing_to_check_checks_nothing() -> None:
    findings = check(SCHEMA.empty_table(), CUTOFF)
    assert findings.failed.num_rows == 0
    assert {(result.checked_rows, result.failed_rows) for result in findings.results} == {(0, 0)}
    assert not findings.critical


def test_only_plain_data_leaves(findings: Findings) -> None:
    assert isinstance(findings, Findings)
    for result in findings.results:
        assert isinstance(result, RuleResult)
        assert {type(value) for value in vars(result).values()} <= {str, int, tuple}
        assert {type(text) for text in (*result.columns, *result.samples)} <= {str}


@pytest.mark.parametrize(
    "expectation",
    [
        pytest.param(lambda: present("no_such_column"), id="a column that is not there"),
        pytest.param(lambda: between("case_no", 0, 5), id="a number rule on text"),
        pytest.param(lambda: present("handler"), id="payload of no kind in particular"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_an_error(
    expectation, finishes: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = Rule("broken", "坏规则", "warning", expectation())
    monkeypatch.setattr(import_module("expectations.finish"), "suite", lambda cutoff: [rule])
    with pytest.raises(JianchaError, match=r"finish\.broken"):
        check(finishes, CUTOFF)


def test_two_rules_with_one_id_are_an_error(finishes: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [Rule("twice", "重复", "error", present("case_no")), Rule("twice", "重复", "error", known("kind", ["x"]))]
    monkeypatch.setattr(import_module("expectations.finish"), "suite", lambda cutoff: rules)
    with pytest.raises(JianchaError, match="share one id"):
        check(finishes, CUTOFF)


@pytest.fixture
def written_paths() -> Iterator[list[str]]:
    """Paths this process opens for writing, as the interpreter itself reports them."""
    paths: list[str] = []
    watching = [True]

    def watch(event: str, arguments: tuple) -> None:
        if watching and event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
            paths.append(str(arguments[0]))

    sys.addaudithook(watch)
    yield paths
    watching.clear()


@pytest.mark.usefixtures("findings")  # the first run may compile modules; what counts is every run after it
def test_no_file_is_written(everything: pa.Table, written_paths: list[str], tmp_path: Path) -> None:
    check(everything, CUTOFF)
    assert written_paths == []
    (tmp_path / "proof that the watch sees").write_text("")
    assert len(written_paths) == 1


def test_nothing_is_printed_and_nothing_warned(
    everything: pa.Table, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    check(everything, CUTOFF)
    assert capfd.readouterr() == ("", "")
    # A ResourceWarning comes from whatever the collector meets meanwhile, an earlier test's server for instance.
    assert [str(warning) for warning in recwarn if warning.category is not ResourceWarning] == []


def test_knowing_the_suites_does_not_import_great_expectations() -> None:
    code = (
        "import sys, importlib, expectations, etl.quality.check\n"
        "[importlib.import_module('expectations.' + name) for name in expectations.names()]\n"
        "assert 'great_expectations' not in sys.modules and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert "messages" in names()
