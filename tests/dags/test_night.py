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


def test_a_night_runs_every_verb_once_and_a_broken_source_fails_it_without_stopping_the_others(
    airflow_home: Path, recorded: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_night(date(2025, 10, 10))
    calls = recorded()
    assert sorted(call["source"] for call in calls[:3]) == ["alpha", "beta", "gamma"]
    assert {call["business_on"] for call in calls if call["verb"] != "trace"} == {"2025-10-10"}
    assert calls[3] == {"verb": "admit", "business_on": "2025-10-10", "only": None}
    assert [call["verb"] for call in calls[4:7]] == ["judge", "trace", "reconcile"]
    assert calls[7:] == [{"verb": "notify", "business_on": "2025-10-10", "mode": "auto"}]

    monkeypatch.setenv("FAILING", "beta:SourceIncomplete")
    with pytest.raises(AirflowFailed, match="exit code 1"):
        run_night(date(2025, 10, 11), {"sources": ["alpha", "beta"], "notify": "never"})
    again = recorded()[8:]
    assert sorted(call["verb"] for call in again) == ["admit", "judge", "notify", "pull", "pull", "reconcile", "trace"]
    assert {call["verb"]: call["only"] for call in again if "only" in call} == {
        "admit": ["alpha", "beta"],
        "judge": ["alpha", "beta"],
        "reconcile": ["alpha", "beta"],
    }
    assert {call.get("notify") or call.get("mode") for call in again} - {None} == {"never"}
