"""Runs every expectation suite over canonical messages; no Great Expectations object leaves this module."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.message import KEY, PAYLOAD, SUBJECT, TIMES
from etl.errors import JianchaError
from etl.quality.linkage import Lookup
from etl.quality.measures import MEASURES, measured
from expectations import Rule, Severity, suites

if TYPE_CHECKING:
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.datasource.fluent.interfaces import Batch
    from great_expectations.expectations.expectation import Expectation
    from pandas import DataFrame

FAILED = pa.schema([("row", pa.int64()), ("suite", pa.string()), ("rule", pa.string()), ("severity", pa.string())])
VOLUMES = pa.schema([("kind", pa.string()), ("row_count", pa.int64()), ("usual_count", pa.float64())])
"""Messages of a kind a night brought, and how many are usual (null: not known yet)."""
LEAST_USUAL = 10
"""A kind of which fewer are usual varies too much to be compared."""

# Failing rows come back as the frame's index labels, which are positions in the given table: no key column can be
# null or repeated that way, and no message content is copied into results.
_WHICH_ROWS = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "partial_unexpected_count": 0,
    "return_unexpected_index_query": False,
}
_HOW_MANY = {"result_format": "BASIC", "partial_unexpected_count": 0}


@dataclass(frozen=True)
class RuleResult:
    """What one rule found: rows it looked at (its kinds and condition), rows that failed.

    `columns`: what it looks at; `samples`: a few failing rows in words, without personal data.
    """

    suite: str
    rule: str
    title: str
    severity: Severity
    checked_rows: int
    failed_rows: int
    basis: str = ""
    columns: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """All results, and one row of `FAILED` per failing row and rule (`row`: position in the checked table)."""

    results: list[RuleResult]
    failed: pa.Table

    @property
    def critical(self) -> list[RuleResult]:
        """Critical rules that failed: each rejects the whole batch."""
        return [result for result in self.results if result.severity == "critical" and result.failed_rows]


def check(messages: pa.Table, cutoff: datetime, lookup: Lookup | None = None) -> Findings:
    """Check messages (`etl.domain.message.SCHEMA`, further columns ignored) admitted by the night closing at `cutoff`.

    Args:
        lookup: where to look for records that must have come before and are not in the batch; without it nobody is
            reproached for lacking them.

    Raises:
        JianchaError: a rule could not be evaluated; that is never taken as a pass.
    """
    rules = [(suite, rule) for suite, members in suites(cutoff) for rule in members if rule.of == "messages"]
    told = measured(messages, lookup)
    return _found(rules, lambda kinds: _frame(told, kinds))


def check_volumes(volumes: pa.Table, cutoff: datetime) -> Findings:
    """Check how many messages of each kind (`VOLUMES`) the night closing at `cutoff` brought."""
    rules = [(suite, rule) for suite, members in suites(cutoff) for rule in members if rule.of == "kinds"]
    compared = pc.if_else(pc.greater_equal(volumes["usual_count"], LEAST_USUAL), volumes["usual_count"], None)
    share = pc.divide(volumes["row_count"].cast(pa.float64()), compared)
    frame = pa.table({"share_of_usual": share}).filter(pc.is_valid(share)).to_pandas()
    frame.index = np.flatnonzero(pc.is_valid(share).to_numpy())
    return _found(rules, lambda kinds: frame)


def _found(rules: list[tuple[str, Rule]], frame_of: Callable[[frozenset[str]], DataFrame]) -> Findings:
    by_kinds: dict[frozenset[str], list[tuple[str, Rule]]] = defaultdict(list)
    for suite, rule in rules:
        by_kinds[rule.kinds].append((suite, rule))
    source = _frames()
    found: dict[tuple[str, str], tuple[RuleResult, pa.Table]] = {}
    for kinds, members in by_kinds.items():
        for suite, rule, checked, rows in _evaluate(source, frame_of(kinds), members):
            result = RuleResult(
                suite, rule.id, rule.title, rule.severity, checked, len(rows), rule.basis, _columns(rule.expectation)
            )
            constant = [pa.repeat(text, len(rows)) for text in (suite, rule.id, rule.severity)]
            found[suite, rule.id] = result, pa.table([pa.array(rows, pa.int64()), *constant], schema=FAILED)
    if len(found) != len(rules):
        raise JianchaError("two expectation rules share one id; ids are unique within a suite")
    in_order = [found[suite, rule.id] for suite, rule in rules]
    failed = pa.concat_tables([FAILED.empty_table(), *(table for _, table in in_order)])
    return Findings([result for result, _ in in_order], failed)


def _columns(expectation: Expectation) -> tuple[str, ...]:
    """The columns an expectation looks at, one or a pair."""
    names = (getattr(expectation, name, None) for name in ("column", "column_A", "column_B"))
    return tuple(name for name in names if name)


@cache
def _frames() -> BatchDefinition[Any]:
    """Where Great Expectations takes frames from: a context in memory, without analytics or progress bars."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.execution_engine import pandas_execution_engine

    pandas_execution_engine.HASH_THRESHOLD = 0  # bytes; a fingerprint nobody reads took a third of the time
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("messages").add_dataframe_asset("messages")
    return asset.add_batch_definition_whole_dataframe("messages")


