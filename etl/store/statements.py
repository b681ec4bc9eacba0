"""SQL lives in ``sql/queries/<area>/<name>.sql`` with named parameters; Python holds none but what a driver needs."""

from __future__ import annotations

from functools import cache

from sqlalchemy import TextClause, text

from etl.settings import ROOT


@cache
def sql(name: str) -> TextClause:
    """``sql("ledger/pages_to_admit")`` -> the statement of that file."""
    return text(sql_text(name))


@cache
def sql_text(name: str) -> str:
    """The file's text, for drivers that do not take SQLAlchemy clauses."""
    return (ROOT / "sql" / "queries" / f"{name}.sql").read_text(encoding="utf-8")
