"""The life of a card from the command line: real nights, decisions by people, and the mails that follow."""

from __future__ import annotations

import email
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import Engine

from etl.settings import ROOT, settings
from tests.cli.command import Ended, jiancha
from tests.cli.test_without_a_database import refused
from tests.runs.conftest import altered
from tests.runs.test_a_night import Alter
from tests.runs.world import Platform

__all__ = ["altered"]
pytestmark = pytest.mark.database
NIGHT, NEXT = date(2026, 11, 17), date(2026, 11, 18)
TODAY = datetime(2027, 2, 1, 2, tzinfo=UTC)
"""When people decide, whatever day it is where the tests run."""
BY = ("--by", "周某", "--reason", "经核查，系统故障所致")


def card(*arguments: object, at: str | None = None) -> Ended:
    with time_machine.travel(TODAY):
        return jiancha("card", *arguments, *(("--at", at) if at else ()))


def mails(kind: str, night: date | str = "*") -> list[EmailMessage]:
    """Mails of one kind written for one night (or all), in order of file name."""
    found = sorted((settings().var_dir / "mail").glob(f"{night}/{kind}_*.eml"))
    return [email.message_from_bytes(path.read_bytes(), policy=default) for path in found]


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def events(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("select * from v_card_event order by seq")]


@pytest.fixture
def overdue(platform: Platform, addressed: None) -> Platform:
    """Yellow on the night of 17 November, told that night."""
    platform.accept("overdue", "2026-11-09 10:00", promised=6, statutory=20)
    assert jiancha("night", "--date", NIGHT).code == 0
    return platform


def test_a_card_is_listed_shown_appealed_and_revoked_and_the_department_is_told_in_the_thread_of_its_first_mail(
    overdue: Platform, ready: Engine
) -> None:
    listed = card("list", "--level", "yellow", "--json").only
    assert {name: listed[name] for name in ("card", "case_no", "state", "issued_on", "open_to")} == {
        "card": "case/yellow", "case_no": "overdue", "state": "issued", "issued_on": "2026-11-17",
        "open_to": ["appeal", "close"],
    }  # fmt: skip
    assert card("list", "--department", "区市监局", "--json").lines
    for nothing in (("--state", "revoked"), ("--nature", "suspect"), ("--department", "别局"), ("--level", "red")):
        assert (card("list", *nothing).code, card("list", *nothing).out) == (0, "")
    judged = events(ready)

    assert card("appeal", "overdue", *BY, at="2026-11-18T10:00:00+08:00").only["state"] == "appealed"
    refused(card("appeal", "overdue", "case/yellow", *BY), 2, "is appealed: appeal refused; open to a decision: uphold")
    revoked = card("decide", "revoke", "overdue", *BY, "--evidence", "监察〔2026〕7号", at="2026-11-18T15:00:00+08:00")
    assert revoked.only["state"] == "revoked"
    refused(card("decide", "uphold", "overdue", "case/yellow", *BY), 2, "is revoked")
    assert events(ready) == judged, "decisions are no judgement"

    shown = card("show", "overdue", "case/yellow", "--json").only
    assert [(one["what"], one["actor"]) for one in shown["history"]] == [
        ("issued", None), ("appeal", "周某"), ("revoke", "周某"),
    ]  # fmt: skip
    assert shown["history"][2]["evidence"] == ["监察〔2026〕7号"]
    assert "撤销原牌　周某：经核查，系统故障所致　依据 监察〔2026〕7号" in card("show", "overdue").out

    assert jiancha("night", "--date", NEXT).code == 0
    (first,), (reply,) = mails("A", NIGHT), mails("E", NEXT)
    assert reply["In-Reply-To"] == reply["References"] == first["Message-ID"]
    assert reply["Subject"] == f"【撤销原牌1】区市监局 电子监察更正告知 {NEXT}"
    assert "经核查，系统故障所致" in text_of(reply)
    assert "overdue" in text_of(reply)
    assert jiancha("night", "--date", NEXT).code == 0
    assert len(mails("E")) == 1, "told once"
    assert jiancha("ledger", "verify").code == 0
    counted = {row["level"]: (row["standing"], row["withdrawn"]) for row in jiancha("status", "--json").only["cards"]}
    assert counted["yellow"] == (0, 1), "what was revoked still counts as issued"


