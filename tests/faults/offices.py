"""Made-up offices and what can be wrong with what they send; knows nothing of the code under test.

Every case is promised for one working day. Nearly all are decided in time but only just, so that a feed that loses a
night's decisions makes them look late; a few really are late, and `Office.overdue` says which, and since which night.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum
from random import Random

from tests.oracle.calendar import Calendar

ZONE = timezone(timedelta(hours=8))
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ITEM = "513A0102900001-511602000000-000-11511301MB051073XA-1-00"


class Harm(Enum):
    """What a fault does to a night."""

    MISSING = "records are missing"
    SPOILT = "single rows are of no use"
    HARMLESS = "nothing is missing"


WRONG = {
    "rest": {
        # It answers and vouches for everything, and what it says is not there.
        Harm.MISSING: "cached stopped silent thin undecided thinly_decided "
        # It fails for all to see, contradicts itself, or speaks another language than agreed.
        "cut refused garbage behind half_sent overloaded redirected linked stuck shifting other_encoding recoded",
        Harm.SPOILT: "unknown_code bad_time poisoned bad_bytes not_finite too_long twice_keyed retold footer",
        Harm.HARMLESS: "repeated unordered in_utc retried shown_late new_column",
    },
    "files": {
        Harm.MISSING: "copied decisions_copied headers_only undecided thin "
        "missing after_the_cutoff other_header other_encoding other_delimiter half_written locked",
        Harm.SPOILT: "unknown_code bad_time bad_bytes broken_quote extra_comma formula_error typed_as_number footer",
        Harm.HARMLESS: "unordered again with_bom",
    },
}
UNPULLED = "unpulled"
HARM = {
    form: {what: harm for harm, names in kinds.items() for what in names.split()} | {UNPULLED: Harm.MISSING}
    for form, kinds in WRONG.items()
}
"""By form of feed everything that can be wrong with it."""
SPOILING = {what for kinds in HARM.values() for what, harm in kinds.items() if harm is Harm.SPOILT}
MORE = {"footer", "retold"}
"""A useless row more, all others being there."""
OF_ACCEPTANCES = {"rest": {"twice_keyed"}, "files": {"bad_bytes", "broken_quote", "extra_comma"}}
"""Spoils rows of acceptances; everything else that spoils rows spoils decisions."""


@dataclass(frozen=True)
class Volume:
    """How much an office receives: a mean, its noise from day to day, and the share of it on a rest day."""

    mean: float
    noise: float
    rest_share: float


@dataclass(frozen=True)
class Row:
    """One record as it was told: `is_decision` or an acceptance; `received` by the platform."""

    case_no: str
    is_decision: bool
    at: datetime
    received: datetime

    @property
    def key(self) -> tuple[str, bool]:
        return self.case_no, self.is_decision


def business_day(received: datetime) -> date:
    """The day whose night brings what was received then; a day's night closes at one o'clock of the next."""
    return (received - timedelta(hours=1, microseconds=1)).date()


def closes(day: date) -> datetime:
    return datetime.combine(day + DAY, time(1), ZONE)


class Office:
    """What one office did on every day of a span, and in which cases it was too slow: from which day's night on."""

    def __init__(self, rng: Random, name: str, volume: Volume, first: date, last: date, late_share: float) -> None:
        calendar, self.overdue, self.rows = Calendar(), dict[str, date](), list[Row]()
        days = [first + number * DAY for number in range((last - first).days + 15)]
        working = [day for day in days if calendar.works(day)]
        for day in days:
            if day > last:
                break
            mean = (
                volume.mean * (1.0 if calendar.works(day) else volume.rest_share) * rng.lognormvariate(0, volume.noise)
            )
            for number in range(_poisson(rng, mean)):
                case = f"{name}{day:%Y%m%d}{number:04}"
                minute = rng.randrange(0, 150) if rng.random() < 0.5 else rng.randrange(270, 420)
                accepted = datetime.combine(day, time(9, 30), ZONE) + timedelta(minutes=minute)
                following, second, third = [other for other in working if other > day][:3]
                if rng.random() < late_share:
                    # From a rest day on the limit is used up at a close, and overdue only when an office opens again.
                    self.overdue[case] = following if calendar.works(day) else second
                    following = third
                decided = datetime.combine(following, accepted.timetz()) - timedelta(minutes=rng.randrange(5, 25))
                # A few are pushed in the small hours, shortly before the night closes.
                pushed = closes(day) - timedelta(minutes=40) if rng.random() < 0.05 else accepted + timedelta(minutes=2)
                self.rows += [Row(case, False, accepted, pushed)]
                self.rows += [Row(case, True, decided, decided + timedelta(minutes=2))]
        self.rows.sort(key=lambda row: row.received)
        self.is_working = calendar.works

    def of(self, day: date) -> list[Row]:
        return [row for row in self.rows if business_day(row.received) == day]

    def late(self, night: date) -> set[str]:
        """Cases that deserve a yellow card by that night."""
        return {case for case, since in self.overdue.items() if since <= night}


def _poisson(rng: Random, mean: float) -> int:
    count, left = 0, rng.expovariate(1)
    while left < mean:
        count, left = count + 1, left + rng.expovariate(1)
    return count


@dataclass
class Sick:
    """An office whose feed has something wrong with it, on some nights; how it is sent is up to who inherits."""

    form: str
    office: Office
    share: float = 0.0
    """Of the records of a day that is ``thin``, what is left."""
    wrong: str = ""
    night: date = date.min
    since: date = date.min
    """The first night of what is wrong."""
    spoilt: list[Row] = field(default_factory=list)
    """Rows that are of no use tonight."""
    hidden: list[Row] = field(default_factory=list)
    """Rows that show only later, though they were there in time."""
    sent: int = 0
    """Rows handed out tonight."""

    def turn(self, night: date, wrong: str) -> None:
        """What is wrong tonight, and with which rows."""
        self.night, self.sent, self.since = night, 0, self.since if wrong == self.wrong else night
        self.wrong, rng, mine = wrong, Random(f"{night}"), self.office.of(night)
        alike = [row for row in mine if row.is_decision == (wrong not in OF_ACCEPTANCES[self.form])]
        self.spoilt = rng.sample(alike, rng.choice((1, 1, 2, 3))) if wrong in SPOILING - MORE else []
        self.hidden = [row for row in mine if wrong == "shown_late" and closes(night) - row.received < 2 * HOUR]

    @property
    def refused(self) -> int:
        """Rows that nobody can use tonight."""
        return len(self.spoilt) + (self.wrong in MORE)

    @property
    def lacking(self) -> set[tuple[str, bool]]:
        """Records of which tonight brings nothing of use."""
        return {row.key for row in (*self.spoilt, *self.hidden)}
