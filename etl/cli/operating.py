"""`night`, `week` and what an operator asks of the running platform."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from etl.cli.arguments import Json, Sources, date_of, instant_of, print_json

app = typer.Typer()


@app.command()
def night(
    on: Annotated[str, typer.Option("--date", help="Business date of the night, e.g. 2026-11-22.")],
    source: Sources = None,
    notify: Annotated[Literal["auto", "never"], typer.Option(help="never: tell nobody, for good.")] = "auto",
    as_of: Annotated[str | None, typer.Option(help="Only report the cards as of this moment; writes nothing.")] = None,
) -> None:
    """Run one night: pull, admit, judge, trace, notify. Exit 3 when a source was incomplete."""
    from etl.runs import nightly

    if as_of is not None:
        print_json(nightly.judge(date_of(on), as_of=instant_of(as_of, "--as-of"), only=source))
        return
    result = nightly.run(date_of(on), source, mode=notify)
    print_json(result)
    if result["incomplete"] or result["admit"].get("failed_sources"):
        raise typer.Exit(3)
    raise typer.Exit(1 if result["admit"].get("quarantined") else 0)


@app.command()
def week(week: Annotated[str, typer.Option(help="ISO week, e.g. 2026-W47.")]) -> None:
    """Compile the week's bulletin; an issued one is returned unchanged."""
    from etl.runs import weekly

    print_json(weekly.compile_bulletin(week))


@app.command()
def status(as_json: Json = False) -> None:
    """Feeds, cards and outbox at a glance."""
    from etl.runs import overview

    facts = overview.status()
    print_json(facts) if as_json else typer.echo(overview.as_text(facts))


@app.command()
def doctor() -> None:
    """Say what is missing: database, calendar, recipients, mail server, fonts. Exit 4 when a night would fail."""
    from etl.runs import checkup

    findings = checkup.doctor()
    for finding in findings:
        state = "正常" if finding.is_fine else "缺少" if finding.is_fatal else "注意"
        typer.echo(f"{state}　{finding.title}：{finding.detail}")
    raise typer.Exit(4 if any(finding.is_fatal and not finding.is_fine for finding in findings) else 0)


@app.command()
def watch(
    on: Annotated[str | None, typer.Option("--date", help="Business date; default: last night.")] = None,
) -> None:
    """Dead-man check: tell operators when last night has not finished by the hour set. Exit 3 when it has not."""
    from etl.runs import checkup

    said, is_late = checkup.night_watch(date_of(on) if on else None)
    typer.echo(said)
    raise typer.Exit(3 if is_late else 0)


@app.command()
def demo(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over: drop what an earlier demonstration left.")
    ] = False,
) -> None:
    """Run the demonstration city through its nights, the last one through Airflow, and print a summary."""
    from etl.runs import demonstration

    typer.echo(demonstration.run(fresh=fresh))


@app.command()
def up(port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the Airflow UI.")] = 8080) -> None:
    """Airflow with its UI on the embedded database and the demonstration data; Ctrl-C stops everything."""
    from etl.runs import demonstration

    raise typer.Exit(demonstration.serve_airflow(port))
