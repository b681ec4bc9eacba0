"""The weekly bulletin: totals that plain SQL confirms, two self-contained files, an issue that never moves."""

from __future__ import annotations

import hashlib
import random
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import docx
import pytest

from etl.domain.night import ZONE, cutoff_at, week_days
from etl.errors import EvidenceBroken, UsageError
from etl.publish import bulletin, document, document_template
from tests.publish.world import NIGHT, RSJ, SCJG, Ledger

pytestmark = pytest.mark.database
WEEK, UNTIL = "2026-W47", cutoff_at(NIGHT)
TITLES = {"scjg": "区市监局", "province": "省平台"}
SOURCES = {"scjg": SCJG, "rsj": RSJ, "zrzy": "11511301MB1550442U"}
"""And whose system each is."""
LINKS = [
    {"source": "scjg", "hop": "scjg->province", "message_count": 8, "due_count": 9, "late_count": 3}
    | {"p50_seconds": 60, "p95_seconds": 5400, "max_seconds": 7200}
]


def world(book: Ledger, seed: int = 7) -> None:
    """Two weeks of cases, cards, withdrawals and lags over three sources."""
    chance = random.Random(seed)
    for number in range(90):
        source, week = chance.choice(list(SOURCES)), chance.randrange(2)
        opened = datetime(2026, 11, 9 + 7 * week + chance.randrange(5), chance.randrange(9, 17), 15, tzinfo=ZONE)
        case_no, mine = f"C{number}", {"source": source, "department": SOURCES[source]}
        limits = {"promised_limit": chance.choice([3, 5, 7]), "statutory_limit": chance.choice([13, 20])}
        unit = chance.choice(["working_day", "working_day", "natural_day"])
        book.message(case_no, "accept", opened, {"outcome": "passed", "limit_unit": unit, **limits}, **mine)
        finished = opened + timedelta(days=chance.randrange(1, 4), hours=1)
        if chance.random() < 0.7 and finished < datetime(2026, 11, 22, tzinfo=ZONE):
            received = finished + timedelta(minutes=chance.choice([1, 5, 90, 2000]))
            known = cutoff_at(max(received.date(), finished.date()))
            book.message(
                case_no, "finish", finished, {"outcome": "granted"}, received_at=received, known_at=known, **mine
            )
        night = min(opened.date() + timedelta(days=3), date(2026, 11, 21))
        level = chance.choice(["red", "yellow", "reminder", None])
        if level:
            book.event(case_no, level, business_on=night, **mine)
            if chance.random() < 0.3:
                late = {"event": "withdrawn", "nature": "push_delay", "responsible_hop": f"{source}->province"}
                book.event(case_no, level, business_on=NIGHT, **late, **mine)
    for source, department in SOURCES.items():
        hop = {
            "source": source,
            "hop": f"{source}->province",
            "kind": "finish",
            "business_on": NIGHT,
            "department": department,
        }
        book.put("link_lag", message_count=1, late_count=0, negative_count=0, **hop)


def tables(path: Path) -> dict[str, list[dict[str, str]]]:
    """Every table of the HTML bulletin by its title, each row by column."""

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: dict[str, list[list[str]]] = {}
            self.title, self.tag = "", ""

        def handle_starttag(self, tag: str, attrs: Any) -> None:
            self.tag = tag
            if tag == "h3":
                self.title = ""
            elif tag == "tr":
                self.found.setdefault(self.title, []).append([])
            elif tag in ("td", "th"):
                self.found[self.title][-1].append("")

        def handle_endtag(self, tag: str) -> None:
            self.tag = ""

        def handle_data(self, data: str) -> None:
            if self.tag == "h3":
                self.title += data
            elif self.tag in ("td", "th"):
                self.found[self.title][-1][-1] += data

    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return {title: [dict(zip(rows[0], row)) for row in rows[1:]] for title, rows in reader.found.items()}


