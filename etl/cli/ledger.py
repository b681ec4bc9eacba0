"""`jiancha ledger`: schema, digest, evidence chain."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from etl.cli.arguments import Sources, instant_of, print_json
from etl.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="台账与证据")


@app.command("digest")
def ledger_digest(
    facts: Annotated[bool, typer.Option("--facts", help="Messages without knowledge time.")] = False,
    ledger: Annotated[bool, typer.Option("--ledger", help="Everything (default).")] = False,
) -> None:
    """One SHA-256 over a canonical dump."""
    from etl.store.digest import digest
    from etl.store.engine import engine

    if facts and ledger:
        raise UsageError("choose --facts or --ledger")
    typer.echo(digest(engine(), "facts" if facts else "ledger"))


@app.command("export")
def ledger_export(
    folder: Annotated[Path, typer.Argument(help="A new folder for the Parquet files.")],
    known_by: Annotated[str | None, typer.Option(help="Only what was known by then; default: everything.")] = None,
    only: Sources = None,
) -> None:
    """Write what judging looks at of every message as Parquet, case by case, for `jiancha judge --messages`."""
    from etl.domain.night import ZONE
    from etl.runs import judging

    moment = instant_of(known_by, "--known-by") if known_by else datetime(9999, 1, 1, tzinfo=ZONE)
    print_json({"messages": judging.export(folder, moment, only or ())})


@app.command("migrate")
def ledger_migrate() -> None:
    """Bring the ledger's schema up to date and load the packaged calendar."""
    from etl.runs import overview

    overview.prepare()


@app.command("verify")
def ledger_verify(
    head: Annotated[
        list[str] | None, typer.Option(help="A head hash printed in a mail or bulletin; may be repeated.")
    ] = None,
) -> None:
    """Walk the evidence chain, decisions included; exit 4 when it is broken or lacks a printed head."""
    from etl.store.engine import engine
    from etl.store.evidence import verify

    with engine().connect() as connection:
        typer.echo(verify(connection, head or ()))
