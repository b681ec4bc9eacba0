"""zrzy's nightly files: one CSV (GB18030) per family of records and day, decisions as XLSX, dropped at 23:30.

Every family has a file every day, on quiet days with a header only, so that an absent file means something. A file's
modification time is the instant it was dropped.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import xlsxwriter

from city.deliver import NIGHTLY, Record
from city.hours import FIRST_DAY, LAST_DAY, ZONE, at

_HEAD = ("办件编号", "版本", "事项编码", "事项名称")
_TAIL = ("写入时间", "接收时间")
FAMILIES = {
    "受理": (
        *(*_HEAD, "申请人", "申请人类型", "申请方式", "申请时间", "受理时间", "受理结果", "不予受理原因"),
        *("承诺时限", "法定时限", "时限单位", "办件类型", "需发证照", "联合办理", "环节计划", *_TAIL),
    ),
    "过程": (*_HEAD, "序号", "环节", "开始时间", "结束时间", "环节时限", "办理人", "意见", *_TAIL),
    "特别程序": (*_HEAD, "序号", "记录", "时间", "种类", "批准天数", "批准人", "事由", "结论", *_TAIL),
    "补正": (*_HEAD, "序号", "记录", "时间", "补正材料", *_TAIL),
    "办结": (*_HEAD, "办结时间", "办结结果", "原因", "收费金额", "收费依据", "证照编号", "发证时间", *_TAIL),
}
AS_WORKBOOK = "办结"
_ACCEPTED = {"passed": "受理", "refused": "不予受理", "supplement": "补正"}
_FINISHED = {"granted": "准予", "refused": "不予", "returned": "退件", "voided": "作废", "withdrawn": "撤回"}
_SPECIAL = {
    **{"extension": "延长期限", "hearing": "听证", "inspection": "现场踏勘"},
    **{"expert_review": "专家评审", "publicity": "公示"},
}
_UNIT = {"working_day": "工作日", "natural_day": "自然日"}
Row = dict[str, Any]


def clock(instant: datetime | None) -> str | None:
    """Local wall time as the department's exporter prints it."""
    return instant.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S") if instant else None


def row(record: Record) -> tuple[str, Row] | None:
    """Record -> (family, row). An application travels in its acceptance's row."""
    if record.event.kind not in _FAMILY_OF:
        return None
    family, body = _FAMILY_OF[record.event.kind]
    return family, _head(record) | body(record)


def write(
    folder: Path, found: Iterable[tuple[str, Row]], families: Mapping[str, tuple[str, ...]] = FAMILIES
) -> Counter[str]:
    """One file per family and day, in whatever order rows come -> rows per family.

    A row may carry its own raw line under the key ``raw``. Lines are written as they come; a workbook's rows wait.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = Counter(dict.fromkeys(families, 0))
    days = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
    paths = {
        (family, day.isoformat()): folder / f"{family}_{day:%Y%m%d}.{'xlsx' if family == AS_WORKBOOK else 'csv'}"
        for family in families
        for day in days
    }
    booked: dict[Path, list[Row]] = {path: [] for (family, _), path in paths.items() if family == AS_WORKBOOK}
    with ExitStack() as open_files:
        files = {}
        for (family, _), path in paths.items():
            if path not in booked:
                files[path] = open_files.enter_context(path.open("w", encoding="gb18030", newline=""))
                _line(files[path], families[family])
        for family, fields in found:
            counts[family] += 1
            path = paths[family, fields["接收时间"][:10]]
            if path in booked:
                booked[path].append(fields)
            elif "raw" in fields:
                files[path].write(fields["raw"] + "\r\n")
            else:
                _line(files[path], [fields.get(column) for column in families[family]])
    for path, rows in booked.items():
        path.write_bytes(_workbook(families[AS_WORKBOOK], rows))
    for (_, day), path in paths.items():
        dropped = at(date.fromisoformat(day), NIGHTLY).timestamp()
        os.utime(path, (dropped, dropped))
    return counts


def _line(file: TextIO, cells: Iterable[object]) -> None:
    csv.writer(file, lineterminator="\r\n").writerow(cells)


def _workbook(columns: tuple[str, ...], found: list[Row]) -> bytes:
    """Every cell is text: case numbers and codes must not become numbers on the way."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        book.set_properties({"created": at(FIRST_DAY, "00:00").replace(tzinfo=None)})
        sheet = book.add_worksheet(AS_WORKBOOK)
        sheet.write_row(0, 0, columns)
        for number, row in enumerate(found, start=1):
            for index, column in enumerate(columns):
                if row.get(column) is not None:
                    sheet.write_string(number, index, str(row[column]))
    return buffer.getvalue()


