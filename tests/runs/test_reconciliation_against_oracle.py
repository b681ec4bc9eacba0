"""Differences of random histories, on real PostgreSQL and in any order of nights, are those the oracle finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine

from etl import sources
from etl.runs import reconciling
from etl.sources.contract import Link, Source
from tests.oracle.proof import FULL
from tests.oracle.reconciliation import Finding, Said, findings
from tests.runs.world import at

pytestmark = pytest.mark.database
FIRST = date(2026, 11, 9)
NIGHTS = [FIRST + timedelta(days=number) for number in range(6)]
CUTOFFS = [at(f"{night + timedelta(days=1)} 01:00") for night in NIGHTS]
HISTORIES = 400 if FULL else 15
INSERT = (
    "insert into message (source, case_no, kind, seq, version, occurred_at, written_at, received_at, loaded_at,"
    " known_at, known_basis, item_code, payload, content_sha256)"
    " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'night', %s, %s, repeat('0', 64))"
)


def history(random: Random) -> list[Said]:
    """What both sides say of some cases: mostly the same, a night apart or two, revised, or by one of them only."""
    told: list[Said] = []
    for number in range(random.randint(2, 5)):
        for kind, seq in random.sample(
            [("accept", 0), ("finish", 0), ("stage", 1), ("stage", 2)], random.randint(1, 4)
        ):
            happened = at(f"{random.choice(NIGHTS[:3])} {random.randint(9, 16):02}:00")
            same = [content(random, kind, happened) for _ in range(3)]
            for is_upstream in (True, False):
                if random.random() < 0.15:
                    continue
                moment = happened
                for version in sorted(random.sample((1, 2, 3), random.choice((1, 1, 2, 3)))):
                    moment += timedelta(minutes=random.choice((1, 50, 600, 900, 1500)))
                    known = next((cutoff for cutoff in CUTOFFS if cutoff >= moment), None)
                    if known:
                        said = same[version - 1] if random.random() < 0.8 else content(random, kind, happened)
                        known += timedelta(days=random.choice((0, 0, 0, 1)))
                        told.append(Said(is_upstream, (f"办{number}", kind, seq), version, said, moment, known))
    return told


def content(random: Random, kind: str, happened: datetime) -> tuple[tuple[str, object], ...]:
    said: dict[str, object] = {"occurred_at": happened + timedelta(days=random.choice((0, 0, 0, 1)))}
    said["item_code"] = random.choice(("A", "A", "B"))
    said["outcome"] = random.choice(("passed", "granted", None))
    if kind == "accept":
        said["promised_limit"] = random.choice((5.0, 5.0, 10.0, None))
    return tuple((name, value) for name, value in said.items() if value is not None)


def put(engine: Engine, told: list[Said], random: Random) -> None:
    """Nothing but this history; each side also says things the other cannot."""
    rows = []
    for one in told:
        said = dict(one.content)
        payload = {name: said[name] for name in ("outcome", "promised_limit") if name in said}
        if one.key[1] == "accept" and random.random() < 0.5:
            payload["promised_due_at"] = "2026-11-30T00:00:00Z"
        source, written_at = "scjg" if one.is_upstream else "rsj", one.at - timedelta(minutes=random.randint(1, 5000))
        row = (source, *one.key, one.version, said["occurred_at"], written_at, one.at, one.known_at, one.known_at)
        rows.append((*row, said["item_code"], json.dumps(payload)))
    with engine.begin() as connection:
        connection.exec_driver_sql("set local session_replication_role = replica")
        for table in ("message", "night", "feed", "watermark", "reconciled_night", "difference_event"):
            connection.exec_driver_sql(f"delete from {table}")
        connection.exec_driver_sql(INSERT, rows)
        connection.exec_driver_sql(
            "insert into watermark select s, '*', now(), %s from unnest(array['scjg', 'rsj']) s", (FIRST,)
        )


def judge_night(engine: Engine, number: int, complete: bool) -> None:
    """As a night leaves it: judged, with both feeds' verdicts; an incomplete one is one side's fault."""
    with engine.begin() as connection:
        connection.exec_driver_sql("insert into night values (%s, 'known', now(), 0)", (NIGHTS[number],))
        for source, is_complete in (("scjg", True), ("rsj", complete)):
            state = "complete" if is_complete else "partial"
            connection.exec_driver_sql(
                "insert into feed (source, business_on, state, known_basis) values (%s, %s, %s, 'night')",
                (source, NIGHTS[number], state),
            )


def found(engine: Engine, number: int) -> set[Finding]:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "select class, case_no, kind, seq, opened_on, closed_on, fields from difference_on(%s)", (NIGHTS[number],)
        ).all()
    number_of: dict[Any, int | None] = {night: place for place, night in enumerate(NIGHTS)} | {None: None}
    listed = {
        (row[0], (row[1], row[2], row[3]), number_of[row[4]], number_of[row[5]], tuple(sorted(row[6]))) for row in rows
    }
    assert len(listed) == len(rows), "one finding per record"
    return listed  # type: ignore[return-value]


def test_every_night_finds_what_the_oracle_finds(ready: Engine, altered: Callable[..., Source]) -> None:
    entry = Link("rsj_entry", "区级系统（二次录入）", "double_entry", origin="provincial_platform")
    altered("rsj", links=(entry,), department=sources.get("scjg").department)
    classes: set[str] = set()
    closed = 0
    for seed in range(HISTORIES):
        random = Random(seed)
        told = history(random)
        complete = [random.random() < 0.8 for _ in NIGHTS]
        put(ready, told, random)
        one_by_one = random.random() < 0.5
        for number in range(len(NIGHTS)):
            judge_night(ready, number, complete[number])
            if one_by_one:
                reconciling.reconcile(NIGHTS[number], [])
        reconciling.reconcile(NIGHTS[-1], [])
        again = random.sample(NIGHTS, 3)  # nights made anew by themselves, in any order
        for night in again:
            with ready.begin() as connection:
                for table in ("reconciled_night", "difference_event"):
                    connection.exec_driver_sql(f"delete from {table} where business_on = %s", (night,))
            reconciling.reconcile(night, [])
        for number in range(len(NIGHTS)):
            expected = findings(told, CUTOFFS, complete, number)
            assert found(ready, number) == expected, f"history {seed}, night {number}, complete {complete}"
            classes |= {finding[0] for finding in expected}
            closed += sum(finding[3] is not None for finding in expected)
    assert classes == {"missing", "extra", "wrong"}
    assert closed > HISTORIES
