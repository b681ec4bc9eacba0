"""Every rule of every suite fires on golden data, fires nowhere else, and says what it means in Chinese."""

from __future__ import annotations

import re
from datetime import datetime
from importlib import import_module
from pathlib import Path

import pytest

from expectations import names, suites
from tests.quality import golden

CUTOFF = datetime.fromisoformat("2026-11-17T01:00:00+08:00")


@pytest.mark.parametrize("folder", golden.cases(), ids=lambda folder: f"{folder.parent.name}: {folder.name}")
def test_golden(folder: Path) -> None:
    assert golden.found(folder) == golden.expected(folder)


@pytest.mark.parametrize("suite", names())
def test_every_rule_fails_on_some_golden_row(suite: str) -> None:
    fired = {rule for folder in golden.cases() if folder.parent.name == suite for rule in _failed(folder)}
    assert fired == {rule.id for name, rules in suites(CUTOFF) for rule in rules if name == suite}


@pytest.mark.parametrize("suite", names())
def test_an_emptied_suite_is_noticed(suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = next(folder for folder in golden.cases() if folder.parent.name == suite and _failed(folder))
    monkeypatch.setattr(import_module(f"expectations.{suite}"), "suite", lambda cutoff: [])
    assert golden.found(folder) != golden.expected(folder)


def test_every_golden_folder_belongs_to_a_suite() -> None:
    assert {folder.parent.name for folder in golden.cases()} == set(names())


def test_ids_are_unique_and_titles_are_chinese() -> None:
    seen = set()
    for suite, rules in suites(CUTOFF):
        for rule in rules:
            assert (suite, rule.id) not in seen
            seen.add((suite, rule.id))
            assert re.fullmatch(r"[a-z][a-z0-9_]{2,40}", rule.id)
            assert re.search(r"[\u4e00-\u9fff]{2}", rule.title), rule.id
            assert rule.severity in ("critical", "error", "warning")
    assert len({rule.title for _, rules in suites(CUTOFF) for rule in rules}) > 40


def _failed(folder: Path) -> dict[str, list[int]]:
    return golden.expected(folder)["failed"]
