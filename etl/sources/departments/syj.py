"""省药监局: its own approval database, where every case is keyed a second time after the ministry's system.

The ten tables, in which xtsj is when the record was written in the ministry's system and rksj when it was keyed again
here. What lies between them is the lag of double entry (二次录入), and the link measures it. Nothing is purged from it.
"""

from dataclasses import replace
from datetime import date, timedelta

from etl.sources.contract import Link, Source
from etl.sources.sets import exchange

FINISHED = {"1": "granted", "2": "refused", "3": "returned", "4": "withdrawn", "5": "voided"}

SOURCE = Source(
    name="syj",
    title="省药监局",
    department="11510000MB19851022",
    region="510000",
    timezone="Asia/Shanghai",
    encoding="utf-8",
    in_force_from=date(2026, 11, 1),
    kind=replace(exchange.TABLES, keeps_rows=True),
    dialect=exchange.dialect(exchange.codes(FINISHED)),
    links=(
        Link(
            "syj_entry",
            "省药监局自建系统（二次录入）",
            mode="double_entry",
            warn_after=timedelta(hours=24),
            origin="national_drug_system",
            origin_title="国家药监局审批系统",
        ),
    ),
)