def _frame(messages: pa.Table, kinds: frozenset[str]) -> DataFrame:
    """The messages of some kinds, with the payload all these kinds have, as a pandas frame indexed by position."""
    import pandas as pd

    common = set.intersection(*(set(PAYLOAD[kind]) for kind in kinds)) if kinds else set()
    columns = [*KEY, *TIMES, *SUBJECT, *MEASURES, *sorted(common)]
    told = messages.select([name for name in columns if not pa.types.is_nested(messages.schema.field(name).type)])
    positions = np.arange(len(messages), dtype=np.int64)
    if kinds:
        positions = positions[pc.is_in(messages["kind"], pa.array(sorted(kinds))).to_numpy()]
        if not len(positions):
            return pd.DataFrame()  # of most kinds a night brings nothing
        told = told.take(positions)
    frame: DataFrame = told.to_pandas()
    # Great Expectations compares int64 by column but any narrower integer one value at a time.
    return frame.astype({"seq": "int64", "version": "int64"}).set_index(pd.Index(positions))


def _evaluate(
    source: BatchDefinition[Any], frame: DataFrame, members: list[tuple[str, Rule]]
) -> list[tuple[str, Rule, int, list[int]]]:
    """-> (suite, rule, rows checked, failing index labels) per rule.

    Which rows fail is asked only where some do: it costs as much as everything else.
    """
    if frame.empty:
        return [(suite, rule, 0, []) for suite, rule in members]
    batch = source.get_batch({"dataframe": frame})
    answers = _answers(batch, members, _HOW_MANY)
    checked: list[int] = [answer.result["element_count"] for answer in answers]
    fail = [n for n, (_, rule) in enumerate(members) if not answers[n].success and checked[n] >= rule.least_rows]
    named = _answers(batch, [members[n] for n in fail], _WHICH_ROWS) if fail else []
    rows = {n: answer.result["unexpected_index_list"] for n, answer in zip(fail, named, strict=True)}
    return [(suite, rule, checked[n], rows.get(n, [])) for n, (suite, rule) in enumerate(members)]


def _answers(batch: Batch, members: list[tuple[str, Rule]], result_format: dict[str, Any]) -> list[Any]:
    """What Great Expectations says of each rule; `JianchaError` for one it could not evaluate."""
    from great_expectations import ExpectationSuite
    from pandas.errors import Pandas4Warning

    for number, (_, rule) in enumerate(members):
        rule.expectation.meta = {"number": number}
    rules = ExpectationSuite("rules", expectations=[rule.expectation for _, rule in members])
    with warnings.catch_warnings():
        # Great Expectations reads time columns in a way a later pandas will change; nothing here can help that.
        warnings.simplefilter("ignore", Pandas4Warning)
        results: list[Any] = batch.validate(rules, result_format=result_format).results
    answers = {result.expectation_config.meta["number"]: result for result in results}
    for number, (suite, rule) in enumerate(members):
        answer = answers.get(number)
        if answer is None or "element_count" not in answer.result:
            raise JianchaError(f"expectation {suite}.{rule.id} could not be evaluated: {_cause(answer)}")
    return [answers[number] for number in range(len(members))]


def _cause(answer: Any) -> str:
    """What Great Expectations says went wrong; it nests exceptions by metric or not, depending on where they rose."""
    info = answer.exception_info if answer else {}
    causes = [info, *(value for value in info.values() if isinstance(value, dict))]
    return "; ".join(cause["exception_message"] for cause in causes if cause.get("exception_message")) or "no answer"
