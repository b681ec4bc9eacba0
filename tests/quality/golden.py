"""Golden folders of the expectations: messages as JSONL, the rows every rule must fail on as JSON.

Beside them `ledger.jsonl`, what the ledger knows already, or `volumes.jsonl` in place of messages.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa

from etl.domain.message import INSTANT, SCHEMA, parse_instant, table
from etl.quality import check as check_module
from etl.quality.check import VOLUMES, check, check_volumes
from etl.quality.linkage import OPENED
from expectations import Rule, suites

FOLDER = Path(__file__).parents[1] / "golden" / "expectations"


def cases() -> list[Path]:
    """Every golden folder, `<suite>/<a sentence>`."""
    return sorted(path.parent for path in FOLDER.glob("*/*/expected.json"))


def messages(folder: Path, name: str = "messages") -> pa.Table:
    """The folder's messages, laid flat without the contract's own checks, which the expectations back up."""
    return table([_flat(record) for record in _records(folder / f"{name}.jsonl")])


def expected(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "expected.json").read_text("utf-8"))


def found(folder: Path) -> dict[str, Any]:
    """What the folder's own suite says about its messages, in the form of expected.json."""
    cutoff = datetime.fromisoformat(expected(folder)["cutoff"])
    (rules,) = (rules for suite, rules in suites(cutoff) if suite == folder.parent.name)
    return said(folder, rules)


def said(folder: Path, rules: list[Rule]) -> dict[str, Any]:
    """The same by these rules in place of every suite."""
    cutoff = datetime.fromisoformat(expected(folder)["cutoff"])
    with patch.object(check_module, "suites", lambda cutoff: [(folder.parent.name, rules)]):
        if volumes := _records(folder / "volumes.jsonl"):
            findings = check_volumes(pa.Table.from_pylist(volumes, VOLUMES), cutoff)
        else:
            ledger = messages(folder, "ledger").select([*OPENED.names[:4], "occurred_at"])
            ledger = ledger.rename_columns(OPENED.names)
            has_ledger = (folder / "ledger.jsonl").exists()
            findings = check(messages(folder), cutoff, (lambda wanted: ledger) if has_ledger else None)
    failed: dict[str, list[int]] = defaultdict(list)
    for row in findings.failed.to_pylist():
        failed[row["rule"]].append(row["row"])
    critical = [result.rule for result in findings.critical]
    return {"cutoff": cutoff.isoformat(), "failed": dict(failed), "critical": critical}


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    flat = {**{key: value for key, value in record.items() if key != "payload"}, **record["payload"]}
    for name, value in flat.items():
        if value is not None and SCHEMA.field(name).type == INSTANT:
            flat[name] = parse_instant(value, name)
    return flat
