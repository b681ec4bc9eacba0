"""Airflow reads its configuration when it is imported, so whatever needs another one runs in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from etl.settings import ROOT

RECORDER = """
import json, os
from etl import errors

def _record(verb, **arguments):
    with open(os.environ["RECORDED"], "a") as file:
        file.write(json.dumps({"verb": verb, **arguments}, default=str) + "\\n")
    return {"rows": 1, "applicant": "张三"}

def chosen(only):
    return sorted(only or ["alpha", "beta", "gamma"])

def pull(source, business_on):
    bad, _, error = os.environ.get("FAILING", "").partition(":")
    _record("pull", source=source, business_on=business_on)
    if source == bad:
        raise getattr(errors, error)(f"{source} did not answer")
    return {"pages": 2}

def admit(business_on, only=None):
    return _record("admit", business_on=business_on, only=only) | {"failed_sources": 0}

def judge(business_on, as_of=None, notify="auto", only=None):
    return _record("judge", business_on=business_on, as_of=as_of, notify=notify, only=only)

def trace():
    return _record("trace")

def reconcile(business_on, only=None):
    return _record("reconcile", business_on=business_on, only=only)

def notify(business_on, mode="auto"):
    return _record("notify", business_on=business_on, mode=mode)
"""
PACKAGE = "__path__.append({!r})\n"


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Processes started from here find the real `etl`, except that its nightly verbs only write down their arguments.

    -> a function giving what was called, in order.
    """
    package, log = tmp_path / "recorder" / "etl", tmp_path / "recorded.jsonl"
    (package / "sources").mkdir(parents=True)
    (package / "runs").mkdir()
    (package / "__init__.py").write_text(PACKAGE.format(str(ROOT / "etl")))
    (package / "runs" / "__init__.py").write_text(PACKAGE.format(str(ROOT / "etl" / "runs")))
    (package / "runs" / "nightly.py").write_text(RECORDER, encoding="utf-8")
    (package / "sources" / "__init__.py").write_text("def names():\n    return ['alpha', 'beta', 'gamma']\n")
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setenv("RECORDED", str(log))
    return lambda: [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.fixture(scope="session")
def timetable(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The plugin's module, imported as Airflow imports it, without starting Airflow's logging in this process."""
    settings = {"AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")), "_AIRFLOW__AS_LIBRARY": "1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        spec = importlib.util.spec_from_file_location(
            "working_day_timetable", ROOT / "plugins" / "working_day_timetable.py"
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


@pytest.fixture
def airflow_home(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An Airflow of this test's own: folder, metadata database, no setting left over from the machine."""
    from etl.settings import settings

    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", database_url)
    monkeypatch.setenv("JIANCHA_DATABASE_URL", database_url)
    monkeypatch.setenv("JIANCHA_VAR_DIR", str(tmp_path / "var"))
    settings.cache_clear()
    yield tmp_path / "var" / "airflow"
    settings.cache_clear()
