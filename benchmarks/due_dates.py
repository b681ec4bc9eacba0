"""Due dates of many cases: our working-day table against numpy's busday and against just copying the bytes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from etl.domain.axes import axis_for
from etl.domain.axis import Targets
from etl.domain.night import DAY_US
from etl.store.calendars import packaged

CASES = 2_000_000


def median_seconds(work: Callable[[], object], runs: int = 5) -> float:
    """Median wall time of `runs` calls."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def report() -> list[str]:
    """One table as Markdown lines."""
    random = np.random.default_rng(20261122)
    calendar = packaged().cn()
    days = random.integers(13_514, 20_400, CASES)  # 2007 to 2025
    starts, limits = days * DAY_US, random.integers(1, 60, CASES).astype(np.float64)
    holidays = np.flatnonzero(~calendar.is_working) + calendar.first
    weekend = (holidays + 3) % 7 >= 5
    busday = np.busdaycalendar(holidays=holidays[~weekend].astype("M8[D]"))
    dates, whole = days.astype("M8[D]"), limits.astype(np.int64)

    def due(mode: str) -> object:
        axis = axis_for(mode, "working_day", calendar)
        targets = axis.start(starts) + axis.distance(limits, "working_day", starts)
        return axis.due(Targets(targets, targets), starts)

    measured = {
        "plain copy of the input and output": median_seconds(lambda: (starts.copy(), limits.copy(), starts.copy())),
        "numpy busday_offset (knows no make-up days)": median_seconds(
            lambda: np.busday_offset(dates, whole, roll="backward", busdaycal=busday)
        ),
        "due dates, whole_day": median_seconds(lambda: due("whole_day")),
        "due instants, office_clock": median_seconds(lambda: due("office_clock")),
    }
    copy = measured["plain copy of the input and output"]
    rows = [f"| {name} | {seconds:.3f} | {seconds / copy:.1f} |" for name, seconds in measured.items()]
    return [f"## Due dates of {CASES:,} cases", "", "| | seconds | × copy |", "|---|---|---|", *rows]
