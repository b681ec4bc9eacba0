"""省数据共享交换平台: the copy of 省药监局's records that its own database passes on, in the same ten tables.

xtsj is when a record was in the department's database, rksj when it reached the platform. The department is read there
too (`syj.py`), so every night says what was lost or altered in between.
"""

from dataclasses import replace

from etl.sources.contract import Link
from etl.sources.departments import syj

SOURCE = replace(
    syj.SOURCE,
    name="syj_exchange",
    title="省药监局（省数据共享交换平台）",
    links=(Link("provincial_exchange", "省数据共享交换平台", origin=syj.SOURCE.links[-1].target),),
)