def _head(record: Record) -> Row:
    event, item = record.event, record.event.case.item
    return {
        **{"办件编号": event.case.number, "版本": event.version, "事项编码": item.code, "事项名称": item.name},
        **{"写入时间": clock(record.written), "接收时间": clock(record.received)},
    }


def _accept(record: Record) -> Row:
    case, facts = record.event.case, record.event.facts
    instant = case.item.promised == 0
    return {
        "申请人": case.applicant,
        "申请人类型": "法人" if case.is_business else "自然人",
        "申请方式": "窗口" if case.channel == "window" else "网上",
        "申请时间": clock(facts["applied_at"]),
        "受理时间": clock(record.event.at),
        "受理结果": _ACCEPTED[facts["outcome"]],
        "不予受理原因": facts["reason"],
        "承诺时限": facts["promised"],
        "法定时限": case.item.statutory,
        "时限单位": _UNIT[case.item.limit_unit],
        "办件类型": "即办件" if instant else "承诺件",
        "需发证照": "是" if case.item.certificate else "否",
        "联合办理": "是" if case.item.joint else "否",
        "环节计划": None if instant else "承办、审核、批准",
    }


def _process(record: Record) -> Row:
    event, facts = record.event, record.event.facts
    return {
        "序号": event.seq,
        "环节": facts["name"],
        "开始时间": clock(facts["began_at"]),
        "结束时间": clock(facts["ended_at"]),
        "环节时限": facts["limit"],
        "办理人": facts["handler"],
        "意见": "同意" if facts["outcome"] else None,
    }


def _special_start(record: Record) -> Row:
    facts = record.event.facts
    return {
        **{"序号": record.event.seq, "记录": "申请", "时间": clock(record.event.at)},
        "种类": _SPECIAL[facts["special_kind"]],
        "批准天数": facts["approved_days"],
        "批准人": facts["approver"],
        "事由": facts["reason"],
    }


def _special_result(record: Record) -> Row:
    return {"序号": record.event.seq, "记录": "结果", "时间": clock(record.event.at), "结论": "完成"}


def _notice(record: Record) -> Row:
    materials = "；".join(record.event.facts["materials"])
    return {"序号": record.event.seq, "记录": "告知", "时间": clock(record.event.at), "补正材料": materials}


def _receipt(record: Record) -> Row:
    return {"序号": record.event.seq, "记录": "收件", "时间": clock(record.event.at)}


def _finish(record: Record) -> Row:
    facts = record.event.facts
    return {
        "办结时间": clock(record.event.at),
        "办结结果": _FINISHED[facts["outcome"]],
        "原因": facts["reason"],
        "收费金额": facts["fee"],
        "收费依据": facts["fee_basis"],
        "证照编号": facts["certificate_no"],
        "发证时间": clock(facts["certified_at"]),
    }


_FAMILY_OF = {
    "accept": ("受理", _accept),
    "stage": ("过程", _process),
    "special_start": ("特别程序", _special_start),
    "special_result": ("特别程序", _special_result),
    "supplement_notice": ("补正", _notice),
    "supplement_receipt": ("补正", _receipt),
    "finish": ("办结", _finish),
}
