"""Golden folders of the expectations: messages as JSONL, the rows every rule must fail on as JSON.

Beside them `ledger.jsonl`, what the ledger knows already, or `volumes.jsonl` in place of messages.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from etl.domain.message import INSTANT, SCHEMA, parse_instant, table
from etl.quality.check import VOLUMES, Findings, check, check_volumes
from etl.quality.linkage import OPENED

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
    if volumes := _records(folder / "volumes.jsonl"):
        findings = check_volumes(pa.Table.from_pylist(volumes, VOLUMES), cutoff)
    else:
        ledger = messages(folder, "ledger").select([*OPENED.names[:4], "occurred_at"]).rename_columns(OPENED.names)
        has_ledger = (folder / "ledger.jsonl").exists()
        findings = check(messages(folder), cutoff, (lambda wanted: ledger) if has_ledger else None)
    return said_by(folder.parent.name, findings, cutoff)


def said_by(suite: str, findings: Findings, cutoff: datetime) -> dict[str, Any]:
    failed: dict[str, list[int]] = defaultdict(list)
    for row in findings.failed.to_pylist():
        if row["suite"] == suite:
            failed[row["rule"]].append(row["row"])
    critical = [result.rule for result in findings.critical if result.suite == suite]
    return {"cutoff": cutoff.isoformat(), "failed": dict(failed), "critical": critical}


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    flat = {**{key: value for key, value in record.items() if key != "payload"}, **record["payload"]}
    for name, value in flat.items():
        if value is not None and SCHEMA.field(name).type == INSTANT:
            flat[name] = parse_instant(value, name)
    return flat
