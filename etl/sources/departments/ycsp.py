"""岳池县行政审批局: the county's front-end exchange database (前置库), ten tables with its own codes for endings."""

from datetime import date

from etl.sources.contract import Link, Source
from etl.sources.sets import exchange

FINISHED = {"1": "granted", "2": "refused", "3": "returned", "4": "withdrawn", "5": "voided"}

SOURCE = Source(
    name="ycsp",
    title="岳池县行政审批局",
    department="11511621MB1602115R",
    region="511621",
    timezone="Asia/Shanghai",
    encoding="utf-8",
    in_force_from=date(2026, 11, 1),
    kind=exchange.TABLES,
    dialect=exchange.dialect(exchange.codes(FINISHED)),
    links=(Link("county_database", "县级前置库"),),
)
