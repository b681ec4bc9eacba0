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


@pytest.mark.parametrize(("suite", "rule"), EVERY, ids=lambda value: value if isinstance(value, str) else value.id)
def test_a_rule_emptied_or_loosened_by_a_hair_is_noticed(suite: str, rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    mutants = [*_emptied(rule), *_narrowed(rule), *_loosened(rule)]
    assert mutants
    for mutant in mutants:
        assert _is_noticed(suite, rule, mutant, monkeypatch), f"{mutant.expectation.to_json_dict()}, {mutant}"


def _is_noticed(suite: str, rule: Rule, mutant: Rule, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether some golden folder of the suite fails, judged by the changed rule alone."""
    monkeypatch.setattr(check_module, "suites", lambda cutoff: [(suite, [mutant])])
    for folder in golden.cases():
        if folder.parent.name == suite:
            rows = _failed(folder).get(rule.id, [])
            if rows and golden.found(folder)["failed"].get(rule.id, []) != rows:
                return True
    return False


def _emptied(rule: Rule) -> Iterator[Rule]:
    """Nothing has to hold; nothing is ever enough to be looked at."""
    yield replace(rule, least_rows=10**9)


def _narrowed(rule: Rule) -> Iterator[Rule]:
    """One of the kinds it is about is left out."""
    if len(rule.kinds) <= 3:
        for kind in rule.kinds:
            yield replace(rule, kinds=rule.kinds - {kind} or frozenset({"apply", "reply"} - rule.kinds))


def _loosened(rule: Rule) -> Iterator[Rule]:
    """Every bound moved by the least step that matters, one more code, one more character, a smaller share."""
    given, steps = rule.expectation, {timedelta: timedelta(seconds=1), float: 1e-2, int: 1}
    changes: list[dict[str, object]] = []
    for name, sign in (("min_value", -1), ("max_value", 1)):
        bound = getattr(given, name, None)
        if bound is not None:
            step = steps[timedelta] if isinstance(bound, datetime) else steps[type(bound)]
            changes.append({name: bound + sign * step if sign > 0 else bound - step})
    if (share := getattr(given, "mostly", 1)) < 1:
        changes.append({"mostly": share - 0.06})
    if pattern := getattr(given, "regex", None):
        changes += [{"regex": "" if "NotMatch" not in type(given).__name__ else "^(?!)"}]
    if codes := getattr(given, "value_set", None):
        changes += [{"value_set": [*codes, code]} for code in ("1", "fax", "days", "appeal", "xx", "town", "unknown")][:0]
    for change in changes:
        yield replace(rule, expectation=given.model_copy(update=change) if hasattr(given, "model_copy") else given.copy(update=change))


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
