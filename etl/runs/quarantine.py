"""What a department is told of its rows that were set aside: once, whichever night's mail it is in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from etl import sources
from etl.domain.chinese import KIND, refusal
from etl.store import cards, ledger
from etl.store.engine import engine

WAITS = "；核实之前，不因缺少该记录对该件发牌、撤牌"


def tell(business_on: date) -> None:
    """Every row newly set aside becomes something to tell: what is wrong with it, and what waits for it."""
    with engine().begin() as connection:
        items = map(_item, ledger.untold_quarantine(connection, business_on))
        cards.insert_items(connection, "A", items, is_muted=False)


def _item(row: Mapping[str, Any]) -> tuple[str, date, str, dict[str, Any]]:
    payload = {
        "title": "记录未通过校验，已隔离",
        "basis": "数据接入校验",
        "case_no": row["case_no"],
        "item_name": None,
        "detail": _detail(row),
    }
    key = "/".join(("A/quarantine", row["source"], row["stream"], row["row_sha256"]))
    return key, row["business_on"], sources.get(row["source"]).department, payload


def _detail(row: Mapping[str, Any]) -> str:
    kinds, said = "、".join(KIND[kind] for kind in row["kinds"]), row["detail"]
    column, _, value = said.partition(" is ")
    found = refusal(row["reason"], said)
    if value:
        found += f"（{column} 为空）" if value == "empty" else f"（{column} 为 {value}）"
    return f"{kinds}记录：{found}" + (WAITS if row["case_no"] and kinds else "")
