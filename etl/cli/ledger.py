"""`jiancha ledger`: schema, digest, evidence chain."""

from __future__ import annotations

from typing import Annotated

import typer

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
