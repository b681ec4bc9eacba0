"""The provincial platform: what its codes mean and how fast departments must push to it, whichever it answers for."""

from __future__ import annotations

from etl.sources.contract import Link
from etl.sources.kinds import Rest
from etl.sources.sets import Codes, national

CODES = Codes(
    accepted={"1": "passed", "2": "refused", "3": "supplement"},
    finished={"0": "granted", "1": "refused", "2": "withdrawn", "3": "returned", "4": "voided", "5": "transferred"},
    special={"1": "hearing", "2": "inspection", "3": "expert_review", "4": "publicity", "5": "extension", "9": "other"},
    case_type={"1": "instant", "2": "promised"},
    channel={"1": "window", "2": "online", "9": "other"},
    limit_unit={"G": "working_day", "Z": "natural_day"},
    opinion={"1": "agreed", "2": "sent_back"},
    flag={"1": True, "0": False},
)
ENCODING = "gbk"
PLATFORM = Rest(national.STREAMS)
DIALECT = national.dialect(CODES)
LINK = Link("provincial_platform", "省政务服务一体化平台")
