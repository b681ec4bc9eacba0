"""What the supervision office keys in once: departments, the catalogue, who is told, when offices are open."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import xlsxwriter

from city.departments import DEPARTMENTS, REGIONS
from city.items import items

VALID_FROM = "2026-01-01"
HOURS_KNOWN_FROM = "2025-12-25"
_DEPARTMENT_STAFF = {
    **{"scjg": ("郑国强", "何敏"), "rsj": ("唐静", "罗海"), "zrzy": ("邓建平", "彭祎"), "syj": ("许文静", "沈刚")},
    **{"jtj": ("曾志军",), "zjj": ("萧敏", "程勇"), "ycsp": ("蒋国梅",), "wsny": ("曹建华",)},
}


def write(folder: Path) -> None:
    """departments.csv, items.xlsx, recipients.csv, office_hours.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    departments = [(d.code, d.name, d.region, VALID_FROM) for d in DEPARTMENTS.values()]
    _csv(folder / "departments.csv", ("code", "name", "region", "valid_from"), departments)
    recipients = ("recipient_id", "name", "email", "role", "department", "is_active", "valid_from")
    _csv(folder / "recipients.csv", recipients, _recipients())
    _items(folder / "items.xlsx")
    hours = [
        (region, VALID_FROM, season_from, spans, HOURS_KNOWN_FROM)
        for region, office in REGIONS.items()
        for season_from, spans in office.seasons.items()
    ]
    _csv(folder / "office_hours.csv", ("region", "valid_from", "season_from", "spans", "known_from"), hours)


def _recipients() -> Iterable[tuple[str, ...]]:
    for source, department in DEPARTMENTS.items():
        for number, name in enumerate(_DEPARTMENT_STAFF[source], start=1):
            address = f"{source}{number}@{source}.guangan.example"
            yield f"{source}-{number}", name, address, "department", department.code, "true", VALID_FROM
    yield "jcdc-1", "谢立新", "duty@supervision.example", "supervision", "", "true", VALID_FROM
    yield "jcdc-2", "袁梓涵", "director@supervision.example", "supervision", "", "true", VALID_FROM
    yield "jcdc-3", "吕文辉", "former@supervision.example", "supervision", "", "false", VALID_FROM
    yield "ops-1", "值班运维", "ops@supervision.example", "operations", "", "true", VALID_FROM


def _csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _items(path: Path) -> None:
    names = ("item_code", "name", "department", "promised_limit", "statutory_limit", "limit_unit", "limit_text")
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"created": datetime.fromisoformat(VALID_FROM)})
        sheet = book.add_worksheet("items")
        sheet.write_row(0, 0, (*names, "valid_from"))
        row = 0
        for source, department in DEPARTMENTS.items():
            for item in items(source):
                row += 1
                limits = (item.promised, item.statutory, item.limit_unit, item.limit_text)
                sheet.write_row(row, 0, (item.code, item.name, department.code, *limits, VALID_FROM))
