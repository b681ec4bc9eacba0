"""The two digests: which columns they cover, column by column, as the server lists them."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest
from sqlalchemy import Engine

from etl.store.digest import digest
from etl.store.statements import sql_text
from tests.store.tampering import Column, columns, without_rules

LEFT_OUT = {
    "landed_page": "how the bytes arrived: page sizes and attempts differ between equal nights",
    "page_set_aside": "about these pages",
    "quality_volume": "counted from message",
    "alembic_version": "the version of the schema, not what it holds",
    "case_listing": "what a source held at the moment it was asked: only its newest night asks",
    "case_absence": "the same",
}
VIEWS = {"v_card_event": "card_event"}


def excluded_from_ledger() -> dict[str, set[str]]:
    listed = re.findall(r"\('(\w+)', array\[(.*?)\]\)", sql_text("ledger/digest_ledger"), re.DOTALL)
    return {table: set(re.findall(r"'(\w+)'", names)) for table, names in listed}


def excluded_from_facts() -> set[str]:
    (names,) = re.findall(r"array\[(.*?)\]", sql_text("ledger/digest_facts"), re.DOTALL)
    return set(re.findall(r"'(\w+)'", names))


def dumped() -> set[str]:
    read = re.findall(r"to_jsonb\(t\)(?: as doc)? from (\w+) t", sql_text("ledger/digest_ledger"))
    return {VIEWS.get(table, table) for table in read}


@pytest.fixture
def filled(ledger: Engine) -> Engine:
    """One row in every table, no column null, and no rule to keep anybody from changing it."""
    without_rules(ledger)
    tables: defaultdict[str, list[Column]] = defaultdict(list)
    with ledger.begin() as connection:
        for column in columns(connection):
            tables[column.table].append(column)
        for table, members in tables.items():
            names = ", ".join(f'"{column.name}"' for column in members)
            values = ", ".join(column.some_value for column in members)
            connection.exec_driver_sql(f"delete from {table}")
            connection.exec_driver_sql(f"insert into {table} ({names}) overriding system value values ({values})")
    return ledger


def changing(engine: Engine, column: Column, what: str) -> str:
    """The digest with this column changed; the change is taken back."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"create table kept as select * from {column.table}")
        connection.exec_driver_sql(f'alter table {column.table} alter column "{column.name}" drop identity if exists')
        connection.exec_driver_sql(f'update {column.table} set "{column.name}" = {column.changed}')
        changed = connection.exec_driver_sql(
            f'select "{column.name}" is distinct from (select "{column.name}" from kept) from {column.table}'
        )
        assert changed.scalar_one(), column
    found = digest(engine, what)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"delete from {column.table}")
        connection.exec_driver_sql(f"insert into {column.table} overriding system value select * from kept")
        connection.exec_driver_sql("drop table kept")
    return found


def test_every_table_is_dumped_or_left_out_for_a_reason(ledger: Engine) -> None:
    with ledger.connect() as connection:
        tables = {column.table for column in columns(connection)}
        names = {(column.table, column.name) for column in columns(connection)}
    assert tables == dumped() | LEFT_OUT.keys()
    assert not dumped() & LEFT_OUT.keys()
    listed = {(table, name) for table, members in excluded_from_ledger().items() for name in members}
    assert listed <= names, "the list names columns that do not exist"
    assert {("message", name) for name in excluded_from_facts()} <= names


def test_the_ledger_digest_changes_with_every_column_that_is_not_listed_and_with_no_other(filled: Engine) -> None:
    before, excluded = digest(filled, "ledger"), excluded_from_ledger()
    with filled.connect() as connection:
        every = columns(connection)
    wrong = [
        column
        for column in every
        if (changing(filled, column, "ledger") != before)
        == (column.table in LEFT_OUT or column.name in excluded.get(column.table, ()))
    ]
    assert wrong == []
    assert digest(filled, "ledger") == before
    assert len(every) > 150


def test_the_facts_digest_changes_with_what_messages_say_and_not_with_when_it_was_known(filled: Engine) -> None:
    before, excluded = digest(filled, "facts"), excluded_from_facts()
    with filled.connect() as connection:
        every = columns(connection)
    messages = [column for column in every if column.table == "message"]
    changed = {column.name for column in messages if changing(filled, column, "facts") != before}
    assert changed == {column.name for column in messages} - excluded
    others = [column for column in every if column.name == "source" and column.table != "message"]
    assert {changing(filled, column, "facts") for column in others} == {before}


@pytest.mark.parametrize("what", ["facts", "ledger"])
def test_rows_count_in_any_order_of_insertion_and_a_row_more_is_a_change(ledger: Engine, what: str) -> None:
    insert = (
        "insert into message (source, case_no, kind, seq, version, occurred_at, loaded_at, known_at, known_basis,"
        " payload, content_sha256) values ('scjg', '{}', 'accept', 0, 1, '2026-11-16 10:00+08', '2026-11-17 01:00+08',"
        " '2026-11-17 01:00+08', 'night', '{{}}', repeat('a', 64))"
    )
    found = []
    for cases in (("1", "2", "办3"), ("办3", "2", "1"), ("1", "2")):
        with ledger.begin() as connection:
            connection.exec_driver_sql("set local session_replication_role = replica")
            connection.exec_driver_sql("delete from message")
            for case in cases:
                connection.exec_driver_sql(insert.format(case))
        found.append(digest(ledger, what))
    assert found[0] == found[1] != found[2]


def test_a_voided_event_is_as_if_it_had_never_been(filled: Engine) -> None:
    with filled.begin() as connection:
        connection.exec_driver_sql("delete from card_event")
    without = digest(filled, "ledger")
    with filled.begin() as connection:
        every = [column for column in columns(connection) if column.table == "card_event"]
        names = ", ".join(column.name for column in every)
        for seq, event, voids in ((1, "'issued'", "null"), (2, "'void'", "1")):
            own = {"seq": str(seq), "event": event, "voids_seq": voids}
            values = ", ".join(own.get(column.name, column.some_value) for column in every)
            connection.exec_driver_sql(f"insert into card_event ({names}) values ({values})")
    assert digest(filled, "ledger") == without
