"""A front-end exchange database: the ten tables of the widely used exchange set, naive local times.

The tables are the same everywhere; the codes for how a case ended are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Float, Index, Integer, MetaData, String, Table, create_engine, insert

from city.deliver import Record
from city.departments import DEPARTMENTS
from city.hours import ZONE

_ACCEPTED = {"passed": "1", "refused": "2", "supplement": "3"}
_FINISHED = {"granted": "0", "returned": "1", "voided": "2", "withdrawn": "5", "refused": "7"}
_FINISHED_ELSEWHERE = {"granted": "1", "refused": "2", "returned": "3", "withdrawn": "4", "voided": "5"}
_CHANNEL = {"window": "1", "online": "2"}
_STAGE = {"承办": "1", "审核": "2", "批准": "3"}
Row = dict[str, Any]
BLOCK_ROWS = 200

METADATA = MetaData()


def _table(name: str, *columns: Column[Any]) -> Table:
    """Keys, subject and the two system times are the same in all ten; nothing is unique, as in real front ends."""
    return Table(
        name,
        METADATA,
        Column("sblsh", String(40)),
        Column("sjbbh", String(8)),
        Column("sxbm", String(80)),
        Column("sxmc", String(200)),
        Column("xzqhdm", String(12)),
        *columns,
        Column("xtsj", DateTime),
        Column("rksj", DateTime, nullable=False),
        Index(f"{name}_rksj", "rksj"),
    )


def _time(name: str) -> Column[Any]:
    return Column(name, DateTime)


def _text(name: str) -> Column[Any]:
    return Column(name, String(200))


def _sequence(name: str) -> Column[Any]:
    return Column(name, Integer)


TABLES = {
    "apply": _table("ex_sb", _time("sbsj"), _text("sqrmc"), _text("sqrlx"), _text("sqfs")),
    "pre_accept": _table("ex_ysl", _time("yslsj"), _text("ysljg"), _text("bslyy")),
    "accept": _table(
        "ex_sl",
        *(_time("slsj"), _text("sljg"), _text("bslyy"), Column("cnsx", Float), Column("gdblsx", Float)),
        *(_text("gdblsxdw"), _text("bjlx"), _text("sqfs"), _text("zzsf"), _text("lbsf"), _text("sphjs")),
    ),
    "approve": _table(
        "ex_sp",
        *(_sequence("spxh"), _text("sphjdm"), _time("kssj"), _time("spsj"), Column("hjsx", Float)),
        *(_text("spr"), _text("spyj"), _time("sbgsj")),
    ),
    "finish": _table(
        "ex_bj", _time("bjsj"), _text("bjjgdm"), _text("bjjgms"), Column("sfje", Float), _text("sfyj"), _text("zzbh")
    ),
    "special_start": _table(
        "ex_tbcxsq",
        *(_sequence("tbcxxh"), _text("tbcxzl"), _time("tbcxksrq"), Column("tbcxsx", Float)),
        *(_text("tbcxpzr"), _text("tbcxsqly")),
    ),
    "special_result": _table("ex_tbcxjg", _sequence("tbcxxh"), _time("tbcxjsrq"), _text("tbcxjg")),
    "supplement_notice": _table("ex_bzgz", _sequence("bzxh"), _time("bzgzsj"), _text("bzclqd")),
    "supplement_receipt": _table("ex_bzsl", _sequence("bzxh"), _time("bzsj")),
    "collect": _table("ex_lq", _time("lqsj"), _text("lqfs")),
}
"""Stream -> table."""

_STREAM_OF = {"stage": "approve"}


def row(record: Record) -> tuple[str, Row]:
    """Record -> (stream, row)."""
    stream = _STREAM_OF.get(record.event.kind, record.event.kind)
    return stream, _head(record) | _BODY[stream](record)


def write(url: str, found: Iterable[tuple[str, Row]]) -> Counter[str]:
    """Drop and refill the ten tables, a block of rows at a time -> rows per stream."""
    engine = create_engine(url)
    counts = Counter(dict.fromkeys(TABLES, 0))
    with engine.begin() as connection:
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
        waiting: dict[str, list[Row]] = {stream: [] for stream in TABLES}
        for stream, fields in found:
            waiting[stream].append(fields)
            counts[stream] += 1
            if len(waiting[stream]) == BLOCK_ROWS:
                connection.execute(insert(TABLES[stream]), waiting[stream])
                waiting[stream].clear()
        for stream, rest in waiting.items():
            if rest:
                connection.execute(insert(TABLES[stream]), rest)
    engine.dispose()
    return counts


def naive(instant: datetime | None) -> datetime | None:
    """The department's wall clock, without a zone."""
    return instant.astimezone(ZONE).replace(tzinfo=None) if instant else None