UNDECIDABLE = {
    ("appeal", "nobody", *BY): "has no card",
    ("appeal", "overdue", "case/red", *BY): "no card 'case/red'; name one of: scjg/case/yellow is issued",
    ("decide", "uphold", "overdue", *BY): "0 cards open to uphold; name one of",
    ("decide", "uphold", "overdue", "case/yellow", *BY): "is issued: uphold refused; open to a decision: appeal",
    ("issue", "overdue", "case/yellow", *BY): "issue refused",
    ("close", "overdue", "case/yellow", "--by", " ", "--reason", "x"): "no actor is given",
    ("close", "overdue", "case/yellow", "--by", "x", "--reason", ""): "no reason is given",
    ("close", "overdue", "case/yellow", *BY, "--at", "2026-11-17T10:00:00+08:00"): "before what it follows",
    ("close", "overdue", "case/yellow", *BY, "--at", "tomorrow"): "is not an RFC 3339 instant",
    ("close", "overdue", "case/yellow", *BY, "--at", "2027-02-01T11:00:00+08:00"): "lies ahead",
    ("close", "overdue", "case/yellow", *BY, "--at", "2999-12-31T10:00:00+08:00"): "lies ahead",
    ("show", "nobody"): "has no card",
}


def test_what_cannot_be_decided_is_refused_with_two_and_one_line(overdue: Platform) -> None:
    for arguments, said in UNDECIDABLE.items():
        refused(card(*arguments), 2, said)


