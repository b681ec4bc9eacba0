"""`jiancha source`: registered sources and their quarantine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from etl.cli.arguments import Json, date_of, print_json
from etl.domain.night import ZONE
from etl.settings import ROOT

app = typer.Typer(no_args_is_help=True, help="数据来源")


@app.command("list")
def source_list() -> None:
    """Registered sources."""
    from etl import sources

    for name in sources.names():
        declared = sources.get(name)
        typer.echo(f"{name}\t{declared.title}\t{type(declared.kind).__name__}\t{declared.in_force_from} 起施行")


@app.command("check")
def source_check(
    name: str,
    sample: Annotated[Path | None, typer.Option(help="A page as received, named after its stream or its file.")] = None,
    rows: Annotated[int, typer.Option(min=1, max=5000, help="Rows per stream to read from the connection.")] = 200,
    as_json: Json = False,
) -> None:
    """Read a sample and say what it would become; writes nothing. Exit 1: rows refused, 3: a stream refused whole."""
    from etl.runs import source_check

    report = source_check.check(name, sample, rows, datetime.now(UTC))
    print_json(report) if as_json else typer.echo(source_check.as_text(report))
    refused = any(stream["refused"] for stream in report["streams"])
    raise typer.Exit(3 if refused else 1 if any(stream["quarantined"] for stream in report["streams"]) else 0)


@app.command("new")
def source_new(
    name: str,
    kind: Annotated[Literal["rest", "table", "files"], typer.Option(help="How it is read.")],
    published: Annotated[
        Literal["exchange", "national", "gbt"] | None, typer.Option("--set", help="The published set it speaks.")
    ] = None,
    file_format: Annotated[Literal["csv", "xlsx", "xml"], typer.Option("--format", help="Of files.")] = "csv",
    title: Annotated[str, typer.Option(help="The department's name.")] = "",
    department: Annotated[str, typer.Option(help="Its unified social credit code.")] = "待填写",
    region: Annotated[str, typer.Option(help="Its region code.")] = "000000",
) -> None:
    """Write a new department's module and golden folders into this checkout; what is there is never overwritten."""
    from etl.sources import scaffold

    words = {"title": title or name, "department": department, "region": region}
    today = datetime.now(ZONE).date()
    for path in scaffold.new(ROOT, name, kind, published, f".{file_format}", today, words):
        typer.echo(path.relative_to(ROOT))
    typer.echo(
        f"next: correct the module and folders, set JIANCHA_CONNECTION_{name.upper()}, jiancha source check {name}"
    )


@app.command("confirm")
def source_confirm(
    name: str,
    on: Annotated[str, typer.Option("--date", help="Night from which what the source brings is all there is.")],
    by: Annotated[str, typer.Option("--by", help="Who says so, at the source.")],
    reason: Annotated[str, typer.Option(help="Why it brings so little.")],
) -> None:
    """Enter a source's word that what is missing does not exist; the next run of the night believes it."""
    from etl import sources
    from etl.store import feeds
    from etl.store.engine import engine

    feeds.confirm(engine(), sources.get(name).name, date_of(on), by, reason)
    typer.echo(f"next: jiancha night --date {on} --source {name}")


@app.command("set-aside")
def source_set_aside(
    name: str,
    on: Annotated[str, typer.Option("--date", help="Night up to which.")],
    by: Annotated[str, typer.Option("--by", help="Who decides it.")],
    reason: Annotated[str, typer.Option(help="Why what they hold comes again, or is not needed.")],
) -> None:
    """Give up the landed pages nobody could admit: their rows count for nothing unless the source tells them again."""
    from etl import sources
    from etl.store import landing
    from etl.store.engine import engine

    for page in landing.set_aside(engine(), sources.get(name).name, date_of(on), by, reason):
        typer.echo(f"{page.business_on}\t{page.stream}\t{page.path}")
    typer.echo(f"next: jiancha night --date {on} --source {name}")


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


@app.command("dismiss")
def source_dismiss(
    name: str,
    case_no: str,
    on: Annotated[str, typer.Option("--date", help="Night from which the case is judged without them.")],
) -> None:
    """A case's quarantined rows say nothing: judge it without them from this night on."""
    from etl import sources
    from etl.runs import admission

    print_json({"dismissed": admission.dismiss(sources.get(name), case_no, date_of(on))})
