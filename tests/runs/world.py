"""Tiny feeds for real nights: a platform that answers over HTTP, an exchange database, a drop folder.

Each speaks its registered source's own columns. What a test does not say is an ordinary record of an ordinary case.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
from pytest_httpserver import HTTPServer
from sqlalchemy import Column, DateTime, Engine, MetaData, Table, Text, create_engine, insert
from werkzeug import Request, Response

from etl.domain.night import cutoff_at
from etl.sources.departments.zrzy import FILES
from etl.sources.sets import exchange, national

SHANGHAI = ZoneInfo("Asia/Shanghai")
ITEM = "513A0102900001-511602000000-000-11511301MB051073XA-1-00"


def at(text: str) -> datetime:
    """``2026-11-16 09:00`` in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def compact(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M%S}"


@dataclass
class Platform:
    """The provincial platform's scjg interface: rows by stream, keyset pages in GBK without saying so.

    `page_rows` cuts pages shorter than asked; `broken` answers instead for a stream; `is_down` answers nothing useful.
    """

    rows: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    page_rows: int = 500
    data_until: datetime | None = None
    broken: dict[str, Response] = field(default_factory=dict)
    is_repeating: bool = False
    content_type: str = "application/json"
    asked: list[dict[str, str]] = field(default_factory=list)

    def serve(self, server: HTTPServer) -> str:
        for stream in national.STREAMS:
            server.expect_request(f"/scjg/{stream}").respond_with_handler(self.answer)
        return server.url_for("/scjg")

    def answer(self, request: Request) -> Response:
        stream, query = request.path.rpartition("/")[2], request.args
        self.asked.append({"stream": stream, **query})
        if stream in self.broken:
            return self.broken[stream]
        until, since = datetime.fromisoformat(query["until"]), query.get("since")
        window = [
            (number, row)
            for number, row in enumerate(self.rows[stream])
            if (received := datetime.fromisoformat(row["receive_time"])) <= until
            and (since is None or received > datetime.fromisoformat(since))
        ]
        after = -1 if self.is_repeating else int(query.get("after", -1))
        rest = [(number, row) for number, row in window if number > after]
        page = rest[: self.page_rows]
        following = str(page[-1][0]) if len(rest) > len(page) else None
        vouched = self.data_until or until
        body = {
            "total": len(window),
            "rows": [row for _, row in page],
            "next": following,
            "data_until": vouched.isoformat(),
        }
        return Response(self.encode(body), content_type=self.content_type)

    @staticmethod
    def encode(body: object) -> bytes:
        text = json.dumps(body, ensure_ascii=False)
        # A lone surrogate has no bytes: a careless sender writes it, like NUL, as an escape.
        return "".join(f"\\u{ord(sign):04x}" if "\ud800" <= sign <= "\udfff" else sign for sign in text).encode("gbk")

    def accept(self, case_no: object, when: str, promised: object = 7, statutory: object = 10, **more: Any) -> None:
        self.add("accept", case_no, when, "accept_date", promise_limit=promised, law_limit=statutory, **more)

    def finish(self, case_no: object, when: str, **more: Any) -> None:
        self.add("result", case_no, when, "result_date", **more)

    def add(self, stream: str, case_no: object, when: str, column: str, **more: Any) -> None:
        """One row; it was written a minute and received two minutes after it happened, unless told otherwise."""
        moment = at(when)
        own = dict.fromkeys(_NATIONAL[stream]) | _NATIONAL[stream]
        row = {
            "project_no": case_no, "data_version": 1, "task_code": ITEM, "task_name": "食品小经营店备案",
            "cd_operation": "I", "cd_time": compact(moment + timedelta(minutes=1)),
            "receive_time": (moment + timedelta(minutes=2)).isoformat(),
        } | own | {column: compact(moment)}  # fmt: skip
        self.rows[stream].append(row | more)


_NATIONAL: dict[str, dict[str, Any]] = {
    "accept": {
        "accept_result": "1", "reason": None, "promise_limit": 7, "law_limit": 10, "limit_unit": "G",
        "project_type": "2", "apply_type": "1", "cert_required": "0", "is_joint": "0", "flow": None,
    },
    "process": {
        "process_no": 1, "process_name": "审核", "event_start_time": "20261102090000", "handler": "甲", "opinion": "1",
        "limit_days": None,
    },
    "result": {
        "result_type": "0", "reason": None, "fee": 0, "fee_basis": None, "cert_no": None, "cert_date": None,
    },
}  # fmt: skip


