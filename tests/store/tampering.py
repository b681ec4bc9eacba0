"""What somebody with every right on the server could do: rows and values changed behind the ledger's back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine


@dataclass(frozen=True)
class Column:
    """One column as the server describes it."""

    table: str
    name: str
    type: str
    position: int

    @property
    def changed(self) -> str:
        """SQL for another value of the same type."""
        return _CHANGED.get(self.type, "{0} + 1").format(self.name)

    @property
    def some_value(self) -> str:
        """SQL for a value that is not null."""
        return _SOME.get(self.type, "{0}").format(self.position)


_CHANGED = {
    "text": "{0} || '#'",
    "character": "'#' || substr({0}, 2)",
    "character varying": "{0} || '#'",
    "boolean": "not {0}",
    "date": "{0} + 1",
    "timestamp with time zone": "{0} + interval '1 microsecond'",
    "jsonb": "jsonb_build_object('changed', {0})",
    "ARRAY": "array_append({0}, '#')",
    "bytea": "{0} || '\\x00'",
}
_SOME = {
    "text": "'text {0}'",
    "character": "repeat('a', 64)",
    "character varying": "'text {0}'",
    "boolean": "true",
    "date": "date '2026-11-16'",
    "timestamp with time zone": "timestamptz '2026-11-16 10:00+08'",
    "jsonb": """'{{"a": 1}}'""",
    "ARRAY": "array['text {0}']",
    "bytea": "'\\x01'",
}


def columns(connection: Connection) -> list[Column]:
    """Every column of every table of the ledger."""
    found = connection.exec_driver_sql(
        "select c.table_name, c.column_name, c.data_type, c.ordinal_position from information_schema.columns c "
        "join information_schema.tables t using (table_schema, table_name) "
        "where table_schema = 'public' and table_type = 'BASE TABLE' order by 1, 4"
    )
    return [Column(*row) for row in found]


def without_rules(engine: Engine) -> None:
    """Drop every trigger, constraint and generated column: a scratch ledger in which anything can be written."""
    with engine.begin() as connection:
        connection.exec_driver_sql("alter table feed alter column unexplained_rows drop expression")
        for table, constraint in connection.exec_driver_sql(
            "select conrelid::regclass::text, conname from pg_constraint "
            "where connamespace = 'public'::regnamespace and contype in ('c', 'f', 'p', 'u') "
            "order by contype = 'f' desc"
        ).all():
            connection.exec_driver_sql(f'alter table {table} drop constraint if exists "{constraint}" cascade')
        for table, trigger in connection.exec_driver_sql(
            "select tgrelid::regclass::text, tgname from pg_trigger where not tgisinternal"
        ).all():
            connection.exec_driver_sql(f"drop trigger {trigger} on {table}")


def as_superuser(connection: Connection) -> None:
    """Triggers and foreign keys stay silent for this session."""
    connection.exec_driver_sql("set session_replication_role = replica")
