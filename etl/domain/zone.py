"""Instants and the wall time of a zone, as whole columns of microseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from etl.domain.night import OFFSET, ZONE, Instants


@dataclass(frozen=True)
class Zone:
    """Instants <-> wall time of a zone, both as microseconds."""

    info: ZoneInfo = ZONE

    @property
    def _fixed(self) -> int | None:
        """The offset where it never changes: China has had no daylight saving since 1991."""
        return OFFSET // timedelta(microseconds=1) if self.info.key == ZONE.key else None

    def to_local(self, instants: Instants) -> Instants:
        """Instants -> wall time."""
        if self._fixed is not None:
            return instants + self._fixed
        import pandas as pd

        aware = pd.DatetimeIndex(instants.astype("M8[us]"), tz="UTC").tz_convert(self.info)
        return aware.tz_localize(None).as_unit("us").asi8

    def to_instant(self, local: Instants) -> Instants:
        """Wall time -> instants; an hour that does not exist moves forward, a repeated one is its first pass."""
        if self._fixed is not None:
            return local - self._fixed
        import pandas as pd

        naive = pd.DatetimeIndex(local.astype("M8[us]"))
        first = np.ones(len(naive), dtype=np.bool_)  # the repeated hour of autumn: its first pass
        aware = naive.tz_localize(self.info, ambiguous=first, nonexistent="shift_forward")
        return aware.tz_convert("UTC").as_unit("us").asi8
