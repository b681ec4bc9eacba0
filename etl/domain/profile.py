"""Rule profiles: everything about levels that differs from place to place, as validated, effective-dated data."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from etl.domain.night import ZONE, Instants, to_us
from etl.errors import UsageError

LEVELS = ("reminder", "yellow", "red")
ClockName = Literal["case", "stage", "special", "pre_accept", "certificate", "consultation", "complaint"]
BASES: dict[str, tuple[str, ...]] = {
    "case": ("promised", "statutory"),
    "stage": ("stage",),
    "special": ("approved",),
    "pre_accept": ("fixed",),
    "certificate": ("fixed",),
    "consultation": ("promised",),
    "complaint": ("promised",),
}


class LevelRule(BaseModel):
    """A level is reached when used time passes `percent` of the base limit plus `offset_days`.

    `comparison` says whether meeting that number is passing it (">=") or only exceeding it (">"). Offsets are days of
    the limit's own kind. `issue` "manual" leaves a card pending until a person issues it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    clock: ClockName
    level: Literal["reminder", "yellow", "red"]
    base: Literal["promised", "statutory", "stage", "approved", "fixed"]
    offset_days: float = 0
    percent: int = Field(default=100, gt=0, le=1000)
    comparison: Literal[">", ">="] = ">"
    issue: Literal["auto", "manual"] = "auto"

    @model_validator(mode="after")
    def _base_belongs_to_clock(self) -> LevelRule:
        if self.base not in BASES[self.clock]:
            raise ValueError(f"clock {self.clock} has base {' or '.join(BASES[self.clock])}, not {self.base}")
        return self

    @property
    def is_plain(self) -> bool:
        """The level is reached where the base limit itself is exceeded."""
        return self.offset_days == 0 and self.percent == 100 and self.comparison == ">"

    def threshold(self, limit: npt.NDArray[np.int64], offset: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Whole-number limits and offsets -> the number that must be exceeded (">") or met (">=")."""
        if self.percent == 100:
            return limit + offset
        # Split, so that no product leaves 64 bits.
        whole, rest = np.divmod(limit, 100)
        share, part = np.divmod(rest * self.percent, 100)
        threshold: npt.NDArray[np.int64] = whole * self.percent + share + offset
        return threshold + (part > 0) if self.comparison == ">=" else threshold


class Profile(BaseModel):
    """One place's rules at one time. `version` is printed on every card; `fixed_days` are limits no message tells.

    It rules what starts on `in_force_from` or later, and no judgement by knowledge older than `known_from` sees it; the
    first version of a profile may leave both out. Mode `published_engine` shows what another system computes; nothing
    is ever issued by it.
    `follow_up_days`: working days after issue when missing feedback is followed up, stage by stage (the first, feedback
    is due, by the 2018 rules; the second is ours).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: str
    in_force_from: date = date.min
    known_from: date = date.min
    calendar: str
    count_mode: Literal["office_clock", "whole_day", "natural_day", "published_engine"]
    start_rule: Literal["next_day", "roll"]
    extension_days_max: float
    extension_days_max_joint: float
    follow_up_days: tuple[int, ...] = (30, 35)
    fixed_days: dict[Literal["pre_accept", "certificate"], Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    levels: tuple[LevelRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_whole(self) -> Profile:
        ruled = [(rule.clock, rule.level) for rule in self.levels]
        if twice := sorted({f"{clock} {level}" for clock, level in ruled if ruled.count((clock, level)) > 1}):
            raise ValueError(f"ruled twice: {', '.join(twice)}")
        if missing := sorted({rule.clock for rule in self.levels if rule.base == "fixed"} - self.fixed_days.keys()):
            raise ValueError(f"fixed_days does not say the limit of {', '.join(missing)}")
        in_working_days = {rule.clock for rule in self.levels} - {"case", "consultation", "complaint"}
        if self.count_mode == "natural_day" and in_working_days:
            raise ValueError(f"natural_day cannot count the working days of {', '.join(sorted(in_working_days))}")
        return self

    @property
    def label(self) -> str:
        """Name and version, as cards and footers print it."""
        return f"{self.name}@{self.version}"

    def is_manual(self, clock: str, level: str) -> bool:
        """Whether a person issues cards of this clock and level."""
        return any(rule.issue == "manual" for rule in self.rules(clock) if rule.level == level)

    def fixed(self, clock: str) -> float:
        """Days of a clock whose limit no message tells; NaN for the others."""
        return next((days for name, days in self.fixed_days.items() if name == clock), np.nan)

    def rules(self, clock: str) -> tuple[LevelRule, ...]:
        """The level rules of one clock."""
        return tuple(rule for rule in self.levels if rule.clock == clock)


class ProfileBook:
    """Every version of one profile.

    A clock is judged by the newest version in force on the day it started, of those known: a rule that comes into force
    touches nothing that began under the one before, and a revision that reaches back does.
    """

    def __init__(self, versions: Iterable[Profile]) -> None:
        self.versions = sorted(versions, key=lambda one: (one.in_force_from, one.known_from))
        self.name, self.calendar = self.versions[0].name, self.versions[0].calendar
        labels = [one.label for one in self.versions]
        if twice := sorted({label for label in labels if labels.count(label) > 1}):
            raise UsageError(f"profile {', '.join(twice)} is given twice; every revision has a version of its own")
        if odd := [one.label for one in self.versions if (one.name, one.calendar) != (self.name, self.calendar)]:
            raise UsageError(f"{', '.join(odd)}: all versions of {self.name} keep its name and its calendar")
        self.revised_on = sorted({one.known_from for one in self.versions} - {date.min})

    def revision(self, at: date) -> int:
        """How many revisions (`revised_on`) were known on a date."""
        return bisect_right(self.revised_on, at)

    def fingerprint(self, at: date) -> str:
        """SHA-256 over every version known on a date."""
        known = [one.model_dump_json() for one in self.versions if one.known_from <= at]
        return hashlib.sha256("\n".join(known).encode()).hexdigest()

    def labelled(self, label: str) -> Profile:
        """The version a card names."""
        return next(one for one in self.versions if one.label == label)

    def judges(self, clock: str) -> bool:
        """Whether any version judges this clock."""
        return any(one.rules(clock) for one in self.versions)

    def version_of(self, revision: npt.NDArray[np.int64], starts: Instants) -> npt.NDArray[np.int64]:
        """Per clock the version (index into `versions`) that judges it; -1 where none was in force or known."""
        version = np.full(len(starts), -1)
        for number, one in enumerate(self.versions):
            is_known = revision >= bisect_right(self.revised_on, one.known_from)
            version[is_known & (starts >= _midnight(one.in_force_from))] = number
        return version

    def current(self, known_on: date, in_force_on: date) -> Profile:
        """The version for what starts on a date, as known on another; `UsageError` where there is none."""
        start = np.array([_midnight(in_force_on)])
        number = int(self.version_of(np.array([self.revision(known_on)]), start)[0])
        if number < 0:
            raise UsageError(f"no version of profile {self.name} was known on {known_on} for {in_force_on}")
        return self.versions[number]


def _midnight(day: date) -> int:
    if day == date.min:
        return int(np.iinfo(np.int64).min)
    return to_us(datetime.combine(day, time(), tzinfo=ZONE))
