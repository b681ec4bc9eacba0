"""Profiles by name (``sql/seeds/profiles``) or by path."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from etl.domain.profile import Profile
from etl.errors import UsageError
from etl.store.calendars import SEEDS


@cache
def profile(name: str) -> Profile:
    """The named profile, or the one in the file `name` points to; `UsageError` says what is wrong with it."""
    path = Path(name) if name.endswith(".toml") else SEEDS / "profiles" / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in (SEEDS / "profiles").glob("*.toml")))
        raise UsageError(f"no profile {name!r}; known: {known}, or the path of a .toml file")
    try:
        return Profile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"profile {path}: not TOML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise UsageError(f"profile {path}: {wrong}") from None
