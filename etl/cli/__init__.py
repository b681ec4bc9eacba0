"""The command `jiancha`. Progress goes to stderr, results to stdout; exit codes are in `etl.errors` and the README.

A group of commands is one module with an `app`, listed here.
"""

from __future__ import annotations

import sys
import traceback

import typer

from etl.cli import backfill, card, findings, judging, ledger, notices, operating, reference, source
from etl.errors import JianchaError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="行政审批电子监察")
for commands in (judging.app, operating.app, findings.app):
    app.add_typer(commands)
for group in (card, source, ledger, notices, reference, backfill):
    app.add_typer(group.app, name=group.__name__.rpartition(".")[2])


def main() -> None:
    """Entry point: errors of ours end with one line and their exit code; anything else is internal, exit 5."""
    import structlog

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        app(standalone_mode=True)
    except JianchaError as error:
        typer.echo(f"jiancha: {error}", err=True)
        raise SystemExit(error.exit_code) from None
    except Exception as error:
        if problem := _database_problem(error):
            typer.echo(f"jiancha: {problem}", err=True)
        else:
            traceback.print_exc()
        raise SystemExit(JianchaError.exit_code) from None


def _database_problem(error: Exception) -> str | None:
    """One line about a ledger that does not answer or has no tables yet; None for anything else."""
    from psycopg.errors import UndefinedTable
    from sqlalchemy.exc import DBAPIError, OperationalError

    if isinstance(error, OperationalError):
        advice = "check JIANCHA_DATABASE_URL"
    elif isinstance(error, DBAPIError) and isinstance(error.orig, UndefinedTable):
        advice = "run `jiancha ledger migrate`"
    else:
        return None
    return f"the ledger's database: {str(error.orig).strip().splitlines()[0]}; {advice}"
