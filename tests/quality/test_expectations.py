"""Every rule of every suite fires on golden data, fires nowhere else, and says what it means in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

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


@pytest.mark.xdist_group("mutants")  # a suite's mutants are asked together, once
@pytest.mark.parametrize(("suite", "rule"), [(suite, rule.id) for suite, rules in suites(CUTOFF) for rule in rules])
def test_a_rule_emptied_or_loosened_by_the_least_step_is_noticed(suite: str, rule: str) -> None:
    unnoticed = [name for name, seen in _noticed(suite).items() if name.startswith(f"{rule} ") and not seen]
    assert unnoticed == [], "no golden folder notices"
    assert f"{rule} emptied" in _noticed(suite)


@cache
def _noticed(suite: str) -> dict[str, bool]:
    """Every mutant of a suite's rules, and whether a golden folder fails on it; all in one batch, which is cheaper."""
    (rules,) = (rules for name, rules in suites(CUTOFF) if name == suite)
    mutants = {f"{rule.id} {name}": (rule.id, mutant) for rule in rules for name, mutant in _mutants(rule)}
    noticed = dict.fromkeys(mutants, False)
    for folder in golden.cases():
        if folder.parent.name == suite and _failed(folder):
            fresh = [
                replace(mutant, id=name, expectation=mutant.expectation.copy()) for name, (_, mutant) in mutants.items()
            ]
            said = golden.said(folder, fresh)["failed"]
            for name, (rule, _) in mutants.items():
                noticed[name] |= said.get(name, []) != _failed(folder).get(rule, [])
    return noticed


def _mutants(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """What makes the rule find less: too few rows ever, a kind left out, a bound, length or share moved a little."""
    given = rule.expectation
    yield "emptied", replace(rule, least_rows=10**9)
    if rule.least_rows:
        yield "asks for one row more", replace(rule, least_rows=rule.least_rows + 1)
    if len(rule.kinds) == 2:
        for kind in sorted(rule.kinds):
            yield f"without {kind}", replace(rule, kinds=rule.kinds - {kind})
    for name, sign in (("min_value", -1), ("max_value", 1)):
        if (bound := getattr(given, name, None)) is not None:
            step = timedelta(seconds=1) if isinstance(bound, datetime) else FINE.get(rule.id, 1)
            yield name, replace(rule, expectation=given.copy(update={name: bound + sign * step}))
    if (share := getattr(given, "mostly", 1)) < 1:
        yield "mostly", replace(rule, expectation=given.copy(update={"mostly": share - 0.05}))


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
