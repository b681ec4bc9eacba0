"""How hard the property tests try: a few seconds by default, `JIANCHA_PROOF=full` for the long run."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, settings

FULL = os.environ.get("JIANCHA_PROOF") == "full"


def effort(reduced: int, full: int, *, is_shrunk: bool = True) -> Callable[[Any], Any]:
    """`reduced` examples, always the same ones; in a full proof `full` fresh ones.

    Args:
        is_shrunk: Hypothesis looks for a simpler example of a fault; no use where examples are numbers.
    """
    return settings(
        max_examples=full if FULL else reduced,
        derandomize=not FULL,
        deadline=None,
        database=None,
        phases=[phase for phase in Phase if is_shrunk or phase not in (Phase.shrink, Phase.explain)],
        print_blob=FULL,
        verbosity=Verbosity.normal,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
