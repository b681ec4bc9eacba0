"""Nights without their expectations, which take half of a small night's time and often have nothing to say."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from etl.quality.check import FAILED, Findings
from etl.runs import admission


def unchecked() -> AbstractContextManager[Any]:
    """Nights of this process ask no expectation as long as the block runs."""
    nothing = Findings([], FAILED.empty_table())
    return patch.multiple(admission, check=lambda *_: nothing, check_volumes=lambda *_: nothing)
