"""Every rule other than time against its golden folders: records in, exactly these findings out."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from etl.domain.message import parse, table
from etl.store.calendars import packaged
from etl.store.profiles import profile
from etl.supervision.catalogue import ITEMS
from etl.supervision.findings import find_table
from etl.supervision.judge import with_known_at
from etl.supervision.rules import rules

GOLDEN = Path(__file__).parents[1] / "golden" / "rules"
STORIES = sorted(path.parent for path in GOLDEN.glob("*/*/expected.json"))


@pytest.mark.parametrize("story", STORIES, ids=[f"{story.parent.name}: {story.name}" for story in STORIES])
def test_a_rule_finds_what_its_story_tells(story: Path) -> None:
    expected = json.loads((story / "expected.json").read_text(encoding="utf-8"))
    lines = (story / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    as_of = datetime.fromisoformat(expected["as_of"])
    messages = with_known_at(table([parse(json.loads(line)) for line in lines]))
    items = [row | {"valid_from": date.fromisoformat(row["valid_from"])} for row in expected.get("items", [])]
    catalogue = pa.Table.from_pylist(items, schema=ITEMS)
    declared = messages.filter(pc.is_in(messages["kind"], pa.array(rules()[story.parent.name].kinds)))
    for told in (messages, declared):  # and it looks at no other kind than it says
        found = find_table(told, as_of, as_of, profile("hunan"), packaged().book("cn"), catalogue).to_pylist()
        mine = [row for row in found if row["rule"] == story.parent.name]
        assert [{name: row[name] for name in ("evidence", "detail")} for row in mine] == expected["findings"]


@pytest.mark.parametrize("code", rules())
def test_every_rule_has_a_story_it_is_found_in_and_one_it_is_not(code: str) -> None:
    counts = {
        bool(json.loads((story / "expected.json").read_text(encoding="utf-8"))["findings"])
        for story in STORIES
        if story.parent.name == code
    }
    assert counts == {True, False}, f"tell both under {GOLDEN / code}, a folder named as a sentence each"


def test_every_rule_names_itself_in_chinese_and_what_it_rests_on() -> None:
    for rule in rules().values():
        assert rule.basis
        assert not rule.title.isascii()
    assert {story.parent.name for story in STORIES} == set(rules())
