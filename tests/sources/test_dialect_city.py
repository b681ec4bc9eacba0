"""Every source of the demonstration city, read over their real wires and understood row by row."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from city.build import build
from etl.domain.message import SCHEMA, parse
from etl.domain.night import cutoff_at
from etl.sources import get
from etl.sources.contract import Pulled, Window
from tests.sources.test_dialect_golden import contract_objects

ROOT = Path(__file__).resolve().parents[2]
WORDS = {"field_count": "wrong_field_count"}
BELIEVED = {"far_future", "rewritten"}
"""Dirt that is well-formed: other gates than the dialect have to find it."""


@pytest.fixture
def connections(tmp_path: Path, database_url: str) -> Iterator[dict[str, str]]:
    build(tmp_path, seed=1, database_url=database_url)
    command = [sys.executable, "-m", "city", "serve", "--data", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as platform:
        assert platform.stdout is not None
        url = platform.stdout.readline().strip()
        yield {
            **{name: f"{url}/{name}" for name in ("scjg", "jtj", "wsny")},
            **{name: f"sqlite:///{tmp_path / name}.sqlite" for name in ("syj", "syj_exchange", "ycsp")},
            **{name: str(tmp_path / name) for name in ("zrzy", "zjj")},
            **{"rsj": database_url, "summary": str(tmp_path / "city.json")},
        }
        platform.terminate()
        assert platform.wait(timeout=10) == 0


@pytest.mark.database
def test_every_row_of_the_city_becomes_messages_or_a_reject_that_was_meant(connections: dict[str, str]) -> None:
    summary = json.loads(Path(connections["summary"]).read_text(encoding="utf-8"))
    night = date(2026, 11, 22)
    for name in summary["rows"]:
        source = get(name)
        rows = 0
        rejects: list[tuple[int, str, str]] = []
        messages: list[dict[str, Any]] = []
        for page in source.kind.pull(source, connections[name], Window(night, None, cutoff_at(night))):
            if isinstance(page, Pulled):
                continue
            decoded = source.kind.decode(source, page.stream, page.content, page.meta)
            said, refused = source.dialect.messages(source, page.stream, decoded.rows)
            assert said.schema.names == [*SCHEMA.names, "row_no"]
            both = [*decoded.rejects, *refused]
            rows += decoded.rows.num_rows + len(decoded.rejects)
            assert len(set(said["row_no"].to_pylist())) + len(both) == decoded.rows.num_rows + len(decoded.rejects)
            rejects += both
            messages += contract_objects(said)
        assert rows == sum(summary["rows"][name].values())
        meant = Counter(WORDS.get(row["what"], row["what"]) for row in summary["dirt"] if row["source"] == name)
        assert Counter(reason for _, reason, _ in rejects) == {
            what: count for what, count in meant.items() if what not in BELIEVED
        }
        for message in messages:
            parse(message)
        applicants = {message["payload"].get("applicant") for message in messages if message["kind"] == "apply"}
        assert applicants
        assert all("*" in applicant for applicant in applicants)
        assert any(applicant.startswith("199****") for applicant in applicants)
