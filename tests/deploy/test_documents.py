"""The two READMEs say the same, and every command in the instructions exists."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import jsonschema
import pytest
import yaml

from etl.settings import ROOT
from tests.deploy import commands, compose
from tests.deploy.conftest import Image
from tests.deploy.test_compose import SCHEMA, SECRETS

pytestmark = pytest.mark.xdist_group("compose")
HOW_TO = sorted((ROOT / "docs" / "how-to").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "docs" / "adding-a-department.md", *HOW_TO]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    return re.findall(r"```\w*\n(.+?)```", text, re.DOTALL)


def without_blocks(text: str) -> str:
    return re.sub(r"```.+?```", "", text, flags=re.DOTALL)


def code(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", without_blocks(text)))


def rows(text: str) -> list[list[str]]:
    """Per table: the first cells of its rows, code only where there is code."""
    tables = re.findall(r"(?:^\|.*\n)+", without_blocks(text), re.MULTILINE)
    return [[_first_cell(line) for line in table.splitlines()[2:]] for table in tables]


def _first_cell(line: str) -> str:
    cell = line.split("|")[1].strip()
    return " ".join(re.findall(r"`[^`]+`", cell)) or cell


def test_both_readmes_list_the_same_commands_settings_folders_and_exit_codes() -> None:
    english, chinese = page("README.md"), page("README.zh-CN.md")
    assert code(english) == code(chinese)
    assert rows(english) == rows(chinese)
    assert [line[:2] for line in english.splitlines() if line.startswith("## ")] == [
        line[:2] for line in chinese.splitlines() if line.startswith("## ")
    ]


def test_both_readmes_show_the_same_blocks_but_for_remarks() -> None:
    def bare(block: str) -> list[str]:
        # A remark begins after a # or after a column of blanks.
        return [re.split(r"\s+#|(?<=[\w/]) {2,}", line)[0] for line in block.splitlines()]

    english, chinese = (blocks(page(name)) for name in ("README.md", "README.zh-CN.md"))
    assert len(english) == len(chinese) >= 3
    assert list(map(bare, english)) == list(map(bare, chinese))
    # What the program prints is not translated.
    assert [block for block in english if "台账链首" in block] == [block for block in chinese if "台账链首" in block]


def test_both_readmes_lead_to_the_same_pages_and_to_each_other() -> None:
    english, chinese = (set(re.findall(r"\]\(([^)]+)\)", page(name))) for name in ("README.md", "README.zh-CN.md"))
    assert english - {"README.zh-CN.md"} == chinese - {"README.md"}
    assert "README.zh-CN.md" in english
    assert "README.md" in chinese


def test_both_readmes_give_the_same_numbers() -> None:
    def numbers(text: str) -> set[str]:
        return set(re.findall(r"\d[\d.:]*\d", without_blocks(text)))

    # The Chinese summary at the head of the English page has none of its own.
    assert numbers(page("README.md")) == numbers(page("README.zh-CN.md"))


def test_every_command_of_the_instructions_exists(image: Image) -> None:
    told = {path: list(commands.in_page(path.read_text(encoding="utf-8"))) for path in PAGES}
    assert [path.name for path, found in told.items() if not found and path.parent != ROOT] == []
    assert commands.unknown(chain.from_iterable(told.values()), image) == []


@pytest.mark.parametrize("path", HOW_TO, ids=lambda path: path.name)
def test_every_service_profile_and_setting_an_instruction_names_exists(path: Path) -> None:
    text, raw = path.read_text(encoding="utf-8"), compose.raw()
    services, file = raw["services"], compose.FILE.read_text(encoding="utf-8")
    for line in re.findall(r"^docker compose (.+)$", text, re.MULTILINE):
        profile = re.search(r"--profile (\S+)", line)
        assert profile is None or any(profile[1] in service.get("profiles", []) for service in services.values()), line
        named = re.search(r"(?:run --rm|exec|logs)(?: --\S+)* ([a-z-]+)", line)
        assert named is None or named[1] in services, line
        scaled = re.search(r"--scale (\w+)=", line)
        assert scaled is None or scaled[1] in services, line
    settings = page("docs/settings.md")
    for name in set(re.findall(r"\b(?:JIANCHA|AIRFLOW)_[A-Z_]*[A-Z]\b", text)) - {"JIANCHA_CONNECTION"}:
        assert name in compose.example() or name in file or f"`{name}`" in settings, name


@pytest.mark.parametrize("path", HOW_TO, ids=lambda path: path.name)
def test_an_override_shown_in_an_instruction_is_valid_and_changes_a_service_there_is(path: Path) -> None:
    for block in re.findall(r"```yaml\n(.+?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        override = yaml.safe_load(block)
        assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(override)) == []
        assert set(override["services"]) <= set(compose.raw()["services"])


def test_without_the_bundled_database_nothing_waits_for_it_but_the_city() -> None:
    waiting = {
        name
        for name, service in compose.loaded(SECRETS)["services"].items()
        if service.get("depends_on", {})
        .get("postgres", {})
        .get("required", "postgres" in service.get("depends_on", {}))
    }
    assert waiting == {"city"}
    addresses = {"JIANCHA_DATABASE_URL": "postgresql://a/l", "AIRFLOW_DATABASE_URL": "postgresql://a/m"}
    environment = compose.loaded(SECRETS | addresses)["services"]["scheduler"]["environment"]
    assert environment["JIANCHA_DATABASE_URL"] == "postgresql://a/l"
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql://a/m"
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"] == "postgresql://a/m"
