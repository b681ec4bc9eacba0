"""The few expectations the suites are written in; a null passes all of them but `present`.

`where` narrows an expectation to the rows that meet a condition on `column(...)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.row_conditions import Column, Condition

Bound = float | datetime | None


def column(name: str) -> Column:
    """A column in a `where` condition."""
    from great_expectations.expectations.row_conditions import Column

    return Column(name)


FILLER = "^(?:无|没有|同意|略|测试|[0-9a-zA-Z.。/、—-]{1,3})$"
"""What is typed where a field may not be left empty."""


def present(name: str, where: Condition | None = None, mostly: float = 1) -> Expectation:
    """The column is not null."""
    return _expect("ExpectColumnValuesToNotBeNull", column=name, row_condition=where, mostly=mostly)


def told() -> Expectation:
    """The record that must come before this one (`etl.quality.linkage`) is in the batch or in the ledger."""
    return between("is_opened", 1, None)


def known(name: str, codes: Iterable[str]) -> Expectation:
    """The column holds one of the codes."""
    return _expect("ExpectColumnValuesToBeInSet", column=name, value_set=sorted(codes))


def between(name: str, least: Bound, most: Bound, where: Condition | None = None, mostly: float = 1) -> Expectation:
    """The column lies between two bounds, both included; `mostly` is the share of rows that suffices."""
    return _expect(
        "ExpectColumnValuesToBeBetween",
        column=name,
        min_value=least,
        max_value=most,
        row_condition=where,
        mostly=mostly,
    )


def length(name: str, least: int, most: int) -> Expectation:
    """The text has between `least` and `most` characters."""
    return _expect("ExpectColumnValueLengthsToBeBetween", column=name, min_value=least, max_value=most)


def matches(name: str, pattern: str) -> Expectation:
    """The pattern is found in the text."""
    return _expect("ExpectColumnValuesToMatchRegex", column=name, regex=pattern)


def lacks(name: str, pattern: str) -> Expectation:
    """The pattern is not found in the text."""
    return _expect("ExpectColumnValuesToNotMatchRegex", column=name, regex=pattern)


def not_before(later: str, earlier: str) -> Expectation:
    """The first column is at least the second, where both are present."""
    return _expect(
        "ExpectColumnPairValuesAToBeGreaterThanB",
        column_A=later,
        column_B=earlier,
        or_equal=True,
        ignore_row_if="either_value_is_missing",
    )


def _expect(name: str, **arguments: Any) -> Expectation:
    from great_expectations import expectations

    expectation: Expectation = getattr(expectations, name)(**arguments)
    return expectation
