"""The fast judge and the slow one give the same cards for the same messages, at any moment and with any knowledge."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given

from tests.oracle import judge as oracle
from tests.oracle.histories import judgements
from tests.oracle.proof import effort

Card = dict[str, Any]
Cards = dict[tuple[str, str], Card]
Messages = list[dict[str, Any]]


def by_level(cards: list[Card]) -> Cards:
    return {(card["case_no"], card["level"]): card for card in cards if card["clock"] == "case"}


def slow(messages: Messages, as_of: datetime, known_by: datetime | None, count_mode: str) -> Cards:
    return by_level(oracle.judge(messages, as_of, known_by, {"count_mode": count_mode}))


def fast(messages: Messages, as_of: datetime, known_by: datetime | None, count_mode: str) -> Cards:
    from etl.store.profiles import profile
    from etl.supervision.judge import judge_messages

    rules = profile("hunan").model_copy(update={"count_mode": count_mode})
    return by_level(judge_messages(messages, as_of, known_by, rules))


def differences(slow_card: Card | None, fast_card: Card | None) -> list[str]:
    if slow_card is None or fast_card is None:
        return ["listed"]
    differ = [name for name in ("standing", "nature", "provisional", "base") if slow_card[name] != fast_card[name]]
    if datetime.fromisoformat(slow_card["reached_at"]) != datetime.fromisoformat(fast_card["reached_at"]):
        differ.append("reached_at")
    # A card that is gone keeps the figures it had; which night's figures they are is not fixed, nor is a limit in days
    # where the source gave the due moment itself.
    if slow_card["nature"] == "conduct":
        for name in ("used_days", "limit_days"):
            if slow_card[name] is not None and fast_card[name] != pytest.approx(slow_card[name], abs=1e-6):
                differ += [name]
    return differ


def story(message: dict[str, Any]) -> str:
    """One message in one line: when, what, which version, when written / received / loaded."""
    times = [(message[name] or "–")[:19] for name in ("occurred_at", "written_at", "received_at", "loaded_at")]
    telling = (
        "outcome",
        "promised_limit",
        "statutory_limit",
        "promised_due_at",
        "case_type",
        "joint",
        "special_kind",
        "approved_days",
        "approver",
    )
    payload = {name: message["payload"][name] for name in telling if name in message["payload"]}
    head = f"{message['case_no']} {message['kind']} seq {message['seq']} v{message['version']}"
    return f"  {head:42} {' | '.join(times)}  {json.dumps(payload, ensure_ascii=False)}"


def judge_alike(messages: Messages, as_of: datetime, known_by: datetime | None, count_mode: str) -> None:
    slow_cards, fast_cards = (judge(messages, as_of, known_by, count_mode) for judge in (slow, fast))
    for which in sorted(slow_cards.keys() | fast_cards.keys()):
        if differ := differences(slow_cards.get(which), fast_cards.get(which)):
            in_order = sorted(messages, key=lambda m: (m["case_no"], m["occurred_at"], m["version"]))
            lines = "\n".join(map(story, in_order))
            pytest.fail(
                f"{' '.join(which)}: {', '.join(differ)} differ ({count_mode})\nas of {as_of}, known by {known_by}\n"
                f"  {'':42} occurred | written | received | loaded\n{lines}\n"
                f"slow {slow_cards.get(which)}\nfast {fast_cards.get(which)}",
                pytrace=False,
            )


@effort(120, 10_000)
@given(judgements())
def test_any_history_is_judged_by_office_hours_as_the_oracle_judges_it(
    history: tuple[Messages, datetime, datetime | None],
) -> None:
    judge_alike(*history, "office_clock")


@effort(60, 5_000)
@given(judgements(whole_day=True))
def test_any_history_is_judged_by_whole_days_as_the_oracle_judges_it(
    history: tuple[Messages, datetime, datetime | None],
) -> None:
    judge_alike(*history, "whole_day")
