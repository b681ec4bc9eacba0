"""What the expectations look at beside what messages say themselves, measured by whole columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.message import instants_of
from etl.domain.night import DAY_US, NEVER, OFFSET
from etl.quality.linkage import Lookup, opened_at

_LAGS = {"transport_lag_s": ("received_at", "written_at"), "push_lag_s": ("written_at", "occurred_at")}
MEASURES = (*_LAGS, "since_opened_s", "is_opened", "past_hour_s", "same_second", "material_count")
_SECOND_US, _HOUR_US = 1_000_000, 3_600_000_000


def measured(messages: pa.Table, lookup: Lookup | None = None) -> pa.Table:
    """Messages (`SCHEMA`) -> the same with the columns `MEASURES`, float64.

    transport_lag_s, push_lag_s: seconds between two times of the message. since_opened_s: seconds since the record that
    must come before it (`etl.quality.linkage`), null when that was not told; is_opened: 1 told, 0 not, null not asked.
    past_hour_s: seconds past the full hour; same_second: messages of its source, kind, department and item in its
    second; both null for an event at midnight, which is a date without a time of day. material_count: list length.
    """
    occurred = instants_of(messages["occurred_at"])
    opened, is_opened = opened_at(messages, lookup)
    has_time = (occurred != NEVER) & ((occurred + OFFSET.seconds * _SECOND_US) % DAY_US != 0)
    columns: dict[str, npt.NDArray[np.float64]] = {
        name: _seconds(instants_of(messages[after]), instants_of(messages[before]))
        for name, (after, before) in _LAGS.items()
    }
    columns["since_opened_s"] = _seconds(occurred, opened)
    columns["is_opened"] = is_opened
    columns["past_hour_s"] = np.where(has_time, occurred % _HOUR_US / 1e6, np.nan)
    columns["same_second"] = np.where(has_time, _told_together(messages, occurred // _SECOND_US), np.nan)
    for name, values in columns.items():
        messages = messages.append_column(name, pa.array(values, from_pandas=True))
    return messages.append_column("material_count", pc.list_value_length(messages["materials"]).cast(pa.float64()))


def _told_together(messages: pa.Table, second: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Per message how many share its source, kind, department, item and second."""
    group = _numbered(second)
    for name in ("source", "kind", "department", "item_code"):
        encoded = messages[name].combine_chunks().dictionary_encode()
        code = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy().astype(np.int64)
        # Numbered anew each time, so that however many columns follow the product stays small.
        group = _numbered(group * (len(encoded.dictionary) + 1) + code)
    counted: npt.NDArray[np.int64] = np.bincount(group, minlength=1)[group]
    return counted


def _numbered(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Equal values by one number each, from 0; by hash, which is faster than sorting."""
    numbers: npt.NDArray[np.int64] = pa.array(values).dictionary_encode().indices.to_numpy().astype(np.int64)
    return numbers


def _seconds(after: npt.NDArray[np.int64], before: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    known = (after != NEVER) & (before != NEVER)
    return np.where(known, (after - np.where(known, before, 0)) / 1e6, np.nan)
