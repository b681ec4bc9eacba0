"""武胜县农业农村局: a county's department; reports to the provincial platform."""

from datetime import date

from etl.sources.contract import Source
from etl.sources.sets import provincial

SOURCE = Source(
    name="wsny",
    title="武胜县农业农村局",
    department="115116220088034172",
    region="511622",
    timezone="Asia/Shanghai",
    encoding=provincial.ENCODING,
    in_force_from=date(2026, 11, 1),
    kind=provincial.PLATFORM,
    dialect=provincial.DIALECT,
    links=(provincial.LINK,),
)
