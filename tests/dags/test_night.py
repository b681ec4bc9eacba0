"""One night through the real DAG in one process: every task is executed, and any failure is a failure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from etl.runs.local_airflow import AirflowFailed, run_night

Calls = Callable[[], list[dict[str, Any]]]
pytestmark = [pytest.mark.airflow, pytest.mark.database, pytest.mark.slow]


def test_a_broken_source_fails_a_night_without_stopping_the_others_and_every_verb_runs_once_with_what_was_asked(
    airflow_home: Path, recorded: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILING", "beta:SourceIncomplete")
    with pytest.raises(AirflowFailed, match="exit code 1"):
        run_night(date(2025, 10, 11), {"sources": ["alpha", "beta"], "notify": "never"})
    calls = recorded()
    assert sorted(call["source"] for call in calls[:2]) == ["alpha", "beta"]
    assert [call["verb"] for call in calls[2:]] == ["admit", "judge", "trace", "reconcile", "notify"]
    assert {call["business_on"] for call in calls if call["verb"] != "trace"} == {"2025-10-11"}
    assert {call["verb"]: call["only"] for call in calls if "only" in call} == {
        "admit": ["alpha", "beta"],
        "judge": ["alpha", "beta"],
        "reconcile": ["alpha", "beta"],
    }
    assert {call.get("notify") or call.get("mode") for call in calls} - {None} == {"never"}
