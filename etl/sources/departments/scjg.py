"""区市监局: its approval system reports to the provincial platform, which answers for it in the national set."""

from datetime import date

from etl.sources.contract import Source
from etl.sources.sets import provincial

SOURCE = Source(
    name="scjg",
    title="区市监局",
    department="11511301MB051073XA",
    region="511602",
    timezone="Asia/Shanghai",
    encoding=provincial.ENCODING,
    in_force_from=date(2026, 11, 1),
    kind=provincial.PLATFORM,
    dialect=provincial.DIALECT,
    links=(provincial.LINK,),
)