@dataclass
class Exchange:
    """rsj's exchange database: text columns and one timestamp, as such databases are."""

    engine: Engine
    tables: dict[str, Table]

    @classmethod
    def at(cls, url: str) -> Exchange:
        engine, meta = create_engine(url), MetaData()
        tables = {
            stream: Table(
                spec.table,
                meta,
                *(Column(name, DateTime() if name == spec.inserted_at else Text()) for name in spec.read),
            )
            for stream, spec in exchange.TABLES.tables.items()
        }
        meta.create_all(engine)
        return cls(engine, tables)

    def accept(self, case_no: str, when: str, promised: float = 7, statutory: float = 10, **more: Any) -> None:
        own = {
            "slsj": f"{when}:00", "sljg": "1", "cnsx": str(promised), "gdblsx": str(statutory), "gdblsxdw": "G",
            "bjlx": "2", "sqfs": "1", "zzsf": "0", "lbsf": "0",
        }  # fmt: skip
        self.add("accept", case_no, when, own | more)

    def finish(self, case_no: str, when: str, **more: Any) -> None:
        self.add("finish", case_no, when, {"bjsj": f"{when}:00", "bjjgdm": "0", "sfje": "0"} | more)

    def add(self, stream: str, case_no: str, when: str, own: Mapping[str, Any]) -> None:
        moment = datetime.fromisoformat(when)
        row = {
            "sblsh": case_no, "sjbbh": "1", "sxbm": ITEM, "sxmc": "社会保险登记",
            "xtsj": f"{moment + timedelta(minutes=1)}", "rksj": moment + timedelta(minutes=2),
        } | dict(own)  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(insert(self.tables[stream]), row)


@dataclass
class Drop:
    """zrzy's drop folder; a business day has all its files, with their headings at least."""

    folder: Path
    kept: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def accept(self, case_no: str, when: str, promised: float = 7, statutory: float = 10, **more: Any) -> None:
        own = {
            "申请人": "王小明", "申请人类型": "自然人", "申请方式": "窗口", "申请时间": f"{when}:00",
            "受理时间": f"{when}:00", "受理结果": "受理", "承诺时限": promised, "法定时限": statutory,
            "时限单位": "工作日", "办件类型": "承诺件", "需发证照": "否", "联合办理": "否",
        }  # fmt: skip
        self.add("受理", case_no, when, own | more)

    def finish(self, case_no: str, when: str, **more: Any) -> None:
        self.add("办结", case_no, when, {"办结时间": f"{when}:00", "办结结果": "准予", "收费金额": "0"} | more)

    def add(self, family: str, case_no: str, when: str, own: Mapping[str, Any]) -> None:
        moment = datetime.fromisoformat(when)
        shared = {
            "办件编号": case_no, "版本": "1", "事项编码": ITEM, "事项名称": "不动产登记",
            "写入时间": f"{moment + timedelta(minutes=1)}", "接收时间": f"{moment + timedelta(minutes=2)}",
        }  # fmt: skip
        self.kept[family].append(shared | dict(own))

    def close(
        self, day: date, *families: str, header: Mapping[str, str] | None = None, before_cutoff: float = 60
    ) -> None:
        """Write the day's files (all, or these families) with what was added since the last close.

        Args:
            header: headings of 受理 to rename.
            before_cutoff: when they come, in minutes before the night's cut-off.
        """
        for family in families or FILES:
            pattern, rows, columns = FILES[family][0], self.kept.pop(family, []), _zrzy_columns(family)
            shown = [(header or {}).get(name, name) if family == "受理" else name for name in columns]
            table = [shown, *([row.get(name) for name in columns] for row in rows)]
            content = _workbook(table) if pattern.endswith(".xlsx") else _csv(table)
            self.write(
                pattern.replace("{date}", f"{day:%Y%m%d}"), content, cutoff_at(day) - timedelta(minutes=before_cutoff)
            )

    def write(self, name: str, content: bytes, modified_at: datetime) -> None:
        path = self.folder / name
        path.write_bytes(content)
        os.utime(path, (modified_at.timestamp(),) * 2)


def _zrzy_columns(family: str) -> tuple[str, ...]:
    from etl.sources.departments.zrzy import SOURCE

    header: tuple[str, ...] = SOURCE.kind.streams[family].header  # type: ignore[attr-defined]
    return header


def _csv(table: list[list[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(table)
    return out.getvalue().encode("gb18030")


def _workbook(table: list[list[Any]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in table:
        book.active.append(row)
    book.save(out)
    return out.getvalue()
