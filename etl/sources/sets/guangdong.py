"""The exchange set as published in Guangdong and Shenzhen: ten tables EX_GDBS_* in a department's front-end database.

Field names are the published ones (SBLSH 申办流水号, SJBBH 数据版本号, …); a database folds their case one way or the
other. INSERTTIME, when the row was put into the front end, is both when the department wrote it and when it arrived.
The set promises nothing beyond GDBLSX 规定办理时限, so by itself it gives no yellow card of the promise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from etl.sources.dialect import Columns, Fields, When, to
from etl.sources.kinds import Table, TableSpec
from etl.sources.sets.exchange import STAGES
from etl.sources.values import COMPACT, Rows, applicant, code, constant, first_of, listing, number, text, time, whole

_HEAD, _TAIL = "sblsh sjbbh sxbm sxmc xzqhdm", "inserttime"
_TABLES = {
    "apply": ("ex_gdbs_sb", "", "sbsj sqrmc tjfs"),
    "pre_accept": ("ex_gdbs_wsysl", "", "yslsj yslztdm bslyy"),
    "accept": ("ex_gdbs_sl", "", "slsj slztdm bslyy gdblsx gdblsxdw tjfs"),
    "approve": ("ex_gdbs_spcl", "spbzh", "sphjdm sphjztdm spsj sprxm"),
    "finish": ("ex_gdbs_bj", "", "bjsj bjjgdm bjjgms zfhthyy sfje zjbh"),
    "special_start": ("ex_gdbs_tbcxsq", "xh", "tbcxzl tbcxksrq tbcxpzr tbcxqdly tbcxsx tbcxsxdw"),
    "special_result": ("ex_gdbs_tbcxjg", "xh", "tbcxjsrq tbcxjg"),
    "supplement_notice": ("ex_gdbs_bzgz", "", "bzgzsj bzclqd"),
    "supplement_receipt": ("ex_gdbs_bzsl", "", "bzsj"),
    "collect": ("ex_gdbs_lqdj", "", "lqsj lqfs"),
}
COLUMNS = {stream: tuple(f"{_HEAD} {sequence} {own} {_TAIL}".split()) for stream, (_, sequence, own) in _TABLES.items()}
"""What a row of each stream holds."""
TABLES = Table(
    {
        stream: TableSpec(name, ("sblsh", *sequence.split()), "sjbbh", "inserttime", COLUMNS[stream])
        for stream, (name, sequence, _) in _TABLES.items()
    }
)

ACCEPTED = {"1": "passed", "2": "refused", "3": "supplement", "4": "refused"}
"""SLZTDM: 1 受理, 2 不受理, 3 补齐补正材料, 4 不予受理; YSLZTDM has the first three."""
CHANNEL = {"1": "window", "2": "online", "9": "other"}
ONLY_NOTICE = constant(1)
"""The set does not number its supplement notices: it knows one, which the law wants given once and completely."""
_at = partial(time, layout=COMPACT)
"""A database gives its times in ISO form; where a column is text, as YYYYMMDDhhmmss."""


@dataclass(frozen=True)
class _WorkingDays:
    """Approved days, which the contract has in working days: a row that counts them otherwise is rejected."""

    days: number
    unit: code

    @property
    def column(self) -> str:
        """The column named when the value is missing."""
        return self.days.column

    def read(self, rows: Rows) -> pa.Array:
        """-> float64 array."""
        self.unit.read(rows)
        return self.days.read(rows)


def dialect(
    finished: Mapping[str, str], channel: Mapping[str, str] = CHANNEL, stages: Mapping[str, str] = STAGES
) -> Columns:
    """The set's columns with one department's codes: how a case ended (BJJGDM) or was handed in (TJFS), its stages.

    The ending's list has no default: code 1 is 退回办结 (returned) in one place and refused in another.
    """
    acceptance: Fields = {
        "outcome": code("slztdm", ACCEPTED, required=True),
        "reason": text("bslyy"),
        "statutory_limit": number("gdblsx"),
        "limit_unit": code("gdblsxdw", {"G": "working_day", "Z": "natural_day"}),
        "channel": code("tjfs", channel),
    }
    suspension: Fields = {
        "special_kind": code("tbcxzl", {"A": "extension", "B": "other"}, required=True),
        "approved_days": _WorkingDays(number("tbcxsx"), code("tbcxsxdw", {"G": "working_day"})),
        "approver": text("tbcxpzr"),
        "reason": text("tbcxqdly"),
    }
    step: Fields = {
        "name": code("sphjdm", stages, required=True),
        "handler": text("sprxm"),
        "outcome": text("sphjztdm"),
    }
    decision: Fields = {
        "outcome": code("bjjgdm", finished, required=True),
        "reason": first_of((text("zfhthyy"), text("bjjgms"))),
        "fee": number("sfje"),
        "certificate_no": text("zjbh"),
    }
    ahead = {key: ACCEPTED[key] for key in "123"}
    return Columns(
        case_no="sblsh",
        version=whole("sjbbh", least=1),
        written=_at("inserttime"),
        received=_at("inserttime"),
        item_code=text("sxbm"),
        item_name=text("sxmc"),
        ignored=frozenset({"xzqhdm"}),
        streams={
            "apply": [to("apply", _at("sbsj"), channel=code("tjfs", channel), applicant=applicant("sqrmc"))],
            "pre_accept": [
                to("pre_accept", _at("yslsj"), outcome=code("yslztdm", ahead, required=True), reason=text("bslyy"))
            ],
            "accept": [to("accept", _at("slsj"), acceptance)],
            "approve": [to("stage", _at("spsj"), step, seq=whole("spbzh"))],
            "finish": [
                to("finish", _at("bjsj"), decision),
                to("certificate", _at("bjsj"), when=When("zjbh"), certificate_no=text("zjbh")),
            ],
            "special_start": [to("special_start", _at("tbcxksrq"), suspension, seq=whole("xh"))],
            "special_result": [to("special_result", _at("tbcxjsrq"), seq=whole("xh"), outcome=text("tbcxjg"))],
            "supplement_notice": [
                to("supplement_notice", _at("bzgzsj"), seq=ONLY_NOTICE, materials=listing("bzclqd", ","))
            ],
            "supplement_receipt": [to("supplement_receipt", _at("bzsj"), seq=ONLY_NOTICE)],
            "collect": [to("collect", _at("lqsj"), method=text("lqfs"))],
        },
    )
