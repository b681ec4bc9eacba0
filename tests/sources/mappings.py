"""The ready mappings as departments would use them: a set, a kind, and the department's own code lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from etl.sources.contract import Source
from etl.sources.kinds import Rest
from etl.sources.sets import Codes, gbt_39046, guangdong, national_changes, nightly_files, provincial

RETURNED_IS_1 = {
    "0": "granted", "1": "returned", "2": "voided", "3": "voided", "5": "withdrawn", "6": "granted", "7": "refused"
}  # fmt: skip
REFUSED_IS_1 = {"0": "granted", "1": "refused", "2": "withdrawn", "3": "returned", "4": "voided"}
CODES: Codes = replace(provincial.CODES, finished=REFUSED_IS_1)

_DEPARTMENT = Source(
    name="example",
    title="示例部门",
    department="11511301000000000X",
    region="511602",
    timezone="Asia/Shanghai",
    encoding="utf-8",
    in_force_from=date(2026, 11, 1),
    kind=guangdong.TABLES,
    dialect=guangdong.dialect(RETURNED_IS_1),
    links=(),
)
MAPPINGS = {
    "guangdong": _DEPARTMENT,
    "guangdong_rest": replace(_DEPARTMENT, kind=Rest(tuple(guangdong.COLUMNS))),
    "national_changes": replace(
        _DEPARTMENT, kind=Rest(tuple(national_changes.COLUMNS)), dialect=national_changes.dialect(CODES)
    ),
    **{
        f"gbt_39046_{suffix}": replace(
            _DEPARTMENT,
            kind=nightly_files(gbt_39046.COLUMNS, f".{suffix}"),
            dialect=gbt_39046.dialect(CODES),
            encoding=encoding,
        )
        for suffix, encoding in (("csv", "gb18030"), ("xlsx", "utf-8"), ("xml", "utf-8"))
    },
}
