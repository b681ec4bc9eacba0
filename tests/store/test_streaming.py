"""What is streamed from the ledger is never held whole, and takes whatever text for a parameter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from etl.store.ledger import case_messages, gather_statistics, stream

pytestmark = pytest.mark.database

NOW = datetime(2026, 11, 20, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
MANY = """
insert into message (source, case_no, kind, seq, version, occurred_at, loaded_at, known_at, known_basis, payload,
                     content_sha256, page_id)
select 'scjg', 'case-' || g, 'accept', 0, 1, now(), now(), %(now)s, 'night',
       jsonb_build_object('outcome', repeat('x', 300)), repeat('0', 64), 1
from generate_series(1, 150000) g
"""


@pytest.fixture
def many(ledger: Engine) -> int:
    with ledger.begin() as connection:
        connection.exec_driver_sql("set session_replication_role = replica")  # no page was landed for them
        connection.exec_driver_sql(MANY, {"now": NOW})
    gather_statistics(ledger)
    return 150_000


def asked(sources: list[str], known_by: datetime = LATER) -> list[object]:
    return [sources, known_by, ["accept"], None, None, []]


def test_a_long_answer_comes_in_batches_while_another_question_is_asked_in_between(many: int) -> None:
    rows = 0
    batches = 0
    for batch in stream("ledger/case_messages", asked(["scjg"])):
        assert len(batch) < many / 2
        assert not list(case_messages(["scjg"], NOW - timedelta(days=1), ["accept"]))
        rows, batches = rows + len(batch), batches + 1
    assert (rows, batches > 2) == (many, True)


def test_an_answer_nobody_reads_to_its_end_is_let_go(many: int) -> None:
    reading = stream("ledger/case_messages", asked(["scjg"]))
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    assert sum(map(len, stream("ledger/case_messages", asked(["scjg"])))) == many


def test_no_text_is_more_than_a_text(many: int) -> None:
    odd = [
        "sc'jg",
        'sc"jg',
        "sc\\jg",
        "scjg\n--",
        "scjg'); drop table message; --",
        "$2",
        "{scjg}",
        "监察",
        "%s",
        "",
        "a,b",
    ]
    assert not list(stream("ledger/case_messages", asked(odd)))
    assert sum(map(len, stream("ledger/case_messages", asked([*odd, "scjg"])))) == many
    assert not list(
        stream("ledger/case_messages", [["scjg"], LATER, ["accept"], "'; drop table message; --", None, []])
    )
