"""`jiancha calendar`: notices of holidays, days a region rules on itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from etl.cli.arguments import Json, date_of, print_json

app = typer.Typer(no_args_is_help=True, help="工作日历")


@app.command("import")
def calendar_import(
    path: Path,
    is_agreed: Annotated[bool, typer.Option("--yes", help="Apply it; otherwise only say what would change.")] = False,
    as_json: Json = False,
) -> None:
    """Import a notice or a region's days, after saying what would change. A CSV like sql/seeds/calendar_days.csv."""
    from etl.cli.impact import print_impact
    from etl.runs.impact import Change
    from etl.store import calendars
    from etl.store.calendar_file import new_rulings
    from etl.store.engine import engine

    rulings = new_rulings(engine(), path)
    print_impact(Change(days=rulings), as_json)
    if is_agreed:
        calendars.add(engine(), rulings)
    if not as_json:
        typer.echo(f"{path.name}：{len(rulings)} 天，" + ("已导入" if is_agreed else "未导入；确认后加 --yes 再运行"))


@app.command("status")
def calendar_status(
    on: Annotated[str | None, typer.Option("--date", help="As known on this date; default: today.")] = None,
    as_json: Json = False,
) -> None:
    """Which years are announced and since when, and from which acceptance on deadlines are provisional."""
    from etl.runs import calendar_state

    facts = calendar_state.state(date_of(on) if on else None)
    print_json(facts) if as_json else typer.echo(calendar_state.as_text(facts))
