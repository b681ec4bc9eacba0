"""A ledger to publish from: rows as the night writes them, spelled out only where a test cares."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, text

from etl.domain.night import ZONE, cutoff_at
from etl.store.evidence import event_hash

NIGHT = date(2026, 11, 22)
SCJG, RSJ = "11511301MB051073XA", "11511301008778239R"
"""Departments; their own systems are the sources scjg and rsj."""


def at(moment: str) -> datetime:
    """``11-22 09:30`` of 2026 in Asia/Shanghai."""
    return datetime.strptime(f"2026-{moment}", "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)


class Ledger:
    """Writes rows with what a test leaves out filled in; one `tell` per card event, as the night does."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.seq = 0
        self.hash = "0" * 64

    def put(self, table: str, **row: Any) -> None:
        row = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in row.items()}
        columns, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        with self.engine.begin() as connection:
            connection.execute(text(f"insert into {table} ({columns}) values ({marks})"), row)

    def many(self, table: str, rows: list[dict[str, Any]]) -> None:
        with self.engine.begin() as connection:
            columns, marks = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
            connection.execute(text(f"insert into {table} ({columns}) values ({marks})"), rows)

    def one(self, query: str, **parameters: Any) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(text(query), parameters).scalar_one()

    def all(self, query: str, **parameters: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), parameters)]

    def department(self, code: str, name: str) -> None:
        self.put("department", code=code, name=name, region="511602", valid_from=date(2026, 1, 1))

    def recipient(self, recipient_id: str, role: str, department: str | None = None, **row: Any) -> None:
        defaults = {
            "name": "张主任",
            "email": f"{recipient_id}@office.example",
            "is_active": True,
            "valid_from": date(2026, 1, 1),
        }
        self.put("recipient", **defaults | row, recipient_id=recipient_id, role=role, department=department)

    def message(self, case_no: str, kind: str, occurred_at: datetime, payload: dict[str, Any], **row: Any) -> None:
        defaults = {
            "source": "scjg",
            "seq": 0,
            "version": 1,
            "written_at": occurred_at + timedelta(minutes=1),
            "received_at": occurred_at + timedelta(minutes=3),
            "loaded_at": occurred_at + timedelta(minutes=5),
            "known_at": cutoff_at(occurred_at.astimezone(ZONE).date()),
            "known_basis": "night",
            "department": SCJG,
            "region": "511602",
            "item_code": "511A0138000000",
            "item_name": "食品经营许可",
        }
        row = defaults | row
        content = hashlib.sha256(repr((case_no, kind, payload, row)).encode()).hexdigest()
        self.put(
            "message",
            **row,
            case_no=case_no,
            kind=kind,
            occurred_at=occurred_at,
            payload=payload,
            content_sha256=content,
        )

    def event(self, case_no: str, level: str, **row: Any) -> int:
        self.seq += 1
        night = row.get("business_on", NIGHT)
        defaults = {
            "source": "scjg",
            "clock": "case",
            "clock_key": "",
            "business_on": night,
            "event": "issued",
            "revision": 1,
            "voids_seq": None,
            "nature": "conduct",
            "standing": row.get("event", "issued") != "withdrawn",
            "provisional": False,
            "is_baseline": False,
            "is_manual": False,
            "reached_at": cutoff_at(night) - timedelta(hours=9),
            "used_days": "8.125",
            "limit_days": "7",
            "excluded_days": "0",
            "base": "statutory" if level == "red" else "promised",
            "responsible_hop": None,
            "department": SCJG,
            "region": "511602",
            "item_code": "511A0138000000",
            "item_name": "食品经营许可",
            "evidence": [f"scjg/{case_no}/accept/0/v1"],
            "profile_version": "hunan@2018",
            "calendar_version": "cn@2025-11-04",
            "known_at": cutoff_at(night),
        }
        row = defaults | {"due_at": None, "case_no": case_no, "level": level} | row
        row |= {name: Decimal(row[name]) for name in ("used_days", "limit_days", "excluded_days")}
        row |= {name: datetime.fromisoformat(str(row[name])) for name in ("due_at", "reached_at") if row[name]}
        previous, self.hash = self.hash, event_hash(self.hash, row)
        self.put("card_event", seq=self.seq, prev_hash=previous, hash=self.hash, **row)
        return self.seq

    def tell(self, case_no: str, level: str, *, is_muted: bool = False, **row: Any) -> int:
        seq = self.event(case_no, level, **row)
        self.put(
            "notice_item",
            item_key=f"A/{seq}",
            mail_kind="A",
            business_on=row.get("business_on", NIGHT),
            department=row.get("department", SCJG),
            card_event_seq=seq,
            payload={},
            is_muted=is_muted,
        )
        return seq

    def item(self, item_key: str, mail_kind: str, payload: dict[str, Any], **row: Any) -> None:
        defaults = {"business_on": NIGHT, "department": None, "is_muted": False}
        self.put("notice_item", **defaults | row, item_key=item_key, mail_kind=mail_kind, payload=payload)

    def summary_due(self, night: date = NIGHT) -> None:
        self.item(f"B/{night}", "B", {}, business_on=night)

    def incident(self, source: str, department: str, opened_on: date = NIGHT, state: str = "partial") -> None:
        verdict = {"state": state, "known_basis": "night", "detail": "应报 120 行，只到 80 行"}
        self.put("feed", source=source, business_on=opened_on, **verdict)
        payload = {"source": source, "hop": "platform->supervision", "state": state}
        payload |= {"detail": "应报 120 行，只到 80 行", "opened_on": str(opened_on)}
        self.item(f"C/{source}/{opened_on}/{department}", "C", payload, department=department)