def test_every_total_is_what_plain_sql_counts(book: Ledger, tmp_path: Path) -> None:
    world(book)
    issued = bulletin.compile_week(book.engine, WEEK, UNTIL, tmp_path, TITLES, LINKS)
    shown = tables(issued["html"])
    cases = {row["指标"]: row for row in shown["办件情况"]}
    cards = {row["级别"]: row for row in shown["发牌情况"]}
    for column, monday in (("本周", date(2026, 11, 16)), ("上周", date(2026, 11, 9))):
        counted = {
            kind: book.one(
                "select count(*) from message where kind = :kind and known_at <= :until and "
                "(occurred_at at time zone 'Asia/Shanghai')::date between :monday and cast(:monday as date) + 6",
                kind=kind,
                until=UNTIL,
                monday=monday,
            )
            for kind in ("accept", "finish")
        }
        assert cases["受理（件）"][column] == str(counted["accept"])
        assert cases["办结（件）"][column] == str(counted["finish"])
        rate = (Decimal(counted["finish"]) * 100 / counted["accept"]).quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert cases["办结率"][column] == f"{rate}%"
    promised, statutory = book.all(
        "select sum((a.payload->>'promised_limit')::int), sum((a.payload->>'statutory_limit')::int) "
        "from message a join message f using (case_no) where a.kind = 'accept' and f.kind = 'finish' "
        "and a.payload->>'limit_unit' = 'working_day' and f.known_at <= :until "
        "and (f.occurred_at at time zone 'Asia/Shanghai')::date between '2026-11-16' and '2026-11-22'",
        until=UNTIL,
    )[0]
    saved = (Decimal(statutory - promised) * 100 / statutory).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert cases["承诺提速率"]["本周"] == f"{saved}%"
    for level, name in (("red", "红牌"), ("yellow", "黄牌"), ("reminder", "预警")):
        issued_cards = book.one(
            "select count(*) from card_event where event = 'issued' and level = :level "
            "and business_on between '2026-11-16' and '2026-11-22'",
            level=level,
        )
        withdrawn = book.one(
            "select count(*) from card_event i join card_event w using (case_no, level) where i.event = 'issued' "
            "and w.event = 'withdrawn' and level = :level and i.business_on between '2026-11-16' and '2026-11-22'",
            level=level,
        )
        assert cards[name]["合计"] == str(issued_cards)
        assert cards[name]["撤回"] == str(withdrawn)
        assert cards[name]["在册"] == str(issued_cards - withdrawn)
        assert sum(int(row[name]) for row in shown["各部门红黄牌"][:-1]) == issued_cards - withdrawn
        reassigned = book.one("select count(*) from card_event where event = 'withdrawn' and level = :l", l=level)
        assert sum(int(row[name]) for row in shown["因推送延时撤回的牌"]) == reassigned
    listed = book.one(
        "select count(*) from card_event where event = 'issued' and level <> 'reminder' "
        "and business_on between '2026-11-16' and '2026-11-22'"
    )
    assert len(shown["红黄牌明细"]) == listed
    link = {row["环节"]: row for row in shown["各环节时延"]}["区市监局 → 省平台"]
    assert (link["应到"], link["迟报"], link["按时率"], link["P95"]) == ("9", "3", "66.67%", "1.50 小时")


def test_both_files_say_the_same_and_carry_the_footer(book: Ledger, tmp_path: Path) -> None:
    world(book)
    issued = bulletin.compile_week(book.engine, WEEK, UNTIL, tmp_path, TITLES)
    assert issued["head_hash"] == book.hash
    page, paper = issued["html"].read_text(encoding="utf-8"), docx.Document(str(issued["docx"]))
    lines = [paragraph.text for paragraph in paper.paragraphs]
    for heading in ("一、总体情况", "二、红黄牌情况", "三、红黄牌明细", "四、数据推送情况"):
        assert heading in lines
        assert heading in page
    for fact in (book.hash, "2026-11-23 01:00", "hunan@2018", "cn@2025-11-04"):
        assert fact in page
        assert any(fact in line for line in lines)
    on_page = [[list(row.values()) for row in rows] for rows in tables(issued["html"]).values() if rows]
    on_paper = [[[cell.text for cell in row.cells] for row in table.rows][1:] for table in paper.tables]
    assert on_paper == on_page
    assert not re.search(r"{[{%]|[%}]}", " ".join(lines)), "no template mark is left"


