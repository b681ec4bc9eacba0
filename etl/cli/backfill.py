"""`jiancha backfill`: what nights run again would find."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.arguments import Sources, date_of, print_json

app = typer.Typer(no_args_is_help=True, help="补跑")


@app.command("plan")
def backfill_plan(
    first: Annotated[str, typer.Option("--from")], last: Annotated[str, typer.Option("--to")], source: Sources = None
) -> None:
    """What a backfill of these nights would find; writes nothing."""
    from etl.runs import backfill

    for row in backfill.plan(date_of(first), date_of(last), source):
        print_json(row)


@app.command("diff")
def backfill_diff(
    first: Annotated[str, typer.Option("--from")], last: Annotated[str, typer.Option("--to")], source: Sources = None
) -> None:
    """How today's knowledge judges these nights differently from what was known then."""
    from etl.runs import backfill

    for row in backfill.diff(date_of(first), date_of(last), source):
        print_json(row)
