"""The weekly bulletin: compiled once from the ledger, issued, and from then on only ever handed out again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from etl import crashpoints
from etl.domain.night import ZONE, week_days
from etl.errors import EvidenceBroken
from etl.publish import document, page
from etl.publish.chapter import Week
from etl.publish.files import write_file
from etl.publish.sections import registered
from etl.publish.wording import NONE, minute
from etl.store import outbox
from etl.store.outbox import Row
from etl.store.statements import sql

ORDINALS = "一二三四五六七八九十"
Model = dict[str, Any]


def compile_week(
    engine: Engine,
    week: str,
    data_until: datetime,
    out_dir: Path,
    titles: dict[str, str] | None = None,
    links: Sequence[Row] = (),
    own_systems: Sequence[str] = (),
) -> dict[str, Any]:
    """Issue the bulletin of an ISO week, or hand out the issued one; ``{week, head_hash, html, docx}``.

    Args:
        week: e.g. ``2026-W47``.
        data_until: what was known until then counts: the cut-off of the week's Sunday.
        out_dir: where ``bulletin-<week>.html`` and ``.docx`` go.
        titles: what systems and platforms are called, by code.
        links: the week's lags, as `Week.links`.
        own_systems: sources that are a department's own system, as `Week.own_systems`.

    Raises:
        UsageError: `week` is no ISO week.
        EvidenceBroken: the issued files are gone and this version cannot make the same bytes again.
    """
    first, last = week_days(week)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        issued = issued_bulletin(connection, week)
        asked = Week(week, first, last, data_until, titles or {}, links, own_systems)
        fresh = None if issued else _compile(connection, asked)
    if fresh is not None:
        with engine.begin() as connection:
            _issue(connection, fresh, data_until)
            crashpoints.reach("week.before_issue_commit")
        crashpoints.reach("week.after_issue_commit")
        with engine.connect() as connection:
            issued = issued_bulletin(connection, week)
    assert issued is not None
    model = issued["model"] | {"head_hash": issued["head_hash"]}
    return {"week": week, "head_hash": issued["head_hash"]} | {
        kind: _handed_out(out_dir / f"bulletin-{week}.{kind}", model, issued[f"{kind}_sha256"])
        for kind in ("html", "docx")
    }


def issued_bulletin(connection: Connection, week: str) -> Model | None:
    """The issued bulletin of an ISO week, None before."""
    found = outbox.rows(connection, "bulletin_issued", week=week)
    return dict(found[0]) if found else None


def _issue(connection: Connection, model: Model, data_until: datetime) -> None:
    connection.execute(
        sql("publish/bulletin_insert"),
        {
            "week": model["week"],
            "data_until": data_until,
            "head_hash": model["head_hash"],
            # The chain follows the order of appending, so its head is kept beside what the bulletin says.
            "model": json.dumps({name: value for name, value in model.items() if name != "head_hash"}),
            "html_sha256": _sha256(_render("html", model)),
            "docx_sha256": _sha256(_render("docx", model)),
        },
    )


def _compile(connection: Connection, week: Week) -> Model:
    head = outbox.row(connection, "ledger_head", business_on=week.last)
    names = {row["code"]: row["name"] for row in outbox.rows(connection, "departments", business_on=week.last)}
    week = replace(week, titles=names | dict(week.titles))
    model = {
        "week": week.name,
        "heading": "电子监察周报",
        "period": f"{week.name.replace('-W', ' 年第 ')} 周（{week.first} 至 {week.last}）",
        "made_at": week.data_until.astimezone(ZONE).isoformat(),
        "data_until": minute(week.data_until),
        "profile_versions": "、".join(sorted(head["profile_versions"])) or NONE,
        "calendar_versions": "、".join(sorted(head["calendar_versions"])) or NONE,
        "head_hash": head["head_hash"],
        "sections": [
            {"title": f"{ORDINALS[section.number - 1]}、{section.title}", **asdict(section.compile(connection, week))}
            for section in registered().values()
        ],
    }
    # The form it is kept in, so that the first rendering and every later one start from the same thing.
    kept: Model = json.loads(json.dumps(model))
    return kept


def _handed_out(path: Path, model: Model, sha256: str) -> Path:
    if not path.is_file() or _sha256(path.read_bytes()) != sha256:
        content = _render(path.suffix[1:], model)
        if _sha256(content) != sha256:
            raise EvidenceBroken(f"{path.name} was issued with SHA-256 {sha256} and cannot be made again; restore it")
        write_file(path, content)
    return path


def _render(kind: str, model: Model) -> bytes:
    return page.bulletin(model) if kind == "html" else document.bulletin(model)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
