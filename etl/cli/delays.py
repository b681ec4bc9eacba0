"""`jiancha delays`: who is late."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from etl.cli.arguments import Json, Sources, date_of, print_json
from etl.errors import UsageError

app = typer.Typer()


@app.command()
def delays(
    first: Annotated[str | None, typer.Option("--from", help="First night; default: six before the last.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last night; default: the last one measured.")] = None,
    source: Sources = None,
    as_json: Json = False,
    as_heat: Annotated[bool, typer.Option("--heat", help="JSON for a heat table: link by night.")] = False,
) -> None:
    """Every hop of every source: due, arrived, late, lags, clock skew, backlog; incidents; who answers for cards."""
    from etl.runs import link_report, nightly

    end = date_of(last) if last else link_report.last_night()
    begin = date_of(first) if first else end - timedelta(days=6)
    if end < begin:
        raise UsageError(f"--from {begin} is after --to {end}")
    only = nightly.chosen(source) if source else ()
    if as_heat:
        print_json(link_report.heat(begin, end, only))
        return
    found = link_report.report(begin, end, only)
    print_json(found) if as_json else typer.echo(link_report.as_text(found))
