"""A new department's one file, and golden folders to start from: written once, from then on the department's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from etl.errors import UsageError
from etl.sources import sample_page
from etl.sources.contract import Source

KINDS = ("rest", "table", "files")
_TEMPLATES = Path(__file__).parent / "templates"
_SETS = {"exchange": "guangdong", "national": "national_changes", "gbt": "gbt_39046"}
_KIND_OF = {
    "rest": ("Rest(tuple({set}.COLUMNS))", "from etl.sources.kinds import Rest\n", "{set}"),
    "table": ("{set}.TABLES", "", "{set}"),
    "files": ('nightly_files({set}.COLUMNS, "{suffix}")', "", "{set}, nightly_files"),
}


def new(
    root: Path, name: str, kind: str, set_name: str | None, suffix: str, today: date, words: Mapping[str, str]
) -> list[Path]:
    """Write the module and its golden folders below `root` (a checkout) -> what was written.

    Args:
        set_name: the published set the department speaks; None: columns of its own, to be corrected.
        suffix: of files, with its dot.
        words: title, department and region.

    Raises:
        UsageError: a name that is no word or is taken, or a set that does not come this way. Nothing was written.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,19}", name):
        raise UsageError(f"{name!r} is no name for a source; use a short word of small letters, digits and _")
    if unfit := [key for key, word in words.items() if not re.fullmatch(r"[^\"\\<>{}\x00-\x1f]{1,20}", word)]:
        raise UsageError(f"{', '.join(unfit)}: at most 20 characters, without quotes, brackets or line ends")
    module, golden = root / f"etl/sources/departments/{name}.py", root / f"tests/golden/sources/{name}"
    for path in (module, golden):
        if path.exists():
            raise UsageError(f"{path} is there already; nothing was written")
    text = _module(name, kind, set_name, suffix, today, words)
    declared: dict[str, Any] = {}
    exec(compile(text, str(module), "exec"), declared)  # noqa: S102  our own template, before anybody edits it
    pages = _golden(golden, declared["SOURCE"])
    for path, content in {module: text.encode(), **pages}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return [module, *pages]


def _module(name: str, kind: str, set_name: str | None, suffix: str, today: date, words: Mapping[str, str]) -> str:
    shared = {
        "name": name, "today": f"date({today.year}, {today.month}, {today.day})", "suffix": suffix, **words,
        "record": ', record="办件"' if suffix == ".xml" else "",
        "mode": ', "nightly"' if kind == "files" else "",
    }  # fmt: skip
    if set_name is None:
        return _filled(f"own_{kind}", shared)
    if set_name == "gbt" and kind != "files":
        raise UsageError("the set gbt comes as files; use --kind files")
    module = _SETS[set_name]
    expression, imports, names = (part.format(set=module, suffix=suffix) for part in _KIND_OF[kind])
    names = names if set_name == "exchange" else ", ".join(sorted(("Codes", *names.split(", ")), key=_import_order))
    return _filled(set_name, shared | {"kind": expression, "imports": imports, "names": names})


def _import_order(name: str) -> tuple[bool, str]:
    return name[0].islower(), name


def _filled(template: str, values: Mapping[str, str]) -> str:
    text = (_TEMPLATES / f"{template}.py.txt").read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"<{name}>", value)
    return text


def _golden(folder: Path, source: Source) -> dict[Path, bytes]:
    """Per stream a page with an ordinary row and one without a case number, and what they become."""
    files: dict[Path, bytes] = {}
    for stream in source.dialect.streams:
        place = folder / f"an_ordinary_row_of_{stream}_is_read_and_one_without_a_case_number_is_not"
        page, content = sample_page.page(source, stream)
        files[place / page] = content
        files[place / "messages.jsonl"], files[place / "rejects.json"] = sample_page.said(source, stream, content)
    return files
