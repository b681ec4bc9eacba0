"""The command `jiancha`. Progress goes to stderr, results to stdout; exit codes are in `etl.errors` and the README.

A group of commands is one module with an `app`, listed here.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import typer
import typer.main

from etl.cli import (
    backfill,
    calendar,
    card,
    delays,
    findings,
    impact,
    judging,
    ledger,
    notices,
    operating,
    quality,
    reconcile,
    reference,
    source,
)
from etl.errors import JianchaError, UsageError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="行政审批电子监察")
for commands in (judging.app, operating.app, delays.app, reconcile.app, quality.app, findings.app, impact.app):
    app.add_typer(commands)
for group in (card, source, ledger, notices, reference, calendar, backfill):
    app.add_typer(group.app, name=group.__name__.rpartition(".")[2])
command = typer.main.get_command(app)


def main() -> None:
    """Entry point: errors of ours end with one line and their exit code; anything else is internal, exit 5.

    When nobody reads on, it ends quietly with 141, as a program killed by SIGPIPE does.
    """
    import structlog

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    output = sys.stdout
    try:
        _refuse_what_is_no_text(sys.argv[1:])
        try:
            command(standalone_mode=True)
        except SystemExit as end:
            if isinstance(end.__context__, BrokenPipeError):  # which Typer ends with 1
                raise end.__context__ from None
            raise
        finally:
            output.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())  # for Python, which flushes once more at its end
        raise SystemExit(128 + signal.SIGPIPE) from None
    except JianchaError as error:
        typer.echo(f"jiancha: {error}", err=True)
        raise SystemExit(error.exit_code) from None
    except Exception as error:
        if problem := _database_problem(error):
            typer.echo(f"jiancha: {problem}", err=True)
        else:
            traceback.print_exc()
        raise SystemExit(JianchaError.exit_code) from None


def _refuse_what_is_no_text(arguments: Sequence[str]) -> None:
    """No record holds text that is not UTF-8; a file may be called by it."""
    for argument in arguments:
        if argument.encode(errors="ignore").decode() == argument:
            continue
        with suppress(OSError):  # no file system takes such a name
            if Path(argument).exists():
                continue
        raise UsageError(f"argument {argument!r} is not UTF-8 text")


_ADVICE = {
    "42P01": "run `jiancha ledger migrate`",
    "53100": "make room on the disk of its server and run the same command again",
    "23505": "another run did the same at the same time and was faster; run the same command again",
    "40P01": "another run was at the same work; run the same command again",
}
"""What to do, by SQLSTATE: no such table, disk full, key taken, deadlock."""


def _database_problem(error: Exception) -> str | None:
    """One line about a ledger that does not answer, has no tables or no room, or where another run was faster.

    None for anything else. Three drivers speak: psycopg inside SQLAlchemy, psycopg itself (COPY), ADBC (large reads).
    """
    import adbc_driver_manager
    import psycopg
    from sqlalchemy.exc import DBAPIError

    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.Error | adbc_driver_manager.Error):
        return None
    advice = _ADVICE.get(cause.sqlstate or "")
    if advice is None and isinstance(cause, psycopg.OperationalError | adbc_driver_manager.OperationalError):
        advice = "check JIANCHA_DATABASE_URL and that its server runs, then run the same command again"
    return advice and f"the ledger's database: {str(cause).strip().splitlines()[0]}; {advice}"
