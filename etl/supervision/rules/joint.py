"""In joint handling the departments asked answer before the host decides (行政许可法 arts. 26 and 42)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.supervision.rules.rule import Found, Rule, View


def _after_host(view: View) -> Found:
    case, stage = view.every("stage")
    accept, finish = view.one("accept")[case], view.one("finish")[case]
    has = (accept >= 0) & (finish >= 0)
    case, stage, accept, finish = (column[has] for column in (case, stage, accept, finish))
    department = view.messages.table["department"]
    other = pc.not_equal(department.take(pa.array(stage)), department.take(pa.array(accept)))
    late = pc.fill_null(other, False).to_numpy() & view.messages.is_value("joint", True)[accept]
    late &= view.occurred(stage) > view.occurred(finish)
    return Found(case[late], stage[late], np.array(department.take(pa.array(stage[late]))).tolist())


KINDS = ("stage", "accept", "finish")
RULES = (
    Rule("joint_after_host", "联合办理中协办部门晚于主办部门办结", "行政许可法第二十六、四十二条", _after_host, KINDS),
)
