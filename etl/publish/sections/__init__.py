"""Bulletin sections: `registered()` finds every module of this folder. A new section is one file declaring SECTION."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from etl.errors import UsageError
from etl.publish.chapter import Section


def names() -> list[str]:
    """Registered section names, in no particular order."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


@cache
def registered() -> dict[str, Section]:
    """Section by name, in the order of the bulletin."""
    found: dict[str, Section] = {name: import_module(f"{__name__}.{name}").SECTION for name in names()}
    numbers = [section.number for section in found.values()]
    if len(set(numbers)) != len(numbers):
        raise UsageError(f"two bulletin sections share a number: {sorted(numbers)}")
    return dict(sorted(found.items(), key=lambda entry: entry[1].number))
