"""Every registered source keeps its promises: golden folders under tests/golden/sources/<source>/<a_sentence>/.

A folder holds one landed page as received, named after its stream (`result.json`, `finish.jsonl`, `受理.csv`, …), the
messages it must become (`messages.jsonl`, contract objects) and the rows it must not (`rejects.json`).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest

from etl.domain.message import PAYLOAD, SCHEMA, SUBJECT, TIMES
from etl.domain.message import parse as parse_message
from etl.domain.night import ZONE
from etl.sources import get, names
from etl.sources.contract import Source

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "sources"
FOLDERS = sorted(path.parent for path in GOLDEN.glob("*/*/messages.jsonl"))
EXPECTED = {"messages.jsonl", "rejects.json"}


def contract_objects(messages: pa.Table) -> list[dict[str, Any]]:
    """Flat rows -> the objects of the message contract, instants in the city's time, nulls left out."""
    found = []
    for row in messages.select(SCHEMA.names).to_pylist():
        row = {name: value.astimezone(ZONE) if hasattr(value, "astimezone") else value for name, value in row.items()}
        payload = {name: row[name] for name in PAYLOAD[row["kind"]] if row[name] is not None}
        head = ("source", "case_no", "kind", "seq", "version", *TIMES, *SUBJECT)
        found.append({name: row[name] for name in head if row[name] is not None} | {"payload": payload})
    loaded: list[dict[str, Any]] = orjson.loads(orjson.dumps(found))
    return loaded


def test_naming_the_sources_imports_none_of_them_nor_pyarrow() -> None:
    code = (
        "import sys\n"
        "from etl import sources\n"
        "assert sources.names()\n"
        "assert not [name for name in sys.modules if name == 'pyarrow' or name.startswith('etl.sources.')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("source", names())
def test_every_source_has_golden_folders_named_as_sentences(source: str) -> None:
    folders = [folder for folder in FOLDERS if folder.parent.name == source]
    assert folders, f"add tests/golden/sources/{source}/<a sentence>/ with a page, messages.jsonl and rejects.json"
    for folder in folders:
        assert folder.name.count("_") >= 3, f"{folder.name} is not a sentence"


def test_no_golden_folder_is_forgotten() -> None:
    assert {folder.parent.name for folder in FOLDERS} <= set(names())
    assert {path for path in GOLDEN.glob("*/*") if path.is_dir()} == set(FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_golden_page_becomes_exactly_these_messages(folder: Path) -> None:
    agree(get(folder.parent.name), folder)


def agree(source: Source, folder: Path) -> None:
    """The folder's page becomes exactly its messages and rejects."""
    (page,) = [path for path in folder.iterdir() if path.name not in EXPECTED]
    decoded = source.kind.decode(source, page.stem, page.read_bytes(), {})
    messages, rejects = source.dialect.messages(source, page.stem, decoded.rows)

    expected = [orjson.loads(line) for line in (folder / "messages.jsonl").read_bytes().splitlines()]
    assert contract_objects(messages) == expected
    assert sorted([list(reject) for reject in (*decoded.rejects, *rejects)]) == orjson.loads(
        (folder / "rejects.json").read_bytes()
    )
    said = set(messages["row_no"].to_pylist())
    refused = {row_no for row_no, _, _ in (*decoded.rejects, *rejects)}
    assert not said & refused, "a row with any reject yields no message"
    assert said | refused == set(range(len(said | refused))), "every row of the page is accounted for"
    for message in expected:
        parse_message(message)
