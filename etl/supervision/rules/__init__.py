"""Rules other than time: every module here that has `RULES` adds its own."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from etl.supervision.rules.rule import Rule


@cache
def rules() -> dict[str, Rule]:
    """Every rule by code, in order of code."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    found = [rule for module in modules for rule in getattr(module, "RULES", ())]
    return {rule.code: rule for rule in sorted(found, key=lambda rule: rule.code)}
