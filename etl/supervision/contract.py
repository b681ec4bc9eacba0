"""Cards as the contract prints them: one as an object, many as JSON Lines made column by column."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.night import OFFSET, ZONE

_SPECIAL = r'["\\\x00-\x1f]'
"""What JSON does not write as it is."""
_SECONDS, _DATE = pa.timestamp("s", tz="UTC"), "%Y-%m-%dT"
_ROUNDED = {"used_days": 6, "limit_days": 6}


def contract_card(card: dict[str, Any]) -> dict[str, Any]:
    """One row of `CARDS` as the contract prints it; where two arithmetics are compared, the exact used days beside."""
    return {
        **{name: card[name] for name in ("case_no", "clock", "clock_key", "level")},
        "reached_at": card["reached_at"] and card["reached_at"].astimezone(ZONE).isoformat(),
        **{name: _rounded(card[name], digits) for name, digits in _ROUNDED.items()},
        **{name: card[name] for name in ("base", "nature", "standing", "provisional", "responsible_hop")},
        **{name: card[name] for name in ("evidence", "deciding", "calendar_version", "profile_version")},
        **{name: card[name] for name in ("exact_used_days",) if name in card},
    }


def contract_lines(cards: pa.Table) -> bytes:
    """Rows of `CARDS` -> one line of JSON each, as `contract_card` has it."""
    cards = cards.combine_chunks()
    pieces: list[Any] = []
    for name in contract_card(dict.fromkeys(cards.schema.names)):
        pieces += [f'{"," if pieces else "{"}"{name}":', _json(cards[name], _ROUNDED.get(name))]
    lines = pc.binary_join_element_wise(*pieces, "}\n", "")
    return b"".join(_bytes(chunk) for chunk in lines.chunks)


def _json(column: pa.ChunkedArray, digits: int | None) -> pa.ChunkedArray:
    """A column's values as JSON."""
    if pa.types.is_list(column.type):
        texts = pa.chunked_array([_list_json(chunk) for chunk in column.chunks], pa.string())
    elif pa.types.is_floating(column.type):
        texts = _number_json(column, digits)
    elif pa.types.is_timestamp(column.type):
        texts = _instant_json(column)
    elif pa.types.is_boolean(column.type):
        texts = column.cast(pa.string())
    else:
        texts = pa.chunked_array([_text_json(chunk) for chunk in column.chunks], pa.string())
    return pc.fill_null(texts, "null")


def _text_json(texts: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(texts, _SPECIAL)).as_py():
        return pa.array([None if one is None else orjson.dumps(one).decode() for one in texts.to_pylist()], pa.string())
    return pc.binary_join_element_wise('"', texts, '"', "")


def _list_json(lists: pa.ListArray) -> pa.Array:
    quoted = pa.ListArray.from_arrays(lists.offsets, _text_json(lists.values))
    return pc.binary_join_element_wise("[", pc.binary_join(quoted, ","), "]", "")


def _number_json(numbers: pa.ChunkedArray, digits: int | None) -> pa.ChunkedArray:
    codes = pc.dictionary_encode(pc.fill_null(numbers, float("nan"))).combine_chunks()
    values = codes.dictionary.to_pylist()
    if digits is not None:
        values = [round(value, digits) for value in values]
    texts = orjson.dumps(values)[1:-1].decode().split(",") if values else []
    return pa.chunked_array([pa.array(texts, pa.string()).take(codes.indices)])


def _instant_json(instants: pa.ChunkedArray) -> pa.ChunkedArray:
    """In Asia/Shanghai, as `datetime.isoformat` writes them: no fraction where there is none."""
    local = pc.add(instants, pa.scalar(OFFSET, pa.duration("us")))
    us = pc.fill_null(local.cast(pa.int64()), 0).to_numpy()
    second, fraction = np.divmod(us, 1_000_000)
    if fraction.any():
        texts = pc.strftime(local, f'"{_DATE}%H:%M:%S+08:00"')
        return pc.replace_substring(texts, ".000000", "")
    days, number = np.unique(second // 86_400, return_inverse=True)
    dates = pc.strftime(pa.array(days * 86_400).cast(_SECONDS), f'"{_DATE}').take(pa.array(number))
    texts = pc.binary_join_element_wise(dates, _times_of_day().take(pa.array(second % 86_400)), "")
    return pa.chunked_array([pc.if_else(instants.is_valid().combine_chunks(), texts, None)])


@cache
def _times_of_day() -> pa.Array:
    return pc.strftime(pa.array(np.arange(86_400)).cast(_SECONDS), '%H:%M:%S+08:00"')


def _bytes(lines: pa.Array) -> bytes:
    """The texts one after the other, as they lie in memory."""
    _, offsets, values = lines.buffers()
    if values is None:
        return b""
    first, last = (memoryview(offsets).cast("i")[lines.offset + at] for at in (0, len(lines)))
    return bytes(values.slice(first, last - first))


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or math.isnan(value) else round(value, digits)
