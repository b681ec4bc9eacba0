"""Two made-up offices and everything that can go wrong with what they send; knows nothing of the code under test.

Every case is promised for one working day. Nearly all are decided in time but only just, so that a feed that loses a
night's decisions makes them look late; a few really are late, and `Office.overdue` says which.
"""

from __future__ import annotations

import csv
import io
import json
import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

import openpyxl

from tests.oracle.calendar import Calendar

ZONE = timezone(timedelta(hours=8))
DAY = timedelta(days=1)
ITEM = "513A0102900001-511602000000-000-11511301MB051073XA-1-00"
STREAMS = ("apply", "accept", "process", "special", "special_result", "material", "material_receipt", "result")
HEAD, TAIL = ("办件编号", "版本", "事项编码", "事项名称"), ("写入时间", "接收时间")
FILES = {
    "受理": (
        "csv",
        "申请人 申请人类型 申请方式 申请时间 受理时间 受理结果 不予受理原因 承诺时限 法定时限 时限单位 办件类型 "
        "需发证照 联合办理 环节计划",
    ),
    "过程": ("csv", "序号 环节 开始时间 结束时间 环节时限 办理人 意见"),
    "特别程序": ("csv", "序号 记录 时间 种类 批准天数 批准人 事由 结论"),
    "补正": ("csv", "序号 记录 时间 补正材料"),
    "办结": ("xlsx", "办结时间 办结结果 原因 收费金额 收费依据 证照编号 发证时间"),
}

ABSENT = ("cached", "stopped", "silent", "thin", "undecided", "thinly_decided")
"""An interface answers and vouches for everything, and what it says is not there."""
OPEN = ("cut", "refused", "garbage", "behind")
"""An interface fails for all to see, or contradicts itself."""
FILE_ABSENT = ("copied", "decisions_copied", "headers_only", "undecided", "thin")
FILE_OPEN = ("missing", "after_the_cutoff", "other_header")
UNPULLED = "unpulled"


@dataclass(frozen=True)
class Volume:
    """How much an office receives: a mean, its noise from day to day, and the share of it on a rest day."""

    mean: float
    noise: float
    rest_share: float


@dataclass(frozen=True)
class Row:
    """One record as it was told: `is_decision` or an acceptance."""

    case_no: str
    is_decision: bool
    at: datetime

    @property
    def received(self) -> datetime:
        return self.at + timedelta(minutes=2)


def business_day(received: datetime) -> date:
    """The day whose night brings what was received then; a day's night closes at one o'clock of the next."""
    return (received - timedelta(hours=1, microseconds=1)).date()


def closes(day: date) -> datetime:
    return datetime.combine(day + DAY, time(1), ZONE)


class Office:
    """What one office did on every day of a span, and in which cases it was too slow."""

    def __init__(self, rng: Random, name: str, volume: Volume, first: date, last: date, late_share: float) -> None:
        calendar, self.overdue, self.rows = Calendar(), set[str](), list[Row]()
        days = [first + number * DAY for number in range((last - first).days + 15)]
        working = [day for day in days if calendar.works(day)]
        for day in days:
            if day > last:
                break
            mean = (
                volume.mean * (1.0 if calendar.works(day) else volume.rest_share) * rng.lognormvariate(0, volume.noise)
            )
            for number in range(_poisson(rng, mean)):
                case = f"{name}{day:%Y%m%d}{number:04}"
                minute = rng.randrange(0, 150) if rng.random() < 0.5 else rng.randrange(270, 420)
                accepted = datetime.combine(day, time(9, 30), ZONE) + timedelta(minutes=minute)
                following = next(other for other in working if other > day)
                if is_late := rng.random() < late_share:
                    following = working[working.index(following) + 2]
                decided = datetime.combine(following, accepted.timetz()) - timedelta(minutes=rng.randrange(5, 25))
                self.rows += [Row(case, False, accepted), Row(case, True, decided)]
                if is_late:
                    self.overdue.add(case)
        self.rows.sort(key=lambda row: row.received)
        self.is_working = calendar.works

    def of(self, day: date) -> list[Row]:
        return [row for row in self.rows if business_day(row.received) == day]


def _poisson(rng: Random, mean: float) -> int:
    count, left = 0, rng.expovariate(1)
    while left < mean:
        count, left = count + 1, left + rng.expovariate(1)
    return count


