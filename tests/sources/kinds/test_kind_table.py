"""Table kind against SQLite and the embedded PostgreSQL."""

from __future__ import annotations

import json
import socketserver
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from etl.errors import ConfigurationError, SourceContractBroken, SourceIncomplete, SourceUnavailable
from etl.sources.contract import Page, Pulled, Window
from etl.sources.kinds import Table, TableSpec

SPEC = TableSpec(
    table="up_accept",
    key=("sblsh",),
    version="sjbbh",
    inserted_at="inserted_at",
    columns=("sblsh", "sjbbh", "sxmc", "fee", "slsj"),
)


def local(text: str) -> datetime:
    """A time in the department's own zone, which the table does not say."""
    return datetime.fromisoformat(text)


NOON = local("2026-11-16 12:00")


def up_accept(metadata: sa.MetaData, inserted_at: sa.types.TypeEngine | None = None, *extra: sa.Column) -> sa.Table:
    return sa.Table(
        "up_accept",
        metadata,
        sa.Column("sblsh", sa.String(40), nullable=False),
        sa.Column("sjbbh", sa.Integer, nullable=False),
        sa.Column("sxmc", sa.String(200)),
        sa.Column("fee", sa.Numeric(20, 4)),
        sa.Column("slsj", sa.DateTime),
        sa.Column("inserted_at", inserted_at or sa.DateTime, nullable=False),
        *extra,
    )


def row(number: int, inserted_at: datetime = NOON, **more: object) -> dict[str, object]:
    return {"sblsh": f"B{number:03}", "sjbbh": 1, "sxmc": "许可", "inserted_at": inserted_at, **more}


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'front.db'}"


@contextmanager
def filled(
    url: str, rows: list[dict[str, object]], inserted_at: sa.types.TypeEngine | None = None
) -> Iterator[sa.Table]:
    """The exchange table with rows, and a way for a test to write more while it is read."""
    engine = sa.create_engine(url)
    metadata = sa.MetaData()
    table = up_accept(metadata, inserted_at)
    metadata.create_all(engine)
    table.info["insert"] = lambda *more: insert(engine, table, more)
    if rows:
        table.info["insert"](*rows)
    yield table
    engine.dispose()


def insert(engine: sa.Engine, table: sa.Table, rows: tuple[dict[str, object], ...]) -> None:
    with engine.begin() as database:
        for values in rows:
            database.execute(table.insert().values(**values))


def pull(source, url: str, window: Window) -> tuple[list[Page], list[Pulled]]:
    answers = list(source.kind.pull(source, url, window))
    return [a for a in answers if isinstance(a, Page)], [a for a in answers if isinstance(a, Pulled)]


def values(source, pages: list[Page], name: str) -> list[str | None]:
    return [
        value
        for page in pages
        for value in source.kind.decode(source, page.stream, page.content, page.meta).rows[name].to_pylist()
    ]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.database)])
def url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgresql_url")


