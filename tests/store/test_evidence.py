"""Card events and messages are only ever appended, and whoever changes them anyway is found out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from etl.errors import EvidenceBroken
from etl.store import cards, decisions, evidence
from tests.store.tampering import as_superuser, columns

NIGHT = date(2026, 11, 17)
MOMENT = datetime(2026, 11, 17, 2, tzinfo=UTC)


def event(case_no: str, **changes: Any) -> dict[str, Any]:
    """A card event as a night makes it."""
    made = {
        "source": "scjg", "case_no": case_no, "clock": "case", "clock_key": "", "level": "yellow",
        "business_on": NIGHT, "event": "issued", "nature": "conduct", "standing": True, "provisional": False,
        "is_baseline": False, "is_manual": False, "reached_at": MOMENT, "due_at": MOMENT,
        "used_days": Decimal("7.000001"), "limit_days": Decimal(7),
        "excluded_days": Decimal(0), "base": "promised", "responsible_hop": "scjg->here",
        "department": "局", "region": "511602", "item_code": "1", "item_name": "事项",
        "evidence": [f"scjg/{case_no}/accept/0/v1"], "profile_version": "hunan@1", "calendar_version": "cn@1",
        "known_at": MOMENT,
    } | changes  # fmt: skip
    return {"is_told": not made["is_baseline"]} | made


def record(engine: Engine, events: list[dict[str, Any]], muted: tuple[str, ...] = ()) -> dict[str, int]:
    return cards.record_night(engine, NIGHT, ["scjg"], events, fingerprint=str(events), cases=len(events), muted=muted)


@pytest.fixture
def chain(ledger: Engine) -> Engine:
    """Five events of one night."""
    assert record(ledger, [event(str(number)) for number in range(5)])["events"] == 5
    return ledger


@pytest.fixture
def decided(chain: Engine) -> Engine:
    """The same, two decisions about card 1 (links 6 and 7), and an event after them (link 8)."""
    for day, decision in enumerate(("appeal", "revoke"), 1):
        decisions.decide(
            chain, "1", None, decision, actor="周某", reason="核查", decided_at=MOMENT + timedelta(days=day),
            evidence_keys=["文号"], cutoff=time(1),
        )  # fmt: skip
    record(chain, [event(str(number)) for number in range(6)])
    with chain.connect() as connection:
        evidence.verify(connection)
    return chain


def broken(connection: Connection, *statements: str) -> str:
    """What verification says after these statements of a superuser; they are rolled back."""
    as_superuser(connection)
    for statement in statements:
        assert connection.exec_driver_sql(statement).rowcount > 0, statement
    with pytest.raises(EvidenceBroken) as raised:
        evidence.verify(connection)
    connection.rollback()
    return str(raised.value)


@pytest.mark.parametrize("table", ["message", "card_event", "card_decision"])
@pytest.mark.parametrize("change", ["update {} set source = 'x'", "delete from {}", "truncate {} cascade"])
def test_messages_and_card_events_refuse_every_change(ledger: Engine, table: str, change: str) -> None:
    with ledger.connect() as connection, pytest.raises(DBAPIError, match=f"{table} is append-only"):
        connection.exec_driver_sql(change.format(table))


def test_an_untouched_chain_verifies_to_its_last_hash(chain: Engine) -> None:
    with chain.connect() as connection:
        assert (
            evidence.verify(connection)
            == connection.exec_driver_sql("select hash from card_event order by seq desc limit 1").scalar_one()
        )


def test_an_edit_of_any_column_is_found_at_its_event(chain: Engine) -> None:
    with chain.connect() as connection:
        tested = [column for column in columns(connection) if column.table == "card_event"]
        for column in tested:
            if column.name == "appended_at":  # the wall clock of the insert: audit, not evidence
                continue
            change = {
                "level": "'red'", "event": "'revised'", "nature": "'suspect'", "seq": "30",
                "voids_seq": "1", "hash": "repeat('0', 64)",
            }.get(column.name, column.changed)  # fmt: skip
            also = ", event = 'void'" if column.name == "voids_seq" else ""
            said = broken(connection, f"update card_event set {column.name} = {change}{also} where seq = 3")
            assert "card event 3 " in said or column.name == "seq", (column, said)


def test_a_deleted_event_is_found(chain: Engine) -> None:
    with chain.connect() as connection:
        assert "card event 4 " in broken(connection, "delete from card_event where seq = 3")
        assert "card event 2 " in broken(connection, "delete from card_event where seq = 1")


def test_events_cut_off_the_end_are_found_by_what_was_told_of_them(chain: Engine) -> None:
    with chain.connect() as connection:
        assert "notice item A/scjg/4/" in broken(connection, "delete from card_event where seq = 5")


def test_events_cut_off_the_end_are_found_by_the_bulletin_that_printed_them(chain: Engine) -> None:
    with chain.connect() as connection:
        issued = (
            "insert into bulletin (week, data_until, head_hash, model, html_sha256, docx_sha256)"
            " select '2026-W47', now(), hash, '{}', hash, hash from card_event where seq = 5"
        )
        forgotten = "delete from notice_item"
        assert "bulletin 2026-W47" in broken(connection, issued, forgotten, "delete from card_event where seq = 5")


def test_an_inserted_event_is_found(chain: Engine) -> None:
    copied = ", ".join(
        name for name in event("") | {"prev_hash": 0, "voids_seq": 0} if name not in ("case_no", "is_told")
    )
    with chain.connect() as connection:
        said = broken(
            connection,
            "update card_event set seq = seq + 100 where seq > 3",
            "update card_event set seq = seq - 99 where seq > 100",
            f"insert into card_event (seq, hash, revision, case_no, {copied}) "
            f"select 4, repeat('b', 64), 9, 'forged', {copied} from card_event where seq = 3",
        )
        assert "card event 4 " in said


def test_two_events_that_changed_places_are_found(chain: Engine) -> None:
    with chain.connect() as connection:
        said = broken(
            connection,
            "update card_event set seq = 100 where seq = 2",
            "update card_event set seq = 2 where seq = 3",
            "update card_event set seq = 3 where seq = 100",
        )
        assert "card event 2 " in said


def test_an_edit_of_any_column_of_a_decision_is_found_at_its_link(decided: Engine) -> None:
    with decided.connect() as connection:
        tested = [
            column for column in columns(connection) if column.table == "card_decision" and column.name != "appended_at"
        ]
        assert len(tested) > 10
        for column in tested:
            change = {
                "level": "'red'", "decision": "'close'", "seq": "60", "hash": "repeat('0', 64)",
            }.get(column.name, column.changed)  # fmt: skip
            said = broken(connection, f"update card_decision set {column.name} = {change} where seq = 6")
            assert "decision 6 " in said or (column.name == "seq" and "decision 7 " in said), (column, said)


@pytest.mark.parametrize(
    ("done", "found_at"),
    [
        (["update card_decision set decided_at = decided_at - interval '1 day' where seq = 7"], "decision 7 "),
        (["delete from card_decision where seq = 6"], "decision 7 "),
        (
            [
                "update card_decision set seq = 60 where seq = 6",
                "update card_decision set seq = 6 where seq = 7",
                "update card_decision set seq = 7 where seq = 60",
            ],
            "decision 6 ",
        ),
        (
            [
                "update card_event set seq = 9 where seq = 8",
                "insert into card_decision (seq, prev_hash, hash, source, case_no, clock, clock_key, level, decision,"
                " business_on, decided_at, actor, reason, evidence) select 8, hash, repeat('b', 64), source, '2',"
                " clock, clock_key, level, 'close', business_on, decided_at, 'x', 'x', '{}'"
                " from card_decision where seq = 7",
            ],
            "decision 8 ",
        ),
        (["delete from card_event where seq = 8", "delete from card_decision where seq = 7"], "notice item "),
    ],
    ids=["dated back", "deleted", "changed places", "inserted", "cut off the end"],
)
def test_whatever_is_done_to_a_decision_is_found(decided: Engine, done: list[str], found_at: str) -> None:
    with decided.connect() as connection:
        assert found_at in broken(connection, *done)


def remade(connection: Connection, *statements: str) -> str:
    """Change decisions and compute every hash after them anew, as somebody who knows how would -> the new head."""
    as_superuser(connection)
    for statement in statements:
        assert connection.exec_driver_sql(statement).rowcount > 0, statement
    head = evidence.GENESIS
    for name, link in list(evidence._links(connection)):
        table = "card_event" if name == "card event" else "card_decision"
        link = {**link, "prev_hash": head}
        head = evidence.event_hash(head, link)
        connection.exec_driver_sql(
            f"update {table} set prev_hash = %s, hash = %s where seq = %s", (link["prev_hash"], head, link["seq"])
        )
    return head


def test_a_chain_made_anew_is_found_by_the_heads_that_were_printed(decided: Engine) -> None:
    edit = "update card_decision set reason = '另一个理由' where seq = 7"
    with decided.connect() as connection:
        printed = evidence.verify(connection)
        assert remade(connection, edit) != printed
        assert evidence.verify(connection), "nothing in the chain itself tells"
        with pytest.raises(EvidenceBroken, match=f"printed head {printed} is no hash of the chain"):
            evidence.verify(connection, [printed])
        for table, columns_of_it in (
            ("bulletin", "(week, data_until, head_hash, model, html_sha256, docx_sha256)"),
            ("notice", "(notice_key, mail_kind, business_on, recipient, subject, message_id, content, content_sha256,"
                       " head_hash, state)"),
        ):  # fmt: skip
            values = {
                "bulletin": f"('2026-W47', now(), '{printed}', '{{}}', repeat('a', 64), repeat('a', 64))",
                "notice": f"('A/x', 'A', now(), 'x', 'x', 'x', '', repeat('a', 64), '{printed}', 'sent')",
            }[table]
            connection.rollback()
            connection.exec_driver_sql(f"insert into {table} {columns_of_it} values {values}")
            evidence.verify(connection)
            remade(connection, edit)
            with pytest.raises(EvidenceBroken, match="rests on"):
                evidence.verify(connection)


def test_a_chain_cut_at_its_end_with_every_trace_of_it_is_found_by_a_printed_head(decided: Engine) -> None:
    with decided.connect() as connection:
        printed = evidence.verify(connection)
        as_superuser(connection)
        for forgotten in ("delete from notice_item", "delete from card_event where seq = 8",
                          "delete from card_decision where seq = 7"):  # fmt: skip
            assert connection.exec_driver_sql(forgotten).rowcount > 0
        assert evidence.verify(connection)
        with pytest.raises(EvidenceBroken, match="printed head"):
            evidence.verify(connection, [printed])


def test_a_decision_appended_later_and_dated_back_is_found(decided: Engine) -> None:
    with decided.connect() as connection:
        as_superuser(connection)
        link = dict(connection.exec_driver_sql("select * from card_decision where seq = 7").mappings().one())
        link = {name: link[name] for name in link if name not in evidence.UNHASHED} | {"decision": "close"}
        evidence.append(connection, [link | {"decided_at": MOMENT}], "decisions/append")
        with pytest.raises(EvidenceBroken, match="decision 9 is dated before"):
            evidence.verify(connection)


def test_a_forged_event_with_a_fitting_hash_breaks_the_next_one(chain: Engine) -> None:
    with chain.connect() as connection:
        stored = dict(connection.exec_driver_sql("select * from card_event where seq = 3").mappings().one())
        forged = evidence.event_hash(stored["prev_hash"], stored | {"nature": "push_delay"})
        change = f"update card_event set nature = 'push_delay', hash = '{forged}' where seq = 3"
        assert "card event 4 " in broken(connection, change)


def test_a_night_recorded_twice_appends_nothing_and_a_changed_one_voids_and_appends(chain: Engine) -> None:
    events = [event(str(number)) for number in range(5)]
    assert record(chain, events)["events"] == 0
    corrected = [*events[:4], event("4", nature="suspect")]
    assert record(chain, corrected) == {"issued": 1, "events": 1, "voided": 1}
    assert record(chain, corrected)["events"] == 0
    assert record(chain, events)["voided"] == 1, "and back again"
    with chain.connect() as connection:
        evidence.verify(connection)
        story = connection.exec_driver_sql(
            "select event, nature, voids_seq from card_event where case_no = '4' order by seq"
        ).all()
    assert story == [
        ("issued", "conduct", None),
        ("void", "conduct", 5),
        ("issued", "suspect", None),
        ("void", "suspect", 7),
        ("issued", "conduct", None),
    ]


def told(engine: Engine) -> list[tuple[str, bool]]:
    """Case and whether it is muted, of every item to tell."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("select item_key, is_muted from notice_item order by created_at, item_key")
        return [(key.split("/")[2], is_muted) for key, is_muted in rows]


