"""Working days and office hours as they were known at a given date.

A calendar is a list of rows (date, kind, notice, known_from); validity is start-only, so the newest row known for a
date rules it. A year without a notice is *not announced*: weekends and statutory holidays only, and every date from
29 December before it on is provisional. Nothing beyond the years whose statutory holidays are known is ever guessed.
Regions lay their own days (a local festival, a typhoon) and office hours over it, day by day: a city over its province,
a county over its city.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from etl.domain.night import DAY_US
from etl.domain.office_hours import EPOCH, EVERYWHERE, HoursRuling, Schedule, schedule
from etl.errors import CalendarNotCovering, UsageError

Days = npt.NDArray[np.int64]
"""Local dates as days since 1970-01-01."""


class CalendarDay(NamedTuple):
    """One ruling on one date. `notice` starts with the year the notice is for, e.g. ``2015`` or ``2015-amendment``."""

    on_date: date
    kind: str
    name: str
    notice: str
    known_from: date


class StatutoryDay(NamedTuple):
    """A holiday fixed by law, known without any notice."""

    on_date: date
    name: str
    known_from: date


@dataclass(frozen=True)
class Calendar:
    """What was known of one calendar in one place at one time, as tables over all its days.

    `is_working`, `is_provisional`: bool per day from `first`; `rulings`: per date, for explanations.
    """

    version: str
    first: int
    is_working: npt.NDArray[np.bool_]
    is_provisional: npt.NDArray[np.bool_]
    rulings: dict[date, CalendarDay] = field(default_factory=dict, repr=False)
    schedule: Schedule = field(default=EVERYWHERE, repr=False)

    @property
    def last(self) -> int:
        """Last covered day (days since 1970-01-01)."""
        return self.first + len(self.is_working) - 1

    def index(self, days: Days) -> Days:
        """Days -> positions in the tables; `CalendarNotCovering` if any lies outside."""
        outside = (days < self.first) | (days > self.last)
        if outside.any():
            bad = date.fromordinal(int(np.clip(days[outside][0] + EPOCH, 1, date.max.toordinal())))
            raise CalendarNotCovering(
                f"{bad} lies outside calendar {self.version} "
                f"({date.fromordinal(self.first + EPOCH)} to {date.fromordinal(self.last + EPOCH)}); load its notice"
            )
        return days - self.first

    def clip(self, instants: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Instants (us) no earlier and no later than what the calendar covers."""
        return np.clip(instants, (self.first + 1) * DAY_US, self.last * DAY_US)

    def is_working_day(self, on_date: date) -> bool:
        """Whether one date is worked, make-up days included."""
        return bool(self.is_working[self.index_of(on_date)])

    def index_of(self, on_date: date) -> int:
        """Position of one date in the tables; `CalendarNotCovering` outside them."""
        return int(self.index(np.array([on_date.toordinal() - EPOCH]))[0])


