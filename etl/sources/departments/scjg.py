"""区市监局: its approval system reports to the provincial platform, which answers for it in the national set."""

from datetime import date

from etl.sources.contract import Link, Source
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

SOURCE = Source(
    name="scjg",
    title="区市监局",
    department="11511301MB051073XA",
    region="511602",
    timezone="Asia/Shanghai",
    encoding="gbk",
    in_force_from=date(2026, 11, 1),
    kind=Rest(national.STREAMS),
    dialect=national.dialect(CODES),
    links=(Link("provincial_platform", "省政务服务一体化平台"),),
)
