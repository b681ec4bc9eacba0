"""`clock`, `judge`, `explain`: judging without running a night."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from etl.cli.arguments import Json, instant_of, json_or_text, print_json
from etl.cli.messages import read_messages
from etl.errors import UsageError

app = typer.Typer()
Hours = Annotated[
    Path | None, typer.Option("--office-hours", help="office_hours.csv of the regions, as `reference import` takes it.")
]


@app.command()
def clock() -> None:
    """Answer clock requests: JSONL on standard input, JSONL on standard output."""
    from etl.domain.clock_request import answer_all
    from etl.store.calendars import packaged

    bad = 0
    for answer in answer_all((json_or_text(line) for line in sys.stdin.buffer if line.strip()), packaged()):
        bad += "error" in answer
        print_json(answer)
    raise typer.Exit(1 if bad else 0)


@app.command()
def judge(
    messages: Annotated[
        str, typer.Option(help="Canonical messages: JSONL, - for standard input, or Parquet, a folder too.")
    ],
    as_of: Annotated[str | None, typer.Option(help="Moment to judge at; RFC 3339.")] = None,
    known_by: Annotated[list[str] | None, typer.Option(help="Knowledge cut; give it twice with --diff.")] = None,
    profile: Annotated[str, typer.Option(help="Profile name, .toml file, or folder of versions.")] = "hunan",
    only_cases: Annotated[
        list[str] | None, typer.Option(help="Only these cases; repeat, or separate by commas.")
    ] = None,
    office_hours: Hours = None,
    diff: Annotated[bool, typer.Option("--diff", help="What two knowledge times judge differently.")] = False,
) -> None:
    """Cards from messages, without a database."""
    from etl.runs import judging

    parts, rejected = read_messages(messages, {case for text in only_cases or () for case in text.split(",")})
    known = [instant_of(text, "--known-by") for text in known_by or ()]
    if diff:
        if len(known) != 2:
            raise UsageError("--diff needs --known-by twice")
        moment = instant_of(as_of, "--as-of") if as_of else None
        for change in judging.diff(parts, moment, known[0], known[1], profile, office_hours):
            print_json(change)
    else:
        if as_of is None or len(known) > 1:
            raise UsageError("give --as-of, and --known-by at most once")
        moment = instant_of(as_of, "--as-of")
        for lines in judging.cards(parts, moment, known[0] if known else None, profile, office_hours):
            sys.stdout.buffer.write(lines)
    raise typer.Exit(1 if rejected else 0)


@app.command()
def explain(
    case_no: str,
    as_of: Annotated[str | None, typer.Option(help="Moment to judge at; default: the last judged night.")] = None,
    known_by: Annotated[str | None, typer.Option(help="Knowledge cut; default: --as-of.")] = None,
    messages: Annotated[
        str | None, typer.Option(help="Messages of a file instead of the ledger, as for judge.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Profile; default: the source's own, hunan for a file.")] = None,
    office_hours: Hours = None,
    as_json: Json = False,
) -> None:
    """Explain one case day by day. Exit 1 when messages of the file were rejected."""
    from etl.runs import judging, ways
    from etl.supervision.explain import as_text

    parts, rejected = read_messages(messages, {case_no}) if messages else (None, 0)
    moment = instant_of(as_of, "--as-of") if as_of else None
    if office_hours and not messages:
        raise UsageError("--office-hours goes with --messages; the ledger has office hours of its own")
    known = instant_of(known_by, "--known-by") if known_by else moment
    ledger = judging.explain(case_no, moment, known, parts, profile, office_hours)
    print_json(ledger) if as_json else typer.echo(as_text(ledger, ways.titles()))
    raise typer.Exit(1 if rejected else 0)
