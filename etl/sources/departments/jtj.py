"""区交通运输局: reports to the provincial platform."""

from datetime import date

from etl.sources.contract import Source
from etl.sources.sets import provincial

SOURCE = Source(
    name="jtj",
    title="区交通运输局",
    department="11511301008778386B",
    region="511602",
    timezone="Asia/Shanghai",
    encoding=provincial.ENCODING,
    in_force_from=date(2026, 11, 1),
    kind=provincial.PLATFORM,
    dialect=provincial.DIALECT,
    links=(provincial.LINK,),
)