def _head(record: Record) -> Row:
    event, item = record.event, record.event.case.item
    return {
        "sblsh": event.case.number,
        "sjbbh": str(event.version),
        "sxbm": item.code,
        "sxmc": item.name,
        "xzqhdm": DEPARTMENTS[event.case.source].region,
        "xtsj": naive(record.written),
        "rksj": naive(record.received),
    }


def _apply(record: Record) -> Row:
    case = record.event.case
    return {
        "sbsj": naive(record.event.at),
        "sqrmc": case.applicant,
        "sqrlx": "2" if case.is_business else "1",
        "sqfs": _CHANNEL[case.channel],
    }


def _pre_accept(record: Record) -> Row:
    return {"yslsj": naive(record.event.at), "ysljg": _ACCEPTED[record.event.facts["outcome"]], "bslyy": None}


def _accept(record: Record) -> Row:
    case, facts = record.event.case, record.event.facts
    return {
        "slsj": naive(record.event.at),
        "sljg": _ACCEPTED[facts["outcome"]],
        "bslyy": facts["reason"],
        "cnsx": facts["promised"],
        "gdblsx": case.item.statutory,
        "gdblsxdw": "G",
        "bjlx": "1" if case.item.promised == 0 else "2",
        "sqfs": _CHANNEL[case.channel],
        "zzsf": "1" if case.item.certificate else "0",
        "lbsf": "1" if case.item.joint else "0",
        "sphjs": None if case.item.promised == 0 else "承办,审核,批准",
    }


def _approve(record: Record) -> Row:
    event, facts = record.event, record.event.facts
    return {
        "spxh": event.seq,
        "sphjdm": _STAGE[facts["name"]],
        "kssj": naive(facts["began_at"]),
        "spsj": naive(facts["ended_at"]),
        "hjsx": facts["limit"],
        "spr": facts["handler"],
        "spyj": "同意" if facts["outcome"] else None,
        "sbgsj": naive(event.at),
    }


def _finish(record: Record) -> Row:
    facts = record.event.facts
    finished = _FINISHED if record.event.case.source == "rsj" else _FINISHED_ELSEWHERE
    return {
        "bjsj": naive(record.event.at),
        "bjjgdm": finished[facts["outcome"]],
        "bjjgms": facts["reason"],
        "sfje": facts["fee"],
        "sfyj": facts["fee_basis"],
        "zzbh": facts["certificate_no"],
    }


def _special_start(record: Record) -> Row:
    facts = record.event.facts
    return {
        "tbcxxh": record.event.seq,
        "tbcxzl": "A" if facts["special_kind"] == "extension" else "B",
        "tbcxksrq": naive(record.event.at),
        "tbcxsx": facts["approved_days"],
        "tbcxpzr": facts["approver"],
        "tbcxsqly": facts["reason"],
    }


def _special_result(record: Record) -> Row:
    return {"tbcxxh": record.event.seq, "tbcxjsrq": naive(record.event.at), "tbcxjg": "完成"}


def _supplement_notice(record: Record) -> Row:
    materials = ",".join(record.event.facts["materials"])
    return {"bzxh": record.event.seq, "bzgzsj": naive(record.event.at), "bzclqd": materials}


def _supplement_receipt(record: Record) -> Row:
    return {"bzxh": record.event.seq, "bzsj": naive(record.event.at)}


def _collect(record: Record) -> Row:
    return {"lqsj": naive(record.event.at), "lqfs": record.event.facts["method"]}


_BODY = {
    "apply": _apply,
    "pre_accept": _pre_accept,
    "accept": _accept,
    "approve": _approve,
    "finish": _finish,
    "special_start": _special_start,
    "special_result": _special_result,
    "supplement_notice": _supplement_notice,
    "supplement_receipt": _supplement_receipt,
    "collect": _collect,
}
