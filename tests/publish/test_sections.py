"""Every bulletin section has golden folders: a sentence, the facts it starts from, and the chapter it must give."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, datetime, time
from pathlib import Path

import pytest

from etl.domain.night import ZONE, cutoff_at, week_days
from etl.publish import bulletin, sections
from etl.publish.chapter import Week
from etl.store.decisions import decide
from tests.publish.world import Ledger

TITLES = {"scjg": "市监局", "rsj": "人社局", "province": "省平台"}
OWN_SYSTEMS = ("scjg", "rsj")
GOLDEN = Path(__file__).parent.parent / "golden" / "sections"
CASES = sorted(folder for name in sections.names() for folder in (GOLDEN / name).glob("*") if folder.is_dir())


@pytest.mark.parametrize("name", sections.names())
def test_every_section_has_golden_sentences(name: str) -> None:
    folders = [folder for folder in (GOLDEN / name).glob("*") if folder.is_dir()]
    assert folders, f"tests/golden/sections/{name}/<a sentence>/ with facts.json and chapter.json is missing"
    for folder in folders:
        assert "_" in folder.name, "the folder is named as a sentence"
        assert {file.name for file in folder.iterdir()} == {"facts.json", "chapter.json"}


def test_sections_are_numbered_from_one_without_gaps() -> None:
    numbers = [section.number for section in sections.registered().values()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) <= len(bulletin.ORDINALS)


@pytest.mark.database
@pytest.mark.parametrize("folder", CASES, ids=lambda folder: f"{folder.parent.name}: {folder.name.replace('_', ' ')}")
def test_the_facts_give_the_chapter(folder: Path, book: Ledger) -> None:
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    _write(book, facts)
    first, last = week_days(facts["week"])
    week = Week(facts["week"], first, last, cutoff_at(last), TITLES, facts.get("links", ()), OWN_SYSTEMS)
    with book.engine.connect() as connection:
        chapter = sections.registered()[folder.parent.name].compile(connection, week)
    expected = json.loads((folder / "chapter.json").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(asdict(chapter))) == expected


def _write(book: Ledger, facts: dict[str, list[dict[str, object]]]) -> None:
    for message in facts.get("messages", []):
        book.message(**{name: _value(name, value) for name, value in {"payload": {}, **message}.items()})
    for event in facts.get("events", []):
        book.event(**{name: _value(name, value) for name, value in event.items()})
    for decision in facts.get("decisions", []):
        made = {"actor": "周某", "reason": "核查", "evidence_keys": [], "called": None, "cutoff": time(1)}
        decide(book.engine, **{name: _value(name, value) for name, value in (made | decision).items()})
    pushes = ("link_lag", "push_finding", "reconciled_night", "difference_event", "case_listing", "case_absence")
    for table in ("feed", *pushes, "landed_page", "quarantine", "finding_rule", "finding_event"):
        for row in facts.get(table, []):
            book.put(table, **{name: _value(name, value) for name, value in row.items()})


def _value(name: str, value: object) -> object:
    if name.endswith(("_at", "_from", "_until")) and isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=ZONE)
    return date.fromisoformat(str(value)) if name.endswith("_on") else value
