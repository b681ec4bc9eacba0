"""The fast judge and the one that steps give the same cards for the same messages, whenever and whatever is known.

An example is one to three cases, two on average.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import judge as oracle
from tests.oracle import profiles
from tests.oracle.cases import Case, shanghai
from tests.oracle.histories import QUIET, Judgement, doubts_about, judgements
from tests.oracle.profiles import HUNAN, WHOLE_DAYS, Profile
from tests.oracle.proof import effort

Card = dict[str, Any]
Cards = dict[tuple[str, ...], Card]
Messages = list[dict[str, Any]]
Doubts = Sequence[oracle.Doubt]


def by_identity(cards: Iterable[Card]) -> Cards:
    return {tuple(card[name] for name in ("case_no", "clock", "clock_key", "level")): card for card in cards}


def fast(messages: Messages, as_of: datetime, known_by: datetime | None, rules: Profile, doubts: Doubts = ()) -> Cards:
    from etl.domain.message import distinct, parse, table
    from etl.store.calendars import packaged
    from etl.store.profiles import profile
    from etl.supervision.judge import judge_table, with_known_at
    from etl.supervision.question import Doubt

    chosen = profile("hunan" if rules is WHOLE_DAYS else rules.name).model_copy(update={"count_mode": rules.mode})
    told = [row for _, row in distinct(map(parse, messages)) if isinstance(row, dict)]
    cards = judge_table(
        with_known_at(table(told)), as_of, known_by or as_of, chosen, packaged().book("cn"),
        doubts=[Doubt(doubt.case_no, doubt.kinds, doubt.since, doubt.until) for doubt in doubts],
    )  # fmt: skip
    return by_identity(cards.to_pylist())


def instant(value: str | datetime | None) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def differences(slow_card: Card | None, fast_card: Card | None, within_days: float) -> list[str]:
    if slow_card is None or fast_card is None:
        return ["listed"]
    exact = ("standing", "nature", "provisional", "base", "responsible_hop")
    differ = [name for name in exact if slow_card[name] != fast_card[name]]
    if instant(slow_card["reached_at"]) != fast_card["reached_at"]:
        differ.append("reached_at")
    if slow_card["evidence"] != set(fast_card["evidence"]):
        differ.append("evidence")
    if slow_card["deciding"] and frozenset(fast_card["deciding"]) not in slow_card["deciding"]:
        differ.append("deciding")
    # The figures of a card that is gone are today's, or those it last had: held below by what stands alone.
    if slow_card["nature"] == "conduct":
        if instant(slow_card["due_at"]) != fast_card["due_at"]:
            differ.append("due_at")
        days = ("used_days", "excluded_days", "limit_days")
        differ += [name for name in days if fast_card[name] != pytest.approx(slow_card[name], abs=within_days)]
    return differ


def story(message: dict[str, Any]) -> str:
    """One message in one line: when, what, which version, when written / received / loaded."""
    times = [(message[name] or "–")[:19] for name in ("occurred_at", "written_at", "received_at", "loaded_at")]
    head = f"{message['case_no']} {message['source']} {message['kind']} seq {message['seq']} v{message['version']}"
    return f"  {head:44} {' | '.join(times)}  {json.dumps(message['payload'], ensure_ascii=False)}"


def first_difference(
    judgement: Judgement, rules: Profile, step: int, doubts: Doubts
) -> tuple[str, Card | None, Card | None] | None:
    """What differs in which card, and the card on either side."""
    messages, as_of, known_by = judgement
    slow_cards = by_identity(oracle.judge(messages, as_of, known_by, rules, step, doubts))
    fast_cards = fast(messages, as_of, known_by, rules, doubts)
    # A moment between two steps has used a part of a step.
    within = 1e-6 if as_of.second % step == 0 else step / 3600
    for which in sorted(slow_cards.keys() | fast_cards.keys()):
        pair = slow_cards.get(which), fast_cards.get(which)
        if differ := differences(*pair, within):
            return f"{' '.join(which)}: {', '.join(differ)} differ", *pair
    return None


def judge_alike(judgement: Judgement, rules: Profile, step: int = 60, doubts: Doubts = ()) -> None:
    """Fails with no more messages than it takes to differ."""
    found = first_difference(judgement, rules, step, doubts)
    if found is None:
        return
    messages, as_of, known_by = judgement
    for message in list(messages):
        fewer = [one for one in messages if one is not message]
        if less := first_difference((fewer, as_of, known_by), rules, step, doubts):
            messages, found = fewer, less
    said, slow_card, fast_card = found
    in_order = sorted(messages, key=lambda m: (m["case_no"], m["occurred_at"], m["version"]))
    lines = "\n".join(map(story, in_order))
    pytest.fail(
        f"{said} ({rules.name})\nas of {as_of}, known by {known_by}\n{''.join(f'{doubt}{chr(10)}' for doubt in doubts)}"
        f"  {'':44} occurred | written | received | loaded\n{lines}\nslow {slow_card}\nfast {fast_card}",
        pytrace=False,
    )


@effort(40, 5_000, is_shrunk=False)
@given(judgements())
def test_any_history_is_judged_by_office_hours_as_the_oracle_judges_it(judgement: Judgement) -> None:
    judge_alike(judgement, HUNAN)


@pytest.mark.parametrize("name", sorted(set(profiles.ALL) - {"hunan"}))
@effort(12, 1_250, is_shrunk=False)
@given(data=st.data())
def test_any_history_is_judged_by_every_profile_as_the_oracle_judges_it(name: str, data: st.DataObject) -> None:
    rules = profiles.ALL[name]
    judge_alike(data.draw(judgements(rules=rules)), rules)


@effort(2, 150, is_shrunk=False)
@given(judgements(grid=1, windows=[QUIET]))
def test_any_history_of_seconds_is_judged_as_the_oracle_judges_it_second_by_second(judgement: Judgement) -> None:
    judge_alike(judgement, HUNAN, step=1)


@effort(5, 750, is_shrunk=False)
@given(judgements())
def test_both_agree_at_each_boundary_itself_and_one_second_after(judgement: Judgement) -> None:
    messages, as_of, known_by = judgement
    reached = {card["reached_at"] for card in oracle.judge(messages, as_of, known_by, HUNAN)}
    for moment in map(datetime.fromisoformat, sorted(reached)):
        for later in (0, 1):
            judge_alike((messages, moment + timedelta(seconds=later), known_by or as_of), HUNAN)


@effort(15, 1_000, is_shrunk=False)
@given(judgements(), st.integers(0, 2**63 - 1))
def test_what_lies_in_quarantine_holds_its_case_up_as_the_oracle_says(judgement: Judgement, seed: int) -> None:
    judge_alike(judgement, HUNAN, doubts=doubts_about(judgement, seed))


def test_a_level_reached_at_the_start_itself_is_provisional_by_the_day_of_the_start() -> None:
    messages = Case().special("2026-12-29 00:00", None, 2).messages
    judge_alike((messages, shanghai("2027-01-08 00:00"), None), WHOLE_DAYS)
    cards = fast(messages, shanghai("2027-01-08 00:00"), None, WHOLE_DAYS)
    assert cards["CASE-1", "special", "1", "reminder"]["provisional"]


@effort(60, 2_000, is_shrunk=False)
@given(judgements())
def test_of_a_card_that_is_gone_nothing_else_is_said_while_nothing_is_learnt(judgement: Judgement) -> None:
    messages, as_of, known_by = judgement
    told = [instant(message[name]) for message in messages for name in ("occurred_at", "loaded_at", "received_at")]
    last = max(moment for moment in (*told, as_of, known_by) if moment is not None)
    soon, later = (fast(messages, last + timedelta(days=days), None, HUNAN) for days in (1, 45))
    for which, card in soon.items():
        # What still runs may be overdue again.
        if card["nature"] in ("push_delay", "suspect") and later[which]["nature"] != "conduct":
            assert [later[which][name] for name in ("nature", "deciding")] == [card["nature"], card["deciding"]]
