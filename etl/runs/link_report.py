"""Who is late: the lags of some nights per source and hop, their incidents, and who answers for withdrawn cards."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from etl.domain.chinese import CLOCK, LEVEL
from etl.domain.night import cutoff_at, nights
from etl.errors import UsageError
from etl.publish.links import INCIDENT_COLUMNS, LINK_COLUMNS, incident_cells, is_hop, link_cells, reassigned
from etl.publish.privacy import one_line, redact
from etl.publish.wording import NONE, day, duration, number, percent, titled
from etl.runs import tracing, ways
from etl.settings import settings
from etl.store.calendars import stored
from etl.store.engine import engine
from etl.store.statements import sql
from etl.supervision.delays import LAGS, SUPERVISION, summarise

_WORKING = ("P95（工作日）", "最长（工作日）")
_WIDTH = 240
"""Of tables that are not shown on a terminal."""


def last_night() -> date:
    """The last night measured."""
    with engine().connect() as connection:
        last: date | None = connection.execute(sql("delays/last_traced")).scalar()
    if last is None:
        raise UsageError("no night has been measured yet; run jiancha night --date D")
    return last


def links(first: date, last: date, known_on: date, only: Collection[str] = ()) -> list[dict[str, Any]]:
    """Per source and hop of nights `first` to `last`: what `summarise` says of all their lags together, and

    due_count: what arrived, and what had been due by the end and had not; late_count counts both. backlog_seconds: how
    long the oldest record on its way at the end had been waiting, of those that came late as known on `known_on`; null:
    none was.
    """
    routes, calendars = ways.links(), stored(engine())
    routes = {name: route for name, route in routes.items() if not only or name in only}
    lags = [tracing.measured(night, routes, calendars)[1].drop_columns("record") for night in nights(first, last)]
    found = summarise(pa.concat_tables([LAGS.empty_table().drop_columns("record"), *lags]), ("source", "hop"))
    asked = {"at": cutoff_at(last, settings().cutoff), "known_on": known_on}
    with engine().connect() as connection:
        waiting = {(row.source, row.hop): row for row in connection.execute(sql("delays/waiting"), asked)}
    for row in found:
        still = waiting.get((row["source"], row["hop"]))
        overdue = still.overdue_count if still else 0
        row["due_count"] = row["message_count"] + overdue
        row["late_count"] += overdue
        row["backlog_seconds"] = still.backlog_seconds if still else None
    return sorted(found, key=lambda row: (row["source"], _place(row["hop"]), row["hop"]))


def report(first: date, last: date, only: Collection[str] = ()) -> dict[str, Any]:
    """Links, incidents and re-assigned cards of nights `first` to `last`, by what was known when last measured."""
    known_on = max(last, last_night())
    with engine().connect() as connection:
        asked = {"first": first, "last": last, "known_on": known_on}
        incidents = [dict(row) for row in connection.execute(sql("delays/incidents"), asked).mappings()]
        cards = [dict(row) for row in connection.execute(sql("delays/reassigned_cards"), asked).mappings()]
    return {
        "from": first,
        "to": last,
        "links": links(first, last, known_on, only),
        "incidents": [row for row in incidents if not only or row["source"] in only],
        "reassigned": [row for row in cards if not only or row["source"] in only],
    }


def heat(first: date, last: date, only: Collection[str] = ()) -> dict[str, Any]:
    """Link by night, for a page to colour: P95 of what arrived and the on-time rate of what was due.

    Returns:
        from, to, nights, and per source and hop: source, hop, title, cells (one per night; null: nothing was due).
        A cell: due_count, late_count, p95_seconds, p95_working_days, on_time_percent (two decimals).
    """
    known_on, span = max(last, last_night()), list(nights(first, last))
    cells: dict[tuple[str, str], dict[date, dict[str, Any]]] = {}
    for night in span:
        for row in links(night, night, known_on, only):
            if is_hop(row) and row["due_count"]:
                cells.setdefault((row["source"], row["hop"]), {})[night] = {
                    **{name: row[name] for name in ("due_count", "late_count", "p95_seconds", "p95_working_days")},
                    "on_time_percent": number(Decimal(100 * (row["due_count"] - row["late_count"])) / row["due_count"]),
                }
    names = ways.titles()
    return {
        "from": first,
        "to": last,
        "nights": span,
        "links": [
            {"source": source, "hop": hop, "title": titled(hop, names), "cells": [found.get(night) for night in span]}
            for (source, hop), found in sorted(cells.items(), key=lambda entry: (entry[0][0], _place(entry[0][1])))
        ],
    }


def as_text(found: dict[str, Any]) -> str:
    """The report for people."""
    names = ways.titles()
    console = Console(file=StringIO(), width=_WIDTH)
    table = _table(
        f"各环节时延（{found['from']} 至 {found['to']}）", (*LINK_COLUMNS, *_WORKING, "时钟偏差", "负时延", "积压最久")
    )
    for row in found["links"]:
        table.add_row(
            *link_cells(row, names),
            *(number(row[f"{name}_working_days"]) for name in ("p95", "max")),
            duration(row["skew_seconds"]),
            percent(row["negative_count"], row["message_count"]) if row["negative_count"] else NONE,
            duration(row["backlog_seconds"]),
        )
    console.print(table)
    table = _table("推送事件", INCIDENT_COLUMNS)
    for row in found["incidents"]:
        table.add_row(*incident_cells(row, names))
    console.print(table)
    console.print("因推送延时撤回的牌，责任转由")
    for line in answering(found, names) or ["没有"]:
        console.print(f"  {line}")
    table = _table("其中", ("责任环节", "级别", "时钟", "办件编号", "事项", "撤回之夜"))
    for row in found["reassigned"]:
        table.add_row(
            titled(row["responsible_hop"], names),
            LEVEL[row["level"]],
            CLOCK[row["clock"]],
            one_line(row["case_no"]),
            redact(row["item_name"] or NONE),
            day(row["business_on"]),
        )
    console.print(table)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in shown.splitlines())


def answering(found: dict[str, Any], names: dict[str, str]) -> list[str]:
    """A line per hop that answers for withdrawn cards."""
    return reassigned(((row["responsible_hop"], row["level"], 1) for row in found["reassigned"]), names)


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _place(hop: str) -> int:
    """Entry, the hops of the way, the way to us, the whole."""
    if not is_hop({"hop": hop}):
        return 0 if hop.startswith("entry:") else 3
    return 2 if hop.endswith(SUPERVISION) else 1
