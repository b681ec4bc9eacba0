"""Expectation suites as Python: every module here with `suite(cutoff)` and `BASIS`, its document, is one suite.

Importing a suite module is cheap; only calling `suite` imports great_expectations, which costs seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

Severity = Literal["critical", "error", "warning"]


@dataclass(frozen=True)
class Rule:
    """One expectation on canonical messages.

    `critical` rejects the whole batch, `error` quarantines the row, `warning` only counts. Great Expectations' own
    severity knows no quarantine, so it stays unused. `kinds` empty means every kind; a row whose column is null
    passes unless the expectation is about nulls. Below `least_rows` rows the rule passes: a share of three rows
    says nothing about a batch. `basis` is the document it rests on, by default its suite's. A rule `of` kinds looks at
    how many messages of each kind a night brought, not at the messages.
    """

    id: str
    title: str
    severity: Severity
    expectation: Expectation
    kinds: frozenset[str] = field(default=frozenset())
    least_rows: int = 0
    basis: str = ""
    of: Literal["messages", "kinds"] = "messages"


def names() -> list[str]:
    """Names of the suites, without importing them."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def suites(cutoff: datetime) -> Iterator[tuple[str, list[Rule]]]:
    """(name, rules) of every suite, for messages admitted by the night that closes at `cutoff` (aware)."""
    for name in names():
        module = import_module(f"expectations.{name}")
        yield name, [replace(rule, basis=rule.basis or module.BASIS) for rule in module.suite(cutoff)]
