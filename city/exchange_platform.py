"""The province's exchange platform: what the drug administration's own database passes on to it, as such jobs do.

A job copies every row within the hour, and not every one: it skips a row it cannot write, and some of those are noticed
and sent after all, days later; it writes the moment of sending over a decision's own, or loses a limit on the way; it
sends a row again as it is, as a new version. Which rows, only chance decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random

from city.deliver import HORIZON
from city.exchange_set import Row, naive

FROM, NAME = "syj", "syj_exchange"
"""Whose rows, and what is read as a source of its own."""
SKIPPED, NOTICED, ALTERED, REPEATED = 0.05, 0.5, 0.06, 0.02
"""Shares: of all rows, of those skipped, of decisions and acceptances, of all rows."""


def passed_on(rows: Iterable[tuple[str, Row]], seed: int) -> Iterator[tuple[str, Row]]:
    """(stream, row) of the department's tables -> those of the platform's; `xtsj` is when the row was there."""
    for stream, row in rows:
        rng = Random(f"{seed}/{NAME}/{stream}/{row['sblsh']}/{row['xtsj']}/{row['sjbbh']}")
        sent: datetime = row["rksj"] + timedelta(minutes=rng.randint(1, 45))
        if rng.random() < SKIPPED:
            if rng.random() > NOTICED:
                continue
            sent += timedelta(days=rng.randint(2, 9))
        copy = row | {"xtsj": row["rksj"], "rksj": sent}
        told = [copy]
        if rng.random() < ALTERED:
            told = [copy | {"finish": {"bjsj": sent}, "accept": {"cnsx": None}}.get(stream, {})]
        if rng.random() < REPEATED:
            later = sent + timedelta(hours=rng.randint(2, 60))
            told.append(copy | {"sjbbh": str(int(row["sjbbh"]) + 1), "rksj": later})
        yield from ((stream, one) for one in told if one["rksj"] <= naive(HORIZON))
