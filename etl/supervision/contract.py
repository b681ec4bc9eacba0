"""Cards as the contract prints them: one as an object, many as JSON Lines made column by column."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.night import OFFSET, ZONE

_SPECIAL = r'["\\\x00-\x1f]'
"""What JSON does not write as it is."""
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
        numbers = pc.fill_null(column, float("nan")).to_pylist()
        if digits is not None:
            numbers = [round(number, digits) for number in numbers]
        texts = pa.chunked_array([orjson.dumps(numbers)[1:-1].decode().split(",") if numbers else []], pa.string())
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


def _instant_json(instants: pa.ChunkedArray) -> pa.ChunkedArray:
    """In Asia/Shanghai, as `datetime.isoformat` writes them: no fraction where there is none."""
    local = pc.add(instants, pa.scalar(OFFSET, pa.duration("us")))
    seconds = local.cast(pa.timestamp("s", tz="UTC"), safe=False)
    is_whole = pc.equal(seconds.cast(local.type), local)
    layout = '"%Y-%m-%dT%H:%M:%S+08:00"'
    if pc.all(is_whole).as_py():
        return pc.strftime(seconds, layout)
    return pc.if_else(is_whole, pc.strftime(seconds, layout), pc.strftime(local, layout))


def _bytes(lines: pa.Array) -> bytes:
    """The texts one after the other, as they lie in memory."""
    _, offsets, values = lines.buffers()
    if values is None:
        return b""
    first, last = (memoryview(offsets).cast("i")[lines.offset + at] for at in (0, len(lines)))
    return bytes(values.slice(first, last - first))


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None or math.isnan(value) else round(value, digits)