@dataclass
class Interface:
    """Offices behind one platform's query interface, by path; `wrong` is what ails each of them tonight."""

    offices: Mapping[str, Office]
    wrong: dict[str, str] = field(default_factory=dict)
    share: float = 0.0
    since: date = date.min
    """The first day of what is wrong."""
    kept: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)

    def answer(self, name: str, stream: str, query: Mapping[str, str]) -> tuple[int, bytes]:
        wrong, office = self.wrong.get(name, ""), self.offices[name]
        if wrong == "refused":
            return 403, b"{}"
        if wrong == "garbage" and stream == "result":
            return 200, b"<html><body>maintenance</body></html>"
        until = datetime.fromisoformat(query["until"])
        since = datetime.fromisoformat(query["since"]) if "since" in query else datetime(2000, 1, 1, tzinfo=ZONE)
        vouched = until - timedelta(hours=9) if wrong == "behind" else until
        found = [
            _told(number, row)
            for number, row in enumerate(office.rows)
            if stream == ("result" if row.is_decision else "accept")
            and since < row.received <= vouched
            and self._is_there(wrong, office, row)
        ]
        if wrong == "cached":
            found = self.kept.get((name, stream), [])
        elif not wrong:
            self.kept[name, stream] = found
        rest = [row for row in found if row["row_id"] > int(query.get("after", -1))]
        page = rest[: int(query.get("limit", 500))]
        following = str(page[-1]["row_id"]) if len(rest) > len(page) else None
        if wrong == "cut" and stream == "result":
            page = page[: len(page) - max(1, len(page) // 5)]
        body = {"total": len(found), "rows": page, "next": following, "data_until": vouched.isoformat()}
        return 200, json.dumps(body, ensure_ascii=False).encode("gbk")

    def _is_there(self, wrong: str, office: Office, row: Row) -> bool:
        day = business_day(row.received)
        if wrong == "silent":
            return False
        if day < self.since:
            return True
        if wrong == "stopped" or (wrong == "undecided" and row.is_decision):
            return False
        if wrong == "thin" or (wrong == "thinly_decided" and row.is_decision):
            alike = [other for other in office.of(day) if other.is_decision == row.is_decision]
            return alike.index(row) < int(self.share * len(alike))
        return True

    @contextmanager
    def served(self) -> Iterator[str]:
        """The address under which the offices are asked, for as long as the block runs."""
        interface = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                _, name, stream = address.path.split("/")
                query = {key: values[-1] for key, values in parse_qs(address.query).items()}
                code, content = interface.answer(name, stream, query)
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()


def _told(number: int, row: Row) -> dict[str, Any]:
    own: dict[str, Any] = (
        {"result_date": f"{row.at:%Y%m%d%H%M%S}", "result_type": "0", "reason": None, "fee": 0, "fee_basis": None,
         "cert_no": None, "cert_date": None}
        if row.is_decision
        else {"accept_date": f"{row.at:%Y%m%d%H%M%S}", "accept_result": "1", "reason": None, "promise_limit": 1,
              "law_limit": 9, "limit_unit": "G", "project_type": "2", "apply_type": "1", "cert_required": "0",
              "is_joint": "0", "flow": None}
    )  # fmt: skip
    return {
        "row_id": number, "project_no": row.case_no, "data_version": 1, "task_code": ITEM,
        "task_name": "食品小经营店备案",
        "cd_operation": "I", "cd_time": f"{row.at + timedelta(minutes=1):%Y%m%d%H%M%S}",
        "receive_time": row.received.isoformat(),
    } | own  # fmt: skip


@dataclass
class Folder:
    """An office that drops five files a day; a day that went wrong is delivered again once all is well."""

    office: Office
    path: Path
    share: float = 0.0
    owed: set[date] = field(default_factory=set)
    sent: defaultdict[str, bytes] = field(default_factory=lambda: defaultdict(bytes))
    """By kind of file what was last delivered of a day that was well."""

    def deliver(self, day: date, wrong: str = "") -> None:
        """Tonight's files; without anything wrong also those still owed."""
        if wrong == UNPULLED:  # nobody looks; the office does not know
            wrong = ""
        for due in [day] if wrong else sorted({*self.owed, day}):
            for kind in FILES:
                content = self._content(kind, due, wrong)
                if content is not None:
                    minutes = -35 if wrong == "after_the_cutoff" and kind == "办结" else 40
                    self._write(
                        f"{kind}_{due:%Y%m%d}.{FILES[kind][0]}", content, closes(day) - timedelta(minutes=minutes)
                    )
        self.owed = self.owed | {day} if wrong else set()

    def _content(self, kind: str, day: date, wrong: str) -> bytes | None:
        is_decision = kind == "办结"
        if wrong == "missing" and is_decision:
            return None
        if wrong == "copied" or (wrong == "decisions_copied" and is_decision):
            return self.sent[kind]
        rows = (
            [row for row in self.office.of(day) if row.is_decision == is_decision] if kind in ("受理", "办结") else []
        )
        if wrong == "headers_only" or (wrong == "undecided" and is_decision):
            rows = []
        if wrong == "thin":
            rows = rows[: int(self.share * len(rows))]
        content = _file(kind, rows, other_header=wrong == "other_header" and kind == "受理")
        if not wrong:
            self.sent[kind] = content
        return content

    def _write(self, name: str, content: bytes, modified: datetime) -> None:
        path = self.path / name
        path.write_bytes(content)
        os.utime(path, (modified.timestamp(),) * 2)


def _file(kind: str, rows: list[Row], *, other_header: bool) -> bytes:
    form, columns = FILES[kind]
    header = [*HEAD, *columns.split(), *TAIL]
    table: list[list[Any]] = [["编号" if other_header and name == "办件编号" else name for name in header]]
    for row in rows:
        at = f"{row.at:%Y-%m-%d %H:%M:%S}"
        own = {
            "办件编号": row.case_no, "版本": "1", "事项编码": ITEM, "事项名称": "不动产登记",
            "写入时间": f"{row.at + timedelta(minutes=1):%Y-%m-%d %H:%M:%S}",
            "接收时间": f"{row.received:%Y-%m-%d %H:%M:%S}",
            "申请人": "王小明", "申请人类型": "自然人", "申请方式": "窗口", "申请时间": at, "受理时间": at,
            "受理结果": "受理", "承诺时限": 1, "法定时限": 9, "时限单位": "工作日", "办件类型": "承诺件",
            "需发证照": "否", "联合办理": "否",
            "办结时间": at, "办结结果": "准予", "收费金额": "0",
        }  # fmt: skip
        table.append([own.get(name) for name in header])
    if form == "csv":
        text = io.StringIO()
        csv.writer(text).writerows(table)
        return text.getvalue().encode("gb18030")
    book, out = openpyxl.Workbook(), io.BytesIO()
    for line in table:
        book.active.append(line)
    book.save(out)
    return out.getvalue()