def test_the_page_needs_nothing_from_elsewhere(book: Ledger, tmp_path: Path) -> None:
    world(book)
    page = bulletin.compile_week(book.engine, WEEK, UNTIL, tmp_path)["html"].read_text(encoding="utf-8")
    assert not re.search(r"<(link|script|img|iframe)|\bsrc=|url\(|https?:|@import", page)
    assert "<svg" in page
    assert "@media print" in page


def test_an_issued_week_never_changes(book: Ledger, tmp_path: Path) -> None:
    world(book)
    first = bulletin.compile_week(book.engine, WEEK, UNTIL, tmp_path)
    before = {kind: first[kind].read_bytes() for kind in ("html", "docx")}
    book.event("C-late", "red", business_on=NIGHT)
    again = bulletin.compile_week(book.engine, WEEK, UNTIL + timedelta(days=3), tmp_path)
    assert again == first
    assert {kind: again[kind].read_bytes() for kind in before} == before
    assert book.one("select count(*) from bulletin") == 1
    assert book.all("select html_sha256, docx_sha256 from bulletin") == [
        tuple(hashlib.sha256(before[kind]).hexdigest() for kind in ("html", "docx"))
    ]


def test_lost_or_altered_files_are_made_again_to_the_byte(book: Ledger, tmp_path: Path) -> None:
    world(book)
    first = bulletin.compile_week(book.engine, WEEK, UNTIL, tmp_path)
    before = {kind: first[kind].read_bytes() for kind in ("html", "docx")}
    first["html"].unlink()
    first["docx"].write_bytes(b"altered")
    again = bulletin.compile_week(book.engine, WEEK, UNTIL, tmp_path)
    assert {kind: again[kind].read_bytes() for kind in before} == before


def test_files_that_cannot_be_made_again_are_not_replaced_by_others(
    book: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulletin.compile_week(book.engine, WEEK, UNTIL, tmp_path)["html"].unlink()
    monkeypatch.setattr(bulletin.page, "bulletin", lambda model: b"another look")
    with pytest.raises(EvidenceBroken, match="cannot be made again"):
        bulletin.compile_week(book.engine, WEEK, UNTIL, tmp_path)


def test_two_compilers_at_once_issue_one_bulletin(book: Ledger, tmp_path: Path) -> None:
    world(book)
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(bulletin.compile_week, book.engine, WEEK, UNTIL, tmp_path / str(job)) for job in range(2)]
        contents = [job.result()["docx"].read_bytes() for job in jobs]
    assert contents[0] == contents[1]
    assert book.one("select count(*) from bulletin") == 1


def test_an_empty_ledger_gives_a_bulletin_of_dashes_and_a_head_of_zeros(book: Ledger, tmp_path: Path) -> None:
    issued = bulletin.compile_week(book.engine, WEEK, UNTIL, tmp_path)
    assert issued["head_hash"] == "0" * 64
    assert "办结率 –" in issued["html"].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "week",
    [
        *("2026-W60", "0000-W01", "9999-W52", "2026-47", "2026-W7", "2026-W047", "2026-W 4_7", "２０２６-W47"),
        "2026-W47\n",
    ],
)
def test_a_week_has_one_name_and_no_other_is_taken(week: str) -> None:
    with pytest.raises(UsageError, match="is not an ISO week"):
        week_days(week)


def test_hostile_names_stay_text_on_the_page_and_on_paper(book: Ledger, tmp_path: Path) -> None:
    name = '<img src=x onerror="1"> & {{ 7 * 7 }}'
    book.event("C1", "red", item_name=name, department=name)
    issued = bulletin.compile_week(book.engine, WEEK, UNTIL, tmp_path)
    assert "<img" not in issued["html"].read_text(encoding="utf-8")
    assert tables(issued["html"])["红黄牌明细"][0]["事项名称"] == name
    assert any(cell.text == name for table in docx.Document(str(issued["docx"])).tables for cell in table._cells)


def test_the_shipped_template_is_what_its_script_makes() -> None:
    assert document.TEMPLATE.read_bytes() == document_template.build()
