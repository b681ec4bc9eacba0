"""Canonical Parquet: the same cards as from the lines it was made of, in any parts; anything else is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from benchmarks.cases import messages
from etl.domain.message import JUDGED, PAYLOAD_COLUMNS, SCHEMA, TIMES
from etl.errors import UsageError
from etl.store import message_files
from etl.store.statements import sql_text
from tests.cli.command import Ended, jiancha

AS_OF = ("--as-of", "2026-11-23T01:00:00+08:00")
BETWEEN = ("--known-by", "2026-03-01T01:00:00+08:00", "--known-by", "2026-08-01T01:00:00+08:00")
SORTED = [("case_no", "ascending"), ("occurred_at", "ascending")]


@pytest.fixture
def told() -> pa.Table:
    return messages(300).sort_by(SORTED)


def parts(told: pa.Table, cases: int) -> Iterator[pa.Table]:
    """So many cases at a time."""
    numbers = sorted(set(told["case_no"].to_pylist()))
    for first in range(0, len(numbers), cases):
        yield told.filter(pc.is_in(told["case_no"], pa.array(numbers[first : first + cases])))


def as_lines(told: pa.Table, path: Path) -> Path:
    """The same messages as contract objects."""
    payload = [name for name in JUDGED.names if name in PAYLOAD_COLUMNS]
    with path.open("wb") as file:
        for row in told.select([name for name in JUDGED.names if name != "known_at"]).to_pylist():
            said = {name: row.pop(name) for name in payload}
            row |= {name: row[name] and row[name].isoformat() for name in TIMES}
            row["payload"] = {name: value for name, value in said.items() if value is not None}
            file.write(orjson.dumps(row) + b"\n")
    return path


def test_parquet_in_many_parts_gives_byte_for_byte_what_the_lines_give(
    told: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_files, "FILE_PARTS", 2)
    monkeypatch.setattr(message_files, "PART_MESSAGES", 40)
    folder, lines = tmp_path / "parquet", as_lines(told, tmp_path / "messages.jsonl")
    assert message_files.write(parts(told, 70), folder) == len(told)
    assert len(list(folder.iterdir())) == 3
    pq.write_table(told.drop_columns(["known_at", "inquiry_kind"]), tmp_path / "bare.parquet")
    some = ",".join(f"{number:010d}" for number in range(250, 320))
    for options in (AS_OF, ("--diff", *BETWEEN), (*AS_OF, "--only-cases", some), (*AS_OF, "--profile", "hunan_legacy")):
        expected = jiancha("judge", "--messages", lines, *options)
        assert expected.code == 0
        assert len(expected.lines) > 20
        for place in (folder, tmp_path / "bare.parquet"):
            assert jiancha("judge", "--messages", place, *options) == expected
    explained = [jiancha("explain", f"{7:010d}", "--json", *AS_OF, "--messages", place) for place in (lines, folder)]
    assert explained[0] == explained[1]
    assert explained[0].code == 0


def refused(path: Path, said: str) -> None:
    ended: Ended = jiancha("judge", "--messages", path, *AS_OF)
    assert (ended.code, ended.err.count("\n")) == (2, 1), ended
    assert said in ended.err


def changed(told: pa.Table, name: str, values: list[Any]) -> pa.Table:
    return told.set_column(told.column_names.index(name), name, pa.array(values, told.schema.field(name).type))


def test_what_is_no_canonical_parquet_is_refused_by_name(told: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "wrong.parquet"
    path.write_text("case_no,kind\n")
    refused(path, "wrong.parquet")
    refused(tmp_path / "absent.parquet", "absent.parquet")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "no file ends in .parquet")
    for wrong, said in [
        (told.drop_columns("kind"), "there is no column kind"),
        (changed(told, "kind", ["audit"] * len(told)), "kind audit; known: apply"),
        (told.drop_columns("promised_limit").append_column("promised_limit", pa.array(["七"] * len(told))), "七"),
        (
            told.drop_columns("case_no").append_column("case_no", pa.array([None] * len(told), pa.string())),
            "is missing in",
        ),
        (pa.concat_tables([told.slice(40), told.slice(0, 40)]), "not sorted by case_no"),
    ]:
        pq.write_table(wrong, path)
        refused(path, said)


def test_files_out_of_order_are_refused(told: pa.Table, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number, part in enumerate(reversed(list(parts(told, 100)))):
        pq.write_table(part, folder / f"{number}.parquet")
    refused(folder, "not sorted by case_no")


def test_a_folder_that_is_there_is_not_written_over(told: pa.Table, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        message_files.write([told], tmp_path / "there")
    assert list((tmp_path / "there").iterdir()) == []
    assert not (tmp_path / "there.partial").exists()


def test_judged_columns_are_those_the_query_of_judging_reads() -> None:
    query = sql_text("ledger/case_messages").partition("\nfrom message")[0]
    read = [part.split()[-1] for part in query.partition("select")[2].split(",") if not part.startswith("--")]
    assert sorted(read) == sorted(JUDGED.names)
    assert set(JUDGED.names) - {"known_at"} <= set(SCHEMA.names)
