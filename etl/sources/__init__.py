"""Department systems and platforms: every module under `departments/` that declares SOURCE is one."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from etl.errors import UsageError

if TYPE_CHECKING:
    from etl.sources.contract import Source

_FOLDER = Path(__file__).parent / "departments"


def names() -> list[str]:
    """Registered source names, without importing their modules (cheap enough for a DAG file)."""
    return sorted(path.stem for path in _FOLDER.glob("*.py") if not path.stem.startswith("_"))


@cache
def get(name: str) -> Source:
    """The declared source; `UsageError` for an unknown name."""
    if name not in names():
        raise UsageError(f"no source {name!r}; registered: {', '.join(names())}")
    source: Source = import_module(f"etl.sources.departments.{name}").SOURCE
    if source.name != name:
        raise UsageError(f"{name}.py declares a source named {source.name!r}; the two must be equal")
    return source
