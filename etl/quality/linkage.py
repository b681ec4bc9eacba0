"""Which record has to come before which, and whether it did: within a batch first, then wherever else one may look."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.message import INSTANT, REPEATING
from etl.domain.night import NEVER, Instants

OPENERS = {
    "pre_accept": "apply",
    "accept": "apply",
    "supplement_notice": "apply",
    "supplement_receipt": "supplement_notice",
    "stage": "accept",
    "special_start": "accept",
    "special_result": "special_start",
    "finish": "accept",
    "collect": "finish",
    "certificate": "finish",
    "reply": "inquiry",
}
"""Kind -> the kind that comes first in the same case; repeating kinds pair by equal seq."""
OPENED = pa.schema(
    [("source", pa.string()), ("case_no", pa.string()), ("kind", pa.string()), ("seq", pa.int32()), ("at", INSTANT)]
)
_KEY = OPENED.names[:4]
Lookup = Callable[[pa.Table], pa.Table]
"""Keys (`OPENED` without `at`) a batch does not hold -> those known elsewhere, as `OPENED`."""


def opened_at(messages: pa.Table, lookup: Lookup | None = None) -> tuple[Instants, npt.NDArray[np.float64]]:
    """Per message when its opener first happened (NEVER: not told), and whether it was told.

    The second is 1 or 0; NaN where no opener is asked for, or none is in the batch and there is nowhere else to look.
    """
    kinds = pa.array(list(OPENERS))
    index = pc.index_in(messages["kind"], kinds)
    opener = pa.chunked_array([pa.array(list(OPENERS.values()))]).take(index)
    seq = pc.if_else(pc.is_in(opener, pa.array(sorted(REPEATING))), messages["seq"], pa.scalar(0, pa.int32()))
    wanted = pa.table([messages["source"], messages["case_no"], opener, seq], names=_KEY)
    wanted = wanted.append_column("row", pa.array(np.arange(len(messages))))
    wanted = wanted.filter(pc.and_(pc.is_valid(opener), pc.is_valid(messages["case_no"])))
    found = np.full(len(messages), NEVER)
    is_told = np.full(len(messages), np.nan)
    here = messages.select([*_KEY, "occurred_at"]).rename_columns(OPENED.names)
    missing = _fill(
        wanted, here.filter(pc.is_in(here["kind"], pa.array(sorted(set(OPENERS.values()))))), found, is_told
    )
    if lookup is not None and len(missing):
        is_told[missing["row"].to_numpy()] = 0
        _fill(missing, lookup(missing.select(_KEY).group_by(_KEY).aggregate([])), found, is_told)
    return found, is_told


def _fill(wanted: pa.Table, told: pa.Table, found: Instants, is_told: npt.NDArray[np.float64]) -> pa.Table:
    """Write what was told into the two arrays -> what is still wanted."""
    first = told.drop_null().group_by(_KEY).aggregate([("at", "min")])
    joined = wanted.join(first, _KEY, join_type="left outer")
    has = pc.is_valid(joined["at_min"])
    row = joined.filter(has)["row"].to_numpy()
    found[row] = joined.filter(has)["at_min"].cast(pa.int64()).to_numpy()
    is_told[row] = 1
    return joined.filter(pc.invert(has)).drop_columns("at_min")
