"""Rule profiles: everything about levels that differs from place to place, as validated data."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LEVELS = ("reminder", "yellow", "red")


class LevelRule(BaseModel):
    """A level is reached when used time exceeds the base limit plus `offset_days` (days of the limit's own kind)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clock: Literal["case"]
    level: Literal["reminder", "yellow", "red"]
    base: Literal["promised", "statutory"]
    offset_days: float = 0


class Profile(BaseModel):
    """One place's rules at one time. `version` is printed on every card."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: str
    calendar: str
    count_mode: Literal["office_clock", "whole_day", "natural_day"]
    start_rule: Literal["next_day", "roll"]
    extension_days_max: float
    extension_days_max_joint: float
    levels: tuple[LevelRule, ...] = Field(min_length=1)

    @property
    def label(self) -> str:
        """Name and version, as cards and footers print it."""
        return f"{self.name}@{self.version}"
