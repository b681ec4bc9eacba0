"""An independent calendar: which local dates are worked, as far as was known on a given date.

Days come from `holidays.json` (NateScarlet/holiday-cn, MIT); when a year's notice became known is written here by hand.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

DAY = timedelta(days=1)
ROWS = [
    (date.fromisoformat(day), kind, year)
    for day, kind, year in json.loads((Path(__file__).parent / "holidays.json").read_text(encoding="utf-8"))
]

# Date of the State Council notice that first arranged each year.
NOTICE = {
    2007: date(2006, 12, 14),
    2008: date(2007, 12, 16),
    2009: date(2008, 12, 10),
    2010: date(2009, 12, 8),
    2011: date(2010, 12, 10),
    2012: date(2011, 12, 6),
    2013: date(2012, 12, 10),
    2014: date(2013, 12, 11),
    2015: date(2014, 12, 16),
    2016: date(2015, 12, 10),
    2017: date(2016, 12, 1),
    2018: date(2017, 11, 30),
    2019: date(2018, 12, 6),
    2020: date(2019, 11, 21),
    2021: date(2020, 11, 25),
    2022: date(2021, 10, 25),
    2023: date(2022, 12, 8),
    2024: date(2023, 10, 25),
    2025: date(2024, 11, 12),
    2026: date(2025, 11, 4),
}
# The days whose row in holidays.json is owed to a later notice, and what the first notice said of them.
AMENDED = {
    2015: (date(2015, 5, 13), {"2015-09-03": None, "2015-09-04": None, "2015-09-05": None, "2015-09-06": None}),
    2019: (
        date(2019, 3, 22),
        {"2019-04-28": None, "2019-05-02": None, "2019-05-03": None, "2019-05-04": None, "2019-05-05": None},
    ),
    2020: (
        date(2020, 1, 27),
        {"2020-01-31": None, "2020-02-01": "work", "2020-02-02": None, "2020-02-03": None},
    ),
}

# Statutory holidays that follow the moon or the sun: new year's day of the lunar year, Qingming, Duanwu, Mid-Autumn.
MOVABLE = {
    2007: ("02-18", "04-05", "06-19", "09-25"),
    2008: ("02-07", "04-04", "06-08", "09-14"),
    2009: ("01-26", "04-04", "05-28", "10-03"),
    2010: ("02-14", "04-05", "06-16", "09-22"),
    2011: ("02-03", "04-05", "06-06", "09-12"),
    2012: ("01-23", "04-04", "06-23", "09-30"),
    2013: ("02-10", "04-04", "06-12", "09-19"),
    2014: ("01-31", "04-05", "06-02", "09-08"),
    2015: ("02-19", "04-05", "06-20", "09-27"),
    2016: ("02-08", "04-04", "06-09", "09-15"),
    2017: ("01-28", "04-04", "05-30", "10-04"),
    2018: ("02-16", "04-05", "06-18", "09-24"),
    2019: ("02-05", "04-05", "06-07", "09-13"),
    2020: ("01-25", "04-04", "06-25", "10-01"),
    2021: ("02-12", "04-04", "06-14", "09-21"),
    2022: ("02-01", "04-05", "06-03", "09-10"),
    2023: ("01-22", "04-05", "06-22", "09-29"),
    2024: ("02-10", "04-04", "06-10", "09-17"),
    2025: ("01-29", "04-04", "05-31", "10-06"),
    2026: ("02-17", "04-05", "06-19", "09-25"),
    2027: ("02-06", "04-05", "06-09", "09-15"),
    2028: ("01-26", "04-04", "05-28", "10-03"),
    2029: ("02-13", "04-04", "06-16", "09-22"),
    2030: ("02-03", "04-05", "06-05", "09-12"),
}


# (first year it governs, date it became known, days around lunar new year's day, days from 1 May, movable feasts too)
HOLIDAY_LAW = [
    (2000, date(1999, 9, 18), (0, 1, 2), 3, False),
    (2008, date(2007, 12, 14), (-1, 0, 1), 1, True),
    (2014, date(2013, 12, 11), (0, 1, 2), 1, True),
    (2025, date(2024, 11, 10), (-1, 0, 1, 2), 2, True),
]


def statutory_holidays(year: int, known_on: date | None = None) -> set[date]:
    """The holidays that the holiday regulation itself names for `year`, without any substitute day."""
    if year not in MOVABLE:
        raise ValueError(f"no statutory holidays known for {year}")
    law = [row for row in HOLIDAY_LAW if row[0] <= year and (known_on is None or row[1] <= known_on)][-1]
    _, _, around_spring, labour_days, has_feasts = law
    spring, qingming, duanwu, autumn = (date.fromisoformat(f"{year}-{day}") for day in MOVABLE[year])
    days = {date(year, 1, 1)}
    days |= {spring + n * DAY for n in around_spring}
    days |= {date(year, 5, 1) + n * DAY for n in range(labour_days)}
    days |= {date(year, 10, 1) + n * DAY for n in range(3)}
    if has_feasts:
        days |= {qingming, duanwu, autumn}
    return days


class Calendar:
    """State Council arrangement as known on `known_on` (local date; None = everything published)."""

    def __init__(self, known_on: date | None = None) -> None:
        self.known_on = known_on
        self.announced = {year for year, on in NOTICE.items() if known_on is None or on <= known_on}
        self.kind: dict[date, str] = {}
        for day, kind, year in ROWS:
            if year not in self.announced:
                continue
            said: str | None = kind
            if year in AMENDED:
                amended_on, first_said = AMENDED[year]
                if known_on is not None and known_on < amended_on and day.isoformat() in first_said:
                    said = first_said[day.isoformat()]
            if said is not None:
                self.kind[day] = said
        first_open_year = min(year for year in MOVABLE if year not in self.announced)
        # The notice of a year has ruled on days as early as 29 December before it.
        self.open_from = date(first_open_year - 1, 12, 29)

    def works(self, day: date) -> bool:
        if day in self.kind:
            return self.kind[day] == "work"
        if day.year not in MOVABLE:
            raise ValueError(f"the calendar does not cover {day}")
        if day.year not in self.announced and day in statutory_holidays(day.year, self.known_on):
            return False
        return day.weekday() < 5

    def provisional(self, day: date) -> bool:
        return day >= self.open_from


class CustomCalendar:
    """Monday to Friday, less `holidays`, plus `makeup_days`; what the caller gives is never provisional."""

    def __init__(self, holidays: set[date], makeup_days: set[date]) -> None:
        self.holidays, self.makeup_days = holidays, makeup_days

    def works(self, day: date) -> bool:
        if day in self.makeup_days:
            return True
        return day.weekday() < 5 and day not in self.holidays

    def provisional(self, day: date) -> bool:
        return False


@lru_cache(maxsize=4096)
def known_on(day: date | None) -> Calendar:
    return Calendar(day)