class CalendarBook:
    """Every known ruling of one calendar; `known(at)` gives the calendar of that time.

    Args:
        code: short name, first part of `Calendar.version`.
        days: rulings in any order.
        statutory: holidays by law; the years they cover bound the calendar.
        local_days: per region code its own rulings on days; kind ``workday`` leaves the day to the calendar again.
        office_hours: per region code its office hours.
    """

    def __init__(
        self,
        code: str,
        days: Iterable[CalendarDay],
        statutory: Iterable[StatutoryDay],
        local_days: Mapping[str, Iterable[CalendarDay]] | None = None,
        office_hours: Mapping[str, Iterable[HoursRuling]] | None = None,
    ) -> None:
        self.code = code
        self.days = sorted(days, key=lambda day: (day.on_date, day.known_from))
        self.statutory = sorted(statutory)
        self.local_days = {
            stem(region): sorted(rows, key=lambda day: (day.on_date, day.known_from))
            for region, rows in (local_days or {}).items()
        }
        self.office_hours = {
            stem(region): sorted(rows, key=lambda row: (row.known_from, row.valid_from))
            for region, rows in (office_hours or {}).items()
        }
        self._general = {day.known_from for day in self.days} | {day.known_from for day in self.statutory}
        self._of_place = {
            place: {row.known_from for row in (*self.local_days.get(place, ()), *self.office_hours.get(place, ()))}
            for place in sorted(self.local_days.keys() | self.office_hours.keys())
        }
        self.places = ["", *self._of_place]
        """Places with rulings of their own, and one for everywhere else."""
        self.revised_on = sorted(self._general.union(*self._of_place.values()))
        self._known: dict[tuple[int, str], Calendar] = {}
        self._fingerprints: dict[int, str] = {}
        if not self.days or not self.statutory:
            raise CalendarNotCovering(
                f"calendar {code} has no rulings or no statutory holidays; nothing can be counted with it"
            )

    def known(self, at: date | None = None, region: str | None = None) -> Calendar:
        """The calendar of a region as known on `at` (None: everything known now)."""
        return self.version(len(self.revised_on) if at is None else self.revision(at), self.place(region))

    def revision(self, at: date) -> int:
        """How many revisions (`revised_on`) were known on a date."""
        return bisect_right(self.revised_on, at)

    def place(self, region: str | None) -> str:
        """The nearest place at or above a region that has rulings of its own; empty where there is none."""
        return next((place for place in reversed(_line(region or "")) if place in self._of_place), "")

    def version(self, number: int, place: str = "") -> Calendar:
        """The calendar of a `place` after the first `number` revisions (`revised_on`)."""
        line = [over for over in _line(place) if over in self._of_place]
        mine = sorted(self._general.union(*(self._of_place[over] for over in line)))
        # Revisions of other places change nothing here: the same object, however many there were.
        own = bisect_right(mine, self.revised_on[number - 1]) if number else 0
        if (own, place) not in self._known:
            self._known[own, place] = self._build(mine[own - 1] if own else date.min, line)
        return self._known[own, place]

    def fingerprint(self, at: date) -> str:
        """SHA-256 over every ruling of any place known on a date."""
        if self.revision(at) in self._fingerprints:
            return self._fingerprints[self.revision(at)]
        tables: dict[str, Sequence[CalendarDay | StatutoryDay | HoursRuling]]
        tables = {"days": self.days, "statutory": self.statutory, **self.local_days}
        tables |= {f"hours {place}": rows for place, rows in self.office_hours.items()}
        known = {name: [tuple(row) for row in rows if row.known_from <= at] for name, rows in tables.items()}
        digest = hashlib.sha256(repr({name: rows for name, rows in known.items() if rows}).encode()).hexdigest()
        return self._fingerprints.setdefault(self.revision(at), digest)

    def _build(self, at: date, line: Sequence[str]) -> Calendar:
        days = [day for day in self.days if day.known_from <= at]
        statutory = [day for day in self.statutory if day.known_from <= at]
        announced = {int(day.notice[:4]) for day in days}
        years = sorted({day.on_date.year for day in statutory} | announced)
        if not years:
            raise CalendarNotCovering(
                f"what was judged or told before {min(self._general)} lies outside calendar {self.code}, of which "
                "nothing was known then; correct the record's times, or load the notices of its years"
            )
        first, last = date(years[0], 1, 1).toordinal() - EPOCH, date(years[-1], 12, 31).toordinal() - EPOCH
        every = np.arange(first, last + 1)
        working = (every + 3) % 7 < 5  # 1970-01-01 was a Thursday
        for holiday in statutory:  # off by law, listed in the notice or not
            working[holiday.on_date.toordinal() - EPOCH - first] = False
        rulings = {day.on_date: day for day in days}  # sorted: the newest known row wins
        for place in line:
            own = {day.on_date: day for day in self.local_days.get(place, ()) if day.known_from <= at}
            rulings |= {on_date: day for on_date, day in own.items() if day.kind != "workday"}
        for on_date, day in rulings.items():
            position = on_date.toordinal() - EPOCH - first
            if 0 <= position < len(every):
                working[position] = _is_worked(day)
        provisional = np.zeros(len(every), dtype=np.bool_)
        for year in years:
            if year not in announced:
                begin = date(year - 1, 12, 29).toordinal() - EPOCH - first
                provisional[max(begin, 0) : date(year, 12, 31).toordinal() - EPOCH - first + 1] = True
        newest = max((day.known_from for day in days), default=date.min)
        layers = [[row for row in self.office_hours.get(place, ()) if row.known_from <= at] for place in line]
        local = "".join(
            f"+{place}@{max(known)}"
            for place in line
            if (known := {known_from for known_from in self._of_place[place] if known_from <= at})
        )
        hours = schedule(first, len(every), layers) if any(layers) else EVERYWHERE
        return Calendar(f"{self.code}@{newest}{local}", first, working, provisional, rulings, hours)


def stem(region: str) -> str:
    """A region code without the zeros that only fill it: ``430100`` and ``430100000000`` -> ``4301``."""
    ends = (2, 4, 6, 9, len(region))
    return next((region[:end] for end in ends if region.isdigit() and not region[end:].strip("0")), region)


def _line(region: str) -> list[str]:
    """A region and what it belongs to, the widest first (province, city, county, town)."""
    own = stem(region)
    return [*(own[:end] for end in (2, 4, 6, 9) if own.isdigit() and end < len(own)), own] if own else []


def custom(holidays: Sequence[date], makeup_days: Sequence[date]) -> Calendar:
    """A calendar given whole: weekends, these holidays, these make-up days; never provisional (1970 to 2100)."""
    first, last = 0, date(2100, 12, 31).toordinal() - EPOCH
    working = (np.arange(first, last + 1) + 3) % 7 < 5
    rulings = {}
    for kind, dates in (("holiday", holidays), ("makeup", makeup_days)):
        for on_date in dates:
            position = on_date.toordinal() - EPOCH
            if not first <= position <= last:
                raise UsageError(f"custom calendar: {on_date} is not between 1970 and 2100")
            working[position] = kind == "makeup"
            rulings[on_date] = CalendarDay(on_date, kind, "", "custom", date.min)
    digest = hashlib.sha256(repr((sorted(holidays), sorted(makeup_days))).encode()).hexdigest()[:12]
    return Calendar(f"custom@{digest}", first, working, np.zeros(len(working), dtype=np.bool_), rulings)


def _is_worked(day: CalendarDay) -> bool:
    if day.kind == "workday":  # a ruling taken back: the weekday decides again
        return day.on_date.weekday() < 5
    if day.kind not in ("holiday", "makeup"):
        raise UsageError(
            f"calendar ruling on {day.on_date}: unknown kind {day.kind!r}; known: holiday, makeup, workday"
        )
    return day.kind == "makeup"
