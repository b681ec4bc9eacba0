"""Due dates of 10,000,000 cases on one thread, beside numpy's busday_offset and beside just copying the bytes.

The copy is of what is read and written: start 8 bytes, limit 4, due 8, whether it is provisional 1: 21 bytes a case.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.measure import bar, medians, table
from etl.domain.axes import axis_for
from etl.domain.axis import Targets
from etl.domain.night import DAY_US
from etl.store.calendars import packaged

CASES = 10_000_000
CHUNK = 65_536
"""Cases at a time, for every contestant: what is worked on stays in the processor's cache."""
COPY, BUSDAY, WHOLE, OFFICE = "copy", "busday", "whole_day", "office_clock"
_TITLES = {
    COPY: "plain copy of input read and output written",
    BUSDAY: "numpy busday_offset (knows no make-up days)",
    WHOLE: "**due dates, whole_day**",
    OFFICE: "due instants, office_clock",
}


def contestants(cases: int) -> dict[str, Callable[[], object]]:
    """Each does all cases once; all but the copy give their due moments or dates."""
    random = np.random.default_rng(20261122)
    calendar = packaged().cn()
    days = random.integers(13_514, 20_400, cases)  # 2007 to 2025
    starts, limits = days * DAY_US, random.integers(1, 60, cases).astype(np.float32)
    holidays = np.flatnonzero(~calendar.is_working) + calendar.first
    busday = np.busdaycalendar(holidays=holidays[(holidays + 3) % 7 < 5].astype("M8[D]"))
    dates, whole = days.astype("M8[D]"), limits.astype(np.int64)
    parts = [slice(begin, begin + CHUNK) for begin in range(0, cases, CHUNK)]
    due, flags = np.empty(cases, np.int64), np.zeros(cases, np.bool_)
    copies = [np.empty_like(column) for column in (starts, limits, due, flags)]

    def copy() -> None:
        for part in parts:
            for target, source in zip(copies, (starts, limits, due, flags), strict=True):
                target[part] = source[part]

    def ours(mode: str) -> np.ndarray:
        axis = axis_for(mode, "working_day", calendar)
        for part in parts:
            mine = starts[part]
            targets = axis.start(mine) + axis.distance(limits[part].astype(np.float64), "working_day", mine)
            due[part] = axis.due(Targets(targets, targets), mine)
            flags[part] = axis.is_provisional(due[part])
        return due

    def numpy_busday() -> np.ndarray:
        out = np.empty(cases, "M8[D]")
        for part in parts:
            out[part] = np.busday_offset(dates[part], whole[part], roll="backward", busdaycal=busday)
        return out

    return {COPY: copy, BUSDAY: numpy_busday, WHOLE: lambda: ours("whole_day"), OFFICE: lambda: ours("office_clock")}


def report(cases: int = CASES, runs: int = 5) -> list[str]:
    """The contestants by seconds and as ratios."""
    seconds = medians(contestants(cases), runs)
    ratio = {name: one / seconds[COPY] for name, one in seconds.items()}
    rows = [[title, f"{seconds[name]:.3f}", f"{ratio[name]:.1f}"] for name, title in _TITLES.items()]
    return [
        *table(["", "seconds", "× copy"], rows),
        "",
        bar("whole_day ÷ copy", ratio[WHOLE], at_most=6),
        bar("numpy busday_offset ÷ whole_day", seconds[BUSDAY] / seconds[WHOLE], at_least=10),
    ]
