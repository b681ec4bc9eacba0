"""`jiancha reference`: departments, items, recipients, office hours."""

from __future__ import annotations

from pathlib import Path

import typer

app = typer.Typer(no_args_is_help=True, help="基础数据")


@app.command("import")
def reference_import(paths: list[Path]) -> None:
    """Import departments, items, recipients or office_hours from .csv or .xlsx. Exit 1 when rows were rejected."""
    from etl.store.engine import engine
    from etl.store.reference import import_file

    rejected_all = []
    for path in paths:
        stored, rejected = import_file(engine(), path)
        typer.echo(f"{path.name}: {stored} new rows")
        rejected_all += rejected
    for text in rejected_all:
        typer.echo(text, err=True)
    raise typer.Exit(1 if rejected_all else 0)
