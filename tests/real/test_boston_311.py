"""Boston's own on-time flag against our verdicts, request by request.

Rule of comparison: a request is flagged OVERDUE if and only if a standing yellow card exists as of the file's drop,
and that card is reached at the city's due moment. The flag and the log are separate files: only this module joins them.
"""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from city.boston import DROPPED_AT, EXTRACTS, drop
from etl.domain.night import cutoff_at, night_of
from etl.errors import SourceContractBroken
from etl.quality.check import check
from etl.sources import get
from etl.sources.contract import Page, Pulled, Window
from etl.store.calendars import packaged
from etl.store.profiles import profile
from etl.supervision.judge import judge_table, with_known_at

SOURCE = get("boston_311")
ZONE = ZoneInfo("America/New_York")
FLAGS = Path(__file__).parent / "boston_311"


@dataclass(frozen=True)
class Generation:
    """One of the two headers the city's export has had, and what its flags say."""

    year: str
    stream: str
    due: str
    flag: str
    requests: int
    closed_late: int
    open_late: int

    @property
    def name(self) -> str:
        return f"requests_{self.year}.csv"

    @property
    def dropped_at(self) -> datetime:
        return DROPPED_AT[self.name]

    def log(self) -> list[dict[str, str]]:
        return _read(EXTRACTS / f"{self.name}.gz")

    def flags(self) -> dict[str, str]:
        rows = _read(FLAGS / f"on_time_{self.year}.csv.gz")
        return {row["case_enquiry_id"]: row[self.flag] for row in rows}


GENERATIONS = [
    Generation("2016", "sla_target", "sla_target_dt", "on_time", 7494, 103, 556),
    Generation("2022", "target", "target_dt", "ontime", 100, 5, 12),
]
each_generation = pytest.mark.parametrize("generation", GENERATIONS, ids=lambda generation: generation.year)


@each_generation
def test_every_flag_is_reproduced(generation: Generation, messages: dict[str, pa.Table]) -> None:
    late = {card["case_no"] for card in cards(messages[generation.stream], generation.dropped_at)}
    verdicts = {row["case_enquiry_id"]: _verdict(row["case_enquiry_id"] in late) for row in generation.log()}
    assert verdicts == generation.flags()
    closed = {row["case_enquiry_id"] for row in generation.log() if row["case_status"] == "Closed"}
    assert (len(verdicts), len(late & closed), len(late - closed)) == (
        *(generation.requests, generation.closed_late),
        generation.open_late,
    )


@each_generation
def test_a_card_is_reached_at_the_citys_due_moment(generation: Generation, messages: dict[str, pa.Table]) -> None:
    due = {row["case_enquiry_id"]: _instant(row[generation.due]) for row in generation.log() if row[generation.due]}
    found = cards(messages[generation.stream], generation.dropped_at)
    assert {card["case_no"]: card["reached_at"] for card in found} == {
        case_no: due[case_no] for case_no, flag in generation.flags().items() if flag == "OVERDUE"
    }
    assert {(card["clock"], card["level"], card["nature"], card["provisional"]) for card in found} == {
        ("case", "yellow", "conduct", False)
    }


@pytest.mark.parametrize(
    "as_of",
    [
        pytest.param(datetime(2016, 9, 7, 4, 30, tzinfo=ZONE), id="exactly at the due moment of 52 requests"),
        pytest.param(datetime(2016, 9, 7, 4, 30, 1, tzinfo=ZONE), id="one second after"),
        pytest.param(datetime(2016, 3, 13, 3, 0, tzinfo=ZONE), id="as the clocks go forward"),
        pytest.param(datetime(2016, 7, 1, tzinfo=ZONE), id="in the middle of the year"),
        pytest.param(datetime(2016, 11, 6, 1, 30, fold=1, tzinfo=ZONE), id="in the hour that comes twice"),
        pytest.param(datetime(2017, 4, 28, 16, 24, 58, tzinfo=ZONE), id="exactly at the last due moment"),
    ],
)
def test_any_past_moment_is_judged_as_it_was(as_of: datetime, messages: dict[str, pa.Table]) -> None:
    found = cards(messages["sla_target"], as_of)
    assert {card["case_no"] for card in found} == {
        row["case_enquiry_id"] for row in GENERATIONS[0].log() if _is_late(row, as_of)
    }


@each_generation
def test_loading_everything_in_one_night_gives_the_same_cards(
    generation: Generation, messages: dict[str, pa.Table]
) -> None:
    table = messages[generation.stream]
    cutoff = cutoff_at(night_of(generation.dropped_at) + timedelta(days=1))
    loaded = pa.array([cutoff] * len(table), table.schema.field("loaded_at").type)
    at_once = table.set_column(table.schema.get_field_index("loaded_at"), table.schema.field("loaded_at"), loaded)
    described = ("case_no", "level", "reached_at", "used_days", "limit_days", "standing")
    assert cards(at_once, cutoff, described) == cards(table, cutoff, described)


