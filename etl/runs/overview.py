"""The platform at a glance, and bringing its database into shape."""

from __future__ import annotations

from typing import Any

from etl.domain.chinese import FEED, LEVEL, MAIL_STATE, PUSH_CLASS, nature
from etl.store import calendars
from etl.store.engine import engine
from etl.store.migrate import migrate
from etl.store.statements import sql


def prepare() -> None:
    """Migrate the ledger and load the packaged calendar."""
    migrate(engine())
    calendars.seed(engine())


def status() -> dict[str, Any]:
    """`sources`, `cards`, `outbox` as the contract fixes them (section 5), and what reconciliation has open."""
    with engine().connect() as connection:
        return {
            name: [dict(row) for row in connection.execute(sql(f"overview/{name}")).mappings()]
            for name in ("sources", "reconciliation", "cards", "outbox")
        }


def as_text(facts: dict[str, Any]) -> str:
    """Status for people."""
    lines = ["来源　最近完整业务日　状态　接收　重复　隔离　未说明"]
    for row in facts["sources"]:
        counts = "　".join(str(row[name]) for name in ("accepted", "repeated", "quarantined", "unexplained"))
        lines.append(f"{row['source']}　{row['last_complete_on'] or '–'}　{FEED[row['state']]}　{counts}")
    lines += ["", "对账未了"]
    lines += [f"{row['source']}　{PUSH_CLASS[row['class']]}　{row['records']}" for row in facts["reconciliation"]] or [
        "没有"
    ]
    lines += ["", "级别　性质　有效　撤回"]
    lines += [
        f"{LEVEL[row['level']]}　{nature(row['level'], row['nature'])}　{row['standing']}　{row['withdrawn']}"
        for row in facts["cards"]
    ]
    lines += ["", "发件箱"]
    for row in facts["outbox"]:
        lines.append(f"{row['mail_kind']}　{MAIL_STATE[row['state']]}　{row['notices']}")
    return "\n".join(lines)
