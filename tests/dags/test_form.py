"""Which night a run is about, and what an unfilled form means."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from inspect import signature
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

EMPTY = {"business_on": None, "sources": None, "notify": "auto", "recompute_only": False, "as_of": None}


@pytest.fixture
def form(timetable: ModuleType) -> ModuleType:
    """After `timetable`, because that one imports Airflow for the first time, in a home of its own."""
    from dags import nightly_form

    return nightly_form


def run(start: str | None, run_type: str = "scheduled") -> Any:
    return SimpleNamespace(
        data_interval_start=start and datetime.fromisoformat(start).astimezone(UTC), run_type=run_type
    )


@pytest.mark.parametrize(
    ("start", "night"),
    [
        ("2025-10-10T01:00+08:00", date(2025, 10, 10)),  # scheduled: runs 10-11 01:00, the cut-off of 10-10
        ("2025-10-09T17:00+00:00", date(2025, 10, 10)),  # the same instant as Airflow keeps it
        ("2025-10-10T15:00+08:00", date(2025, 10, 10)),  # by hand on 10-11 at 15:00
        ("2025-10-10T00:30+08:00", date(2025, 10, 9)),  # by hand on 10-11 at 00:30: 10-10 is still open
        ("2025-12-31T01:00+08:00", date(2025, 12, 31)),
    ],
)
def test_the_business_date_is_the_latest_night_closed_when_the_interval_ended(
    form: ModuleType, start: str, night: date
) -> None:
    assert form.business_date(EMPTY, run(start)) == night


def test_a_night_asked_for_wins(form: ModuleType) -> None:
    asked = {**EMPTY, "business_on": "2025-10-02"}
    assert form.business_date(asked, run(None, "manual")) == date(2025, 10, 2)
    assert form.business_date(asked, run("2025-10-10T01:00+08:00", "manual")) == date(2025, 10, 2)


def test_without_a_night_and_without_an_interval_nothing_is_guessed(form: ModuleType) -> None:
    with pytest.raises(Exception, match="business_on"):
        form.business_date(EMPTY, run(None, "manual"))


def test_a_backfill_cannot_turn_every_night_into_one(form: ModuleType) -> None:
    with pytest.raises(Exception, match="business_on"):
        form.business_date({**EMPTY, "business_on": "2025-10-02"}, run("2025-10-10T01:00+08:00", "backfill"))


def test_past_nights_and_looks_at_another_moment_never_mail(form: ModuleType) -> None:
    assert form.notify_mode(EMPTY, run(None, "scheduled")) == "auto"
    assert form.notify_mode(EMPTY, run(None, "backfill")) == "never"
    assert form.notify_mode({**EMPTY, "notify": "never"}, run(None, "manual")) == "never"
    assert form.notify_mode({**EMPTY, "as_of": "2025-10-11T01:00:00+08:00"}, run(None, "manual")) == "never"


def test_a_look_at_another_moment_judges_and_calls_nothing_that_writes(
    form: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowSkipException

    from dags import nightly_supervision

    calls: list[tuple[str, tuple[Any, ...]]] = []

    class Verbs:
        def chosen(self, only: Any) -> list[str]:
            return ["alpha"]

        def __getattr__(self, verb: str) -> Any:
            return lambda *given, **named: calls.append((verb, (*given, *named.values()))) or {"rows": 1}

    monkeypatch.setattr(nightly_supervision, "nightly", Verbs)
    tasks = nightly_supervision.nightly_supervision().task_dict
    night, moment = date(2025, 10, 10), "2025-10-11T00:30:00+08:00"
    asked = {**EMPTY, "business_on": str(night), "as_of": moment}
    assert tasks["choose"].python_callable(asked) == [], "nothing is pulled"
    for name in ("admit", "judge", "trace", "reconcile", "notify"):
        wanted = signature(tasks[name].python_callable).parameters
        given = {"params": asked, "dag_run": run(None, "manual")}
        with suppress(AirflowSkipException):
            tasks[name].python_callable(**{key: value for key, value in given.items() if key in wanted})
    assert calls == [("judge", (night, datetime.fromisoformat(moment), "never", None)), ("notify", (night, "never"))]


def test_a_moment_without_an_offset_is_refused(form: ModuleType) -> None:
    moment = form.judged_at({**EMPTY, "as_of": "2025-10-11T01:00:00+08:00"})
    assert moment == datetime(2025, 10, 10, 17, tzinfo=UTC)
    assert form.judged_at(EMPTY) is None
    with pytest.raises(Exception, match="时区"):
        form.judged_at({**EMPTY, "as_of": "2025-10-11T01:00:00"})


def test_only_numbers_leave_a_task_and_failed_sources_turn_it_red(form: ModuleType) -> None:
    assert form.counts({"rows": 3, "applicant": "张三", "ids": [1]}) == {"rows": 3}
    with pytest.raises(Exception, match="2 个来源"):
        form.counts({"rows": 3, "failed_sources": 2})
