"""Published exchange sets: columns many departments share. A department adds its code lists, which they do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Codes:
    """One source's value maps: its own code -> the contract's word. Complete lists; anything else is rejected."""

    accepted: Mapping[str, str]
    finished: Mapping[str, str]
    special: Mapping[str, str]
    case_type: Mapping[str, str]
    channel: Mapping[str, str]
    limit_unit: Mapping[str, str]
    opinion: Mapping[str, str]
    flag: Mapping[str, bool]
