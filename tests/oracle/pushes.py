"""Hops and their lags, one record at a time: straight loops over minutes and days, no arithmetic on working time.

A way is a start and its links (target, mode, minutes allowed). Instants are whole seconds on full minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import NamedTuple

from tests.oracle.calendar import DAY, Calendar
from tests.oracle.look import cut_off_from
from tests.oracle.stepping import SHANGHAI, local_day, office_steps, second


@dataclass(frozen=True)
class Way:
    start: str
    links: tuple[tuple[str, str, int], ...]

    @property
    def places(self) -> list[str]:
        return [self.start, *(target for target, _, _ in self.links)]


@dataclass(frozen=True)
class Sent:
    """One record as one source tells it."""

    source: str
    occurred: int
    written: int | None
    received: int | None
    known: int


class Lag(NamedTuple):
    hop: str
    set_out: int
    reached: int
    working_days: float
    is_late: bool


def working_days(calendar: Calendar, begin: int, end: int) -> float:
    """Minutes of office time from one instant to another, as a share of a day's."""
    if end < begin:
        return -working_days(calendar, end, begin)
    count, day = 0, local_day(begin)
    while day <= local_day(end):
        count += sum(begin <= at < end for at in office_steps(calendar, day, 60))
        day += DAY
    return count / 420


def last_moment(calendar: Calendar, set_out: int, links: tuple[tuple[str, str, int], ...]) -> int:
    """Until when what set out then is in time: each link may use its time in full."""
    for _, mode, minutes in links:
        if mode == "real_time":
            set_out += minutes * 60
            continue
        day = local_day(set_out) + DAY
        while not calendar.works(day):
            day += DAY
        set_out = second(datetime.combine(day, time(12), SHANGHAI))
    return set_out


def sightings(mine: Sent, every: list[Sent], ways: dict[str, Way]) -> list[tuple[int, int, Sent]]:
    """(place on my way, when, who says so) of places between start and end, in the order of the way."""
    found = []
    for number, place in enumerate(ways[mine.source].places):
        if number in (0, len(ways[mine.source].links)):
            continue
        for other in every:
            if other.source == mine.source:
                continue
            if ways[other.source].places[-1] == place and other.received is not None:
                found.append((number, other.received, other))
            elif ways[other.source].start == place and other.written is not None:
                found.append((number, other.written, other))
    return sorted(found, key=lambda one: one[0])


def transport(mine: Sent, every: list[Sent], ways: dict[str, Way], calendar: Calendar) -> Lag | None:
    """From where it was last seen before the end of its way to that end."""
    way = ways[mine.source]
    seen = sightings(mine, every, ways)
    place, set_out = (seen[-1][0], seen[-1][1]) if seen else (0, mine.written)
    if set_out is None:
        return None
    until = last_moment(calendar, set_out, way.links[place:])
    end, reached = way.places[-1], mine.received
    if reached is None:
        end, reached, until = "supervision", mine.known, cut_off_from(until)
    days = working_days(calendar, set_out, reached)
    return Lag(f"{way.places[place]}->{end}", set_out, reached, days, reached > until)


def lags(mine: Sent, every: list[Sent], ways: dict[str, Way], calendar: Calendar) -> list[Lag]:
    """Everything measured of one record by what `every` source tells of it."""
    found = []
    spans = [("entry:", mine.occurred, mine.written), ("total:", mine.occurred, mine.received)]
    for name, begin, end in spans:
        if end is not None:
            found.append(Lag(name + mine.source, begin, end, working_days(calendar, begin, end), False))
    found += [lag for lag in [transport(mine, every, ways, calendar)] if lag is not None]
    if mine.received is not None:
        first = cut_off_from(mine.received)
        days = working_days(calendar, first, mine.known)
        found.append(Lag(f"{ways[mine.source].places[-1]}->supervision", first, mine.known, days, mine.known > first))
    return sorted(found)


def responsible(mine: Sent, every: list[Sent], ways: dict[str, Way], calendar: Calendar) -> str | None:
    """The first hop later than it may be, from the start on."""
    for _, _, other in sightings(mine, every, ways):
        way = ways[other.source]
        if way.places[-1] not in ways[mine.source].places[1:-1] or other.received is None or other.written is None:
            continue
        if other.received > last_moment(calendar, other.written, way.links):
            return f"{way.start}->{way.places[-1]}"
    moved = transport(mine, every, ways, calendar)
    if moved is not None and moved.is_late:
        return moved.hop
    is_pulled_late = mine.received is not None and mine.known > cut_off_from(mine.received)
    return f"{ways[mine.source].places[-1]}->supervision" if is_pulled_late else None
