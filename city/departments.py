"""The eight departments: who they are, where, when they are open and in which form their records can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from city.hours import OfficeHours

USUAL = {"01-01": "09:00-12:00,13:30-17:30"}
REGIONS = {
    "510000": OfficeHours(USUAL),
    "511602": OfficeHours(USUAL),
    # A long midday rest in summer; the demonstration sees both seasons.
    "511621": OfficeHours(USUAL | {"05-01": "09:00-12:00,15:00-18:00", "11-01": "09:00-12:00,13:30-17:30"}),
    "511622": OfficeHours(USUAL),
}
"""Region code -> office hours: Sichuan, Guang'an District, and the counties Yuechi and Wusheng."""

_TRADES = ("小吃店", "副食店", "建材经营部", "药房", "茶楼", "农产品专业合作社", "科技有限公司", "建筑工程有限公司")
_DRUG_TRADES = ("制药有限公司", "医药连锁有限公司", "医疗器械有限公司", "生物科技有限公司", "化妆品有限公司")
_BUILDERS = ("置业有限公司", "建筑工程有限公司", "房地产开发有限公司", "物业服务有限公司")


@dataclass(frozen=True)
class Department:
    """One department.

    Args:
        name: as items.csv has it.
        code: unified social credit code.
        serial: the department's digit in case numbers.
        region: administrative division code, six digits.
        place: what businesses there are called after.
        form: how its records can be read.
        businesses: share of applicants that are businesses.
        trades: what those businesses do.
    """

    source: str
    name: str
    code: str
    serial: int
    region: str
    place: str
    form: Literal["platform", "tables", "day_files", "case_files"]
    businesses: float = 0.25
    trades: tuple[str, ...] = _TRADES

    @property
    def hours(self) -> OfficeHours:
        """When its offices are open."""
        return REGIONS[self.region]


DEPARTMENTS = {
    department.source: department
    for department in (
        Department("scjg", "区市监局", "11511301MB051073XA", 1, "511602", "广安区", "platform", 0.6),
        Department("rsj", "区人社局", "11511301008778239R", 2, "511602", "广安区", "tables"),
        Department("zrzy", "区自然资源和规划局", "11511301MB1550442U", 3, "511602", "广安区", "day_files"),
        Department("syj", "省药监局", "11510000MB19851022", 4, "510000", "四川", "tables", 0.9, _DRUG_TRADES),
        Department("jtj", "区交通运输局", "11511301008778386B", 5, "511602", "广安区", "platform"),
        Department("zjj", "区住建局", "11511301008778255F", 6, "511602", "广安区", "case_files", 0.8, _BUILDERS),
        Department("ycsp", "岳池县行政审批局", "11511621MB1602115R", 7, "511621", "岳池县", "tables"),
        Department("wsny", "武胜县农业农村局", "115116220088034172", 8, "511622", "武胜县", "platform"),
    )
}
