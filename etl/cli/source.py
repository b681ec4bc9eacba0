"""`jiancha source`: registered sources and their quarantine."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.arguments import date_of, print_json

app = typer.Typer(no_args_is_help=True, help="数据来源")


@app.command("list")
def source_list() -> None:
    """Registered sources."""
    from etl import sources

    for name in sources.names():
        declared = sources.get(name)
        typer.echo(f"{name}\t{declared.title}\t{type(declared.kind).__name__}\t{declared.in_force_from} 起施行")


@app.command("replay")
def source_replay(
    name: str,
    on: Annotated[str, typer.Option("--date", help="Night from which replayed rows count as known.")],
) -> None:
    """Read the source's quarantined rows again with today's module; what passes is admitted."""
    from etl import sources
    from etl.runs import admission

    counts = admission.replay(sources.get(name), date_of(on))
    print_json(counts)
    raise typer.Exit(1 if counts["still_quarantined"] else 0)
