"""A database table or view, usually a front-end exchange database (前置库) a department writes its records into.

Rows are read by the time they were inserted, page after page by key, all in one read-only snapshot, so that the
declared count and the pages speak of the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Result, Select, and_, create_engine, event, func, inspect, or_, select
from sqlalchemy import column as column_of
from sqlalchemy import table as table_of
from sqlalchemy import types as sql_types
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError, OperationalError

from etl.errors import ConfigurationError, SourceContractBroken, SourceError, SourceIncomplete, SourceUnavailable
from etl.settings import settings
from etl.sources.contract import Decoded, Page, Pulled, Source, Window
from etl.sources.kinds.deadline import Deadline
from etl.sources.kinds.decode import columns
from etl.sources.values import Rows

_TEMPORAL = (sql_types.DateTime, sql_types.Date, sql_types.Time)
_MEDIA_TYPE = "application/jsonl"
_BUFFERED_ROWS, _LISTED_ROWS = 200, 50_000


@dataclass(frozen=True)
class TableSpec:
    """One table a source exposes.

    Args:
        table: its name, without schema; upper and lower case are the same here as in its columns, since databases fold
            names one way or the other.
        key: columns that identify a record.
        version: column that numbers re-reports of a record; None when a record is written once.
        inserted_at: when the row reached this table; a date and time, in `source.timezone` when it has no zone.
        columns: everything to read; key, version and inserted_at are added when not named.
    """

    table: str
    key: tuple[str, ...]
    version: str | None
    inserted_at: str
    columns: tuple[str, ...]
    schema: str | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """Columns whose values place a row in reading order, each row once."""
        return tuple(dict.fromkeys((self.inserted_at, *self.key, *((self.version,) if self.version else ()))))

    @property
    def read(self) -> tuple[str, ...]:
        """Every column read, declared order first."""
        return tuple(dict.fromkeys((*self.columns, *self.order)))


@dataclass(frozen=True)
class Table:
    """A source read through SQLAlchemy.

    Args:
        tables: the table of each stream.
        page_rows: rows read per page.
        total_seconds: limit on the whole pull; PostgreSQL is told to give up a query by then.
        keeps_rows: nothing is ever purged from the tables; a case that is gone was deleted.
    """

    tables: Mapping[str, TableSpec]
    page_rows: int = 5_000
    total_seconds: float = 900.0
    keeps_rows: bool = False

    def pull(self, source: Source, connection: str, window: Window) -> Iterator[Page | Pulled]:
        """Yield JSON Lines pages of every table in the window, then its `Pulled` with the table's own count.

        Raises:
            SourceUnavailable: the database does not answer, or not within the total time limit.
            SourceIncomplete: the pages hold another number of rows than the table counts.
            SourceContractBroken: a table or column is missing, or a row cannot be placed in any window.
        """
        with self._reading(source, connection) as (database, deadline):
            for stream, spec in self.tables.items():
                try:
                    yield from self._stream(database, source, stream, spec, window, deadline)
                except SourceError as error:
                    raise type(error)(f"{source.name}/{stream}: {error}") from error.__cause__

    @contextmanager
    def _reading(self, source: Source, connection: str) -> Iterator[tuple[Connection, Deadline]]:
        engine, deadline = _engine(connection), Deadline(self.total_seconds)
        try:
            with deadline.enforced(), _watched(engine, deadline), _snapshot(engine, deadline) as database:
                yield database, deadline
        except OperationalError as error:
            raise SourceUnavailable(f"{source.name}: {_where(engine)} does not answer ({_said(error)})") from error
        except DBAPIError as error:
            raise SourceContractBroken(f"{source.name}: {_where(engine)} refused the query ({_said(error)})") from error
        finally:
            engine.dispose()

    def columns(self, stream: str) -> tuple[str, ...]:
        """Every column that is read."""
        return self.tables[stream].read

    def peek(self, source: Source, connection: str, stream: str, until: datetime, rows: int) -> Page | None:
        """The rows inserted last, with every column the table has, under the declared names where there are any."""
        spec = self.tables[stream]
        with self._reading(source, connection) as (database, _):
            name, entries = _described(database, spec)
            table = table_of(name, *map(_column, entries), schema=spec.schema)
            names = [_declared(spec, entry["name"]) for entry in entries]
            read = dict(zip(names, table.c, strict=True))
            order = [read[spec.inserted_at].desc()] if spec.inserted_at in read else []
            content, count, _ = _lines(names, database.execute(select(*table.c).order_by(*order).limit(rows)))
        return Page(stream, 1, content, _MEDIA_TYPE, {"table": spec.table}) if count else None

    def look(self, source: Source, stream: str, content: bytes, meta: Mapping[str, Any]) -> Decoded:
        """JSON Lines of one page -> whatever columns the rows have."""
        rows = _parsed(source, stream, content)
        names = dict.fromkeys(chain.from_iterable(rows))
        return columns({name: [row.get(name) for row in rows] for name in names}, range(len(rows)), [])

    def decode(self, source: Source, stream: str, content: bytes, meta: Mapping[str, Any]) -> Decoded:
        """JSON Lines of one page -> text columns, in the declared order; null stays null."""
        rows, names = _parsed(source, stream, content), self.tables[stream].read
        if lost := [name for name in names if rows and name not in rows[0]]:
            raise SourceContractBroken(f"{source.name}/{stream}: the page lacks column {', '.join(lost)}")
        return columns({name: [row[name] for row in rows] for name in names}, range(len(rows)), [])

    def settle(self, source: Source, connection: str, landed: Sequence[Mapping[str, Any]]) -> None:
        """Nothing to do: the table belongs to the department and is only read."""

    def case_numbers(self, source: Source, connection: str) -> Iterator[pa.Array]:
        """The case numbers of every table, all in one snapshot; a row without one belongs to no case."""
        name = source.dialect.case_no
        with self._reading(source, connection) as (database, deadline):
            for spec in self.tables.values():
                number = _Shape.of(database, spec).columns[name]
                listed = database.execute(select(number).distinct().execution_options(yield_per=_LISTED_ROWS))
                for part in listed.partitions():
                    deadline.check()
                    texts = columns({name: [_text(value) for (value,) in part]}, range(len(part)), [])
                    yield Rows(texts.rows, source.timezone).text(name).drop_null()

    def _stream(
        self, database: Connection, source: Source, stream: str, spec: TableSpec, window: Window, deadline: Deadline
    ) -> Iterator[Page | Pulled]:
        shape = _Shape.of(database, spec)
        shape.check_placeable(database)
        within = shape.within(source, window)
        declared = database.execute(select(func.count()).where(within)).scalar_one()
        received = number = 0
        meta = {"table": spec.table, "undeclared": list(shape.undeclared)}
        last: Sequence[Any] | None = None
        while True:
            deadline.check()
            content, count, row = _lines(spec.read, database.execute(shape.page(within, last, self.page_rows)))
            if count or number == 0:
                number += 1
                yield Page(stream, number, content, _MEDIA_TYPE, meta)
            received += count
            if count < self.page_rows:
                break
            last = [row._mapping[name] for name in spec.order]
        if received != declared:
            raise SourceIncomplete(f"{received} rows were read, {spec.table} counts {declared}; are its keys unique?")
        yield Pulled(stream, declared)


@dataclass(frozen=True)
class _Shape:
    """A table whose columns have been looked up in the database itself, by the names the module declares."""

    spec: TableSpec
    columns: Mapping[str, ColumnElement[Any]]
    nullable: tuple[str, ...]
    undeclared: tuple[str, ...]

    @classmethod
    def of(cls, database: Connection, spec: TableSpec) -> _Shape:
        name, entries = _described(database, spec)
        found = {_declared(spec, entry["name"]): entry for entry in entries}
        if len(found) < len(entries):
            raise SourceContractBroken(f"table {spec.table} has columns whose names differ in case only")
        missing = [column for column in spec.read if column not in found]
        extra = sorted(set(found) - set(spec.read))
        if missing:
            hint = f"; not declared, perhaps renamed: {', '.join(extra)}" if extra else ""
            raise SourceContractBroken(f"table {spec.table} lacks column {', '.join(missing)}{hint}")
        if not isinstance(found[spec.inserted_at]["type"], sql_types.DateTime):
            raise SourceContractBroken(f"{spec.table}.{spec.inserted_at} is not a date and time")
        table = table_of(name, *map(_column, entries), schema=spec.schema)
        nullable = tuple(column for column in spec.order if found[column].get("nullable", True))
        columns = {column: table.c[found[column]["name"]] for column in found}
        return cls(spec, columns, nullable, tuple(extra))

    def check_placeable(self, database: Connection) -> None:
        """A row without insertion time or key would silently be in no window and on no page."""
        if not self.nullable:
            return
        lost = or_(*(self.columns[name].is_(None) for name in self.nullable))
        count = database.execute(select(func.count()).where(lost)).scalar_one()
        if count:
            raise SourceContractBroken(f"{count} rows of {self.spec.table} have no {' or '.join(self.nullable)}")

    def within(self, source: Source, window: Window) -> ColumnElement[bool]:
        """inserted_at in (since - overlap, until], as the column stores time."""
        inserted_at = self.columns[self.spec.inserted_at]
        zoned = getattr(inserted_at.type, "timezone", False)

        def bound(instant: datetime) -> datetime:
            local = instant.astimezone(ZoneInfo(source.timezone))
            return local if zoned else local.replace(tzinfo=None)

        until: ColumnElement[bool] = inserted_at <= bound(window.until)
        return until if window.since is None else and_(inserted_at > bound(window.since - source.overlap), until)

    def page(self, within: ColumnElement[bool], last: Sequence[Any] | None, rows: int) -> Select[Any]:
        """The next rows after the row whose order values are `last`."""
        order = [self.columns[name] for name in self.spec.order]
        read = [self.columns[name].label(name) for name in self.spec.read]
        statement = select(*read).where(within).order_by(*order).limit(rows)
        # Rows of any size come a few at a time, so that too large a page is noticed before it fills the memory.
        statement = statement.execution_options(stream_results=True, max_row_buffer=_BUFFERED_ROWS)
        if last is None:
            return statement
        # (a, b) > (x, y) spelled out, since not every database compares tuples; the first term lets an index be used.
        after = [
            and_(*(order[before] == last[before] for before in range(at)), order[at] > last[at])
            for at in range(len(order))
        ]
        return statement.where(order[0] >= last[0], or_(*after))


def _parsed(source: Source, stream: str, content: bytes) -> list[dict[str, str | None]]:
    # Written by `pull`, so always UTF-8; bytes split at line ends only, text would also split at U+2028.
    try:
        rows: list[dict[str, str | None]] = orjson.loads(b"[" + b",".join(content.splitlines()) + b"]")
    except orjson.JSONDecodeError as error:
        raise SourceContractBroken(f"{source.name}/{stream}: the landed page is damaged ({error})") from None
    return rows


def _described(database: Connection, spec: TableSpec) -> tuple[str, list[Any]]:
    """(the table's own spelling of its name, its columns)."""
    inspector = inspect(database)
    with suppress(NoSuchTableError):
        return spec.table, list(inspector.get_columns(spec.table, spec.schema))
    names = {*inspector.get_table_names(spec.schema), *inspector.get_view_names(spec.schema)}
    same = sorted(name for name in names if name.casefold() == spec.table.casefold())
    if len(same) != 1:
        raise SourceContractBroken(f"there is no table {spec.table}" + (f" but {' and '.join(same)}" if same else ""))
    return same[0], list(inspector.get_columns(same[0], spec.schema))


def _declared(spec: TableSpec, name: str) -> str:
    """A column of the database under the name the module gives it."""
    same = (declared for declared in spec.read if declared.casefold() == name.casefold())
    return next(same, name)


def _column(entry: Any) -> Any:
    """Only times keep their type: for the others the driver's own value is exact, and a type could round it."""
    return column_of(entry["name"], entry["type"]) if isinstance(entry["type"], _TEMPORAL) else column_of(entry["name"])


def _engine(connection: str) -> Engine:
    try:
        url = make_url(connection)
        is_bounded = url.get_backend_name() != "postgresql" or "connect_timeout" in url.query
        timeout = {} if is_bounded else {"connect_timeout": max(int(settings().source_timeout_seconds), 2)}
        engine = create_engine(url, connect_args=timeout, hide_parameters=True)
        if "@" in (url.host or ""):
            raise ValueError("an @ in the password makes the rest of it a host")
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        # The message of an unparsable URL repeats the URL, password included.
        reason = str(error) if isinstance(error, ImportError) else type(error).__name__
        raise ConfigurationError(
            f"a table connection is a SQLAlchemy URL, signs such as @ : / in its password percent-encoded ({reason})"
        ) from None
    if engine.dialect.name == "sqlite":
        # The driver opens no transaction for a SELECT by itself, so two of them would see different moments.
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("begin"))
    return engine


