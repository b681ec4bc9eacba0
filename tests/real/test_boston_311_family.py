"""Boston's exports as they come in the wild: each becomes the same verdicts as the clean one, or says why it cannot.

The extracts and where they come from: tests/real/README.md. What the city says of a request (`ontime`) is kept apart.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from datetime import date
from email import policy
from email.parser import BytesParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine

from city.boston import DROPPED_AT, EXTRACTS
from etl.domain.message import SCHEMA
from etl.domain.night import cutoff_at, week_days
from etl.settings import settings
from etl.sources import get
from etl.sources.kinds import FileDrop, Rest
from etl.store.reference import import_file
from tests.cli.command import jiancha
from tests.real.conftest import Raw, Register
from tests.real.nights import Row, cards, counts, night, night_after, put, quarantine, read, unpacked
from tests.real.sources.boston_311_family import HEADER, SOURCE

HERE = Path(__file__).parent / "boston_311"
ZONE = ZoneInfo("America/New_York")
DROPPED = DROPPED_AT["requests_2022.csv"]
ON = night_after(DROPPED)
CLEAN = unpacked(EXTRACTS / "requests_2022.csv.gz")
HEADER_2016 = get("boston_311").kind.streams["sla_target"].header  # type: ignore[attr-defined]
PLANTED = ("212-555-1234", "987-65-4320", "378734493671000", "joeblows@aol.com", "212-123-5432")


def shape(name: str) -> bytes:
    return unpacked(HERE / f"{name}.gz")


def flags(name: str) -> dict[str, str]:
    return {row["case_enquiry_id"]: row["ontime"] for row in read(unpacked(HERE / f"on_time_{name}.csv.gz"))}


def verdicts(engine: Engine, log: list[Row]) -> dict[str, str]:
    late = {card["case_no"] for card in cards(engine, SOURCE.name)}
    assert late <= {row["case_enquiry_id"] for row in log}
    return {row["case_enquiry_id"]: "OVERDUE" if row["case_enquiry_id"] in late else "ONTIME" for row in log}


def tally(source: str = SOURCE.name) -> tuple[int, int, int, int]:
    found = counts(source)
    return tuple(found[name] for name in ("accepted", "repeated", "quarantined", "unexplained"))  # type: ignore[return-value]


@pytest.mark.database
def test_requests_that_come_twice_count_once_and_keep_the_citys_verdict(ready: Engine, register: Register) -> None:
    put(register(SOURCE), "requests_1.csv", shape("twenty_twice.csv"), DROPPED)
    assert night(ON).code == 0
    log = read(shape("twenty_twice.csv"))
    assert (len(log), len({row["case_enquiry_id"] for row in log})) == (100, 80)
    assert tally() == (80, 20, 0, 0)
    assert verdicts(ready, log) == flags("twenty_twice")


@pytest.mark.database
def test_days_before_months_are_read_when_that_is_declared(ready: Engine, register: Register) -> None:
    put(register(SOURCE), "requests_dmy.csv", shape("day_month_year.csv"), DROPPED)
    assert night(ON).code == 0
    assert tally() == (100, 0, 0, 0)
    assert verdicts(ready, read(shape("day_month_year.csv"))) == flags("2022")


@pytest.mark.database
def test_days_before_months_are_never_guessed(ready: Engine, register: Register) -> None:
    put(register(SOURCE), "requests_1.csv", shape("day_month_year.csv"), DROPPED)
    ended = night(ON)
    assert ended.code == 3, "a source whose every row is refused alike is frozen, not complete"
    assert "100 of 100 rows are refused alike, bad_time" in ended.err
    assert tally() == (0, 0, 0, 100)
    assert cards(ready, SOURCE.name) == []


@pytest.mark.database
def test_a_date_without_a_time_is_late_from_the_next_day_on(ready: Engine, register: Register) -> None:
    put(register(SOURCE), "requests_dates.csv", shape("dates_only.csv"), DROPPED)
    assert night(ON).code == 0
    log = read(shape("dates_only.csv"))
    as_of = cutoff_at(ON).astimezone(ZONE).date()
    expected = {row["case_enquiry_id"]: _by_date(row, as_of) for row in log}
    assert verdicts(ready, log) == expected
    # The city judged by the second: a request closed later on its due day was late for it and is not by the date.
    timed = {row["case_enquiry_id"]: row for row in read(CLEAN)}
    differ = {case for case, flag in flags("2022").items() if expected[case] != flag}
    same_day = {
        case
        for case, row in timed.items()
        if row["closed_dt"] > row["target_dt"] > "" and row["closed_dt"][:10] == row["target_dt"][:10]
    }
    assert differ == same_day
    assert (len(differ), list(expected.values()).count("OVERDUE")) == (1, 16)


@pytest.mark.database
def test_a_date_without_a_time_is_refused_where_a_moment_is_declared(ready: Engine, register: Register) -> None:
    put(register(SOURCE), "requests_1.csv", shape("dates_only.csv"), DROPPED)
    ended = night(ON)
    assert ended.code == 3
    assert "100 of 100 rows are refused alike, bad_time" in ended.err
    assert tally() == (0, 0, 0, 100)


@pytest.mark.database
def test_a_line_with_a_field_too_many_costs_that_line_only(ready: Engine, register: Register) -> None:
    put(register(SOURCE), "requests.tsv", shape("broken.tsv"), DROPPED)
    assert night(ON).code == 1
    lines = list(csv.reader(shape("broken.tsv").decode().splitlines(), delimiter="\t"))[1:]
    (broken,) = [number for number, line in enumerate(lines) if len(line) != len(HEADER)]
    assert quarantine(ready, SOURCE.name) == [(broken, "wrong_field_count", "10 fields instead of 9")]
    assert tally() == (99, 0, 1, 0)
    lost = lines[broken][0]
    log = [row for row in read(shape("broken.tsv"), "\t") if row["case_enquiry_id"] != lost]
    assert verdicts(ready, log) == {case: flag for case, flag in flags("2022").items() if case != lost}


@pytest.mark.database
def test_tabs_under_the_name_of_a_comma_file_are_refused_and_nobody_is_judged(
    ready: Engine, register: Register
) -> None:
    folder = register(SOURCE)
    put(folder, "requests_1.csv", shape("broken.tsv"), DROPPED)
    ended = night(ON)
    assert ended.code == 3
    assert (
        "requests_1.csv: the first row is not the header case_enquiry_id, open_dt"
        in ended.only["incomplete"][SOURCE.name]
    )
    assert [path.name for path in folder.rglob("failed/*/*.csv")] == ["requests_1.csv"]
    assert cards(ready, SOURCE.name) == []


@pytest.mark.database
def test_letters_outside_ascii_arrive_as_they_were_written(ready: Engine, register: Register) -> None:
    put(register(SOURCE), "requests_remarks.csv", shape("non_ascii.csv"), DROPPED)
    assert night(ON).code == 0
    assert tally() == (100, 0, 0, 0)
    with ready.connect() as connection:
        reasons = connection.exec_driver_sql(
            "select case_no, payload ->> 'reason' from message where payload ->> 'reason' is not null"
        ).all()
    said = {row["case_enquiry_id"]: row["closure_reason"].strip() for row in read(shape("non_ascii.csv"))}
    assert dict(map(tuple, reasons)) == {case: reason for case, reason in said.items() if reason}
    assert not "".join(said.values()).isascii()
    assert verdicts(ready, read(shape("non_ascii.csv"))) == flags("2022")


def test_letters_in_another_encoding_than_declared_cost_their_rows_only() -> None:
    content = shape("non_ascii.csv").decode().encode("latin-1")
    decoded = SOURCE.kind.decode(SOURCE, "remarks", content, {})
    (number,) = [at for at, row in enumerate(read(shape("non_ascii.csv"))) if not row["closure_reason"].isascii()]
    assert [(row_no, reason) for row_no, reason, _ in decoded.rejects] == [(number, "bad_encoding")]
    assert len(decoded.rows) == 99


@pytest.mark.database
def test_planted_personal_data_is_shown_nowhere(ready: Engine, register: Register, tmp_path: Path) -> None:
    put(register(SOURCE), "requests_remarks.csv", shape("personal_data.csv"), DROPPED)
    assert all(planted in shape("personal_data.csv").decode() for planted in PLANTED)
    _address(ready, tmp_path)
    assert night(ON).code == 0
    assert verdicts(ready, read(shape("personal_data.csv"))) == flags("2022")
    week = f"{ON:%G-W%V}"
    night(week_days(week)[1])
    planted_cases = [row["case_enquiry_id"] for row in read(shape("personal_data.csv")) if row["closure_reason"]]
    shown = [
        _told("week", "--week", week),
        _told("status", "--json"),
        *(_told("explain", case, *option) for case in planted_cases for option in ((), ("--json",))),
        *_everything_in_the_ledger(ready),
        *_everything_written(settings().var_dir),
    ]
    assert any("Ticket issued and collected SSN - *" in text for text in shown), "the text around it is kept"
    assert any("波士顿市311服务请求" in text for text in shown), "somebody was written to"
    assert [planted for planted in PLANTED if any(planted in text for text in shown)] == []
    # Kept in one place only, as received, until it is purged.
    landed = b"".join(path.read_bytes() for path in (settings().var_dir / "landing").rglob("*") if path.is_file())
    assert PLANTED[0].encode() in landed


@pytest.mark.database
def test_planted_personal_data_that_slips_into_a_judged_column_is_masked_where_the_row_is_refused(
    ready: Engine, register: Register
) -> None:
    rows = list(csv.reader(io.StringIO(shape("personal_data.csv").decode(), newline="")))
    status, said = rows[0].index("case_status"), rows[0].index("closure_reason")
    slipped = [number for number, row in enumerate(rows[1:]) if row[said]]
    for row in rows[1:]:
        if row[said]:
            # The end of the text, so that a short excerpt of it holds what was planted.
            row[status], row[said] = row[said][-50:], ""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    put(register(SOURCE), "requests_remarks.csv", out.getvalue().encode(), DROPPED)
    assert night(ON).code == 1
    refused = quarantine(ready, SOURCE.name)
    assert [(number, reason) for number, reason, _ in refused] == [(number, "unknown_code") for number in slipped]
    shown = "".join((*_everything_in_the_ledger(ready), *_everything_written(settings().var_dir)))
    assert [planted for planted in PLANTED if planted in shown] == []
    assert all("*" in detail for _, _, detail in refused)


@pytest.mark.database
def test_the_same_requests_as_json_lines_over_the_network_are_the_same_messages(
    ready: Engine, register: Register, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = replace(SOURCE, name="boston_311_family", kind=Rest(("iso",)))
    register(source)
    monkeypatch.setenv("JIANCHA_CONNECTION_BOSTON_311_FAMILY", httpserver.url_for("/open311"))
    rows = ",".join(shape("lines.jsonl").decode().splitlines())
    body = f'{{"total": 100, "next": null, "data_until": "{cutoff_at(ON).isoformat()}", "rows": [{rows}]}}'
    httpserver.expect_request("/open311/iso").respond_with_data(body, content_type="application/json")
    assert night(ON).code == 0
    assert tally() == (100, 0, 0, 0)
    assert verdicts(ready, read(CLEAN)) == flags("2022")


def test_every_readable_shape_of_the_hundred_requests_says_the_same() -> None:
    expected = _messages("iso", CLEAN)
    lost = json.loads(shape("lines.jsonl").decode().splitlines()[39])["case_enquiry_id"]
    assert _messages("day_month_year", shape("day_month_year.csv")) == expected
    assert _messages("tabs", shape("broken.tsv")) == [row for row in expected if row["case_no"] != str(lost)]
    for name in ("personal_data.csv", "non_ascii.csv"):
        assert [row | {"reason": None} for row in _messages("remarks", shape(name))] == expected


@pytest.mark.database
@pytest.mark.parametrize(
    ("published", "stream", "refused"),
    [
        ("bu_spark_filtered_2016.csv", "sla_target", 0),
        ("boston311-100.csv", "iso", 0),
        ("boston311-100-20dupes-random.csv", "iso", 0),
        ("boston311-dmy-100.csv", "day_month_year", 0),
        ("boston311-100-bad.tsv", "tabs", 1),
        ("boston311-100-with-fake-pii.csv", "remarks", 0),
        ("boston311-100-with-nonascii.csv", "remarks", 0),
    ],
)
def test_the_published_file_with_all_its_columns_gives_every_flag(
    ready: Engine, register: Register, raw: Raw, published: str, stream: str, refused: int
) -> None:
    content = raw(published).read_bytes()
    whole = SOURCE if stream != "sla_target" else replace(get("boston_311"), name=SOURCE.name)
    files = whole.kind.streams[stream]  # type: ignore[attr-defined]
    header = tuple(content.decode().splitlines()[0].split(files.delimiter))
    source = replace(whole, kind=FileDrop({stream: replace(files, header=header)}))
    dropped_at = DROPPED_AT["requests_2016.csv"] if stream == "sla_target" else DROPPED
    put(register(source), files.pattern.replace("{serial}", "1"), content, dropped_at)
    assert night(night_after(dropped_at)).code == (1 if refused else 0)
    lines = list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=files.delimiter))
    log = [dict(zip(lines[0], line, strict=True)) for line in lines[1:] if len(line) == len(header)]
    assert tally()[2:] == (refused, 0)
    assert sum(tally()) == len(lines) - 1
    flag = "on_time" if stream == "sla_target" else "ontime"
    assert verdicts(ready, log) == {row["case_enquiry_id"]: row[flag] for row in log}


@pytest.mark.parametrize(
    ("published", "kept", "columns"),
    [
        ("boston311-100.csv", EXTRACTS / "requests_2022.csv.gz", HEADER),
        ("bu_spark_filtered_2016.csv", EXTRACTS / "requests_2016.csv.gz", HEADER_2016),
        ("boston311-100-20dupes-random.csv", HERE / "twenty_twice.csv.gz", HEADER),
        ("boston311-dmy-100.csv", HERE / "day_month_year.csv.gz", HEADER),
        ("boston311-100-notime.csv", HERE / "dates_only.csv.gz", HEADER),
        ("boston311-100-deduped.csv", HERE / "on_time_twenty_twice.csv.gz", ("case_enquiry_id", "ontime")),
        ("boston311-100-with-fake-pii.csv", HERE / "personal_data.csv.gz", HEADER),
        ("boston311-100-with-nonascii.csv", HERE / "non_ascii.csv.gz", HEADER),
    ],
)
def test_an_extract_says_what_the_published_sample_says(
    raw: Raw, published: str, kept: Path, columns: tuple[str, ...]
) -> None:
    whole, extract = read(raw(published).read_bytes()), read(unpacked(kept))
    assert _sorted([{name: row[name] for name in columns} for row in whole]) == _sorted(
        [{name: row[name] for name in columns} for row in extract]
    )
    remarks = {row["case_enquiry_id"]: row.get("closure_reason") for row in whole}
    assert all(remarks[row["case_enquiry_id"]] == row["closure_reason"] for row in extract if row.get("closure_reason"))


def _told(*arguments: str) -> str:
    ended = jiancha(*arguments)
    assert ended.code == 0, ended.err
    return ended.out + ended.err


def _messages(stream: str, content: bytes) -> list[dict[str, object]]:
    decoded = SOURCE.kind.decode(SOURCE, stream, content, {})
    table, rejects = SOURCE.dialect.messages(SOURCE, stream, decoded.rows)
    assert not rejects
    said: list[dict[str, object]] = pa.table(table).select(SCHEMA.names).to_pylist()
    return sorted(said, key=lambda row: (str(row["case_no"]), str(row["kind"])))


def _sorted(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: sorted(row.items()))


def _by_date(row: Row, as_of: date) -> str:
    if not row["target_dt"]:
        return "ONTIME"
    closed = date.fromisoformat(row["closed_dt"]) if row["closed_dt"] else as_of
    return "OVERDUE" if closed > date.fromisoformat(row["target_dt"]) else "ONTIME"


def _address(ledger: Engine, folder: Path) -> None:
    tables = {
        "departments": f"code,name,region,valid_from\n{SOURCE.department},波士顿市311,boston,2010-01-01\n",
        "recipients": "recipient_id,name,email,role,department,valid_from\n"
        f"lin,林某,lin@boston.example,department,{SOURCE.department},2010-01-01\n"
        "zhou,周某,zhou@supervision.example,supervision,,2010-01-01\n",
    }
    for name, content in tables.items():
        path = folder / f"{name}.csv"
        path.write_text(content, encoding="utf-8")
        assert import_file(ledger, path)[1] == []


def _everything_in_the_ledger(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        tables = connection.exec_driver_sql("select tablename from pg_tables where schemaname = 'public'").scalars()
        return [
            str(connection.exec_driver_sql(f"select array_agg(t::text) from {table} t").scalar())
            for table in list(tables)
        ]


def _everything_written(var: Path) -> list[str]:
    """Every file but what was landed; mails with each of their parts decoded, archives unpacked."""
    found = []
    for path in (path for path in var.rglob("*") if path.is_file() and "landing" not in path.relative_to(var).parts):
        if path.suffix == ".eml":
            mail = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
            found += [_text(part.get_payload(decode=True)) for part in mail.walk() if not part.is_multipart()]
        else:
            found.append(_text(path.read_bytes()))
    return found


def _text(content: bytes) -> str:
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return content.decode("utf-8", "replace")
