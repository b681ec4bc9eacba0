"""What the documents say is what the code does, as far as a program can tell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from docs.generate import dictionary_page, expectations_page, settings_page, undescribed
from etl.cli import command
from etl.domain import chinese
from etl.settings import ROOT
from etl.sources.contract import Source
from tests.sources.test_dialect_golden import contract_objects

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "city").rglob("*.md")])


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_settings_reference_is_up_to_date() -> None:
    assert page("docs/settings.md") == settings_page(), "stale: python -m docs.generate"


def test_the_list_of_expectations_is_up_to_date() -> None:
    assert page("docs/expectations.md") == expectations_page(), "stale: python -m docs.generate"


@pytest.mark.database
def test_the_data_dictionary_is_up_to_date_and_describes_everything(ledger: Engine) -> None:
    assert undescribed(ledger) == [], "describe them in sql/views/90_comments.sql"
    assert page("docs/data-dictionary.md") == dictionary_page(ledger), "stale: python -m docs.generate"


def test_the_vocabulary_has_every_code_people_read() -> None:
    vocabulary = page("docs/vocabulary.md")
    codes = {name: words for name, words in vars(chinese).items() if isinstance(words, dict) and name.isupper()}
    assert codes
    missing = [
        f"{name}: `{code}` | {word}"
        for name, words in codes.items()
        for code, word in words.items()
        if f"| `{code}` | {word} |" not in vocabulary
    ]
    assert missing == []


def test_the_department_walked_through_says_what_its_page_shows() -> None:
    walk = page("docs/adding-a-department.md")
    module, dropped, messages, rejects = re.findall(r"```(?:python|json)?\n(.+?)```", walk, re.DOTALL)[:4]
    declared: dict[str, Any] = {}
    exec(module, declared)
    source: Source = declared["SOURCE"]
    decoded = source.kind.decode(source, "办结", dropped.encode(source.encoding), {})
    said, refused = source.dialect.messages(source, "办结", decoded.rows)
    assert contract_objects(said) == [orjson.loads(line) for line in messages.splitlines()]
    assert [list(reject) for reject in (*decoded.rejects, *refused)] == orjson.loads(rejects)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_readme_lists_every_command_and_no_other() -> None:
    told = set(re.findall(r"`jiancha ([a-z]+(?: [a-z][a-z-]*)?)[^`]*`", page("README.md")))
    commands = set()
    for name, group in command.commands.items():  # type: ignore[attr-defined]
        commands |= {f"{name} {inner}" for inner in getattr(group, "commands", {})} or {name}
    assert told == commands


def test_make_targets_named_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", page("README.md"))) <= targets
