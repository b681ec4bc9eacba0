"""`jiancha quality`: what the expectations said of a night's records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.cli.arguments import Json, Sources, date_of, print_json

app = typer.Typer()


@app.command()
def quality(
    on: Annotated[str | None, typer.Option("--on", help="Night; default: the last one checked.")] = None,
    source: Sources = None,
    as_json: Json = False,
    html: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write the report as one HTML page to this file.")
    ] = None,
) -> None:
    """Every rule's checked and failed rows, samples, first discovery and trend of 14 nights, by source."""
    from etl.publish import quality_page
    from etl.publish.files import write_file
    from etl.runs import nightly, quality_report

    found = quality_report.report(date_of(on) if on else None, nightly.chosen(source) if source else ())
    if html:
        write_file(html, quality_page.page(found))
        typer.echo(str(html))
    elif as_json:
        print_json(found)
    else:
        typer.echo(quality_report.as_text(found))
