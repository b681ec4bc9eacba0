"""Push delays: how late each record moved over each hop, and which hop answers for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from etl.domain.night import NEVER, Instants, first_cutoffs
from etl.domain.office_axis import OfficeAxis
from etl.supervision.history import Messages

SUPERVISION = "supervision"


@dataclass(frozen=True)
class LinkLimit:
    """The first hop a source's records take: where to, and how long it may take before it counts as late.

    A real-time link is late after `warn_after`, a nightly one after 12:00 of the next working day. `origin` is where
    the records set out from, if that is not the source itself.
    """

    target: str
    warn_after: timedelta = timedelta(hours=1)
    mode: Literal["real_time", "nightly"] = "real_time"
    yellow_after_working_days: float = 1.0
    red_after_working_days: float = 3.0
    origin: str = ""

    def hop(self, source: str) -> str:
        """The hop of this source's records from being written to being received."""
        return hop_name(self.origin or source, self.target)


DEFAULT_LINK = LinkLimit("platform")


def hop_name(origin: str, target: str) -> str:
    """How a hop is written everywhere."""
    return f"{origin}->{target}"


def late_by(
    written: Instants, received: Instants, link: LinkLimit, axis: OfficeAxis
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64], list[str]]:
    """Per record: is it late on this link, its lag in working days, and the level that lag reaches."""
    lag_days = axis.days(axis.at(received) - axis.at(written))
    if link.mode == "nightly":
        is_late = received > axis.next_working_noon(written)
    else:
        is_late = received - written > link.warn_after // timedelta(microseconds=1)
    levels = np.where(
        lag_days > link.red_after_working_days,
        "red",
        np.where(lag_days > link.yellow_after_working_days, "yellow", "warn"),
    )
    return is_late, lag_days, levels.tolist()


def responsible_hops(
    history: Messages, deciding: Sequence[Sequence[int]], links: Mapping[str, LinkLimit], cutoff: time, axis: OfficeAxis
) -> list[str | None]:
    """Per list of deciding messages the first hop whose own lag exceeds its limit, for the earliest of them.

    None where no hop is late.
    """
    hops: list[str | None] = [None] * len(deciding)
    earliest = [min(messages, key=lambda row: int(history.occurred[row])) for messages in deciding]
    rows = np.array(earliest, np.int64)
    for code in np.unique(history.source[rows]).tolist():
        place = np.flatnonzero(history.source[rows] == code)
        row = rows[place]
        source = history.table["source"][int(row[0])].as_py()
        link = links.get(source, DEFAULT_LINK)
        written, received, known = (column[row] for column in (history.written, history.received, history.known))
        has_arrived = np.where(received == NEVER, written, received)
        is_late, _, _ = late_by(written, has_arrived, link, axis)
        is_kept = known > first_cutoffs(has_arrived, cutoff)
        named = np.select(
            [received == NEVER, is_late, is_kept],
            [hop_name(source, SUPERVISION), link.hop(source), hop_name(link.target, SUPERVISION)],
            "",
        )
        for number, name in zip(place.tolist(), named.tolist(), strict=True):
            hops[number] = name or None
    return hops
