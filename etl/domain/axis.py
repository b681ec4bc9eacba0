"""Measures of time as integer axes, so that clocks are exact whole-number arithmetic.

An axis maps instants to positions. Used time is a difference of positions, a suspension is an interval of positions,
a limit is a distance. Three axes cover every counting mode:

* `OfficeAxis`: office hours. One working day is `day` ticks whatever its length (a common multiple of all lengths),
  so a half day or a summer day still counts one and fractions stay exact rationals.
* `DateAxis`: whole days, either working days (`whole_day`) or all days (`natural_day`, moved off rest days).
* `WallAxis`: plain elapsed microseconds (hours and minutes in `natural_day`).

Instants are microseconds since the epoch (UTC); "local" means wall time of the axis' zone.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from etl.domain.calendar import Calendar
from etl.domain.night import DAY_US, Instants

Positions = npt.NDArray[np.int64]
FAR = np.int64(2**61)
"""A position after every real one."""
UNKNOWN = FAR // 2
"""Targets from here on were moved by a suspension that has no end yet."""


class Targets(NamedTuple):
    """Where a limit ends on the axis, moved by the suspensions before it.

    They differ when a limit is used up just as a suspension begins: `due` stays there, `over` waits for its end.
    """

    due: Positions
    over: Positions


class Axis(Protocol):
    """What a clock needs of a measure. Arrays in, arrays of the same length out."""

    calendar: Calendar

    def start(self, starts: Instants) -> Positions:
        """Where the clock starts counting."""
        ...

    def at(self, instants: Instants) -> Positions:
        """How far the measure has run at an instant."""
        ...

    def suspension(self, begins: Instants, ends: Instants) -> tuple[Positions, Positions]:
        """The positions a suspension takes out."""
        ...

    def distance(self, limits: npt.NDArray[np.float64], unit: str, starts: Instants) -> Positions:
        """Limits -> distances from `start(starts)`."""
        ...

    day_unit: str

    def due(self, targets: Targets, starts: Instants) -> Instants:
        """The earliest moment the limit is used up (whole days: the end of the last one); itself not overdue."""
        ...

    def reached(self, targets: Targets, starts: Instants) -> Instants:
        """The boundary right after which the limit is exceeded; later than `due` over a night or a rest day."""
        ...

    def met(self, targets: Targets, starts: Instants) -> Instants:
        """The earliest moment at which that much is used (whole days: the start of that day)."""
        ...

    def is_over(self, targets: Targets, starts: Instants, stops: Instants) -> npt.NDArray[np.bool_]:
        """Whether a clock stopped at `stops` has passed its target."""
        ...

    def days(self, positions: Positions) -> npt.NDArray[np.float64]:
        """Distances -> days, for showing."""
        ...

    def is_provisional(self, boundaries: Instants) -> npt.NDArray[np.bool_]:
        """Whether a boundary lies where the calendar is not announced."""
        ...

    def given(self, moments: Instants) -> tuple[Instants, Instants]:
        """Due moments a source gives itself -> (last instant that is not overdue, boundary as `reached` has it)."""
        ...

    def close(self, starts: Instants) -> Positions:
        """Where an instant case is due: the end of the working day of its acceptance, else of the next one."""
        ...


def exact(limits: npt.NDArray[np.float64], per_unit: int) -> Positions:
    """Limits as written in decimal -> whole positions, rounded down (used > limit is the same on whole numbers)."""
    if len(limits) and np.abs(limits).max() < 2**52 / per_unit:
        whole = limits.astype(np.int64)
        if (whole == limits).all():  # nothing to round
            return whole * per_unit
    unique, inverse = np.unique(limits, return_inverse=True)
    exact = [min(math.floor(Fraction(repr(float(limit))) * per_unit), int(FAR) // 4) for limit in unique]
    return np.array(exact, dtype=np.int64)[inverse]


def provisional(calendar: Calendar, local: Instants) -> npt.NDArray[np.bool_]:
    """Wall times -> whether they lie on days not announced; beyond the calendar as on its first or last day."""
    days = calendar.is_provisional
    tail = int(np.argmin(days[::-1]))
    if tail and np.count_nonzero(days) == tail:  # all that is not announced lies at the end: one comparison
        return local >= (calendar.first + len(days) - tail) * DAY_US
    return days[np.clip(local // DAY_US - calendar.first, 0, len(days) - 1)]
