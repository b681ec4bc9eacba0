"""What people decide about cards: only what is open to a card, only ever appended, never read by the judge."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from etl.errors import UsageError
from etl.store import cards as card_store
from etl.store import decisions, evidence
from etl.store.digest import digest
from tests.store.test_evidence import MOMENT, NIGHT, event

pytestmark = pytest.mark.database
DECISIONS = ("issue", "appeal", "uphold", "revoke", "escalate", "close")
# The rule book's life of a card, written down once more.
PATHS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "pending": ({"is_manual": True}, ()),
    "issued": ({}, ()),
    "issued by hand": ({"is_manual": True}, ("issue",)),
    "to be verified": ({"nature": "suspect"}, ()),
    "appealed": ({}, ("appeal",)),
    "upheld": ({}, ("appeal", "uphold")),
    "revoked": ({}, ("appeal", "revoke")),
    "escalated": ({}, ("appeal", "escalate")),
    "closed": ({}, ("close",)),
    "withdrawn": ({"standing": False, "event": "issued"}, ()),
}
OPEN = {
    "pending": {"issue"},
    "issued": {"appeal", "close"},
    "issued by hand": {"appeal", "close"},
    "to be verified": {"appeal", "uphold", "revoke", "escalate"},
    "appealed": {"uphold", "revoke", "escalate"},
    "upheld": {"close"},
    "revoked": set(),
    "escalated": {"uphold", "revoke"},
    "closed": set(),
    "withdrawn": set(),
}
SHOWN = {"issued by hand": "issued", "to be verified": "issued"}


def record(engine: Engine, *events: dict[str, Any], night: date = NIGHT) -> None:
    moved = timedelta(days=(night - NIGHT).days)
    dated = [one | {"business_on": night, "known_at": MOMENT + moved} for one in events]
    card_store.record_night(engine, night, ["scjg"], dated, fingerprint=str(dated), cases=1, muted=())


def decide(engine: Engine, decision: str, hour: int = 0, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "actor": "周某", "reason": "核查属实", "decided_at": MOMENT + timedelta(days=1, hours=hour),
        "evidence_keys": ["文号1"], "cutoff": time(1),
    }  # fmt: skip
    return decisions.decide(engine, "1", changes.pop("called", None), decision, **values | changes)


def state(engine: Engine, level: str = "yellow") -> str:
    with engine.connect() as connection:
        found = connection.execute(
            text("select state from v_card where case_no = '1' and level = :level"), {"level": level}
        )
        return str(found.scalar_one())


def insert_plainly(engine: Engine, decision: str, decided_at: datetime, **changes: Any) -> None:
    """One decision by plain SQL, as a next link whose hash fits."""
    link = {
        "source": "scjg", "case_no": "1", "clock": "case", "clock_key": "", "level": "yellow", "decision": decision,
        "business_on": decided_at.date(), "decided_at": decided_at, "actor": "某", "reason": "因", "evidence": [],
    } | changes  # fmt: skip
    with engine.begin() as connection:
        last = connection.execute(text("select seq, hash from v_chain order by seq desc limit 1")).one()
        link = {"seq": last.seq + 1, "prev_hash": last.hash, "hash": evidence.event_hash(last.hash, link)} | link
        names = ", ".join(link)
        values = ", ".join(f":{name}" for name in link)
        connection.execute(text(f"insert into card_decision ({names}) values ({values})"), link)


@pytest.mark.parametrize("reached", PATHS)
def test_plain_sql_can_decide_what_is_open_to_a_card_and_nothing_else(ledger: Engine, reached: str) -> None:
    changes, path = PATHS[reached]
    record(ledger, event("1", **changes))
    for hour, decision in enumerate(path):
        decide(ledger, decision, hour)
    assert state(ledger) == SHOWN.get(reached, reached)
    for decision in DECISIONS:
        if decision in OPEN[reached]:
            continue
        with pytest.raises(DBAPIError, match=rf"card yellow case/ of case 1 \(scjg\) is \w+: {decision} refused; open"):
            insert_plainly(ledger, decision, MOMENT + timedelta(days=2))
    for decision in sorted(OPEN[reached])[:1]:
        insert_plainly(ledger, decision, MOMENT + timedelta(days=2))
    with ledger.connect() as connection:
        evidence.verify(connection)


@pytest.mark.parametrize(("reached", "decision"), [(name, one) for name, all_ in OPEN.items() for one in sorted(all_)])
def test_every_open_decision_leads_to_its_state(ledger: Engine, reached: str, decision: str) -> None:
    changes, path = PATHS[reached]
    record(ledger, event("1", **changes))
    for hour, earlier in enumerate(path):
        decide(ledger, earlier, hour)
    leads_to = {
        "issue": "issued", "appeal": "appealed", "uphold": "upheld", "revoke": "revoked", "escalate": "escalated",
        "close": "closed",
    }  # fmt: skip
    assert decide(ledger, decision, 9)["state"] == state(ledger) == leads_to[decision]


@pytest.mark.parametrize("reached", PATHS)
def test_feedback_is_owed_on_a_yellow_or_red_card_when_it_could_be_accepted(ledger: Engine, reached: str) -> None:
    changes, path = PATHS[reached]
    cards: list[dict[str, Any]] = [{"level": "yellow"}, {"level": "reminder"}, {"level": "red", "is_baseline": True}]
    record(ledger, *(event("1", clock_key=str(number), **changes | card) for number, card in enumerate(cards)))
    for hour, decision in enumerate(path):
        for number, card in enumerate(cards):
            decide(ledger, decision, hour, called=f"case/{number}/{card['level']}")
    with ledger.connect() as connection:
        owing = [card["level"] for card in decisions.cards(connection) if card["owes_feedback"]]
    assert owing == (["yellow"] if "close" in OPEN[reached] else [])


def test_a_decision_about_no_card_or_dated_back_or_out_of_the_chain_is_refused(ledger: Engine) -> None:
    record(ledger, event("1"))
    later = MOMENT + timedelta(days=1)
    for said, changes in (
        ("does not exist: appeal refused", {"case_no": "2"}),
        ("does not exist", {"level": "red"}),
        ("dated .* before what it follows", {"decided_at": MOMENT - timedelta(hours=1)}),
        ("is not the one that closes after", {"business_on": later.date() + timedelta(days=1)}),
        ("not the next link of the evidence chain", {"seq": 5}),
        ("not the next link of the evidence chain", {"prev_hash": "a" * 64}),
        ("violates check constraint", {"actor": " \n"}),
        ("violates check constraint", {"reason": ""}),
    ):
        with pytest.raises(DBAPIError, match=said):
            insert_plainly(ledger, "appeal", **{"decided_at": later} | changes)
    decide(ledger, "appeal", 3)
    with pytest.raises(UsageError, match=r"uphold dated .* before what it follows"):
        decide(ledger, "uphold", 2)


def test_decisions_change_nothing_a_night_says(ledger: Engine) -> None:
    record(ledger, event("1"))
    decide(ledger, "appeal")
    decide(ledger, "revoke", 1)
    with ledger.connect() as connection:
        before = connection.execute(text("select count(*) from card_event")).scalar_one()
    record(ledger, event("1"))
    record(ledger, event("1", event="revised"), night=NIGHT + timedelta(days=2))
    with ledger.connect() as connection:
        assert connection.execute(text("select count(*) from card_event")).scalar_one() == before + 1
    assert state(ledger) == "revoked", "the judge still holds it"


def test_a_card_withdrawn_by_the_judge_while_it_is_appealed_ends_as_withdrawn(ledger: Engine) -> None:
    record(ledger, event("1"))
    decide(ledger, "appeal")
    record(ledger, event("1", event="withdrawn", standing=False), night=NIGHT + timedelta(days=2))
    assert state(ledger) == "withdrawn"
    with pytest.raises(UsageError, match="is withdrawn: revoke refused"):
        decide(ledger, "revoke", 72)


def test_a_higher_card_supersedes_unless_it_is_pending_or_revoked(ledger: Engine) -> None:
    record(ledger, event("1"), event("1", level="red", is_manual=True))
    assert (state(ledger), state(ledger, "red")) == ("issued", "pending")
    decide(ledger, "issue")
    assert (state(ledger), state(ledger, "red")) == ("superseded", "issued")
    decide(ledger, "appeal", 1, called="case/red")
    decide(ledger, "revoke", 2)
    assert (state(ledger), state(ledger, "red")) == ("issued", "revoked")


def test_two_people_deciding_at_once_leave_one_decision(ledger: Engine) -> None:
    from concurrent.futures import ThreadPoolExecutor

    record(ledger, event("1"))

    def close(hour: int) -> str:
        try:
            return str(decide(ledger, "close", hour)["state"])
        except UsageError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        said = sorted(pool.map(close, range(4)))
    assert said[-1] == "closed" or said.count("closed") == 1
    assert sum(answer == "closed" for answer in said) == 1
    assert sum("is closed" in answer for answer in said) == 3


def test_past_nights_see_only_what_had_been_decided_by_then(ledger: Engine) -> None:
    record(ledger, event("1"))
    decide(ledger, "appeal", decided_at=datetime(2026, 11, 19, 16, 59, tzinfo=UTC))  # 00:59, before the cut-off
    decide(ledger, "revoke", decided_at=datetime(2026, 11, 19, 17, 1, tzinfo=UTC))
    with ledger.connect() as connection:
        seen = [
            connection.execute(text("select state, counts from card_on(:night)"), {"night": date(2026, 11, day)}).one()
            for day in (18, 19, 20)
        ]
    assert seen == [("issued", True), ("appealed", True), ("revoked", False)]


def test_the_ledger_digest_covers_decisions_and_not_their_place_in_the_chain(ledger: Engine) -> None:
    record(ledger, event("1"), event("2"))
    before = digest(ledger)
    decide(ledger, "appeal")
    assert digest(ledger) != before


@pytest.mark.parametrize(("is_baseline", "told"), [(True, []), (False, ["A", "E"])])
def test_what_becomes_of_a_baseline_card_is_told_to_nobody(ledger: Engine, is_baseline: bool, told: list[str]) -> None:
    record(ledger, event("1", is_baseline=is_baseline))
    for hour, decision in enumerate(("appeal", "revoke")):
        decide(ledger, decision, hour)
    with ledger.connect() as connection:
        kinds = connection.execute(text("select mail_kind from notice_item order by 1")).scalars().all()
    assert kinds == told
