"""Files nobody made for a machine: lines that end in a bare carriage return, a sheet with titles and group headings."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import python_calamine
from sqlalchemy import Engine

from city.boston import DROPPED_AT, EXTRACTS
from etl.domain.night import cutoff_at
from etl.errors import SourceContractBroken
from etl.sources.contract import Page, Pulled, Source, Window
from etl.sources.kinds import FileDrop, Files
from tests.real.conftest import Raw, Register
from tests.real.nights import cards, counts, night, night_after, put, read, unpacked
from tests.real.sources import boston_311_family

ON = date(2026, 11, 16)
DROPPED = datetime(2026, 11, 16, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
SCHOOLS = ("序号", "学校名称", "学校标识码", "主管部门", "所在地", "办学层次", "备注")
Cells = list[list[object]]


@pytest.mark.database
def test_a_log_whose_lines_end_in_a_bare_carriage_return_is_judged_the_same(ready: Engine, register: Register) -> None:
    content = unpacked(EXTRACTS / "requests_2022.csv.gz").replace(b"\r\n", b"\n").replace(b"\n", b"\r")
    assert content.count(b"\r") == 101
    assert b"\n" not in content
    source, dropped_at = boston_311_family.SOURCE, DROPPED_AT["requests_2022.csv"]
    put(register(source), "requests_1.csv", content, dropped_at)
    assert night(night_after(dropped_at)).code == 0
    assert (counts(source.name)["accepted"], counts(source.name)["unexplained"]) == (100, 0)
    flags = read(unpacked(Path(__file__).parent / "boston_311" / "on_time_2022.csv.gz"))
    assert {card["case_no"] for card in cards(ready, source.name)} == {
        row["case_enquiry_id"] for row in flags if row["ontime"] == "OVERDUE"
    }


def test_the_published_file_with_bare_carriage_returns_is_read_to_its_last_row(raw: Raw, tmp_path: Path) -> None:
    name = "cr_only_line_endings_uk_referrers_311011.csv"
    content = raw(name).read_bytes()
    lines = content.decode("ascii").removesuffix("\r").split("\r")
    table, rejects = _read(tmp_path, Files("referrers.csv", tuple(lines[0].split(","))), content)
    assert rejects == []
    assert len(table) == len(lines) - 1
    said = [f"{row[0]},{row[1]}" for row in table]
    assert [
        line for line, shown in zip(lines[1:], said, strict=True) if not line.replace('"', "").startswith(shown)
    ] == []
    assert sum(int(row[2].replace(",", "")) for row in table) == sum(_referrals(line) for line in lines[1:])


@pytest.mark.database
def test_an_old_workbook_is_refused_with_what_to_do_about_it(ready: Engine, register: Register, raw: Raw) -> None:
    content = raw("moe_全国高等学校名单.xls").read_bytes()
    source = replace(boston_311_family.SOURCE, kind=FileDrop({"iso": Files("requests.xlsx", SCHOOLS)}))
    folder = register(source)
    dropped_at = DROPPED_AT["requests_2022.csv"]
    put(folder, "requests.xlsx", content, dropped_at)
    ended = night(night_after(dropped_at))
    assert ended.code == 3
    assert "an old .xls; save it as .xlsx" in ended.only["incomplete"][source.name]
    assert counts(source.name)["state"] == "failed"
    assert [path.name for path in folder.rglob("failed/*/*")] == ["requests.xlsx"]


def test_the_published_list_saved_as_xlsx_is_read_and_its_group_totals_agree(raw: Raw, tmp_path: Path) -> None:
    sheet = python_calamine.CalamineWorkbook.from_path(raw("moe_全国高等学校名单.xls")).get_sheet_by_index(0)
    content = _saved(sheet.to_python(), sheet.merged_cell_ranges or [])
    table, rejects = _read(tmp_path, Files("schools.xlsx", SCHOOLS, title_rows=2), content)
    assert rejects == []
    groups = _groups(table)
    assert {name: size for name, (size, schools) in groups.items() if size != len(schools)} == {}
    assert (len(groups), sum(size for size, _ in groups.values())) == (31, 2919)
    codes = [row[2] for _, schools in groups.values() for row in schools]
    assert len(set(codes)) == 2919
    assert all(re.fullmatch(r"\d{10}", code) for code in codes), "a code typed as a number is still ten digits"


def test_a_title_above_the_header_is_skipped_where_it_is_declared_and_refused_where_not(tmp_path: Path) -> None:
    rows: Cells = [
        ["附件1"],
        ["名单\n（截至2025年6月20日）"],
        list(SCHOOLS),
        ["甲市（2所）"],
        [1, "甲大学", 4111010001, "教育部", "甲市", "本科", ""],
        [2, "甲学院", "4111010002", "甲市", "甲市", "专科", "民办"],
        ["乙省（1所）"],
        [3, "乙大学", 4111010003, "教育部", "乙市", "本科", ""],
    ]
    content = _saved(rows, [((row, 0), (row, 6)) for row in (0, 1, 3, 6)])
    table, rejects = _read(tmp_path, Files("schools.xlsx", SCHOOLS, title_rows=2), content)
    assert rejects == []
    groups = _groups(table)
    assert {name: (size, [row[1] for row in schools]) for name, (size, schools) in groups.items()} == {
        "甲市": (2, ["甲大学", "甲学院"]),
        "乙省": (1, ["乙大学"]),
    }
    with pytest.raises(SourceContractBroken, match="the first row is not the header 序号, 学校名称"):
        _read(tmp_path, Files("schools.xlsx", SCHOOLS), content)


def test_a_title_above_a_csv_header_is_not_counted_as_a_row(tmp_path: Path) -> None:
    content = "某市名单,,\na,b,c\n1,2,3\n4,5,6\n".encode()
    table, rejects = _read(tmp_path, Files("list.csv", ("a", "b", "c"), title_rows=1), content)
    assert (table, rejects) == ([["1", "2", "3"], ["4", "5", "6"]], [])


def _read(folder: Path, files: Files, content: bytes) -> tuple[list[list[str]], list[tuple[int, str, str]]]:
    """Pulled from a folder and decoded: every row's cells, and the rejects; a declared count must agree."""
    source: Source = replace(boston_311_family.SOURCE, name="messy", kind=FileDrop({"list": files}))
    put(folder, files.pattern, content, DROPPED)
    answers = list(source.kind.pull(source, str(folder), Window(ON, None, cutoff_at(ON))))
    (page,) = [answer for answer in answers if isinstance(answer, Page)]
    (pulled,) = [answer for answer in answers if isinstance(answer, Pulled)]
    decoded = source.kind.decode(source, "list", page.content, page.meta)
    table = decoded.rows.drop_columns(["row_no"])
    rows = [list(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]
    assert pulled.declared_rows in (None, len(rows) + len(decoded.rejects))
    return rows, list(decoded.rejects)


def _groups(table: list[list[str]]) -> dict[str, tuple[int, list[list[str]]]]:
    """Group heading -> (the total it names, the rows below it)."""
    groups: dict[str, tuple[int, list[list[str]]]] = {}
    for row in table:
        if any(row[1:]):
            groups[list(groups)[-1]][1].append(row)
        else:
            heading = re.fullmatch(r"(.+)（(\d+)所）", row[0])
            assert heading, row
            groups[heading[1]] = (int(heading[2]), [])
    return groups


def _saved(rows: Cells, merged: list[tuple[tuple[int, int], tuple[int, int]]]) -> bytes:
    """A workbook as an office would save it, cells still merged."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append([None if cell == "" else cell for cell in row])
    for (top, left), (bottom, right) in merged:
        book.active.merge_cells(start_row=top + 1, start_column=left + 1, end_row=bottom + 1, end_column=right + 1)
    book.save(out)
    return out.getvalue()


def _referrals(line: str) -> int:
    found = re.search(r',"?([\d,]+)"?$', line)
    assert found, line
    return int(found[1].replace(",", ""))