@pytest.mark.parametrize(
    "arguments",
    [
        ("appeal", "overdue", "--reason", "x"),
        ("appeal", "overdue", "--by", "x"),
        ("decide", "maybe", "overdue", *BY),
        ("list", "--state", "lost"),
    ],
)
def test_a_decision_needs_a_name_a_reason_and_a_known_outcome(arguments: tuple[str, ...]) -> None:
    ended = card(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err


def test_a_card_whose_rule_is_manual_waits_for_a_person_and_is_told_once_it_is_issued(
    platform: Platform, addressed: None, ready: Engine, altered: Alter, tmp_path: Path
) -> None:
    rules = (ROOT / "sql" / "seeds" / "profiles" / "hunan.toml").read_text(encoding="utf-8")
    yellow = 'clock = "case", level = "yellow", base = "promised"'
    (tmp_path / "by_hand.toml").write_text(rules.replace(yellow, f'{yellow}, issue = "manual"'), encoding="utf-8")
    altered("scjg", profile=str(tmp_path / "by_hand.toml"))
    platform.accept("overdue", "2026-11-09 10:00", promised=6, statutory=20)
    assert jiancha("night", "--date", NIGHT).code == 0
    assert card("list", "--state", "pending", "--json").only["issued_on"] is None
    assert mails("A") == []
    assert "overdue" in text_of(mails("B", NIGHT)[0]), "the office knows what waits for it"
    assert "待发牌" in text_of(mails("B", NIGHT)[0])
    refused(card("close", "overdue", "case/yellow", *BY), 2, "is pending: close refused; open to a decision: issue")

    issued = card("issue", "overdue", *BY, at="2026-11-18T09:00:00+08:00").only
    assert (issued["state"], issued["issued_on"]) == ("issued", str(NEXT))
    assert jiancha("night", "--date", NEXT).code == 0
    (mail,) = mails("A", NEXT)
    assert mail["Subject"].startswith("【黄牌1】")
    summary = text_of(mails("B", NEXT)[0])
    assert "区市监局 | 黄牌 | 1 | 0 | 0 | 1" in summary


def test_a_pending_card_the_judge_withdraws_is_never_told(
    platform: Platform, addressed: None, altered: Alter, tmp_path: Path
) -> None:
    rules = (ROOT / "sql" / "seeds" / "profiles" / "hunan.toml").read_text(encoding="utf-8")
    manual = rules.replace(
        'level = "yellow", base = "promised"', 'level = "yellow", base = "promised", issue = "manual"'
    )
    (tmp_path / "by_hand.toml").write_text(manual, encoding="utf-8")
    altered("scjg", profile=str(tmp_path / "by_hand.toml"))
    platform.accept("slow", "2026-11-09 10:00", promised=6, statutory=20)
    assert jiancha("night", "--date", NIGHT).code == 0
    platform.finish("slow", "2026-11-16 10:00", receive_time="2026-11-18T10:00:00+08:00")
    assert jiancha("night", "--date", NEXT).code == 0
    assert card("list", "--level", "yellow", "--json").only["state"] == "withdrawn"
    assert [mail["Subject"] for kind in "ADE" for mail in mails(kind) if "黄牌" in mail["Subject"]] == []
    assert mails("E") == []


def test_a_withdrawal_replies_to_the_first_mail_about_the_card(overdue: Platform) -> None:
    overdue.accept("other", "2026-11-10 10:00", promised=6, receive_time="2026-11-18T09:00:00+08:00")
    overdue.finish("overdue", "2026-11-16 10:00", receive_time="2026-11-18T10:00:00+08:00")
    assert jiancha("night", "--date", NEXT).code == 0
    (first,), (news,), (reply,) = mails("A", NIGHT), mails("A", NEXT), mails("E", NEXT)
    assert reply["In-Reply-To"] == first["Message-ID"]
    assert reply["Subject"].startswith("【撤回")
    assert "推送延时" in text_of(reply)
    cards, _, findings = text_of(news).partition("【发现的问题】")
    assert "overdue" not in cards
    assert "overdue" in findings  # decided without a stage ever told
    assert "other" in cards


def test_missing_feedback_is_followed_up_once_a_stage_in_the_thread_of_the_first_mail(
    platform: Platform, addressed: None
) -> None:
    late, entered_late = ("forgotten", "answered", "revoked", "escalated"), ("doubted", "upheld")
    for case_no in (*late, *entered_late):
        platform.accept(case_no, "2026-11-09 10:00", promised=6, statutory=20)
    assert jiancha("night", "--date", NIGHT).code == 0
    for case_no in late:  # in time for no red card, too late for the yellow one
        platform.finish(case_no, "2026-11-18 10:00")
    for case_no in entered_late:
        written = {"cd_time": "20261118100000", "receive_time": "2026-11-18T10:02:00+08:00"}
        platform.finish(case_no, "2026-11-16 10:00", **written)
    assert jiancha("night", "--date", NEXT).code == 0
    (first,) = mails("A", NIGHT)
    card("decide", "uphold", "upheld", *BY, at="2026-11-20T10:00:00+08:00")
    card("appeal", "escalated", *BY, at="2026-11-19T10:00:00+08:00")
    card("decide", "escalate", "escalated", *BY, at="2026-11-20T10:00:00+08:00")
    shown = {
        case_no: card("show", case_no, "case/yellow", "--json").only
        for case_no in ("forgotten", "escalated", *entered_late)
    }
    assert {case_no: (one["state"], one["feedback_due_on"]) for case_no, one in shown.items()} == {
        "forgotten": ("issued", "2026-12-29"),  # 30 working days after 17 November
        "doubted": ("issued", None),  # to be verified
        "upheld": ("upheld", "2026-12-29"),
        "escalated": ("escalated", None),
    }
    assert card("close", "answered", *BY, at="2026-12-01T10:00:00+08:00").only["state"] == "closed"
    card("appeal", "revoked", *BY, at="2026-12-01T10:00:00+08:00")
    card("decide", "revoke", "revoked", *BY, at="2026-12-02T10:00:00+08:00")
    for night, stages in (("2026-12-28", 0), ("2026-12-29", 1), ("2026-12-30", 1)):
        assert jiancha("night", "--date", night, *(("--notify", "never") if night == "2026-12-28" else ())).code == 0
        assert len(mails("D")) == stages, night
    (told,) = mails("D")
    assert told["In-Reply-To"] == first["Message-ID"]
    assert told["Subject"] == "【督办 黄牌2】区市监局 电子监察督办通知 2026-12-29"
    assert {case_no for case_no in (*late, *entered_late) if case_no in text_of(told)} == {"forgotten", "upheld"}
    assert jiancha("night", "--date", "2027-01-06", "--notify", "never").code == 0
    assert len(mails("D")) == 1, "a run told to tell nobody follows up nobody"
    assert jiancha("night", "--date", "2027-01-07").code == 0
    assert [("第 2 次" in text_of(mail), "第 1 次" in text_of(mail)) for mail in mails("D")] == [
        (False, True), (True, False),
    ]  # fmt: skip


def test_nothing_is_published_while_the_chain_does_not_verify(overdue: Platform, ready: Engine) -> None:
    assert card("appeal", "overdue", *BY, at="2026-11-18T10:00:00+08:00").code == 0
    with ready.begin() as connection:
        connection.exec_driver_sql("set local session_replication_role = replica")
        connection.exec_driver_sql("update card_decision set reason = '别的理由'")
    before = len(mails("?"))
    overdue.accept("other", "2026-11-10 10:00", promised=6, statutory=20)
    for command in (
        ("night", "--date", NEXT), ("notices", "send"), ("week", "--week", "2026-W47"), ("ledger", "verify"),
    ):  # fmt: skip
        ended = jiancha(*command)
        assert ended.code == 4, (command, ended)
        assert "does not continue the evidence chain" in ended.err
    assert len(mails("?")) == before
    assert not list(settings().var_dir.glob("bulletins/*"))


def test_a_printed_head_is_looked_for_in_the_chain(overdue: Platform) -> None:
    head = jiancha("ledger", "verify").out.strip()
    assert head in text_of(mails("A", NIGHT)[0])
    assert card("appeal", "overdue", *BY, at="2026-11-18T10:00:00+08:00").code == 0
    assert jiancha("ledger", "verify", "--head", head).code == 0
    refused(jiancha("ledger", "verify", "--head", "a" * 64), 4, "is no hash of the chain")
