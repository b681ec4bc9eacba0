"""The real process dies by SIGKILL at every point that matters; run again, it ends where an undisturbed one ends."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from etl.crashpoints import POINTS
from tests.faults.kills import IN_DOUBT, mode_of, points, survive
from tests.faults.world import ADMITTED, NIGHT, WEEK, Scenario, World

ROOT = Path(__file__).resolve().parents[2]
IN_TURN: dict[tuple[str, str], list[str]] = {}
for _point in POINTS:
    IN_TURN.setdefault((_point.partition(".")[0], mode_of(_point)), []).append(_point)
pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.xdist_group("faults")]


def scenario_of(point: str) -> Scenario:
    """Later verbs are killed in a run that finds the earlier ones done: it repeats them and saves their minutes."""
    verb = point.partition(".")[0]
    return WEEK if verb == "week" else NIGHT if verb in ("pull", "admit") else ADMITTED


def test_every_point_is_in_the_code_and_every_point_in_the_code_is_registered() -> None:
    reached = [
        call.args[0].value
        for path in sorted((ROOT / "etl").rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and (call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")) == "reach"
        and isinstance(call.args[0], ast.Constant)
    ]
    assert sorted(reached) == sorted(POINTS)


def test_every_point_is_passed_by_what_is_killed_here(small_world: World) -> None:
    for mode in ("file", "live"):
        assert sorted(small_world.undisturbed(NIGHT, mode)[1]) == sorted(points(mode, "night"))
    assert sorted(small_world.undisturbed(WEEK)[1]) == sorted(points("file", "week"))


@pytest.mark.parametrize("kills", IN_TURN.values(), ids=map(" ".join, IN_TURN))
def test_killed_at_each_point_of_a_verb_in_turn(small_world: World, kills: list[str]) -> None:
    happened, held = survive(small_world, scenario_of(kills[0]), kills, mode_of(kills[0]))
    assert happened == kills
    assert held == sum(kill in IN_DOUBT for kill in kills)


def test_killed_again_and_again_at_later_visits_of_a_point(small_world: World) -> None:
    kills = ("pull.after_manifest:3", "admit.after_staging:2", "admit.after_commit:4", "notify.after_file:2",
             "notify.before_file:3")  # fmt: skip
    assert survive(small_world, NIGHT, kills, "file") == (list(kills), 0)


def test_a_cold_process_dies_by_the_same_signal(small_world: World) -> None:
    branch = small_world.branch(NIGHT)
    command = [sys.executable, "-m", "etl.cli", *NIGHT.command]
    env = branch.env("pull.after_manifest:4")
    assert subprocess.run(command, cwd=ROOT, env=env, check=False).returncode == -signal.SIGKILL
    branch.done(*NIGHT.command)
    branch.truth().must_equal(small_world.undisturbed(NIGHT)[0])
    branch.drop()


def test_two_runs_of_one_night_at_the_same_time_are_one_night(small_world: World) -> None:
    branch = small_world.branch(NIGHT)
    ended = [branch.end(*started) for started in [branch.start(*NIGHT.command) for _ in range(2)]]
    assert {run.code for run in ended} <= {0, 1}, "\n".join(run.out + run.err for run in ended)
    branch.truth().must_equal(small_world.undisturbed(NIGHT)[0])
    branch.drop()