def test_rows_come_page_by_page_in_insertion_order_and_agree_with_the_tables_own_count(url, make_source, window):
    rows = [row(n, NOON + timedelta(minutes=n // 3)) for n in range(10)]
    source = make_source(Table({"accept": SPEC}, page_rows=3))
    with filled(url, rows[::-1]):
        pages, ends = pull(source, url, window)
    assert [page.number for page in pages] == [1, 2, 3, 4]
    assert values(source, pages, "sblsh") == [f"B{n:03}" for n in range(10)]
    assert ends == [Pulled("accept", 10)]


def test_rows_that_share_an_insertion_time_and_key_are_split_over_pages_without_loss(url, make_source, window):
    rows = [row(n, sjbbh=version) for n in range(3) for version in (1, 2, 10)]
    source = make_source(Table({"accept": SPEC}, page_rows=1))
    with filled(url, rows):
        pages, (end,) = pull(source, url, window)
    assert values(source, pages, "sjbbh") == ["1", "2", "10"] * 3
    assert end.declared_rows == 9


def test_a_naive_insertion_time_is_local_to_the_source(url, make_source, window):
    # The window is (11-16 01:00, 11-17 01:00] in Shanghai and the overlap is two hours.
    outside = [row(1, local("2026-11-15 23:00")), row(2, local("2026-11-17 01:00:00.000001"))]
    inside = [row(3, local("2026-11-15 23:00:00.000001")), row(4, local("2026-11-17 01:00"))]
    source = make_source(Table({"accept": SPEC}))
    with filled(url, [*outside, *inside]):
        pages, (end,) = pull(source, url, window)
    assert values(source, pages, "sblsh") == ["B003", "B004"]
    assert end.declared_rows == 2


def test_the_same_naive_times_of_another_zone_are_another_window(sqlite_url, make_source, window):
    rows = [row(1, local("2026-11-16 12:00")), row(2, local("2026-11-16 13:00"))]  # 12:00 in Boston is 01:00+1 here
    source = make_source(Table({"accept": SPEC}), timezone="America/New_York")
    with filled(sqlite_url, rows):
        pages, _ = pull(source, sqlite_url, window)
    assert values(source, pages, "sblsh") == ["B001"]


@pytest.mark.database
def test_an_insertion_time_with_a_zone_is_compared_as_an_instant(postgresql_url, make_source, window):
    tokyo = timezone(timedelta(hours=9))
    rows = [row(1, datetime(2026, 11, 17, 2, tzinfo=tokyo)), row(2, datetime(2026, 11, 17, 2, 0, 1, tzinfo=tokyo))]
    source = make_source(Table({"accept": SPEC}), timezone="America/New_York")
    with filled(postgresql_url, rows, sa.DateTime(timezone=True)):
        pages, _ = pull(source, postgresql_url, window)
    assert values(source, pages, "sblsh") == ["B001"]
    assert values(source, pages, "inserted_at") == ["2026-11-16T17:00:00+00:00"]


def test_a_first_load_reads_from_the_beginning(url, make_source, window):
    source = make_source(Table({"accept": SPEC}))
    with filled(url, [row(1, local("2015-01-01 00:00")), row(2, local("2026-12-01 00:00"))]):
        pages, _ = pull(source, url, Window(window.business_on, None, window.until))
    assert values(source, pages, "sblsh") == ["B001"]


@pytest.mark.database
def test_rows_committed_while_the_pages_are_read_belong_to_the_next_pull(postgresql_url, make_source, window):
    source = make_source(Table({"accept": SPEC}, page_rows=2))
    with filled(postgresql_url, [row(n) for n in range(4)]) as table:
        answers = source.kind.pull(source, postgresql_url, window)
        first = next(answers)
        table.info["insert"](row(100), row(101))
        rest = list(answers)
        again, (end,) = pull(source, postgresql_url, window)
    assert values(source, [first, *(a for a in rest if isinstance(a, Page))], "sblsh") == [f"B{n:03}" for n in range(4)]
    assert rest[-1] == Pulled("accept", 4)
    assert end.declared_rows == 6
    assert values(source, again, "sblsh")[-1] == "B101"


@pytest.mark.database
def test_the_transaction_is_repeatable_read_and_read_only(postgresql_url, make_source, window):
    seen: list[tuple[psycopg.IsolationLevel | None, bool | None]] = []

    def look(connection, cursor, statement, *_):
        if "count" in statement:
            seen.append((cursor.connection.isolation_level, cursor.connection.read_only))

    with filled(postgresql_url, [row(1)]):
        sa.event.listen(sa.Engine, "after_cursor_execute", look)
        try:
            pull(make_source(Table({"accept": SPEC})), postgresql_url, window)
        finally:
            sa.event.remove(sa.Engine, "after_cursor_execute", look)
    assert seen == [(psycopg.IsolationLevel.REPEATABLE_READ, True)]


def test_a_renamed_column_is_named_with_what_stands_there_instead(url, make_source, window):
    source = make_source(Table({"accept": replace(SPEC, columns=("sblsh", "sxmc_old"))}))
    with (
        filled(url, [row(1)]),
        pytest.raises(SourceContractBroken, match=r"test/accept: table up_accept lacks column sxmc_old.*sxmc"),
    ):
        pull(source, url, window)


def test_a_missing_table_is_a_broken_contract(url, make_source, window):
    source = make_source(Table({"accept": SPEC}))
    with pytest.raises(SourceContractBroken, match="no table up_accept"):
        pull(source, url, window)


def test_a_refused_query_is_told_without_its_parameters(postgresql_url, make_source, window):
    engine = sa.create_engine(postgresql_url)
    with engine.begin() as database:
        database.exec_driver_sql(
            "create view up_accept as select 'B001' as sblsh, 1 as sjbbh, '许可' as sxmc, now() as slsj,"
            " 1 / (extract(epoch from now())::int * 0) as fee, timestamp '2026-11-16 12:00' as inserted_at"
        )
    source = make_source(Table({"accept": SPEC}))
    with pytest.raises(SourceContractBroken, match="refused the query") as caught:
        pull(source, postgresql_url, window)
    with engine.begin() as database:
        database.exec_driver_sql("drop view up_accept")
    engine.dispose()
    assert "division by zero" in str(caught.value.__cause__)
    assert "2026, 11" not in str(caught.value.__cause__)


def test_columns_that_nobody_declared_are_allowed_and_not_read(url, make_source, window):
    source = make_source(Table({"accept": replace(SPEC, columns=("sblsh",))}))
    with filled(url, [row(1, sxmc="秘密")]):
        (page,), _ = pull(source, url, window)
    assert set(json.loads(page.content)) == {"sblsh", "sjbbh", "inserted_at"}


def test_an_insertion_time_that_is_no_time_is_a_broken_contract(sqlite_url, make_source, window):
    source = make_source(Table({"accept": SPEC}))
    with (
        filled(sqlite_url, [], sa.String(20)),
        pytest.raises(SourceContractBroken, match="not a date and time"),
    ):
        pull(source, sqlite_url, window)


def test_a_row_without_insertion_time_is_not_silently_in_no_window(sqlite_url, make_source, window):
    engine = sa.create_engine(sqlite_url)
    metadata = sa.MetaData()
    table = sa.Table(
        "up_accept",
        metadata,
        *(sa.Column(name, sa.String) for name in ("sblsh", "sjbbh", "sxmc", "fee", "slsj")),
        sa.Column("inserted_at", sa.DateTime),
    )
    metadata.create_all(engine)
    with engine.begin() as database:
        database.execute(table.insert().values(sblsh="B1", sjbbh="1"))
    engine.dispose()
    with pytest.raises(SourceContractBroken, match="1 rows of up_accept have no"):
        pull(make_source(Table({"accept": SPEC})), sqlite_url, window)


def test_rows_that_the_order_cannot_tell_apart_are_found_out_by_the_count(sqlite_url, make_source, window):
    source = make_source(Table({"accept": SPEC}, page_rows=2))
    with (
        filled(sqlite_url, [row(1), row(1), row(1)]),
        pytest.raises(SourceIncomplete, match="2 rows were read, up_accept counts 3; are its keys unique"),
    ):
        pull(source, sqlite_url, window)


@pytest.mark.database
def test_values_become_text_without_losing_anything(postgresql_url, make_source, window):
    engine = sa.create_engine(postgresql_url)
    metadata = sa.MetaData()
    table = sa.Table(
        "wide",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("zoned", sa.DateTime(timezone=True)),
        sa.Column("day", sa.Date),
        sa.Column("fee", sa.Numeric(38, 10)),
        sa.Column("ratio", sa.Float),
        sa.Column("flag", sa.Boolean),
        sa.Column("note", sa.Text),
        sa.Column("raw", sa.LargeBinary),
        sa.Column("more", sa.JSON),
    )
    metadata.create_all(engine)
    big = 511602199001011234
    with engine.begin() as database:
        database.execute(
            table.insert(),
            [
                {
                    "id": big,
                    "at": local("2026-11-16 09:10:11.123456"),
                    "zoned": datetime(2026, 11, 16, 9, tzinfo=UTC),
                    "day": date(2026, 11, 16),
                    "fee": Decimal("12345678901234567890.1234567890"),
                    "ratio": 0.1,
                    "flag": False,
                    "note": "一行\n二\u2028行",
                    "raw": b"\x00\xff",
                    "more": {"a": ["许可"]},
                }
            ],
        )
        database.execute(table.insert(), [{"id": 2, "at": NOON, "note": ""}])
    engine.dispose()
    spec = TableSpec("wide", ("id",), None, "at", tuple(str(column.name) for column in table.columns))
    source = make_source(Table({"wide": spec}))
    (page,), _ = pull(source, postgresql_url, window)
    first, second = source.kind.decode(source, "wide", page.content, page.meta).rows.to_pylist()
    assert first == {
        "row_no": 0,
        "id": str(big),
        "at": "2026-11-16T09:10:11.123456",
        "zoned": "2026-11-16T09:00:00+00:00",
        "day": "2026-11-16",
        "fee": "12345678901234567890.1234567890",
        "ratio": "0.1",
        "flag": "false",
        "note": "一行\n二\u2028行",
        "raw": "00ff",
        "more": '{"a":["许可"]}',
    }
    assert (second["note"], second["fee"]) == ("", None)


def test_a_nul_in_a_text_costs_one_row(sqlite_url, make_source, window):
    source = make_source(Table({"accept": SPEC}))
    with filled(sqlite_url, [row(1), row(2, sxmc="坏\x00"), row(3)]):
        (page,), _ = pull(source, sqlite_url, window)
    result = source.kind.decode(source, "accept", page.content, page.meta)
    assert result.rows["sblsh"].to_pylist() == ["B001", "B003"]
    assert result.rejects == [(1, "poison_character", "sxmc holds U+0000")]


def test_an_empty_window_lands_one_empty_page_as_proof(url, make_source, window):
    source = make_source(Table({"accept": SPEC}))
    with filled(url, []):
        pages, (end,) = pull(source, url, window)
    assert [page.content for page in pages] == [b""]
    assert end.declared_rows == 0
    assert source.kind.decode(source, "accept", b"", {}).rows.num_rows == 0


def test_a_page_over_the_byte_limit_is_refused(sqlite_url, set_setting, make_source, window):
    set_setting("page_bytes_max", 200)
    source = make_source(Table({"accept": SPEC}))
    with filled(sqlite_url, [row(n) for n in range(9)]), pytest.raises(SourceContractBroken, match="lower page_rows"):
        pull(source, sqlite_url, window)


def test_a_database_that_does_not_answer_is_unavailable_and_its_password_stays_secret(make_source, window):
    source = make_source(Table({"accept": SPEC}))
    with pytest.raises(SourceUnavailable) as caught:
        pull(source, "postgresql+psycopg://office:s3cret@127.0.0.1:1/front?connect_timeout=2", window)
    assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.database
def test_a_query_that_hangs_is_given_up_by_the_total_limit_and_by_the_server_too(postgresql_url, make_source, window):
    source, began = make_source(Table({"accept": SPEC}, total_seconds=0.4)), time.monotonic()
    other = sa.create_engine(postgresql_url)
    with filled(postgresql_url, [row(1)]), other.connect() as holder:
        holder.execute(sa.text("lock table up_accept in access exclusive mode"))
        with pytest.raises(SourceUnavailable, match="does not answer"):
            pull(source, postgresql_url, window)
        assert time.monotonic() - began < 5
        waiting = sa.text(
            "select count(*) from pg_stat_activity where query like '%up_accept%' and wait_event = 'relation'"
        )
        while holder.execute(waiting).scalar_one() and time.monotonic() - began < 5:
            time.sleep(0.05)
        assert holder.execute(waiting).scalar_one() == 0
        holder.rollback()
    other.dispose()


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", id="welcome and then nothing"),
        pytest.param(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I" + b"N\0\0\0\x05\0" * 3, id="welcome and then chatter"),
    ],
)
def test_a_server_that_stops_answering_holds_nobody_beyond_the_total_limit(make_source, window, set_setting, said):
    set_setting("source_timeout_seconds", 2)

    class Silent(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1000)
            with suppress(OSError):
                self.request.sendall(said)
                while not self.server.is_over.wait(0.02):
                    self.request.sendall(said[22:28])

    source, began = make_source(Table({"accept": SPEC}, total_seconds=0.4)), time.monotonic()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silent) as server:
        server.daemon_threads, server.is_over = True, threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        with pytest.raises(SourceUnavailable, match="does not answer"):
            pull(source, f"postgresql+psycopg://u@127.0.0.1:{server.server_address[1]}/x?sslmode=disable", window)
        server.is_over.set()
        server.shutdown()
        thread.join()
    assert time.monotonic() - began < 8


def test_a_page_of_huge_values_is_refused_before_it_fills_the_memory(sqlite_url, set_setting, make_source, window):
    set_setting("page_bytes_max", 1 << 20)
    source = make_source(Table({"accept": SPEC}))
    with filled(sqlite_url, [row(n, sxmc="长" * 30_000) for n in range(600)]):
        tracemalloc.start()
        with pytest.raises(SourceContractBroken, match="lower page_rows"):
            pull(source, sqlite_url, window)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 30 << 20, "of 54 MB"


@pytest.mark.database
def test_no_number_of_a_database_is_taken_for_one_that_is_none(postgresql_url, make_source, window):
    with filled(postgresql_url, []) as table:
        table.info["insert"](row(1), row(2, fee=Decimal("NaN")), row(3, fee=Decimal("12.50")))
        source = make_source(Table({"accept": SPEC}))
        pages, _ = pull(source, postgresql_url, window)
    assert values(source, pages, "fee") == [None, "NaN", "12.5000"], "text, for the dialect to refuse"


@pytest.mark.parametrize(
    "connection",
    [
        *("office:s3cret@front", "nosuchdb://office:s3cret@host/x", ""),
        *("postgresql+psycopg://office:p@s3cret@127.0.0.1:1/x", "postgresql+psycopg://office:s3cret@host:port/x"),
    ],
)
def test_a_connection_that_is_no_database_url_is_refused_without_repeating_it(make_source, window, connection):
    with pytest.raises(ConfigurationError) as caught:
        pull(make_source(Table({"accept": SPEC})), connection, window)
    assert "s3cret" not in str(caught.value)


def test_a_table_is_found_by_its_names_whatever_their_case(url, make_source, window):
    engine, metadata = sa.create_engine(url), sa.MetaData()
    own = up_accept(sa.MetaData(), None, sa.Column("neu", sa.Text))
    table = sa.Table(
        "UP_ACCEPT", metadata, *(sa.Column(c.name.upper(), c.type, nullable=c.nullable) for c in own.columns)
    )
    metadata.create_all(engine)
    with engine.begin() as database:
        database.execute(table.insert().values(**{name.upper(): value for name, value in row(1).items()}))
        database.execute(table.insert().values(**{name.upper(): value for name, value in row(2).items()}))
    source = make_source(Table({"accept": SPEC}, page_rows=1))
    pages, pulled = pull(source, url, window)
    assert values(source, pages, "sblsh") == ["B001", "B002"]
    assert pulled[0].declared_rows == 2
    assert pages[0].meta["undeclared"] == ["NEU"]
    engine.dispose()


@pytest.mark.database
def test_names_that_differ_in_case_only_are_not_chosen_between(postgresql_url, make_source, window):
    engine = sa.create_engine(postgresql_url)
    source = make_source(Table({"accept": SPEC}))
    metadata = sa.MetaData()
    for name in ("UP_ACCEPT", "Up_Accept"):
        sa.Table(name, metadata, sa.Column("SBLSH", sa.Text))
    metadata.create_all(engine)
    with pytest.raises(SourceContractBroken, match="no table up_accept but UP_ACCEPT and Up_Accept"):
        pull(source, postgresql_url, window)
    up_accept(metadata, None, sa.Column("SXMC", sa.Text))
    metadata.create_all(engine)
    with pytest.raises(SourceContractBroken, match="names differ in case only"):
        pull(source, postgresql_url, window)
    engine.dispose()
