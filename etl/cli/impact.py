"""`jiancha impact`: what a change would do, before anybody makes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from etl.cli.arguments import Json, print_json
from etl.errors import UsageError

if TYPE_CHECKING:
    from etl.runs.impact import Change

app = typer.Typer()


@app.command()
def impact(
    profile: Annotated[Path | None, typer.Option(help="A .toml file: a version of a profile in use.")] = None,
    calendar: Annotated[Path | None, typer.Option(help="A CSV file as `calendar import` takes it.")] = None,
    item: Annotated[str | None, typer.Option(help="Code of an item whose limits would be others.")] = None,
    promised: Annotated[float | None, typer.Option(min=0, help="Its promised limit.")] = None,
    statutory: Annotated[float | None, typer.Option(min=0, help="Its statutory limit.")] = None,
    as_json: Json = False,
) -> None:
    """Which boundaries would move and which cards would be issued or withdrawn; writes nothing."""
    from etl.runs import impact as impacts
    from etl.store.calendar_file import new_rulings
    from etl.store.engine import engine
    from etl.store.profiles import read

    if sum(given is not None for given in (profile, calendar, item)) != 1:
        raise UsageError("give one of --profile, --calendar, --item")
    if (item is None) != (promised is None and statutory is None):
        raise UsageError("--item goes with --promised, --statutory or both")
    if profile is not None:
        change = impacts.of_profile(read(profile))
    elif calendar is not None:
        change = impacts.Change(days=new_rulings(engine(), calendar))
    else:
        change = impacts.item_limits(str(item), promised, statutory)
    print_impact(change, as_json)


def print_impact(change: Change, as_json: bool) -> None:
    """With --json a line for every change and one with the counts; else the counts in words."""
    from etl.runs.impact import as_text
    from etl.runs.impact import impact as of

    counts, lines = of(change)
    if as_json:
        for line in lines:
            print_json(line)
        print_json({"counts": counts})
    else:
        typer.echo(as_text(counts))
