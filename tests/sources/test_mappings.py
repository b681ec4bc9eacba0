"""The ready mappings keep their promises: golden folders under tests/golden/mappings/<mapping>/<a_sentence>/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.sources.mappings import MAPPINGS
from tests.sources.test_dialect_golden import agree

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "mappings"
FOLDERS = sorted(path.parent for path in GOLDEN.glob("*/*/messages.jsonl"))


def test_every_mapping_has_golden_folders_named_as_sentences() -> None:
    assert {folder.parent.name for folder in FOLDERS} == set(MAPPINGS)
    assert {path for path in GOLDEN.glob("*/*") if path.is_dir()} == set(FOLDERS)
    for folder in FOLDERS:
        assert folder.name.count("_") >= 3, f"{folder.name} is not a sentence"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_golden_page_becomes_exactly_these_messages(folder: Path) -> None:
    agree(MAPPINGS[folder.parent.name], folder)


def change(operation: str, at: str, **more: Any) -> dict[str, Any]:
    return {
        "row_guid": "g1", "project_no": "P1", "task_code": "T", "task_name": "备案", "cd_operation": operation,
        "cd_time": at, "cd_batch": "B1", "receive_time": at, "result_date": "20261118090000", "result_type": "0",
        "reason": None, "fee": None, "cert_no": None,
    } | more  # fmt: skip


def said(rows: list[dict[str, Any]]) -> tuple[list[tuple[Any, ...]], list[Any]]:
    """(key and outcome of each message, rejects) of one page of results."""
    source = MAPPINGS["national_changes"]
    body = {"total": len(rows), "rows": rows, "next": None, "data_until": "2026-11-19T01:00:00+08:00"}
    decoded = source.kind.decode(source, "result", orjson.dumps(body), {})
    messages, rejects = source.dialect.messages(source, "result", decoded.rows)
    keys = [messages[name].to_pylist() for name in ("case_no", "kind", "version", "outcome", "written_at")]
    return list(zip(*keys, strict=True)), list(rejects)


def test_versions_of_changes_do_not_depend_on_the_order_or_the_batch_they_come_in() -> None:
    rows = [
        change("I", "20261118100000"),
        change("U", "20261118110000", result_type="1"),
        change("U", "20261118110001", result_type="2"),
    ]
    forward, _ = said(rows)
    assert [version for _, _, version, *_ in forward] == sorted(version for _, _, version, *_ in forward)
    assert forward[0][2] == 1
    assert sorted(forward) == sorted(said(rows[::-1])[0])
    assert said([row | {"cd_batch": "B2", "receive_time": "20261119000000"} for row in rows])[0] == forward
    assert sorted(forward) == sorted(message for row in rows for message in said([row])[0])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (change("X", "20261118100000"), "unknown_code"),
        (change("", "20261118100000"), "missing_key"),
        (change("U", ""), "missing_value"),
        (change("U", "99991118100000"), "bad_time"),
        (change("D", "20261118100000"), "deleted_in_source"),
        (change("d", "20261118100000"), "deleted_in_source"),
    ],
)
def test_a_change_that_cannot_be_placed_or_taken_back_is_set_aside(row: dict[str, Any], reason: str) -> None:
    messages, rejects = said([row, change("I", "20261118100000", project_no="P2")])
    assert [message[0] for message in messages] == ["P2"]
    assert [(row_no, found) for row_no, found, _ in rejects] == [(0, reason)]
