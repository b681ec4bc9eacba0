"""Brings a database to the newest schema: Alembic as the runner, plain SQL as the language, views made anew."""

from __future__ import annotations

from alembic import command, op
from alembic.config import Config
from sqlalchemy import Connection, Engine

from etl.settings import ROOT

_LOCK = 0x6A69616E  # one migration at a time on one server


def run_file(name: str) -> None:
    """Run one file of ``sql/migrations`` inside the current revision."""
    _run(op.get_bind(), (ROOT / "sql" / "migrations" / name).read_text(encoding="utf-8"))


def migrate(engine: Engine) -> None:
    """Apply pending revisions and (re)create the views, in one transaction under a lock."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "sql" / "migrations"))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        for path in sorted((ROOT / "sql" / "views").glob("*.sql")):
            _run(connection, path.read_text(encoding="utf-8"))


def _run(connection: Connection, script: str) -> None:
    # The driver's own cursor: no parameters, so a % in the SQL means itself.
    cursor = connection.connection.cursor()
    cursor.execute(script)
    cursor.close()
