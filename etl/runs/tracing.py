"""Tracing: push lags of everything known by a night, link by link, and a finding for each record that came late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from etl.crashpoints import reach
from etl.domain.night import cutoff_at, to_us
from etl.domain.office_axis import OfficeAxis
from etl.settings import settings
from etl.store.calendars import stored
from etl.store.engine import engine
from etl.store.statements import sql
from etl.supervision.delays import LinkLimit, late_by


def trace(business_on: date, links: Mapping[str, LinkLimit]) -> dict[str, int]:
    """Measure every night up to `business_on` whose messages changed since it was measured -> counts."""
    until = cutoff_at(business_on, settings().cutoff)
    axis = OfficeAxis(stored(engine()).cn(business_on))
    found = 0
    with engine().begin() as connection:
        nights = list(connection.execute(sql("delays/stale_nights"), {"until": until}).scalars())
        for source, link in links.items():
            hop = link.hop(source)
            asked = {
                "source": source,
                "hop": hop,
                "nights": nights,
                "warn_after_seconds": 0 if link.mode == "nightly" else int(link.warn_after.total_seconds()),
            }
            connection.execute(sql("delays/record_lags"), asked)
            late = list(connection.execute(sql("delays/late_messages"), asked).mappings())
            written, received = (
                np.array([to_us(row[name]) for row in late], dtype=np.int64) for name in ("written_at", "received_at")
            )
            is_late, days, levels = late_by(written, received, link, axis)
            findings = [
                {**row, "hop": hop, "lag_seconds": int(lag // 1_000_000), "lag_working_days": day, "level": level}
                for row, lag, day, level, counts in zip(
                    late, received - written, days.round(6).tolist(), levels, is_late, strict=True
                )
                if counts
            ]
            if findings:
                connection.execute(sql("delays/record_finding"), findings)
            connection.execute(sql("delays/count_late"), {"source": source})
            found += len(findings)
        reach("trace.before_commit")
    reach("trace.after_commit")
    return {"nights": len(nights), "findings": found}
