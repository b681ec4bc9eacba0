"""Formulas, markup, header breaks and template marks in every text field of a message, from feed to what people open.

The source is made from the contract itself – one stream a message kind, one column a field – so a new field is under
test the day it is added. What comes out is opened by the programs' own parsers.
"""

from __future__ import annotations

import email
import email.policy
import io
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pyarrow as pa
import pytest
from lxml import etree, html
from playwright.sync_api import sync_playwright
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine
from werkzeug import Request, Response

from etl.domain.message import CODES, KINDS, OUTCOMES, PAYLOAD, REPEATING, SCHEMA
from etl.publish.document import TEMPLATE
from etl.settings import settings
from etl.sources.contract import Source
from etl.sources.dialect import ONCE, Columns, to
from etl.sources.kinds import Rest
from etl.sources.values import Reader, code, listing, number, text, time, whole
from tests.cli.command import jiancha
from tests.runs.test_a_night import night, rows
from tests.runs.world import at

CHROMIUM = Path("/usr/bin/chromium")
FIRST, SECOND = date(2026, 11, 18), date(2026, 11, 19)
GAP = "¦"
HOSTILE = {
    "formula": "=cmd|'/c calc'!A0",
    "plus": "+1+cmd|'/c calc'!A0",
    "minus": "-2+3+cmd|'/c calc'!A0",
    "at": "@SUM(1+1)*cmd|'/c calc'!A0",
    "tab": "\t=1+1",
    "return": "\r=1+1",
    "link": '=HYPERLINK("http://evil.example","x")',
    "address": "http://evil.example/x",
    "script": "<script>document.title='owned'</script>",
    "image": "<img src=x onerror=\"document.title='owned'\">",
    "break out": "\"'></td></table><a href=//evil>x</a><!--",
    "style": "</style><style>*{display:none}</style>",
    "header": "x\r\nBcc: all@evil.example\r\n\r\n<b>body</b>",
    "template": "{{ 7*191 }}{% for x in y %}{{ x.__class__ }}{# #}",
    "document": "</w:t><w:instrText>DDEAUTO c:x</w:instrText>]]>",
    "direction": "abc\u202etxt.exe\u2066\u200b\ufeff\uffff\u2028x",
    "dot": "x\n.\nQUIT",
}
CODED = {"source", "kind", "department", "region"} | CODES.keys()
"""Text that a source cannot choose: its own declaration says it, or a closed list of codes."""
TEXTS = {
    f.name for f in SCHEMA if pa.types.is_string(f.type) or (pa.types.is_list(f.type) and f.name not in CODED)
} - CODED


@dataclass
class Contract:
    """A platform whose columns are the contract's own fields."""

    rows: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def answer(self, request: Request) -> Response:
        since, until = (
            datetime.fromisoformat(request.args.get(n, "2000-01-01T00:00+08:00")) for n in ("since", "until")
        )
        kind = request.path.rpartition("/")[2]
        found = [row for row in self.rows[kind] if since < datetime.fromisoformat(row["received_at"]) <= until]
        return Response(json.dumps({"total": len(found), "rows": found, "next": None, "data_until": until.isoformat()}))

    def tell(self, kind: str, case_no: str, said: str, when: datetime, **fields: Any) -> None:
        own = {name: _value(kind, name, said, when) for name in PAYLOAD[kind]}
        moment = when.isoformat()
        shared = {"case_no": case_no, "seq": 1, "version": 1, "item_code": said, "item_name": said}
        times = {"occurred_at": moment, "written_at": moment, "received_at": (when + timedelta(minutes=1)).isoformat()}
        self.rows[kind].append(shared | times | own | fields)


def _value(kind: str, name: str, said: str, when: datetime) -> Any:
    type_ = SCHEMA.field(name).type
    if known := _codes(kind, name):
        return sorted(known)[0]
    if pa.types.is_timestamp(type_):
        return when.isoformat()
    if pa.types.is_list(type_):
        return said + GAP + said
    return {pa.string(): said, pa.float64(): 1, pa.bool_(): True}[type_]


