"""`findings`: what the rules other than time found."""

from __future__ import annotations

from typing import Annotated

import typer

from etl.cli.arguments import Json, print_json

app = typer.Typer()


@app.command("findings")
def list_findings(
    rule: Annotated[str | None, typer.Option(help="Only this rule, by code.")] = None,
    department: Annotated[str | None, typer.Option(help="Only this department, by code or name.")] = None,
    cleared: Annotated[bool | None, typer.Option("--cleared/--open", help="Only cleared or only open ones.")] = None,
    as_json: Json = False,
) -> None:
    """What the rules other than time found, newest first; one JSON object a line with --json."""
    from etl.errors import UsageError
    from etl.store import findings
    from etl.store.engine import engine
    from etl.supervision.rules import rules

    if rule is not None and rule not in rules():
        raise UsageError(f"no rule {rule!r}; known: {', '.join(rules())}")
    with engine().connect() as connection:
        found = findings.listed(connection, rule=rule, department=department, is_cleared=cleared)
    for one in found:
        if as_json:
            print_json(one)
            continue
        state = f"{one['opened_on']} 发现" + (f"，{one['cleared_on']} 消除" if one["cleared_on"] else "")
        subject = one["case_no"] or f"事项 {one['item_code']}（{one['case_count']} 件）"
        parts = (one["title"], subject, one["department_name"], one["item_name"], one["detail"], one["basis"], state)
        typer.echo("　".join(str(part) for part in parts if part))
