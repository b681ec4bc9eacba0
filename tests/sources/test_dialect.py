"""The declaration language: what its readers accept, what they refuse, and that nothing is guessed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from etl.domain.message import SCHEMA
from etl.errors import ConfigurationError, SourceContractBroken
from etl.sources import get
from etl.sources.contract import Source
from etl.sources.dialect import Columns, When, to
from etl.sources.values import (
    COMPACT,
    MINUTES,
    Reader,
    Rows,
    applicant,
    code,
    constant,
    excerpt,
    first_of,
    listing,
    number,
    text,
    time,
    whole,
)


def read(reader: Reader, *values: str | None, zone: str = "Asia/Shanghai") -> tuple[list[Any], list[tuple[int, str]]]:
    """(values, (row, reason) of every fault) of one reader over column ``c``."""
    rows = Rows(
        pa.table({"row_no": pa.array(range(len(values)), pa.int64()), "c": pa.array(values, pa.string())}), zone
    )
    found = reader.read(rows).to_pylist()
    faults = [(row, fault.reason) for fault in rows.faults for row, at in enumerate(fault.where.to_pylist()) if at]
    return found, faults


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("reader", "said", "meant"),
    [
        (time("c"), "2026-11-18 09:00:00", "2026-11-18T09:00:00+08:00"),
        (time("c"), "2026-11-18T09:00:00.25", "2026-11-18T09:00:00.250000+08:00"),
        (time("c"), "2026-11-18T09:00:00Z", "2026-11-18T09:00:00+00:00"),
        (time("c"), "2026-11-18T09:00:00-05:00", "2026-11-18T09:00:00-05:00"),
        (time("c"), "2028-02-29 00:00:00", "2028-02-29T00:00:00+08:00"),
        (time("c", COMPACT), "20261118090059", "2026-11-18T09:00:59+08:00"),
        (time("c", MINUTES), "2026/11/18 09:05", "2026-11-18T09:05:00+08:00"),
        (time("c"), " 2026-11-18 09:00:00\u3000", "2026-11-18T09:00:00+08:00"),
    ],
)
def test_times_in_the_sources_zone_unless_they_carry_an_offset(reader: time, said: str, meant: str) -> None:
    assert read(reader, said) == ([instant(meant)], [])


@pytest.mark.parametrize(
    "said",
    [
        *("2026-02-30 10:00:00", "2026-13-01 10:00:00", "2026-11-18 24:00:00", "2026-11-18 10:00:60", "2026-11-18"),
        *("20261118090059", "0000-00-00 00:00:00", "1900-01-01 00:00:00", "2026-11-18 10:00", "待定"),
        "２０２６-11-18 10:00:00",
    ],
)
def test_what_is_no_time_is_a_fault_and_its_neighbours_are_read(said: str) -> None:
    values, faults = read(time("c"), "2026-11-18 09:00:00", said, None)
    assert faults == [(1, "bad_time")]
    assert values[0] == instant("2026-11-18T09:00:00+08:00")
    assert values[2] is None


def test_a_source_without_a_zone_refuses_wall_time_but_not_instants() -> None:
    values, faults = read(time("c"), "2026-11-18 09:00:00", "2026-11-18T09:00:00+08:00", None, zone="")
    assert faults == [(0, "time_without_zone")]
    assert values[1] == instant("2026-11-18T09:00:00+08:00")


def test_a_wall_time_that_daylight_saving_repeats_or_skips_is_not_guessed() -> None:
    zone = "America/New_York"
    _, faults = read(time("c"), "2016-11-06 01:30:00", "2016-03-13 02:30:00", "2016-11-06 03:00:00", zone=zone)
    assert faults == [(0, "ambiguous_time"), (1, "ambiguous_time")]


def test_numbers_are_plain_decimals() -> None:
    values, faults = read(number("c"), "3", "1.5", "-2", None, " ", "二十", "２０", "nan", "1e9", "1,000")
    assert values[:5] == [3.0, 1.5, -2.0, None, None]
    assert faults == [(row, "bad_number") for row in range(5, 10)]


def test_key_numbers_are_whole_and_never_missing() -> None:
    _, faults = read(whole("c", least=1), "1", "0", "1.0", None, "一", "9999999999")
    assert sorted(faults) == [
        *((1, "bad_number"), (2, "bad_number"), (3, "missing_value"), (4, "bad_number"), (5, "bad_number"))
    ]


def test_codes_outside_the_list_are_faults_and_missing_ones_only_when_required() -> None:
    values, faults = read(code("c", {"1": "granted", "0": "refused"}), "1", "0", None, "01", "x")
    assert values[:3] == ["granted", "refused", None]
    assert faults == [(3, "unknown_code"), (4, "unknown_code")]
    assert read(code("c", {"1": True}, required=True), "1", None) == ([True, None], [(1, "missing_value")])


def test_lists_lose_empty_parts_and_spaces() -> None:
    values, faults = read(listing("c", "；"), "身份证明； 申请表；；", "授权委托书", None)
    assert values == [["身份证明", "申请表"], ["授权委托书"], None]
    assert not faults


def test_first_of_takes_the_next_reader_where_the_first_has_nothing() -> None:
    assert read(first_of((number("c"), constant(7.0))), "1", None) == ([1.0, 7.0], [])


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        *(("王喆明", "王*明"), ("王明", "王*"), ("王", "王*"), ("欧阳喆堃", "欧**堃"), ("刘𬱖", "刘*"), (None, None)),
        *(("诸葛𬱖明", "诸**明"), ("19900000001", "199****0001"), ("110101199001011234", "1****************4")),
    ],
)
def test_applicants_are_kept_masked(name: str | None, kept: str | None) -> None:
    assert read(applicant("c"), name) == ([kept], [])


def test_excerpts_show_no_personal_data() -> None:
    assert excerpt("王喆明的申请", ["王喆明", None]) == "'*的申请'"
    assert excerpt("wang@example.com") == excerpt("ｗａｎｇ＠example．com") == "'*'"
    assert len(excerpt("长" * 500)) < 50


@pytest.mark.parametrize(
    "number",
    [
        *(
            "19900000001",
            "139 1234 5678",
            "139-1234-5678",
            "139  1234  5678",
            "139\n1234\u200b5678",
            "１３９１２３４５６７８",
        ),
        *("+8613912345678", "+86 139 1234 5678", "8613912345678", "0826-2345678", "（0826）2345678", "617-555-0142"),
        *("110101199001011234", "51160219800101123X", "51160219800101 1234", "511602 19800101 123x", "511602800101123"),
    ],
)
def test_excerpts_hide_numbers_of_people_however_they_are_written(number: str) -> None:
    assert excerpt(number) == "'*'"
    assert excerpt(f"电话{number}。") == "'电话*。'"


@pytest.mark.parametrize("said", ["2026-02-30 10:15:00", "20261399090000", "１２", "1\t2", "511A0138000000", "1e9"])
def test_excerpts_show_what_is_nobodys_number_as_it_was_written(said: str) -> None:
    assert excerpt(said) == repr(said)


def source(dialect: Columns, zone: str = "Asia/Shanghai") -> Source:
    return dataclasses.replace(get("rsj"), name="demo", timezone=zone, dialect=dialect)


def dialect(streams: Any) -> Columns:
    return Columns("case", whole("version", 1), constant(None), constant(None), constant(None), constant(None), streams)


def page(**columns: Sequence[str | None]) -> pa.Table:
    count = len(next(iter(columns.values())))
    rows = {name: pa.array(values, pa.string()) for name, values in columns.items()}
    return pa.table({"row_no": pa.array(range(10, 10 + count), pa.int64()), **rows})


FINISH = [
    to("finish", time("at"), outcome=code("result", {"1": "granted"}, required=True)),
    to("certificate", time("made"), when=When("number"), certificate_no=text("number")),
]


def test_one_faulty_message_takes_the_whole_row_with_it() -> None:
    day = "2026-11-18 09:00:00"
    rows = page(
        case=["a", "b", "c"],
        version=["1", "1", "1"],
        at=[day, day, day],
        result=["1", "1", "1"],
        made=[day, "待定", "待定"],
        number=["x", "x", None],
    )
    spoken = dialect({"finish": FINISH})
    messages, rejects = spoken.messages(source(spoken), "finish", rows)
    assert messages.schema.names == [*SCHEMA.names, "row_no"]
    assert messages.select(["case_no", "kind", "row_no"]).to_pylist() == [
        {"case_no": "a", "kind": "finish", "row_no": 10},
        {"case_no": "c", "kind": "finish", "row_no": 12},
        {"case_no": "a", "kind": "certificate", "row_no": 10},
    ]
    assert rejects == [(11, "bad_time", "made is '待定'")]


def test_a_row_is_rejected_once_for_its_first_reason() -> None:
    rows = page(case=["", None], version=["x", "1"], at=["x", None], result=["9", "9"], made=["", ""], number=["", ""])
    spoken = dialect({"finish": FINISH})
    messages, rejects = spoken.messages(source(spoken), "finish", rows)
    assert messages.num_rows == 0
    assert rejects == [(10, "missing_key", "case is empty"), (11, "missing_key", "case is empty")]


def test_an_empty_page_gives_an_empty_table() -> None:
    spoken = dialect({"finish": FINISH})
    rows = page(case=[], version=[], at=[], result=[], made=[], number=[])
    messages, rejects = spoken.messages(source(spoken), "finish", rows)
    assert (messages.num_rows, rejects, messages.schema.names) == (0, [], [*SCHEMA.names, "row_no"])


def test_a_key_column_that_one_row_alone_lacks_rejects_that_row() -> None:
    spoken = dialect({"finish": FINISH})
    rows = page(version=["1"], at=["2026-11-18 09:00:00"], result=["1"], made=[None], number=[None])
    assert spoken.messages(source(spoken), "finish", rows)[1] == [(10, "missing_key", "case is empty")]


def test_a_renamed_column_breaks_the_page_instead_of_reading_as_nothing() -> None:
    spoken = dialect({"finish": FINISH})
    rows = page(case=["a"], version=["1"], at=["2026-11-18 09:00:00"], result=["1"], made=[None])
    with pytest.raises(SourceContractBroken, match="no column number"):
        spoken.messages(source(spoken), "finish", rows)
    with pytest.raises(SourceContractBroken, match="declares no stream"):
        spoken.messages(source(spoken), "other", rows)


def test_a_column_is_found_whatever_its_case_unless_two_could_be_meant() -> None:
    spoken = dialect({"finish": FINISH})
    day = "2026-11-18 09:00:00"
    rows = page(CASE=["a"], Version=["1"], AT=[day], result=["1"], MADE=[None], NUMBER=[None])
    messages, rejects = spoken.messages(source(spoken), "finish", rows)
    assert (messages["case_no"].to_pylist(), rejects) == (["a"], [])
    with pytest.raises(SourceContractBroken, match="columns AT and at; which one is at"):
        spoken.messages(source(spoken), "finish", rows.append_column("at", rows["AT"]))


@pytest.mark.parametrize(
    "declare",
    [
        lambda: to("finished", time("at")),
        lambda: to("finish", time("at"), result=text("result")),
        lambda: to("finish", time("at"), outcome=code("result", {"1": "done"})),
        lambda: to("accept", time("at"), limit_unit=code("unit", {"G": "working_days"})),
        lambda: to("stage", time("at"), name=text("name")),
    ],
    ids=["kind", "field", "outcome", "code", "no seq"],
)
def test_a_declaration_outside_the_contract_fails_when_the_module_is_imported(declare: Any) -> None:
    with pytest.raises(ConfigurationError):
        declare()
