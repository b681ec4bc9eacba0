"""An office that drops five files a day, and everything that can go wrong with them."""

from __future__ import annotations

import csv
import io
import os
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import openpyxl

from tests.faults.offices import DAY, ITEM, Row, Sick, closes

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
SPOILS: dict[str, dict[str, Any]] = {
    "unknown_code": {"办结结果": "准了"},
    "bad_time": {"办结时间": "2026-02-30 10:15:00"},
    "bad_bytes": {"申请人": "王@bytes@明"},
    "broken_quote": {"申请人": "@quote@王小明"},
    "extra_comma": {"申请人": "王小明@comma@李小明"},
    "formula_error": {"收费金额": "#N/A"},
    "typed_as_number": {"证照编号": 51162020261112100},
}
"""What is changed in a row to spoil it."""
MARKS = {b"@bytes@": b"\xff", b"@quote@": b'"', b"@comma@": b","}
"""What no writer of CSV would write, put in when the text is made bytes."""


@dataclass
class Folder(Sick):
    """A day that went wrong is delivered again once all is well."""

    path: Path = field(kw_only=True)
    _owed: set[date] = field(default_factory=set)
    _well: defaultdict[str, bytes] = field(default_factory=lambda: defaultdict(bytes))
    """By kind of file what was last delivered of a day that was well."""

    def turn(self, night: date, wrong: str) -> None:
        """Tonight's files; without anything wrong also those still owed."""
        super().turn(night, wrong)
        for day in sorted({*self._owed, night}) if not wrong else [night]:
            self._deliver(day, wrong)
        if wrong == "again":
            self._deliver(night - DAY, "")
        self._owed = self._owed | {night} if wrong else set()

    def _deliver(self, day: date, wrong: str) -> None:
        for kind, (form, _) in FILES.items():
            rows = [row for row in self.office.of(day) if row.is_decision == (kind == "办结")]
            rows = rows if kind in ("受理", "办结") else []
            content = self._content(kind, self._told(wrong, kind, rows), wrong)
            if wrong in ("copied", "decisions_copied") and (wrong == "copied" or kind == "办结"):
                content = self._well[kind]
            elif not wrong:
                self._well[kind] = content
            if wrong == "missing" and kind == "办结":
                continue
            path = self.path / f"{kind}_{day:%Y%m%d}.{form}"
            path.write_bytes(content)
            minutes = -35 if wrong == "after_the_cutoff" and kind == "办结" else 40
            os.utime(path, ((closes(self.night) - timedelta(minutes=minutes)).timestamp(),) * 2)

    def _told(self, wrong: str, kind: str, rows: list[Row]) -> list[dict[str, Any]]:
        """What is in the file, a row each."""
        if wrong == "headers_only" or (wrong == "undecided" and kind == "办结"):
            rows = []
        if wrong == "thin":
            rows = rows[: int(self.share * len(rows))]
        if wrong == "unordered":
            rows = Random(kind).sample(rows, len(rows))
        told = [_told(row) | (SPOILS[wrong] if row in self.spoilt else {}) for row in rows]
        if wrong == "footer" and kind == "办结":
            told.append({"事项名称": f"合计 {len(rows)} 件"})
        self.sent += len(told)
        return told

    def _content(self, kind: str, told: list[dict[str, Any]], wrong: str) -> bytes:
        form, columns = FILES[kind]
        header = [*HEAD, *columns.split(), *TAIL]
        is_renamed = wrong == "other_header" and kind == "受理"
        table = [["编号" if is_renamed and name == "办件编号" else name for name in header]]
        table += [[row.get(name) for name in header] for row in told]
        if form == "csv":
            text = io.StringIO()
            csv.writer(text, delimiter=";" if wrong == "other_delimiter" else ",").writerows(table)
            encoding = {"other_encoding": "utf-8", "with_bom": "utf-8-sig"}.get(wrong, "gb18030")
            content = text.getvalue().encode(encoding)
            for mark, what in MARKS.items():
                content = content.replace(mark, what)
            return content
        book, out = openpyxl.Workbook(), io.BytesIO()
        for line in table:
            book.active.append(line)
        book.save(out)
        content = out.getvalue()
        if wrong == "half_written":
            return content[: len(content) // 2]
        return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + content if wrong == "locked" else content


def _told(row: Row) -> dict[str, Any]:
    at = f"{row.at:%Y-%m-%d %H:%M:%S}"
    return {
        "办件编号": row.case_no, "版本": "1", "事项编码": ITEM, "事项名称": "不动产登记",
        "写入时间": f"{row.at + timedelta(minutes=1):%Y-%m-%d %H:%M:%S}",
        "接收时间": f"{row.received:%Y-%m-%d %H:%M:%S}",
        "申请人": "王小明", "申请人类型": "自然人", "申请方式": "窗口", "申请时间": at, "受理时间": at,
        "受理结果": "受理", "承诺时限": 1, "法定时限": 9, "时限单位": "工作日", "办件类型": "承诺件",
        "需发证照": "否", "联合办理": "否",
        "办结时间": at, "办结结果": "准予", "收费金额": "0",
    }  # fmt: skip
