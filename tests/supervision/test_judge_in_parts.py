"""Cases are judged alone: in parts, side by side, they get the cards they get all at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.cases import messages
from etl.domain.clock import merge
from etl.domain.message import distinct, parse, table
from etl.domain.night import cutoff_at
from etl.store.calendars import packaged
from etl.store.profiles import profile
from etl.supervision import judge as judging
from etl.supervision.contract import contract_card, contract_lines
from tests.oracle.histories import judgements
from tests.oracle.proof import effort

AS_OF = datetime(2026, 11, 22, 17, tzinfo=UTC)
FIRST, LAST = date(2019, 10, 15), date(2020, 3, 20)
WINDOWS = [FIRST + timedelta(days=13 * number) for number in range(10)]


@cache
def histories() -> pa.Table:
    """Messages of cases of every kind, over the winter in which the calendar was amended."""
    told: list[dict[str, Any]] = []

    @effort(30, 600)
    @given(judgements(windows=WINDOWS))
    def collect(judgement: tuple[list[dict[str, Any]], datetime, datetime | None]) -> None:
        number = len(told)
        told.extend(message | {"case_no": f"{number}-{message['case_no']}"} for message in judgement[0])

    collect()
    rows = [row for _, row in distinct(map(parse, told)) if isinstance(row, dict)]
    return judging.with_known_at(table(rows))


def judge() -> Any:
    """The pure function with everything but its messages given, as it is handed to a pool."""
    moment = cutoff_at(LAST)
    return partial(
        judging.judge_table, as_of=moment, known_by=moment, profile=profile("hunan"), book=packaged().book("cn")
    )


@cache
def at_once() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = judge()(histories()).to_pylist()
    return rows


@pytest.fixture(scope="module")
def pools() -> Iterator[dict[str, Executor]]:
    at_once()  # stories are not told inside a property
    with ThreadPoolExecutor(2) as threads, ProcessPoolExecutor(2, get_context("spawn")) as processes:
        yield {"threads": threads, "processes": processes}


@effort(6, 200)
@given(kind=st.sampled_from(["threads", "processes"]), parts=st.integers(1, 9), seed=st.integers(0, 2**32 - 1))
def test_any_partition_into_whole_cases_gives_the_cards_of_all_at_once(
    pools: dict[str, Executor], kind: str, parts: int, seed: int
) -> None:
    random, told = np.random.default_rng(seed), histories()
    cases = pc.dictionary_encode(told["case_no"]).combine_chunks()
    part_of = random.integers(0, parts, len(cases.dictionary))[cases.indices.to_numpy()]
    shuffled = [random.permutation(np.flatnonzero(part_of == part)) for part in range(parts)]
    given_out = [told.take(pa.array(rows)).combine_chunks() for rows in shuffled]
    batches = [part.to_batches()[0] if len(part) else part for part in given_out]
    judged = list(pools[kind].map(judge(), batches))
    assert all(cards.schema.equals(judging.CARDS) for cards in judged)
    together = [card for cards in judged for card in cards.to_pylist()]
    assert len({card["clock"] for card in together}) >= 5
    assert sorted(together, key=lambda card: card["case_no"].encode()) == at_once()


def test_of_no_messages_there_are_no_cards_and_the_same_columns() -> None:
    assert judge()(histories().slice(0, 0)).equals(judging.CARDS.empty_table())


def test_lines_are_the_cards_of_the_contract_one_by_one() -> None:
    cards = judge()(histories())
    odd = {"case_no": '引号" \\ \n\x1f\u2028 喆堃祎', "clock_key": "", "nature": "rule", "responsible_hop": "a\tb"}
    odd |= {"reached_at": datetime(2020, 2, 3, 16, 0, 0, 120_000, tzinfo=UTC), "used_days": 1e-7, "limit_days": 2 / 3}
    odd |= {"evidence": ['"', ""], "deciding": [], "standing": True}
    unknown = {"case_no": "nothing else is known", "evidence": ["x"], "deciding": []}
    one = pa.Table.from_pylist([odd, unknown], judging.CARDS)
    exact = cards.slice(5, 3).append_column("exact_used_days", pa.array([1 / 3, None, 2.0]))
    for told in (cards, one, pa.concat_tables([one, cards, one]), exact, judging.CARDS.empty_table()):
        assert contract_lines(told) == b"".join(orjson.dumps(contract_card(card)) + b"\n" for card in told.to_pylist())


def test_cases_judged_in_parts_get_the_cards_they_get_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = messages(200)
    shuffled = told.take(pa.array(np.random.default_rng(7).permutation(len(told))))

    def cards(told: pa.Table) -> pa.Table:
        return judging.judge_table(told, AS_OF, AS_OF, profile("hunan"), packaged().book("cn"))

    whole = cards(shuffled)
    monkeypatch.setattr(judging, "PART_CASES", 7)
    assert len(whole) > 200
    assert cards(shuffled).equals(whole)
    assert cards(told.sort_by("case_no")).equals(whole)


def test_intervals_in_any_order_of_owners_and_beginnings_have_one_union() -> None:
    owner, begin, end = (np.array(column) for column in ([2, 0, 2, 0, 2, 1], [5, 3, 1, 0, 2, 4], [9, 4, 3, 3, 6, 4]))
    union = merge(owner, begin, end)
    assert [column.tolist() for column in (union.owner, union.begin, union.end)] == [[0, 2], [0, 1], [4, 9]]
    assert union.excluded(np.array([2, 5, 7])).tolist() == [2, 0, 6]