def _codes(kind: str, name: str) -> frozenset[str] | None:
    return OUTCOMES.get(kind) if name == "outcome" else CODES.get(name)


def _reader(kind: str, name: str) -> Reader:
    type_ = SCHEMA.field(name).type
    if known := _codes(kind, name):
        return code(name, {value: value for value in known})
    if pa.types.is_timestamp(type_):
        return time(name)
    if pa.types.is_list(type_):
        return listing(name, GAP)
    return {pa.string(): text(name), pa.float64(): number(name), pa.bool_(): code(name, {"true": True})}[type_]


@pytest.fixture
def contract(
    ready: Engine, httpserver: HTTPServer, altered: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> Contract:
    served = Contract()
    httpserver.expect_request(re.compile("^/scjg/")).respond_with_handler(served.answer)
    monkeypatch.setenv("JIANCHA_CONNECTION_SCJG", httpserver.url_for("/scjg"))
    streams = {
        kind: [
            to(
                kind,
                time("occurred_at"),
                {name: _reader(kind, name) for name in PAYLOAD[kind]},
                seq=whole("seq") if kind in REPEATING else ONCE,
            )
        ]
        for kind in KINDS
    }
    dialect = Columns(
        "case_no",
        whole("version", 1),
        time("written_at"),
        time("received_at"),
        text("item_code"),
        text("item_name"),
        streams,
    )
    altered("scjg", kind=Rest(tuple(KINDS)), dialect=dialect, encoding="utf-8")
    return served


def tell_everything(contract: Contract) -> None:
    """Per hostile text a case with a message of every kind, overdue, red and yellow, by the second night."""
    for number_, (_, said) in enumerate(HOSTILE.items()):
        case_no = (
            "".join(letter for letter in said if letter.isprintable() and not letter.isspace())[:40] + f"#{number_}"
        )
        began = at("2026-11-05 09:00") + timedelta(minutes=number_)
        days = {"promised_limit": 2, "statutory_limit": 9, "promised_due_at": None, "limit_unit": "working_day"}
        limits = days | {"outcome": "passed", "case_type": "promised"}
        for kind in KINDS:
            if kind == "finish":
                continue
            contract.tell(kind, case_no, said, began, **(limits if kind == "accept" else {}))
        contract.tell("finish", f"done{number_}{case_no}", said, began)
        for row in (row for told in contract.rows.values() for row in told):
            row["received_at"] = "2026-11-19T10:00:00+08:00"
            row["special_kind"] = "publicity"


@pytest.mark.usefixtures("expectations")
def test_hostile_text_in_every_field_stays_text_in_everything_people_open(
    contract: Contract, ready: Engine, addressed: None, subtests: pytest.Subtests
) -> None:
    assert night(FIRST).code == 0
    tell_everything(contract)
    ended = night(SECOND)
    assert ended.code == 0, rows(ready, "select stream, reason, detail from quarantine limit 30")
    assert ended.only["incomplete"] == {}
    assert_every_text_field_is_hostile(ready)
    (red,) = rows(ready, "select count(distinct case_no) from card_event where level = 'red' and not is_baseline")
    assert red == (len(HOSTILE),)
    mails = {path: email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in _mails()}
    assert {mail["Subject"][:3] for mail in mails.values()} >= {"【红牌", "【今日"}
    shown = ""
    for path, mail in mails.items():
        assert_inert_mail(path.read_bytes(), mail)
        shown += mail.get_body(("html",)).get_content()
        for attachment in mail.iter_attachments():
            shown += assert_inert_workbook(attachment.get_content())
    assert night(date(2026, 11, 22)).code == 0
    week = jiancha("week", "--week", "2026-W47").only
    page = Path(week["html"]).read_bytes()
    assert_inert_page(page)
    assert_inert_document(Path(week["docx"]).read_bytes())
    for name, said in HOSTILE.items():
        if said.isprintable():
            assert said in shown, f"{name}: not shown, so nothing was shown of it"
    with subtests.test("in a browser"):
        if not CHROMIUM.exists():
            pytest.skip(f"{CHROMIUM} is missing; as root, .ci/debian-packages installs it")
        assert_inert_in_a_browser([page, *(mail.get_body(("html",)).get_content().encode() for mail in mails.values())])


def _mails() -> list[Path]:
    return sorted((settings().var_dir / "mail").rglob("*.eml"))


def assert_every_text_field_is_hostile(engine: Engine) -> None:
    found: set[str] = set()
    for case_no, *subject, payload in rows(engine, "select case_no, item_code, item_name, payload from message"):
        said = {"case_no": case_no, **dict(zip(("item_code", "item_name"), subject, strict=True)), **payload}
        found |= {name for name, value in said.items() if "=cmd" in str(value) or "=***" in str(value)}
    assert found == TEXTS, "a text field that no feed of this test reaches, or that only codes may fill"


def assert_inert_mail(raw: bytes, mail: EmailMessage) -> None:
    assert set(mail.keys()) == {
        *("Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted", "MIME-Version"),
        "Content-Type",
    }
    assert [part.get_content_type() for part in mail.walk() if not part.is_multipart()][:2] == [
        "text/plain",
        "text/html",
    ]
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert all(value.isprintable() for value in mail.values())
    for line in mail.get_body(("plain",)).get_content().splitlines():
        assert not line.startswith(("Bcc:", "<b>", ".", "QUIT"))
        assert line.replace("\u3000", " ").isprintable(), "no line break or direction mark comes through"
    assert_inert_page(mail.get_body(("html",)).get_content().encode())


def assert_inert_page(page: bytes) -> None:
    tree = html.fromstring(page)
    tags = {str(element.tag) for element in tree.iter() if isinstance(element.tag, str)}
    assert not tags & {"script", "img", "a", "iframe", "object", "embed", "link", "form", "base", "video", "audio"}
    assert len(tree.findall(".//style")) <= 1
    assert not [element for element in tree.iter() if not isinstance(element.tag, str)], (
        "no comment swallows what follows"
    )
    names = {name for element in tree.iter() for name in element.attrib}
    assert not [
        name for name in names if name.startswith("on") or name in ("href", "src", "srcset", "action", "background")
    ]
    assert "台账链首" in tree.text_content(), "nothing has swallowed the foot"
    assert "1337" not in tree.text_content(), "no template mark is worked out"


def assert_inert_workbook(content: bytes) -> str:
    """-> everything its cells say."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not [name for name in archive.namelist() if "external" in name.lower() or "vba" in name.lower()]
        for name in archive.namelist():
            tags = {etree.QName(element).localname for element in etree.fromstring(archive.read(name)).iter()}
            assert not tags & {"f", "hyperlink", "oleObject", "ddeLink"}
    cells = [cell for sheet in openpyxl.load_workbook(io.BytesIO(content)) for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert all(cell.hyperlink is None for cell in cells)
    return "\n".join(str(cell.value) for cell in cells)


def assert_inert_document(content: bytes) -> None:
    text = "\n".join(
        cell.text for table in docx.Document(io.BytesIO(content)).tables for row in table.rows for cell in row.cells
    )
    assert "=cmd|'/c calc'!A0" in text
    assert "<script>" in text
    assert "1337" not in text
    made, template = (zipfile.ZipFile(source) for source in (io.BytesIO(content), TEMPLATE))
    with made, template:
        assert made.namelist() == template.namelist()
        for name in made.namelist():
            if name.endswith(".rels"):
                assert made.read(name) == template.read(name)
        tags = {etree.QName(element).localname for element in etree.fromstring(made.read("word/document.xml")).iter()}
    assert not tags & {"instrText", "fldChar", "fldSimple", "hyperlink", "object", "pict", "altChunk"}


def assert_inert_in_a_browser(pages: list[bytes]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        for content in pages:
            tab, asked, dialogs = browser.new_page(), list[str](), list[str]()
            tab.on("request", lambda request, asked=asked: asked.append(request.url))
            tab.on("dialog", lambda dialog, dialogs=dialogs: dialogs.append(dialog.message))
            tab.set_content(content.decode())
            assert (asked, dialogs) == ([], [])
            assert "owned" not in tab.title()
            assert tab.locator("h1").first.is_visible()
        browser.close()
