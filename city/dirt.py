"""Rows no honest pipeline may let through, a few of every sort in every source, with what is wrong written down.

Each is a copy of a clean row that arrived on a given day, moved to a case number of its own and then spoilt, except
`rewritten`: a clean row said again under the same key and version with other content.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = dict[str, Any]
ABSENT = object()
"""The column is missing from the row altogether."""


@dataclass(frozen=True)
class Stain:
    """One spoilt row: where, on which day it arrives (at the latest the next one with traffic), what is changed."""

    what: str
    stream: str
    day: str
    change: Row = field(default_factory=dict)
    raw: str = ""


@dataclass(frozen=True)
class Layout:
    """How one source names what dirt needs to find."""

    case: str
    received: str
    stains: tuple[Stain, ...]


def _platform() -> tuple[Stain, ...]:
    return (
        Stain("unknown_code", "result", "2026-10-22", {"result_type": "Z"}),
        Stain("bad_time", "accept", "2026-10-29", {"accept_date": "2026-11-02 09:30"}),
        Stain("far_future", "accept", "2026-11-04", {"accept_date": "20991231235959"}),
        Stain("poison_character", "apply", "2026-11-06", {"applyer_name": "赵\x00磊"}),
        Stain("missing_key", "process", "2026-11-09", {"project_no": ABSENT}),
        Stain("bad_number", "accept", "2026-11-10", {"law_limit": "20个工作日"}),
        Stain(
            *("rewritten", "result", "2026-11-10"),
            {"result_type": "3", "cd_time": "20261113151000", "receive_time": "2026-11-13T15:20:00+08:00"},
        ),
    )


def _tables() -> tuple[Stain, ...]:
    return (
        Stain("unknown_code", "finish", "2026-10-23", {"bjjgdm": "0"}),
        Stain("bad_time", "accept", "2026-10-30", {"slsj": datetime(1900, 1, 1)}),  # noqa: DTZ001
        Stain("far_future", "finish", "2026-11-05", {"bjsj": datetime(2099, 12, 31, 23, 59, 59)}),  # noqa: DTZ001
        Stain("poison_character", "apply", "2026-11-09", {"sqrmc": "李\x01强"}),
        Stain("missing_key", "approve", "2026-11-11", {"sblsh": ""}),
        Stain("bad_number", "finish", "2026-11-18", {"sjbbh": "第1版"}),
        Stain(
            *("rewritten", "finish", "2026-11-12"),
            {"bjjgdm": "3", "xtsj": datetime(2026, 11, 17, 10, 5), "rksj": datetime(2026, 11, 17, 10, 9)},  # noqa: DTZ001
        ),
    )


LAYOUTS = {
    "scjg": Layout(
        "project_no",
        "receive_time",
        (
            Stain("unknown_code", "result", "2026-10-21", {"result_type": "77"}),
            Stain("unknown_code", "accept", "2026-11-17", {"limit_unit": "X"}),
            Stain("bad_time", "accept", "2026-10-28", {"accept_date": "20261332250000"}),
            Stain("bad_time", "result", "2026-11-16", {"result_date": "20260230101500"}),
            Stain("far_future", "accept", "2026-11-04", {"accept_date": "20991231235959"}),
            Stain("poison_character", "apply", "2026-11-06", {"applyer_name": "张\x00敏"}),
            Stain("missing_key", "process", "2026-11-10", {"project_no": ABSENT}),
            Stain("missing_key", "result", "2026-11-17", {"project_no": ""}),
            Stain("bad_number", "accept", "2026-11-20", {"promise_limit": "二十"}),
            Stain(
                *("rewritten", "result", "2026-11-12"),
                {"result_type": "3", "cd_time": "20261116151000", "receive_time": "2026-11-16T15:20:00+08:00"},
            ),
        ),
    ),
    "rsj": Layout(
        "sblsh",
        "rksj",
        (
            Stain("unknown_code", "finish", "2026-10-22", {"bjjgdm": "99"}),
            Stain("unknown_code", "accept", "2026-11-18", {"sljg": "9"}),
            Stain("bad_time", "accept", "2026-10-29", {"slsj": datetime(1900, 1, 1)}),  # noqa: DTZ001
            Stain("far_future", "finish", "2026-11-05", {"bjsj": datetime(2099, 12, 31, 23, 59, 59)}),  # noqa: DTZ001
            Stain("poison_character", "apply", "2026-11-09", {"sqrmc": "李\x01强"}),
            Stain("missing_key", "approve", "2026-11-11", {"sblsh": ""}),
            Stain("bad_number", "finish", "2026-11-19", {"sjbbh": "一"}),
            Stain(
                *("rewritten", "finish", "2026-11-13"),
                {"bjjgdm": "1", "xtsj": datetime(2026, 11, 17, 10, 5), "rksj": datetime(2026, 11, 17, 10, 9)},  # noqa: DTZ001
            ),
        ),
    ),
    "zrzy": Layout(
        "办件编号",
        "接收时间",
        (
            Stain("unknown_code", "办结", "2026-10-23", {"办结结果": "已办"}),
            Stain("unknown_code", "受理", "2026-11-18", {"时限单位": "个"}),
            Stain("bad_time", "受理", "2026-10-30", {"受理时间": "0000-00-00 00:00:00"}),
            Stain("bad_time", "办结", "2026-11-17", {"办结时间": "待定"}),
            Stain("far_future", "受理", "2026-11-06", {"受理时间": "2099-12-31 23:59:59"}),
            Stain("poison_character", "受理", "2026-11-10", {"申请人": "王\x00芳"}),
            Stain("missing_key", "过程", "2026-11-12", {"办件编号": ""}),
            Stain("bad_number", "受理", "2026-11-19", {"法定时限": "二十"}),
            Stain(
                *("rewritten", "办结", "2026-11-13"),
                {"办结结果": "退件", "写入时间": "2026-11-17 11:00:00", "接收时间": "2026-11-17 23:30:00"},
            ),
            Stain("field_count", "过程", "2026-11-16", raw="51160220261116390098,1,缺列的一行"),
            Stain("field_count", "受理", "2026-11-18", raw="51160220261118390099,1,多,列" + ",x" * 40),
        ),
    ),
    "syj": Layout("sblsh", "rksj", _tables()),
    "jtj": Layout("project_no", "receive_time", _platform()),
    "zjj": Layout(
        "流水号",
        "接收时间",
        (
            Stain("unknown_code", "办件", "2026-10-22", {"办结方式": "已办"}),
            Stain("unknown_code", "办件", "2026-11-17", {"办件类别": "上报件"}),
            Stain("bad_time", "办件", "2026-10-28", {"受理时间": "2026/13/01 9:00"}),
            Stain("far_future", "办件", "2026-11-05", {"办结时间": "2099-12-31 23:59:59"}),
            Stain("poison_character", "办件", "2026-11-10", {"申请单位": "王\x00芳"}),
            Stain("missing_key", "办件", "2026-11-12", {"流水号": ""}),
            Stain("bad_number", "办件", "2026-11-18", {"承诺工作日": "五"}),
            Stain(
                *("rewritten", "办件", "2026-11-12"),
                {"办结方式": "3-退回", "录入时间": "2026-11-17 11:00:00", "接收时间": "2026-11-17 23:30:00"},
            ),
            Stain("field_count", "办件", "2026-11-16", raw="51160220261116600098,1,只有三列"),
        ),
    ),
    "ycsp": Layout("sblsh", "rksj", _tables()),
    "wsny": Layout("project_no", "receive_time", _platform()),
}


def received(source: str, row: Row) -> str:
    """When a row arrived, to order the rows of one source by."""
    return str(row[LAYOUTS[source].received])


def spoil(source: str, told: list[tuple[str, Row]]) -> list[Row]:
    """Add dirty rows to what the source tells, in order of arrival -> what was done, for people and tests."""
    layout = LAYOUTS[source]
    done = []
    clean = list(told)
    for number, stain in enumerate(layout.stains, start=1):
        model = next(row for stream, row in clean if stream == stain.stream and received(source, row) >= stain.day)
        case = model[layout.case] if stain.what == "rewritten" else f"{model[layout.case][:-5]}{90_000 + number}"
        row = {**model, layout.case: case, **stain.change}
        if stain.raw:
            row["raw"] = stain.raw
        told.append((stain.stream, {name: value for name, value in row.items() if value is not ABSENT}))
        note = {"source": source, "stream": stain.stream, "what": stain.what, "case": row[layout.case]}
        done.append({**note, "case": None if row[layout.case] is ABSENT else row[layout.case]})
    told.sort(key=lambda pair: received(source, pair[1]))
    return done
