"""The weekly bulletin: compiled from the ledger once, then frozen."""

from __future__ import annotations

from typing import Any

from etl.domain.night import cutoff_at, week_days
from etl.publish import bulletin
from etl.runs import link_report, ways
from etl.settings import settings
from etl.store.disk import private
from etl.store.engine import engine
from etl.store.evidence import verify
from etl.supervision.delays import own_systems


def compile_bulletin(week: str) -> dict[str, Any]:
    """Compile ISO week `week` as known at the cut-off of its Sunday; refuses on broken evidence."""
    with engine().connect() as connection:
        verify(connection)
    first, last = week_days(week)
    data_until = cutoff_at(last, settings().cutoff)
    result: dict[str, Any] = bulletin.compile_week(
        engine(),
        week,
        data_until,
        private(settings().var_dir / "bulletins"),
        ways.titles(),
        link_report.links(first, last, last),
        own_systems(ways.links()),
    )
    return result
