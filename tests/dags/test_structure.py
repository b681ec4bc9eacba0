"""The DAG files parse quickly and alone, and are wired, named and explained as promised."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from etl import sources
from etl.settings import ROOT

pytestmark = pytest.mark.xdist_group("structure")  # parsed once


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    env |= {
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, str(Path(__file__).with_name("parse_dags.py")), str(ROOT)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def nightly(parsed: dict[str, Any]) -> dict[str, Any]:
    return parsed["dags"]["nightly_supervision"]


def test_every_dag_file_parses_within_a_second_without_heavy_imports(parsed: dict[str, Any]) -> None:
    assert parsed["errors"] == {}
    assert set(parsed["dags"]) == {"nightly_supervision", "weekly_bulletin"}
    assert parsed["seconds"] < 1
    assert parsed["heavy"] == []


def test_the_night_is_wired_as_pull_admit_judge_trace_and_reconcile_notify(nightly: dict[str, Any]) -> None:
    tasks = nightly["tasks"]
    assert {name: task["upstream"] for name, task in tasks.items()} == {
        "choose": [],
        "pull": ["choose"],
        "admit": ["pull"],
        "judge": ["admit"],
        "trace": ["judge"],
        "reconcile": ["trace"],
        "notify": ["judge", "reconcile", "trace"],
        "watch": ["admit", "judge", "notify", "pull", "reconcile", "trace"],
    }
    assert [name for name, task in tasks.items() if task["is_mapped"]] == ["pull"]
    assert {name: task["rule"] for name, task in tasks.items()} == {
        "choose": "all_success",
        "pull": "all_success",
        "admit": "all_done",
        "judge": "all_done",
        "trace": "all_done",
        "reconcile": "all_done",
        "notify": "none_failed",
        "watch": "one_failed",
    }
    assert nightly["groups"] == {"collect": "归集", "supervise": "监察"}


def test_the_night_starts_at_one_in_shanghai_over_one_day(nightly: dict[str, Any]) -> None:
    assert nightly["timetable_type"] == "CronTriggerTimetable"
    assert nightly["timetable"] == {
        "expression": "0 1 * * *",
        "timezone": "Asia/Shanghai",
        "interval": 86400.0,
        "run_immediately": False,
    }
    assert (nightly["catchup"], nightly["max_active_runs"], nightly["start_date"]) == (False, 1, None)


def test_only_an_unavailable_source_is_retried(parsed: dict[str, Any], nightly: dict[str, Any]) -> None:
    assert parsed["verdicts"] == {
        "SourceUnavailable": "retry",
        "SourceIncomplete": "fail",
        "SourceContractBroken": "fail",
        "SafetyRefusal": "fail",
        "UsageError": "fail",
        "KeyError": "fail",
    }
    working = {name: task for name, task in nightly["tasks"].items() if name != "watch"}
    assert {(task["retries"], task["retry_delay"]) for task in working.values()} == {(2, 300.0)}
    assert all(task["policy"]["rules"][0]["exception"] == "etl.errors.SourceUnavailable" for task in working.values())
    weekly = parsed["dags"]["weekly_bulletin"]["tasks"]["compile_bulletin"]
    assert weekly["retries"] == 1
    assert weekly["policy"]["default"] == "fail"


def test_the_form_is_typed_and_names_every_source(nightly: dict[str, Any]) -> None:
    params = nightly["params"]
    assert {name: (param["value"], param["type"]) for name, param in params.items()} == {
        "business_on": (None, ["null", "string"]),
        "sources": (None, ["null", "array"]),
        "notify": ("auto", "string"),
        "recompute_only": (False, "boolean"),
        "as_of": (None, ["null", "string"]),
    }
    assert params["notify"]["enum"] == ["auto", "never"]
    assert params["sources"]["examples"] == params["sources"]["items"]["enum"] == sources.names()


def test_supervisors_read_chinese_everywhere(parsed: dict[str, Any]) -> None:
    for dag in parsed["dags"].values():
        texts = [dag["title"], dag["doc"], *dag["tags"], *dag["texts"].values(), *dag["groups"].values()]
        texts += [task["title"] for task in dag["tasks"].values()] + [form["title"] for form in dag["params"].values()]
        assert [text for text in texts if not any("一" <= letter <= "鿿" for letter in text or "")] == []
        assert dag["doc"].startswith("## ")


def test_the_weekly_bulletin_follows_the_working_days(parsed: dict[str, Any]) -> None:
    weekly = parsed["dags"]["weekly_bulletin"]
    assert weekly["timetable_type"] == "WorkingDayTimetable"
    assert weekly["timetable"] == {"at": "08:30:00"}
    assert weekly["params"]["week"]["pattern"] == r"^\d{4}-W\d{2}$"
