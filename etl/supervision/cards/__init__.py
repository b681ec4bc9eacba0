"""The clocks cards are issued by: every module here that has `CLOCKS` adds its own."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from etl.supervision.cards.clock import Clock


@cache
def clocks() -> dict[str, Clock]:
    """Every clock by name."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {clock.name: clock for module in modules for clock in getattr(module, "CLOCKS", ())}


def kinds() -> tuple[str, ...]:
    """Every message kind some clock needs."""
    return tuple(sorted({kind for clock in clocks().values() for kind in clock.kinds}))
