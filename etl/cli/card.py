"""`jiancha card`: cards and what people decide about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer

from etl.cli.arguments import Json, instant_of, print_json
from etl.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="红黄牌的发出、申诉、处理、销号")

State = Literal[
    "pending", "issued", "superseded", "appealed", "upheld", "revoked", "escalated", "withdrawn", "closed"
]  # fmt: skip
Case = Annotated[str, typer.Argument(help="办件编号.")]
Called = Annotated[
    str | None,
    typer.Argument(metavar="[CARD]", help="Which card, as `card show` names it: case/red. Default: the one it fits."),
]
By = Annotated[str, typer.Option("--by", help="Name of the person who decides.")]
Reason = Annotated[str, typer.Option(help="Why.")]
At = Annotated[str | None, typer.Option(help="When it was decided, RFC 3339; default: now.")]
Evidence = Annotated[
    list[str] | None, typer.Option(help="Document, record key or file that supports it; may be repeated.")
]


@app.command("list")
def card_list(
    state: Annotated[State | None, typer.Option(help="Only cards in this state.")] = None,
    level: Annotated[Literal["red", "yellow", "reminder"] | None, typer.Option(help="Only this level.")] = None,
    department: Annotated[str | None, typer.Option(help="Only this department, by code or name.")] = None,
    nature: Annotated[
        Literal["conduct", "push_delay", "suspect", "calendar", "rule"] | None, typer.Option(help="Only this nature.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Cards as they stand, red first; one JSON object a line with --json."""
    from etl.runs import deciding
    from etl.store import decisions
    from etl.store.engine import engine

    with engine().connect() as connection:
        cards = decisions.cards(connection, state=state, level=level, department=department, nature=nature)
    for card in cards:
        print_json(deciding.as_json(card)) if as_json else typer.echo(deciding.as_line(card))


@app.command("show")
def card_show(case_no: Case, card: Called = None, as_json: Json = False) -> None:
    """The cards of a case: state, what is open to each, everything judged and decided, mails, feedback due."""
    from etl.runs import deciding

    for shown in deciding.show(case_no, card):
        print_json(shown) if as_json else typer.echo(deciding.as_text(shown))


@app.command("issue")
def card_issue(
    case_no: Case, by: By, reason: Reason, card: Called = None, at: At = None, evidence: Evidence = None
) -> None:
    """Issue a card that waits for a person (rule with issue = "manual")."""
    _decide("issue", case_no, card, by, reason, at, evidence)


@app.command("appeal")
def card_appeal(
    case_no: Case, by: By, reason: Reason, card: Called = None, at: At = None, evidence: Evidence = None
) -> None:
    """Enter a department's appeal; --by names who appeals."""
    _decide("appeal", case_no, card, by, reason, at, evidence)


@app.command("decide")
def card_decide(
    outcome: Annotated[Literal["uphold", "revoke", "escalate"], typer.Argument(help="What is decided.")],
    case_no: Case, by: By, reason: Reason, card: Called = None, at: At = None, evidence: Evidence = None,
) -> None:  # fmt: skip
    """Decide an appeal, or a card that is to be verified (待核实): uphold, revoke, or escalate."""
    _decide(outcome, case_no, card, by, reason, at, evidence)


@app.command("close")
def card_close(
    case_no: Case, by: By, reason: Reason, card: Called = None, at: At = None, evidence: Evidence = None
) -> None:
    """Accept the department's feedback on a card: nothing more is due (销号)."""
    _decide("close", case_no, card, by, reason, at, evidence)


def _decide(
    decision: str, case_no: str, card: str | None, by: str, reason: str, at: str | None, evidence: list[str] | None
) -> None:
    from etl.runs import deciding
    from etl.settings import settings
    from etl.store import decisions
    from etl.store.engine import engine

    now = datetime.now(UTC)
    decided_at = instant_of(at, "--at") if at else now
    if decided_at > now:  # its link in the chain stays for good, and nothing could follow it until then
        raise UsageError(f"--at {at!r} lies ahead; a decision is dated when it was made")
    decided: dict[str, Any] = decisions.decide(
        engine(), case_no, card, decision, actor=by, reason=reason, decided_at=decided_at,
        evidence_keys=evidence or [], cutoff=settings().cutoff,
    )  # fmt: skip
    print_json(deciding.as_json(decided))
