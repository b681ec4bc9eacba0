"""Cards as people ask for them: in a line, as JSON, and one in full."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from etl.domain.chinese import DECISION, EVENT, LEVEL, STATE, nature
from etl.domain.night import ZONE
from etl.errors import UsageError
from etl.runs import follow_ups
from etl.store import decisions, outbox
from etl.store.engine import engine


def as_json(card: dict[str, Any]) -> dict[str, Any]:
    """A card with the name it goes by on the command line; instants in Asia/Shanghai."""
    instants = {key: value.astimezone(ZONE) for key, value in card.items() if key.endswith("_at") and value}
    return {"card": decisions.name(card)} | card | instants


def as_line(card: dict[str, Any]) -> str:
    """One card on one line."""
    parts = (
        LEVEL[card["level"]], STATE[card["state"]], card["case_no"], decisions.name(card), card["department_name"],
        card["item_name"], nature(card["level"], card["nature"]), f"发牌日 {card['issued_on'] or '–'}",
    )  # fmt: skip
    return "　".join(str(part) for part in parts if part)


def show(case_no: str, called: str | None) -> list[dict[str, Any]]:
    """Every card of a case (or the one called so) with its history, mails and feedback.

    Raises:
        UsageError: there is none.
    """
    with engine().connect() as connection:
        found = decisions.cards(connection, case_no=case_no)
        if called is not None:
            found = [card for card in found if decisions.is_called(card, called)]
        if not found:
            raise UsageError(f"case {case_no!r} has no card{f' {called!r}' if called else ''}")
        return [_shown(connection, card) for card in found]


def _shown(connection: Connection, card: dict[str, Any]) -> dict[str, Any]:
    identity = {part: card[part] for part in decisions.IDENTITY}
    return as_json(card) | {
        "feedback_due_on": follow_ups.feedback_due_on(card),
        "history": [as_json_event(event) for event in decisions.history(connection, card)],
        "mails": outbox.rows(connection, "card_mails", **identity),
    }


def as_json_event(event: dict[str, Any]) -> dict[str, Any]:
    """One link of a card's history."""
    return event | {"happened_at": event["happened_at"].astimezone(ZONE)}


def as_text(shown: dict[str, Any]) -> str:
    """One card in full, for people."""
    lines = [as_line(shown), f"　可作决定　{'、'.join(DECISION[name] for name in shown['open_to']) or '无'}"]
    if shown["feedback_due_on"]:
        lines.append(f"　反馈期限　{shown['feedback_due_on']}")
    for event in shown["history"]:
        what = EVENT.get(event["what"]) or DECISION[event["what"]]
        who = f"　{event['actor']}：{event['reason']}" if event["actor"] else ""
        proof = f"　依据 {'、'.join(event['evidence'])}" if event["evidence"] else ""
        lines.append(
            f"　{event['happened_at']:%Y-%m-%d %H:%M}　{what}{who}{proof}　链 {event['seq']} {event['hash'][:12]}"
        )
    lines += [f"　邮件　{mail['business_on']}　{mail['subject']}　{mail['message_id']}" for mail in shown["mails"]]
    return "\n".join(lines)
