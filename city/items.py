"""What can be applied for: real names and codes from Guang'an's public catalogue, limits of our own (see README)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REGION = "511602"


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


@dataclass(frozen=True)
class Department:
    """One department: the code is its unified social credit code, the serial its digit in case numbers."""

    source: str
    name: str
    code: str
    serial: int


DEPARTMENTS = {
    "scjg": Department("scjg", "区市监局", "11511301MB051073XA", 1),
    "rsj": Department("rsj", "区人社局", "11511301008778239R", 2),
    "zrzy": Department("zrzy", "区自然资源和规划局", "11511301MB1550442U", 3),
}


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
