"""The weekly bulletin: compiled from the ledger once, then frozen."""

from __future__ import annotations

from typing import Any

from etl.domain.night import cutoff_at, week_days
from etl.errors import UsageError
from etl.publish import bulletin
from etl.runs import link_report, ways
from etl.settings import settings
from etl.store import feeds
from etl.store.disk import private
from etl.store.engine import engine
from etl.store.evidence import verify
from etl.supervision.delays import own_systems


def compile_bulletin(week: str) -> dict[str, Any]:
    """Compile ISO week `week` as known at the cut-off of its Sunday, or hand out what was issued.

    Raises:
        UsageError: the night of its Sunday has not been judged, so that the week is not over or nothing is known of it.
        EvidenceBroken: the evidence chain does not verify.
    """
    first, last = week_days(week)
    with engine().connect() as connection:
        verify(connection)
        is_issued = bulletin.issued_bulletin(connection, week) is not None
    if not is_issued and last not in feeds.fingerprints(engine()):
        raise UsageError(f"week {week} is not over: night {last} has not been judged; run it first")
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
