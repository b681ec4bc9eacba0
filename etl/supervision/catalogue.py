"""The item catalogue as rules ask it: which row of an item was in force on a day. Validity is start-only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

ITEMS = pa.schema(
    [
        pa.field("item_code", pa.string()),
        pa.field("department", pa.string()),
        pa.field("valid_from", pa.date32()),
        pa.field("status", pa.string()),
        pa.field("fee_standard", pa.float64()),
    ]
)
_DAYS = 1 << 20
"""More days than any date has since 1970."""


@dataclass(frozen=True)
class Catalogue:
    """Rows of `ITEMS` in any order."""

    table: pa.Table

    def in_force(self, item_code: pa.ChunkedArray, on: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Per (item, day since 1970) the row of `ordered` in force; -1 where the item is not (yet) in it."""
        code = pc.fill_null(pc.index_in(item_code, self._codes), -1).to_numpy().astype(np.int64)
        row = np.searchsorted(self._keys, code * _DAYS + on, side="right") - 1
        known: npt.NDArray[np.bool_] = (code >= 0) & (row >= 0)
        known[known] = self._keys[row[known]] // _DAYS == code[known]
        return np.where(known, row, -1)

    def covers(self, department: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
        """Per department whether the catalogue lists any of its items."""
        listed: npt.NDArray[np.bool_] = pc.fill_null(
            pc.is_in(department, pc.unique(self.table["department"])), False
        ).to_numpy()
        return listed

    @cached_property
    def ordered(self) -> pa.Table:
        """The rows by item and first day."""
        return self.table.sort_by([("item_code", "ascending"), ("valid_from", "ascending")])

    @cached_property
    def _codes(self) -> pa.Array:
        return pc.unique(self.ordered["item_code"])

    @cached_property
    def _keys(self) -> npt.NDArray[np.int64]:
        code = pc.index_in(self.ordered["item_code"], self._codes).to_numpy().astype(np.int64)
        days = self.ordered["valid_from"].cast(pa.int32()).to_numpy().astype(np.int64)
        keys: npt.NDArray[np.int64] = code * _DAYS + days
        return keys
