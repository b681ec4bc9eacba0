"""Every rule of every suite fires on golden data, fires nowhere else, and says what it means in Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from etl.quality import check as check_module
from expectations import Rule, names, suites
from tests.quality import golden

CUTOFF = datetime.fromisoformat("2026-11-17T01:00:00+08:00")

FINE = {"fee_range": 0.01, "few": 0.01, "many": 0.01}
"""The least step that matters where it is not one: a fen, a hundredth of what is usual."""


@pytest.mark.parametrize("folder", golden.cases(), ids=lambda folder: f"{folder.parent.name}: {folder.name}")
def test_golden(folder: Path) -> None:
    assert golden.found(folder) == golden.expected(folder)


@pytest.mark.parametrize("suite", names())
def test_every_rule_fails_on_some_golden_row(suite: str) -> None:
    fired = {rule for folder in golden.cases() if folder.parent.name == suite for rule in _failed(folder)}
    assert fired == {rule.id for name, rules in suites(CUTOFF) for rule in rules if name == suite}


@pytest.mark.parametrize(("suite", "rule"), [(suite, rule.id) for suite, rules in suites(CUTOFF) for rule in rules])
def test_a_rule_emptied_or_loosened_by_the_least_step_is_noticed(
    suite: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (real,) = (one for name, rules in suites(CUTOFF) for one in rules if (name, one.id) == (suite, rule))
    firing = [folder for folder in golden.cases() if folder.parent.name == suite and rule in _failed(folder)]
    assert _noticed_by(firing, suite, lambda: real, monkeypatch) == []
    for name, mutant in _mutants(suite, rule).items():
        assert _noticed_by(firing, suite, mutant, monkeypatch), f"{suite}.{rule} {name}: no golden folder notices"


def _noticed_by(
    folders: list[Path], suite: str, rule: Callable[[], Rule], monkeypatch: pytest.MonkeyPatch
) -> list[Path]:
    """The golden folders that fail with this rule alone in its suite."""
    monkeypatch.setattr(check_module, "suites", lambda cutoff: [(suite, [rule()])])
    ids = rule().id
    return [folder for folder in folders if golden.found(folder)["failed"].get(ids) != _failed(folder)[ids]]


def _mutants(suite: str, rule: str) -> dict[str, Callable[[], Rule]]:
    """What makes the rule find less: too few rows ever, a kind left out, a bound, length or share moved a little."""

    def fresh() -> Rule:
        (real,) = (one for name, rules in suites(CUTOFF) for one in rules if (name, one.id) == (suite, rule))
        return real

    def changed(**change: object) -> Callable[[], Rule]:
        return lambda: replace(fresh(), expectation=fresh().expectation.copy(update=change))

    real = fresh()
    mutants: dict[str, Callable[[], Rule]] = {"emptied": lambda: replace(fresh(), least_rows=10**9)}
    if real.least_rows:
        mutants["asks for one row more"] = lambda: replace(fresh(), least_rows=real.least_rows + 1)
    if 1 < len(real.kinds) <= 2:
        mutants |= {
            f"without {kind}": lambda kind=kind: replace(fresh(), kinds=real.kinds - {kind}) for kind in real.kinds
        }  # type: ignore[misc]
    for name, sign in (("min_value", -1), ("max_value", 1)):
        if (bound := getattr(real.expectation, name, None)) is not None:
            step = timedelta(seconds=1) if isinstance(bound, datetime) else FINE.get(rule, 1)
            mutants[name] = changed(**{name: bound + sign * step})
    if (share := getattr(real.expectation, "mostly", 1)) < 1:
        mutants["mostly"] = changed(mostly=share - 0.05)
    return mutants


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
            assert re.search(r"[\u4e00-\u9fff]{2}", rule.basis), f"{suite}.{rule.id} rests on no document"
            assert rule.severity in ("critical", "error", "warning")
    assert len({rule.title for _, rules in suites(CUTOFF) for rule in rules}) > 40


def _failed(folder: Path) -> dict[str, list[int]]:
    return golden.expected(folder)["failed"]
