"""`jiancha reconcile`: what two systems say differently of the same records, and which cases a source deleted."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.arguments import Json, date_of, print_json

app = typer.Typer()


@app.command()
def reconcile(
    on: Annotated[str | None, typer.Argument(metavar="[DATE]", help="Night; default: the last one judged.")] = None,
    as_json: Json = False,
) -> None:
    """Reconcile what is not yet, and show missing, extra and wrong records of each pair of sources as of a night."""
    from etl.runs import link_report, nightly, reconciling

    night = date_of(on) if on else link_report.last_night()
    nightly.reconcile(night)
    found = reconciling.report(night)
    print_json(found) if as_json else typer.echo(reconciling.as_text(found))
