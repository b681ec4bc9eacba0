"""A few failing rows per rule in words a report may print: case number and what stands there, without personal data."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from etl.publish.privacy import mask, redact
from etl.publish.wording import minute
from etl.quality.check import Findings, RuleResult

SAMPLES, WIDTH = 3, 40
NAMES = frozenset({"applicant", "handler", "approver"})
_MEASURED = {"since_opened_s": "occurred_at", "is_opened": "occurred_at", "past_hour_s": "occurred_at"}
_MEASURED |= {"same_second": "occurred_at", "material_count": "materials"}
_PAIRS = {"transport_lag_s": ("written_at", "received_at"), "push_lag_s": ("occurred_at", "written_at")}


def with_samples(findings: Findings, messages: pa.Table) -> list[RuleResult]:
    """The results with up to SAMPLES of their failing rows, positions in `messages`."""
    results = []
    for result in findings.results:
        if result.failed_rows:
            mine = pc.and_(
                pc.equal(findings.failed["suite"], result.suite), pc.equal(findings.failed["rule"], result.rule)
            )
            rows = messages.take(findings.failed.filter(mine)["row"].slice(0, SAMPLES)).to_pylist()
            result = replace(result, samples=tuple(dict.fromkeys(_told(row, result.columns) for row in rows)))
        results.append(result)
    return results


def _told(row: dict[str, Any], columns: tuple[str, ...]) -> str:
    shown = [name for column in columns for name in _PAIRS.get(column, (_MEASURED.get(column, column),))]
    values = " / ".join(_value(name, row[name]) for name in shown if name != "case_no")
    return f"{_value('case_no', row['case_no'])}" + (f"：{values}" if values else "")


def _value(name: str, value: Any) -> str:
    if value is None or value == "":
        return "空"
    if isinstance(value, datetime):
        return minute(value)
    text = (
        str(len(value)) + " 项" if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)
    )
    text = mask(text) if name in NAMES else redact(text)
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}…"
