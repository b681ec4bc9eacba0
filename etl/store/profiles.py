"""Rule profiles as files: ``sql/seeds/profiles`` by name, or any file or folder by path.

One file a version: ``<name>.toml``, a later one ``<name>@<version>.toml``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from etl.domain.profile import LevelRule, Profile, ProfileBook
from etl.errors import UsageError
from etl.store.calendars import SEEDS

FOLDER = SEEDS / "profiles"


@cache
def profile_book(name: str) -> ProfileBook:
    """Every version of the named profile; or the one in a ``.toml`` file, or all in a folder, that `name` points to.

    `UsageError` names the file and the field that is wrong, and what is allowed there.
    """
    path = Path(name)
    if path.is_dir():
        files = sorted(path.glob("*.toml"))
    elif path.suffix == ".toml":
        files = [path] if path.is_file() else []
    else:
        files = sorted(file for file in FOLDER.glob("*.toml") if file.stem.partition("@")[0] == name)
    if not files:
        known = ", ".join(sorted({file.stem.partition("@")[0] for file in FOLDER.glob("*.toml")}))
        raise UsageError(f"no profile {name!r}; known: {known}, or the path of a .toml file or of a folder of them")
    return ProfileBook([read(file) for file in files])


def profile(name: str) -> Profile:
    """The newest version of a profile."""
    return profile_book(name).versions[-1]


def read(path: Path) -> Profile:
    """One version from its file; in the shipped folder the file is named after the profile."""
    try:
        found = Profile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"profile {path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"profile {path}: not TOML: {error}") from None
    except ValidationError as error:
        raise UsageError(f"profile {path}: {'; '.join(map(_said, error.errors()))}") from None
    if path.parent == FOLDER and path.stem.partition("@")[0] != found.name:
        raise UsageError(
            f"profile {path}: name is {found.name!r}; the file is {found.name}.toml or {found.name}@….toml"
        )
    return found


def _said(item: Any) -> str:
    field = ".".join(map(str, item["loc"])) or "the whole"
    if item["type"] == "extra_forbidden":
        fields = LevelRule.model_fields if item["loc"][0] == "levels" else Profile.model_fields
        return f"{field}: no such field; allowed: {', '.join(fields)}"
    return f"{field}: {item['msg'].removeprefix('Value error, ')}, not {item['input']!r:.60}"
