"""XML files in a drop folder: records as elements, hostile documents refused, a bad record alone in its badness."""

from __future__ import annotations

import pytest

from etl.errors import ConfigurationError, SourceContractBroken
from etl.sources.kinds import FileDrop, Files

HEADER = ("办件编号", "办结时间", "原因")
FILES = Files("办结_{date}.xml", HEADER, record="办件")


def record(case: str, more: str = "<原因/>") -> str:
    return f"<办件><办件编号>{case}</办件编号><办结时间>20261116090000</办结时间>{more}</办件>"


def document(*records: str) -> str:
    return f'<?xml version="1.0" encoding="GBK"?>\n<办件集>{"".join(records)}</办件集>'


@pytest.fixture
def read(make_source):
    source = make_source(FileDrop({"办结": FILES}), encoding="gb18030")

    def read(content: str | bytes):
        content = content.encode("gb18030") if isinstance(content, str) else content
        return source.kind.decode(source, "办结", content, {})

    return read


def test_records_become_rows_and_empty_elements_nulls_to_be(read):
    decoded = read(document(record("A"), record("B", "<原因> 缺材料 &amp; 章 </原因>"), "<!-- 备注 -->"))
    assert decoded.rows["办件编号"].to_pylist() == ["A", "B"]
    assert decoded.rows["原因"].to_pylist() == ["", " 缺材料 & 章 "]
    assert decoded.rejects == []


def test_name_spaces_attributes_order_and_case_make_no_difference(make_source):
    source = make_source(FileDrop({"bj": Files("bj.xml", ("sblsh", "bjsj"), record="row")}))
    content = (
        '<d:all xmlns:d="urn:x" xmlns:xsi="urn:xsi"><d:row><BJSJ>1</BJSJ><d:SBLSH xsi:nil="true"/></d:row>'
        '<row sblsh="B" xsi:type="t"><bjsj>2</bjsj></row></d:all>'
    )
    decoded = source.kind.decode(source, "bj", content.encode(), {})
    assert decoded.rows.select(["sblsh", "bjsj"]).to_pylist() == [
        {"sblsh": "", "bjsj": "1"},
        {"sblsh": "B", "bjsj": "2"},
    ]


def test_a_day_without_records_is_an_empty_root(read):
    assert read(document()).rows.num_rows == 0


def test_a_renamed_record_element_is_no_empty_day(read):
    with pytest.raises(SourceContractBroken, match="content but no element 办件"):
        read(document(record("A").replace("办件>", "案件>")))


@pytest.mark.parametrize(
    ("more", "difference"),
    [("", "lacks 原因"), ("<理由/>", "lacks 原因 and has unexpected '理由'"), ("<原因/><新/>", "has unexpected '新'")],
)
def test_a_column_that_is_dropped_renamed_or_new_is_named(read, more, difference):
    with pytest.raises(SourceContractBroken, match=f"the header {difference}"):
        read(document(record("A", more)))


def test_a_record_that_cannot_be_told_costs_itself_only(read):
    decoded = read(
        document(record("A", "<原因>x</原因><原因>y</原因>"), record("B", "<原因><b>x</b></原因>"), record("C"))
    )
    assert decoded.rows["办件编号"].to_pylist() == ["C"]
    assert [(row_no, reason) for row_no, reason, _ in decoded.rejects] == [(0, "duplicate_key"), (1, "nested_too_deep")]


def test_a_control_character_and_bytes_of_another_encoding_cost_their_record_only(read):
    content = document(record("A", "<原因>\x00</原因>"), record("B", "<原因>X</原因>"), record("C"))
    decoded = read(content.encode("gb18030").replace(b"X", b"\xff"))
    assert decoded.rows["办件编号"].to_pylist() == ["C"]
    assert [(row_no, reason) for row_no, reason, _ in decoded.rejects] == [(0, "poison_character"), (1, "bad_encoding")]


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><办件集>&b;</办件集>',
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><办件集><办件>&f;</办件></办件集>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><办件集/>',
    ],
    ids=["expansion", "file", "network"],
)
def test_a_document_type_is_refused_before_anything_is_parsed(read, content):
    with pytest.raises(SourceContractBroken, match="declares a document type"):
        read(content)


@pytest.mark.parametrize(
    "content",
    ["", "办件编号,办结时间", "<办件集><办件></办件集>", "<办件集>&nbsp;</办件集>", "<a>" * 5000 + "</a>" * 5000],
    ids=["empty", "CSV", "cut off", "entity of HTML", "deep"],
)
def test_what_is_not_well_formed_is_refused_whole(read, content):
    with pytest.raises(SourceContractBroken, match="not well-formed XML"):
        read(content)


def test_xml_declares_its_record_element_and_nothing_else_does():
    with pytest.raises(ConfigurationError, match="record element"):
        Files("a.xml", HEADER)
    with pytest.raises(ConfigurationError, match="record element"):
        Files("a.csv", HEADER, record="办件")


def test_a_dropped_xml_file_is_landed_and_a_hostile_one_goes_to_failed(make_source, window, tmp_path):
    import os

    source = make_source(FileDrop({"办结": FILES}, quiet_seconds=0), encoding="gb18030")
    moment = window.until.timestamp() - 600
    for name, content in (("办结_20261115.xml", document(record("A"))), ("办结_20261116.xml", "<!DOCTYPE x><x/>")):
        (tmp_path / name).write_bytes(content.encode("gb18030"))
        os.utime(tmp_path / name, (moment, moment))
    answers = source.kind.pull(source, str(tmp_path), window)
    page = next(answers)
    assert (page.stream, page.media_type, page.meta["file"]) == ("办结", "application/xml", "办结_20261115.xml")
    with pytest.raises(SourceContractBroken, match=r"办结_20261116\.xml: the file declares a document type"):
        list(answers)
    assert [path.name for path in (tmp_path / "failed").rglob("*.xml")] == ["办结_20261116.xml"]
