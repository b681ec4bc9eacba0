"""Cases are judged alone: in parts side by side they get the cards they get all at once."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.cases import messages
from etl.domain.clock import merge
from etl.store.calendars import packaged
from etl.store.profiles import profile
from etl.supervision import judge as judging

AS_OF = datetime(2026, 11, 22, 17, tzinfo=UTC)


def test_cases_judged_in_parts_get_the_cards_they_get_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = messages(200)
    shuffled = told.take(pa.array(np.random.default_rng(7).permutation(len(told))))

    def cards() -> pa.Table:
        return judging.judge_table(shuffled, AS_OF, AS_OF, profile("hunan"), packaged().book("cn"))

    whole = cards()
    monkeypatch.setattr(judging, "PART_CASES", 7)
    assert len(whole) > 200
    assert cards().equals(whole)


def test_intervals_in_any_order_of_owners_and_beginnings_have_one_union() -> None:
    owner, begin, end = (np.array(column) for column in ([2, 0, 2, 0, 2, 1], [5, 3, 1, 0, 2, 4], [9, 4, 3, 3, 6, 4]))
    union = merge(owner, begin, end)
    assert [column.tolist() for column in (union.owner, union.begin, union.end)] == [[0, 2], [0, 1], [4, 9]]
    assert union.excluded(np.array([2, 5, 7])).tolist() == [2, 0, 6]