@each_generation
def test_every_row_becomes_messages_and_passes_every_expectation(
    generation: Generation, messages: dict[str, pa.Table]
) -> None:
    log = generation.log()
    closed = sum(row["case_status"] == "Closed" for row in log)
    unpromised = sum(not row[generation.due] for row in log)
    table = messages[generation.stream]
    assert table["kind"].to_pylist().count("accept") == len(log)
    assert table["kind"].to_pylist().count("finish") == closed
    findings = check(table, cutoff_at(generation.dropped_at.date()))
    found = {(result.severity, result.rule): result.failed_rows for result in findings.results if result.failed_rows}
    # A city elsewhere: no item codes, regions by name, no statute behind a promise.
    everywhere = dict.fromkeys(("written_missing", "item_code_missing", "region_digits"), len(log) + closed)
    expected = everywhere | {"statutory_missing": len(log), "promise_missing": unpromised}
    assert found == {("warning", rule): rows for rule, rows in expected.items()}


def test_neither_log_nor_source_knows_the_flag() -> None:
    for generation in GENERATIONS:
        header = SOURCE.kind.streams[generation.stream].header
        assert tuple(generation.log()[0]) == header
        assert not {"ontime", "on_time"} & set(header)
        assert not {"ONTIME", "OVERDUE"} & {value for row in generation.log() for value in row.values()}


def test_a_file_of_the_other_generation_is_refused(tmp_path: Path) -> None:
    drop(tmp_path)
    (tmp_path / "requests_2022.csv").replace(tmp_path / "requests_2016.csv")
    window = Window(date(2022, 9, 16), None, cutoff_at(date(2022, 9, 16)))
    with pytest.raises(SourceContractBroken, match="lacks sla_target_dt"):
        list(SOURCE.kind.pull(SOURCE, str(tmp_path), window))


@pytest.mark.parametrize(
    ("row", "rejects"),
    [
        pytest.param("2016-03-13 02:30:00,,,Open", {"ambiguous_time"}, id="opened in the hour that never was"),
        pytest.param("2016-11-05 12:00:00,2016-11-06 01:30:00,,Open", {"ambiguous_time"}, id="due in a doubled hour"),
        pytest.param("2016-11-05 12:00:00,,2016-11-06 01:00:00,Closed", {"ambiguous_time"}, id="closed in it"),
        pytest.param("2016-11-05 12:00:00,2016-11-06 02:00:00,2016-11-06 00:59:59,Closed", set(), id="around it"),
        pytest.param("2016-11-05 12:00:00,,,Closed", {"contradiction"}, id="closed at no time"),
        pytest.param("2016-11-05 12:00:00,,2016-11-07 12:00:00,Open", {"contradiction"}, id="open and closed"),
        pytest.param("2016-11-05 12:00:00,,,Pending", {"unknown_code"}, id="a status never seen"),
        pytest.param(",,,Open", {"missing_time"}, id="never opened"),
    ],
)
def test_a_row_that_could_be_read_two_ways_is_rejected(row: str, rejects: set[str]) -> None:
    header = ",".join(SOURCE.kind.streams["sla_target"].header)
    content = f"{header}\r\n101000000001,{row},Animal Issues,Animal Lost,Q,INFO\r\n".encode()
    table, found = _messages("sla_target", content)
    assert {reason for _, reason, _ in found} == rejects
    assert (len(table) == 0) == bool(rejects)


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """Canonical messages per stream, pulled from a drop folder by the night the later file came in."""
    inbox = tmp_path_factory.mktemp("inbox")
    drop(inbox)
    night = date(2022, 9, 16)
    answers = list(SOURCE.kind.pull(SOURCE, str(inbox), Window(night, None, cutoff_at(night))))
    declared = {answer.stream: answer.declared_rows for answer in answers if isinstance(answer, Pulled)}
    assert declared == {generation.stream: generation.requests for generation in GENERATIONS}
    tables = {}
    for page in (answer for answer in answers if isinstance(answer, Page)):
        tables[page.stream], rejects = _messages(page.stream, page.content)
        assert not rejects
    return tables


def cards(table: pa.Table, as_of: datetime, columns: tuple[str, ...] = ()) -> list[dict]:
    """Cards as of a moment, known by the same moment; every one must stand, for nothing here was ever corrected."""
    rules = profile(SOURCE.profile)
    known = with_known_at(table.drop_columns(["row_no"]))
    # Nights close once a day: what happened today is known at the next cut-off, so knowledge runs one night ahead.
    found = judge_table(known, as_of, as_of + timedelta(days=1), rules, packaged().book(rules.calendar))
    assert all(found["standing"].to_pylist())
    return found.select(columns or found.column_names).to_pylist()


def _messages(stream: str, content: bytes) -> tuple[pa.Table, list[tuple[int, str, str]]]:
    decoded = SOURCE.kind.decode(SOURCE, stream, content, {})
    table, rejects = SOURCE.dialect.messages(SOURCE, stream, decoded.rows)
    return table, [*decoded.rejects, *rejects]


def _is_late(row: dict[str, str], as_of: datetime) -> bool:
    """The city's rule in its own words: not closed by its due moment, whether closed since or still open."""
    if not row["sla_target_dt"] or _instant(row["open_dt"]) > as_of:
        return False
    is_closed = row["closed_dt"] and _instant(row["closed_dt"]) <= as_of
    return (_instant(row["closed_dt"]) if is_closed else as_of) > _instant(row["sla_target_dt"])


def _instant(wall: str) -> datetime:
    # In UTC, because aware times of one zone compare by wall clock in Python.
    return datetime.fromisoformat(wall).replace(tzinfo=ZONE).astimezone(UTC)


def _verdict(is_late: bool) -> str:
    return "OVERDUE" if is_late else "ONTIME"


def _read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))
