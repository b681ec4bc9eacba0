"""Rule profiles: everything about levels that differs from place to place, as validated data."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

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
        # Split, so that no product leaves 64 bits.
        whole, rest = np.divmod(limit, 100)
        share, part = np.divmod(rest * self.percent, 100)
        threshold: npt.NDArray[np.int64] = whole * self.percent + share + offset
        return threshold + (part > 0) if self.comparison == ">=" else threshold


class Profile(BaseModel):
    """One place's rules at one time. `version` is printed on every card; `fixed_days` are limits no message tells.

    `follow_up_days`: working days after issue when missing feedback is followed up, stage by stage (the first, feedback
    is due, by the 2018 rules; the second is ours).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: str
    calendar: str
    count_mode: Literal["office_clock", "whole_day", "natural_day"]
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
        return self

    @property
    def label(self) -> str:
        """Name and version, as cards and footers print it."""
        return f"{self.name}@{self.version}"

    def is_manual(self, clock: str, level: str) -> bool:
        """Whether a person issues cards of this clock and level."""
        return any(rule.issue == "manual" for rule in self.rules(clock) if rule.level == level)

    def rules(self, clock: str) -> tuple[LevelRule, ...]:
        """The level rules of one clock."""
        return tuple(rule for rule in self.levels if rule.clock == clock)
