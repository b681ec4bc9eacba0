"""Generated messages the benchmarks share."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from etl.domain.message import SCHEMA
from etl.supervision.judge import with_known_at


def messages(cases: int, first: int = 0) -> pa.Table:
    """Acceptances of 300 days and, for most, a finish within 20 days; one finish in twenty arrives a week late.

    Cases are numbered from `first` on; the numbers say what happens to them.
    """
    random = np.random.default_rng(1 + first)
    number = np.arange(first, first + cases)
    accepted = 1_760_000_000_000_000 + random.integers(0, 300 * 86_400, cases) * 1_000_000
    finished = accepted + random.integers(0, 20 * 86_400, cases) * 1_000_000
    ended = np.flatnonzero(random.random(cases) < 0.7)
    late = np.where(random.random(len(ended)) < 0.05, 7 * 86_400_000_000, 600_000_000)
    limits = {"promised_limit": 7.0, "statutory_limit": 20.0, "limit_unit": "working_day", "case_type": "promised"}
    opening = _table("accept", number, accepted, accepted + 600_000_000, {"outcome": "passed", **limits})
    closing = _table("finish", number[ended], finished[ended], finished[ended] + late, {"outcome": "granted"})
    return with_known_at(pa.concat_tables([opening, closing]))


def _table(
    kind: str, case: np.ndarray, occurred: np.ndarray, received: np.ndarray, payload: dict[str, object]
) -> pa.Table:
    size = len(case)
    columns = {field.name: pa.nulls(size, field.type) for field in SCHEMA}
    subject = {"region": "511602", "item_code": "000114001000-01", "item_name": "建设用地规划许可证核发"}
    constant = {"source": "zrzy", "department": "11511301MB1550442U", "kind": kind, **subject, **payload}
    columns |= {name: pa.repeat(pa.scalar(value, SCHEMA.field(name).type), size) for name, value in constant.items()}
    columns |= {"seq": pa.array(np.zeros(size, np.int32)), "version": pa.array(np.ones(size, np.int32))}
    columns |= {"case_no": pa.array(np.char.mod("%010d", case))}
    instant = SCHEMA.field("occurred_at").type
    times = {"occurred_at": occurred, "written_at": occurred + 60_000_000, "received_at": received}
    columns |= {name: pa.array(values).cast(instant) for name, values in times.items()}
    return pa.table(columns, schema=SCHEMA)
