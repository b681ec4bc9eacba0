"""How tests are shared out: what one group starts is started once, by one worker."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="needs several workers: -n 2 --dist loadgroup")
@pytest.mark.xdist_group("told")
def test_the_workers_are_told_of_groups(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@told"), "pytest and pytest-xdist disagree about node ids; see pyproject.toml"