def test_an_event_appended_again_after_it_was_told_tells_nobody_a_second_time(chain: Engine) -> None:
    with chain.begin() as connection:  # a mail has claimed everything
        connection.exec_driver_sql("set local session_replication_role = replica")
        connection.exec_driver_sql("insert into notice_claim select item_key, 'somebody', 'mail' from notice_item")
    record(chain, [event("4", nature="suspect")])
    items = told(chain)
    assert items[:5] == [(str(number), False) for number in range(5)]
    again = [(case_no, is_muted) for case_no, is_muted in items[5:] if case_no == "4"]
    assert again == [("4", True)]
    taken_back = {case_no for case_no, is_muted in items[5:] if not is_muted}
    assert taken_back == {"0", "1", "2", "3"}, "whoever was told of a card is told that it is gone"


def test_the_cards_of_a_muted_source_are_recorded_and_told_to_nobody(ledger: Engine) -> None:
    assert record(ledger, [event("quiet")], muted=("scjg",))["events"] == 1
    assert record(ledger, [event("quiet")])["events"] == 0
    assert told(ledger) == []


def test_an_event_that_tells_nobody_anything_makes_no_item_to_tell(ledger: Engine) -> None:
    record(ledger, [event("baseline", is_baseline=True), event("stopped", is_told=False), event("late")])
    with ledger.connect() as connection:
        told = connection.exec_driver_sql("select item_key from notice_item order by 1").scalars().all()
        evidence.verify(connection)
    assert [key.split("/")[2] for key in told] == ["late"]
