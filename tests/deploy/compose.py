"""Reads docker-compose.yml as Compose does: merges, then variables. Written from the Compose specification."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from etl.settings import ROOT

FILE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"
_OPENING = re.compile(r"\$(?:(\$)|\{(\w+)(:-|:\?)?|(\w+))")


class Missing(Exception):
    """A `${NAME:?message}` without a value."""


def raw() -> dict[str, Any]:
    """The file with its merge keys resolved and its variables left as they are."""
    read: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return read


def loaded(environment: Mapping[str, str]) -> dict[str, Any]:
    """The file as the engine would see it; `Missing` when a required variable has no value."""
    return _deep(raw(), environment)


def example() -> dict[str, str]:
    """`.env.example`: the names it assigns and their values."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return dict(line.removeprefix("# ").split("=", 1) for line in lines if re.match(r"(# )?[A-Z_]+=", line))


def variables(text: str) -> set[str]:
    """Names of all variables a text interpolates, nested ones included."""
    return {name or bare for _, name, _, bare in _OPENING.findall(text) if name or bare}


def required() -> set[str]:
    """Variables without which nothing starts."""
    return set(re.findall(r"\$\{(\w+):\?", FILE.read_text(encoding="utf-8")))


def interpolated(text: str, environment: Mapping[str, str]) -> str:
    """`$$`, `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:?message}`, the last two with variables inside."""
    done, position = "", 0
    while found := _OPENING.search(text, position):
        done += text[position : found.start()]
        dollar, name, operator, bare = found.groups()
        position = found.end()
        if dollar:
            done += "$"
            continue
        value = environment.get(name or bare, "")
        if name:
            end = _closing(text, position)
            alternative, position = text[position:end], end + 1
            if operator == ":-":
                # Compose reads the alternative either way: what it requires is required even when it is not used.
                other = interpolated(alternative, environment)
                value = value or other
            elif operator == ":?" and not value:
                raise Missing(f"{name}: {alternative}")
        done += value
    return done + text[position:]


def _closing(text: str, position: int) -> int:
    depth = 1
    while depth:
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        position += 1
    return position - 1


def _deep(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return interpolated(value, environment)
    if isinstance(value, dict):
        return {key: _deep(inner, environment) for key, inner in value.items()}
    if isinstance(value, list):
        return [_deep(inner, environment) for inner in value]
    return value
