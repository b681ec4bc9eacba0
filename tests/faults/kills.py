"""Kill a command as often as asked, let it finish, and demand what an undisturbed run leaves behind."""

from __future__ import annotations

import time
from collections.abc import Sequence

from etl.crashpoints import POINTS
from etl.publish.sender import FILE_CRASH_POINTS, SMTP_CRASH_POINTS
from tests.faults.warm import Warm
from tests.faults.world import Mode, Scenario, World

KILLED = -9
IN_DOUBT = ("notify.after_dot_commit", "notify.after_final_dot", "notify.after_reply")
"""Where a sender dies leaving nobody able to say whether the server has the mail."""


def mode_of(point: str) -> Mode:
    """The delivery in which a point is passed."""
    return "live" if point.partition(":")[0] in SMTP_CRASH_POINTS else "file"


def points(mode: Mode, verb: str) -> list[str]:
    """Points a ``night`` or ``week`` passes in this mode."""
    foreign = FILE_CRASH_POINTS if mode == "live" else SMTP_CRASH_POINTS
    return [point for point in POINTS if (verb == "week") == point.startswith("week.") and point not in foreign]


def survive(
    world: World, scenario: Scenario, kills: Sequence[str], mode: Mode, warm: Warm | None = None
) -> tuple[list[str], int]:
    """Kill the scenario's command at each of `kills` in turn, then let it end -> (kills that happened, mails held).

    A later point may no longer be passed once an earlier run got beyond it; then the command simply ends. Fails when
    anything is other than without the kills: ledger, facts, mails, collected files, evidence.
    """
    truth, _ = world.undisturbed(scenario, mode)
    branch = world.branch(scenario, mode, warm)
    happened = []
    for kill in kills:
        ended = branch.run(*scenario.command, kill_at=kill)
        if ended.code == KILLED:
            happened.append(kill)
            continue
        assert ended.code in (0, 1), f"exit {ended.code}\n{ended.out}{ended.err}"
    branch.done(*scenario.command)
    held = branch.settle()
    # One mail at most for each kill, and exactly for those of which nobody can know.
    assert held == sum(kill.partition(":")[0] in IN_DOUBT for kill in happened)
    branch.truth().must_equal(truth)
    branch.drop()
    return happened, held


def survive_beside(
    world: World, scenario: Scenario, mode: Mode, delay_s: float, kill: str = "", warm: Warm | None = None
) -> tuple[list[str], int]:
    """Two processes run the same command, the second starting `delay_s` later and, when asked, dying at `kill`.

    -> (kills that happened, mails held); fails as `survive` does.
    """
    truth, _ = world.undisturbed(scenario, mode)
    branch = world.branch(scenario, mode, warm)
    first = branch.start(*scenario.command)
    time.sleep(delay_s)
    second = branch.start(*scenario.command, kill_at=kill or "nowhere")
    ended = [branch.end(*first), branch.end(*second)]
    happened = [kill] if kill and ended[1].code == KILLED else []
    for run in ended[: 2 - len(happened)]:
        assert run.code in (0, 1), f"exit {run.code}\n{run.out}{run.err}"
    branch.done(*scenario.command)
    held = branch.settle()
    assert held == sum(point.partition(":")[0] in IN_DOUBT for point in happened)
    branch.truth().must_equal(truth)
    branch.drop()
    return happened, held
