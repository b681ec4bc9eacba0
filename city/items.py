"""What can be applied for: names and codes from a public catalogue, limits of our own (see README)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from city.departments import DEPARTMENTS


@dataclass(frozen=True)
class Item:
    """One catalogue entry; limits in `limit_unit`, 0 = handled on the same working day."""

    code: str
    name: str
    promised: int
    statutory: int
    limit_unit: str
    limit_text: str
    certificate: bool
    joint: bool


@cache
def items(source: str) -> tuple[Item, ...]:
    """The catalogue of one department."""
    with (Path(__file__).parent / "items.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Item(
                row["item_code"],
                row["item_name"],
                int(row["promised_limit"]),
                int(row["statutory_limit"]),
                row["limit_unit"],
                row["limit_text"],
                row["certificate_required"] == "1",
                row["joint"] == "1",
            )
            for row in csv.DictReader(file)
            if row["department"] == DEPARTMENTS[source].name
        )
