"""The shipped profiles, copied out by hand from the rules they come from."""

from __future__ import annotations

from dataclasses import dataclass, field

LEVELS = ("reminder", "yellow", "red")


@dataclass(frozen=True)
class Rule:
    """A level: so many days past a share of a base limit; `meets`: meeting that is enough."""

    clock: str
    level: str
    base: str
    offset: int = 0
    percent: int = 100
    meets: bool = False


@dataclass(frozen=True)
class Profile:
    name: str
    mode: str
    rules: tuple[Rule, ...]
    fixed: dict[str, float] = field(default_factory=dict, hash=False)


def _ladder(clock: str, base: str) -> tuple[Rule, ...]:
    return Rule(clock, "reminder", base, -3), Rule(clock, "yellow", base), Rule(clock, "red", base, 1)


HUNAN = Profile(
    "hunan",
    "office_clock",
    (
        Rule("case", "reminder", "promised", -3),
        Rule("case", "yellow", "promised"),
        Rule("case", "red", "statutory"),
        Rule("stage", "yellow", "stage"),
        *_ladder("special", "approved"),
        Rule("pre_accept", "reminder", "fixed"),
        Rule("pre_accept", "yellow", "fixed", 3),
        Rule("pre_accept", "red", "fixed", 5),
        Rule("certificate", "yellow", "fixed"),
        *_ladder("consultation", "promised"),
        *_ladder("complaint", "promised"),
    ),
    {"pre_accept": 2, "certificate": 3},
)
WHOLE_DAYS = Profile("hunan by whole days", "whole_day", HUNAN.rules, HUNAN.fixed)
PERCENT = Profile(
    "percent",
    "whole_day",
    (Rule("case", "yellow", "promised", percent=90, meets=True), Rule("case", "red", "promised")),
)
PROMPT = Profile(
    "prompt", "whole_day", (Rule("case", "reminder", "promised", -1, meets=True), Rule("case", "red", "promised"))
)
DUE_MOMENT = Profile("due_moment", "natural_day", (Rule("case", "yellow", "promised"),))
ALL = {profile.name: profile for profile in (HUNAN, WHOLE_DAYS, PERCENT, PROMPT, DUE_MOMENT)}
