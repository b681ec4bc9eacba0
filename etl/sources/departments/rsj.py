"""区人社局: a front-end exchange database (前置库) with the ten tables of the exchange set, in local times."""

from datetime import date

from etl.sources.contract import Link, Source
from etl.sources.sets import exchange

FINISHED = {
    "0": "granted",  # 出证办结
    "1": "returned",  # 退回办结; elsewhere 1 means refused
    "2": "voided",  # 作废办结
    "3": "voided",  # 删除办结
    "4": "transferred",  # 转报办结
    "5": "withdrawn",  # 补正不来办结
    "6": "other",  # 办结
    "7": "refused",  # 不予许可
}

SOURCE = Source(
    name="rsj",
    title="区人社局",
    department="11511301008778239R",
    region="511602",
    timezone="Asia/Shanghai",
    encoding="utf-8",
    in_force_from=date(2026, 11, 1),
    kind=exchange.TABLES,
    dialect=exchange.dialect(exchange.codes(FINISHED)),
    links=(Link("frontend_database", "区级前置库"),),
)
