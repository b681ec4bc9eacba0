"""`jiancha source new`: what it writes is a department that passes every check, for every way of coming."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from etl.errors import UsageError
from etl.sources import scaffold
from etl.sources.contract import Source
from tests.sources.test_dialect_golden import agree

ROOT = Path(__file__).resolve().parents[2]
WORDS = {"title": "区卫生健康委员会（疾病预防控制局）", "department": "11511301000000000W", "region": "511602"}
TODAY = date(2026, 11, 16)
WAYS: list[tuple[str, str | None, str]] = [
    *((kind, published, ".csv") for kind in scaffold.KINDS for published in ("exchange", "national", None)),
    *(("files", published, suffix) for published in ("gbt", None) for suffix in (".csv", ".xlsx", ".xml")),
]


def name_of(way: tuple[str, str | None, str]) -> str:
    return "_".join(part.strip(".") for part in (way[1] or "own", way[0], way[2]))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One department of every kind."""
    root = tmp_path_factory.mktemp("tree")
    for way in dict.fromkeys(WAYS):
        kind, published, suffix = way
        scaffold.new(root, name_of(way), kind, published, suffix, TODAY, WORDS)
    return root


@pytest.mark.parametrize("way", dict.fromkeys(WAYS), ids=name_of)
def test_a_new_department_imports_and_agrees_with_its_golden_folders(
    tree: Path, way: tuple[str, str | None, str]
) -> None:
    name = name_of(way)
    text = (tree / f"etl/sources/departments/{name}.py").read_text(encoding="utf-8")
    assert "<" not in text
    assert len(text.splitlines()) < 75
    declared: dict[str, Any] = {}
    exec(compile(text, name, "exec"), declared)
    source: Source = declared["SOURCE"]
    assert (source.name, source.title, source.department, source.region) == (name, *WORDS.values())
    folders = list((tree / f"tests/golden/sources/{name}").iterdir())
    assert len(folders) == len(source.dialect.streams)
    for folder in folders:
        assert folder.name.count("_") >= 3
        agree(source, folder)
        assert (folder / "messages.jsonl").read_bytes()
        assert "missing_key" in (folder / "rejects.json").read_text(encoding="utf-8")


@pytest.mark.slow
def test_new_modules_pass_format_lint_and_types(tree: Path) -> None:
    modules = sorted(str(path) for path in (tree / "etl/sources/departments").glob("*.py"))
    assert len(modules) == len(set(WAYS))
    for command in (
        ("ruff", "format", "--check", "--config", "pyproject.toml"),
        ("ruff", "check", "--config", "pyproject.toml"),
        ("mypy", "--config-file", "pyproject.toml"),
    ):
        ended = subprocess.run(
            [sys.executable, "-m", *command, *modules], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
def test_the_command_in_a_fresh_checkout_makes_a_department_that_passes_the_conformance_tests(tmp_path: Path) -> None:
    for part in ("etl", "expectations", "sql"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests/sources").mkdir(parents=True)
    shutil.copy(ROOT / "tests/sources/test_dialect_golden.py", tmp_path / "tests/sources")
    shutil.copytree(ROOT / "tests/golden/sources", tmp_path / "tests/golden/sources")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JIANCHA_")}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, env=environment | {"PYTHONPATH": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    made = run(
        "etl.cli", "source", "new", "wjw", "--kind", "files", "--set", "gbt", "--format", "xml", "--title", "卫健委"
    )
    assert made.returncode == 0, made.stderr
    written = [line for line in made.stdout.splitlines() if not line.startswith("next: ")]
    assert written[0] == "etl/sources/departments/wjw.py"
    assert all((tmp_path / path).is_file() for path in written)
    assert "wjw\t卫健委\tFileDrop" in run("etl.cli", "source", "list").stdout
    tested = run(
        "pytest", "-q", "-p", "no:cacheprovider", "tests/sources/test_dialect_golden.py", "-k", "wjw or forgotten"
    )
    assert (tested.returncode, "7 passed" in tested.stdout) == (0, True), tested.stdout
    page = next(path for path in written if path.endswith("结果.xml"))
    checked = run("etl.cli", "source", "check", "wjw", "--sample", page)
    assert checked.returncode == 1, checked.stderr
    assert "wjw 结果：样本2行，可入库1行，将隔离1行" in checked.stdout
    before = (tmp_path / written[0]).read_bytes()
    again = run("etl.cli", "source", "new", "wjw", "--kind", "rest")
    assert (again.returncode, "is there already; nothing was written" in again.stderr) == (2, True)
    assert (tmp_path / written[0]).read_bytes() == before


@pytest.mark.parametrize(
    ("name", "kind", "published", "words", "said"),
    [
        ("Wjw", "rest", None, {}, "no name for a source"),
        ("../wjw", "rest", None, {}, "no name for a source"),
        ("wjw", "rest", "gbt", {}, "comes as files"),
        ("wjw", "rest", None, {"title": 'x"\nimport os'}, "without quotes"),
    ],
)
def test_what_cannot_be_made_leaves_nothing_behind(
    tmp_path: Path, name: str, kind: str, published: str | None, words: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        scaffold.new(tmp_path, name, kind, published, ".csv", TODAY, WORDS | words)
    assert list(tmp_path.iterdir()) == []


def test_a_golden_folder_that_is_there_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "tests/golden/sources/wjw").mkdir(parents=True)
    with pytest.raises(UsageError, match="is there already"):
        scaffold.new(tmp_path, "wjw", "rest", None, ".csv", TODAY, WORDS)
    assert not (tmp_path / "etl").exists()