@contextmanager
def _snapshot(engine: Engine, deadline: Deadline) -> Iterator[Connection]:
    """One read-only transaction that sees one moment, where the database can do that; always rolled back."""
    with engine.connect() as probe:
        levels = engine.dialect.get_isolation_level_values(probe.connection.dbapi_connection)  # type: ignore[arg-type]
    options: dict[str, Any] = {}
    if "REPEATABLE READ" in levels:
        options["isolation_level"] = "REPEATABLE READ"
    if engine.dialect.name == "postgresql":
        options["postgresql_readonly"] = True
    with engine.connect().execution_options(**options) as database, database.begin() as transaction:
        try:
            if engine.dialect.name == "postgresql":
                milliseconds = str(int(deadline.left() * 1000) + 1)
                database.execute(select(func.set_config("statement_timeout", milliseconds, True)))
            yield database
        finally:
            transaction.rollback()


@contextmanager
def _watched(engine: Engine, deadline: Deadline) -> Iterator[None]:
    """Even a server that stopped altogether, and so keeps no time-out of its own, holds nobody beyond the deadline."""
    with ExitStack() as watches:

        def watch(connection: Any, _: object) -> None:
            if hasattr(connection, "fileno"):
                watches.enter_context(deadline.watching(connection.fileno()))

        event.listen(engine, "connect", watch, insert=True)  # before the first question is asked
        yield


def _where(engine: Engine) -> str:
    return f"{engine.dialect.name} database {engine.url.database!r} at {engine.url.host or 'this machine'}"


def _said(error: DBAPIError) -> str:
    """The driver's own words without the statement and its values."""
    return (str(error.orig).strip().splitlines() or [type(error).__name__])[0][:200]


def _lines(names: Sequence[str], rows: Result[Any]) -> tuple[bytes, int, Any]:
    """Rows as they arrive -> (JSON Lines, how many, the last row)."""
    out, count, row, limit = bytearray(), 0, None, settings().page_bytes_max
    for row in rows:
        count += 1
        out += orjson.dumps({name: _text(value) for name, value in zip(names, row, strict=True)}) + b"\n"
        if len(out) > limit:
            raise SourceContractBroken(f"a page is larger than {limit} bytes; lower page_rows")
    return bytes(out), count, row


def _text(value: object) -> str | None:
    """A driver's value -> text that loses nothing."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()  # the offset is the session's accident, the instant is the value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict | list):
        return orjson.dumps(value, default=str).decode()
    return str(value)
