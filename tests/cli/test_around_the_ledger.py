"""Commands over a real ledger: what they print, what they refuse, and with which exit code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import openpyxl
import pytest
import time_machine
from sqlalchemy import Engine

from etl import sources
from etl.publish import notices, sender
from etl.runs import judged_nights, nightly, weekly
from etl.settings import settings
from etl.store.engine import embedded_url
from etl.supervision.contract import contract_lines
from tests.cli.command import jiancha
from tests.cli.test_without_a_database import refused
from tests.runs.world import Platform

NIGHT = date(2026, 11, 17)
NEXT = date(2026, 11, 18)
SECRET = "s3cret-word"


def mail_subjects() -> list[str]:
    return sorted(path.name for path in (settings().var_dir / "mail").rglob("*.eml"))


def test_what_the_ledger_exports_is_judged_as_the_night_judged_it(
    platform: Platform, ready: Engine, tmp_path: Path
) -> None:
    for number in range(3):
        platform.accept(f"overdue-{number}", "2026-11-09 10:00", promised=5, statutory=20)
    assert jiancha("night", "--date", NIGHT).code == 0
    platform.accept("next", "2026-11-18 10:00", promised=5)
    assert jiancha("night", "--date", NEXT).code == 0
    assert jiancha("ledger", "export", tmp_path / "all").only == {"messages": 4}
    as_of = "2026-11-18T01:00:00+08:00"
    assert jiancha("ledger", "export", tmp_path / "then", "--known-by", as_of).only == {"messages": 3}
    refused(jiancha("ledger", "export", tmp_path / "all"), 2, "is there already")
    refused(jiancha("ledger", "export", tmp_path / "absent" / "deep"), 2, "No such file or directory")
    judged = jiancha("judge", "--messages", tmp_path / "all", "--as-of", as_of)
    assert judged.out.encode() == contract_lines(judged_nights.judge_at(NIGHT))
    assert [(card["case_no"], card["level"]) for card in judged.lines][:2] == [
        ("overdue-0", "reminder"), ("overdue-0", "yellow"),
    ]  # fmt: skip
    assert jiancha("judge", "--messages", tmp_path / "then", "--as-of", as_of) == judged


def test_a_night_its_status_explanation_and_backfill(platform: Platform, ready: Engine) -> None:
    platform.accept("overdue", "2026-11-09 10:00", promised=5, statutory=20)
    platform.accept("in-time", "2026-11-16 10:00")
    refused(jiancha("explain", "overdue"), 2, "no night has been judged yet")
    refused(jiancha("backfill", "diff", "--from", NIGHT, "--to", NIGHT), 2, "run a night first")
    (planned,) = jiancha("backfill", "plan", "--from", NIGHT, "--to", NIGHT).lines
    assert (planned["source"], planned["feed"], planned["since"]) == ("scjg", "never pulled", None)
    assert planned["known_basis"] == "reconstructed"

    ended = jiancha("night", "--date", NIGHT)
    assert (ended.code, set(ended.only)) == (
        0,
        {"admit", "judge", "trace", "reconcile", "notify", "incomplete", "frozen"},
    )
    assert "pulled" in ended.err, "progress goes to standard error"

    status = jiancha("status", "--json").only
    assert set(status) == {"sources", "reconciliation", "cards", "outbox"}
    (source,) = status["sources"]
    assert source == {
        "source": "scjg", "last_complete_on": "2026-11-17", "accepted": 2, "repeated": 0, "quarantined": 0,
        "unexplained": 0, "state": "complete",
    }  # fmt: skip
    assert status["cards"] == [
        {"level": level, "nature": "conduct", "standing": 1, "withdrawn": 0} for level in ("yellow", "reminder")
    ]
    assert "区" not in jiancha("status").err

    explained = jiancha("explain", "overdue", "--json").only
    assert [card["level"] for card in explained["boundaries"]] == ["reminder", "yellow"]
    assert sum(day["counted_days"] for day in explained["days"]) == pytest.approx(
        explained["boundaries"][0]["used_days"], abs=1e-5
    )
    refused(jiancha("explain", "nobody"), 2, "no message of case nobody")

    planned = jiancha("backfill", "plan", "--from", NIGHT, "--to", NEXT).lines
    assert [(row["night"], row["feed"], row["known_basis"]) for row in planned] == [
        (NIGHT.isoformat(), "complete", "reconstructed"),
        (NEXT.isoformat(), "late", "night"),
    ]

    platform.finish("overdue", "2026-11-13 10:00", receive_time="2026-11-18T10:00:00+08:00")
    before = jiancha("ledger", "digest").out
    assert jiancha("backfill", "diff", "--from", NIGHT, "--to", NIGHT).lines == []
    reported = jiancha("night", "--date", NIGHT, "--as-of", "2026-11-13T12:00:00+08:00").only
    assert reported == {"reminder": 1, "yellow": 0, "red": 0}
    of_another = jiancha("night", "--date", NIGHT, "--as-of", "2026-11-13T12:00:00+08:00", "--source", "rsj").only
    assert of_another == {"reminder": 0, "yellow": 0, "red": 0}
    assert jiancha("night", "--date", NIGHT, "--as-of", "2026-11-18T01:00:00+08:00", "--source", "scjg").only["yellow"]
    refused(jiancha("night", "--date", NIGHT, "--as-of", "2026-11-18T01:00:01+08:00"), 2, "is after the cut-off of")
    assert jiancha("ledger", "digest").out == before, "looking writes nothing"
    platform.accept("told-late", "2026-11-10 10:00", promised=5, receive_time="2026-11-18T11:00:00+08:00")
    assert jiancha("night", "--date", NEXT).code == 0
    changed = jiancha("backfill", "diff", "--from", NIGHT, "--to", NIGHT).lines
    assert [(row["night"], row["change"], row["level"], row["nature"], row["deciding"]) for row in changed] == [
        (NIGHT.isoformat(), "withdrawn", "yellow", "push_delay", ["scjg/overdue/finish/0/v1"]),
        (NIGHT.isoformat(), "issued", "reminder", "conduct", ["scjg/told-late/accept/0/v1"]),
        (NIGHT.isoformat(), "issued", "yellow", "conduct", ["scjg/told-late/accept/0/v1"]),
    ]
    assert jiancha("backfill", "diff", "--from", NIGHT, "--to", NIGHT, "--source", "rsj").lines == []
    refused(jiancha("backfill", "plan", "--from", NEXT, "--to", NIGHT), 2, "is after")


def test_a_week_is_issued_once_its_last_night_is_judged_and_no_other_is(platform: Platform, ready: Engine) -> None:
    platform.accept("overdue", "2026-11-11 10:00", promised=2)
    assert jiancha("night", "--date", NIGHT).code == 0
    for week in ("2026-W47", "2027-W10", "2026-W40"):  # not over, far ahead, before anything was known
        refused(jiancha("week", "--week", week), 2, "has not been judged")
    assert not list(settings().var_dir.glob("bulletins/*"))
    assert jiancha("week", "--week", "2026-W46").code == 0
    assert jiancha("night", "--date", "2026-11-22").code == 0
    issued = jiancha("week", "--week", "2026-W47").only
    with ready.begin() as connection:
        connection.exec_driver_sql("delete from night where business_on = '2026-11-22'")
    assert jiancha("week", "--week", "2026-W47").only == issued, "what is issued is handed out, judged again or not"


def test_a_moment_before_a_sources_first_load_is_looked_at_too(platform: Platform, ready: Engine) -> None:
    platform.accept("overdue", "2026-11-09 10:00", promised=5, statutory=20)
    assert jiancha("night", "--date", NIGHT).code == 0
    reported = jiancha("night", "--date", "2026-01-01", "--as-of", "2025-12-31T10:00:00+08:00").only
    assert reported == {"reminder": 0, "yellow": 0, "red": 0}
    assert jiancha("backfill", "diff", "--from", "2026-01-01", "--to", "2026-01-01").lines == []


@pytest.mark.parametrize(
    "command",
    [
        ("night", "--date", "2026-11-17", "--source", "nowhere"),
        ("night", "--date", "2026-11-17", "--source", "nowhere", "--as-of", "2026-11-17T12:00:00+08:00"),
        ("source", "replay", "nowhere", "--date", "2026-11-17"),
        ("backfill", "plan", "--from", "2026-11-17", "--to", "2026-11-17", "--source", "nowhere"),
        ("backfill", "diff", "--from", "2026-11-17", "--to", "2026-11-17", "--source", "nowhere"),
    ],
)
def test_an_unknown_source_is_refused_with_two(ready: Engine, command: tuple[str, ...]) -> None:
    refused(jiancha(*command), 2, f"no source 'nowhere'; registered: {', '.join(sources.names())}")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("night", "--date", "17.11.2026"), "is not a date"),
        (("night", "--date", "9999-12-31"), "is not of the years 1900 to 2999"),
        (("week", "--week", "2026-47"), "is not an ISO week"),
        (("delays", "--from", "2026-11-18", "--to", "2026-11-17"), "--from 2026-11-18 is after --to 2026-11-17"),
        (("delays", "--heat", "--from", "2026-11-18", "--to", "2026-11-17"), "is after --to"),
        (("explain", "\udcff"), "is not UTF-8 text"),
        (("card", "show", "\udcff"), "is not UTF-8 text"),
        (("card", "show", "\udcff" * 5000), "is not UTF-8 text"),
        (("ledger", "digest", "--facts", "--ledger"), "choose --facts or --ledger"),
        (("night", "--date", "2026-11-17"), "no source has a connection"),
        (("night", "--date", "2026-11-17", "--source", "scjg"), "JIANCHA_CONNECTION_SCJG is not set"),
    ],
)
def test_what_makes_no_sense_is_refused_with_two_and_one_line(
    ready: Engine, command: tuple[str, ...], said: str
) -> None:
    refused(jiancha(*command), 2, said)


DATED = (
    ("backfill", "plan", "--from", "DAY", "--to", "DAY"),
    ("backfill", "diff", "--from", "DAY", "--to", "DAY"),
    ("calendar", "status", "--date", "DAY"),
    ("card", "appeal", "overdue", "--by", "周某", "--reason", "因", "--at", "DAYT23:59:59-08:00"),
    ("delays", "--from", "DAY", "--to", "DAY"),
    ("explain", "overdue", "--as-of", "DAYT23:59:59-08:00"),
    ("night", "--date", "2026-11-17", "--as-of", "DAYT00:00:00+08:00"),
    ("night", "--date", "DAY", "--as-of", "1900-01-01T00:00:00+08:00"),
    ("notices", "preview", "--date", "DAY"),
    ("quality", "--on", "DAY"),
    ("reconcile", "DAY"),
    ("source", "replay", "scjg", "--date", "DAY"),
    ("watch", "--date", "DAY"),
)


def test_no_day_is_so_far_away_that_a_command_breaks(platform: Platform, ready: Engine) -> None:
    platform.accept("overdue", "2026-11-09 10:00", promised=5, statutory=20)
    assert jiancha("night", "--date", NIGHT).code == 0
    for command in DATED:
        for day in ("0001-01-01", "1899-12-31", "3000-01-01", "9999-12-31"):
            refused(jiancha(*(part.replace("DAY", day) for part in command)), 2, "is not of the years 1900 to 2999")
        for day in ("1900-01-01", "2999-12-31"):
            ended = jiancha(*(part.replace("DAY", day) for part in command))
            assert ended.code != 5, (command, day, ended.err)


@pytest.mark.parametrize(
    "command",
    [
        ("no-such-verb",),
        ("night",),
        ("night", "--date", "2026-11-17", "--notify", "all"),
        ("quality", "--html", "/tmp"),
        ("up", "--port", "99999"),
    ],
)
def test_a_wrong_option_or_verb_ends_with_two_and_no_traceback(command: tuple[str, ...]) -> None:
    ended = jiancha(*command)
    assert ended.code == 2
    assert ended.out == ""
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("url", "said", "code"),
    [
        (f"postgresql://jiancha:{SECRET}@127.0.0.1:9/ledger", "check JIANCHA_DATABASE_URL", 5),
        (f"postgresql://jiancha:{SECRET}@127.0.0.1:{SECRET}/ledger", "JIANCHA_DATABASE_URL is not", 2),
        (f"ledger with {SECRET}", "JIANCHA_DATABASE_URL is not", 2),
    ],
)
@pytest.mark.parametrize("command", [("status",), ("night", "--date", "2026-11-17"), ("ledger", "verify")])
def test_a_ledger_that_does_not_answer_is_one_line_without_its_password(
    pointed_at: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], url: str, said: str,
    code: int,
) -> None:  # fmt: skip
    monkeypatch.setenv("JIANCHA_CONNECTION_SCJG", "http://127.0.0.1:9/scjg")
    pointed_at(url)
    ended = jiancha(*command)
    refused(ended, code, said)
    assert SECRET not in ended.err


def test_a_ledger_without_tables_says_how_to_make_them(embedded_var: Path, pointed_at: Callable[[str], None]) -> None:
    pointed_at(embedded_url(embedded_var, "without_tables"))
    refused(jiancha("status"), 5, "run `jiancha ledger migrate`")
    ended = jiancha("doctor")
    assert ended.code == 4
    assert ended.out.startswith("缺少　数据库：")
    assert "jiancha ledger migrate" in ended.out
    assert jiancha("ledger", "migrate").code == 0
    assert jiancha("ledger", "migrate").code == 0, "migrating twice is harmless"
    assert jiancha("status", "--json").only == {"sources": [], "reconciliation": [], "cards": [], "outbox": []}
    assert jiancha("ledger", "verify").out.strip() == "0" * 64


def test_the_doctor_names_what_is_missing_and_is_content_with_a_ready_ledger(
    ready: Engine, request: pytest.FixtureRequest
) -> None:
    ended = jiancha("doctor")
    assert ended.code == 4
    states = {line.split("　")[1].split("：")[0]: line[:2] for line in ended.out.splitlines()}
    assert states["数据库"] == "正常"
    assert states["收件人（部门）"] == states["收件人（监察机构）"] == states["来源"] == "缺少"
    request.getfixturevalue("addressed")
    request.getfixturevalue("platform")
    assert jiancha("doctor").code == 0, jiancha("doctor").out


def test_operators_are_told_once_of_a_night_that_did_not_finish(
    platform: Platform, ready: Engine, addressed: None
) -> None:
    first, second = jiancha("watch", "--date", NIGHT), jiancha("watch", "--date", NIGHT)
    assert (first.code, second.code) == (3, 3)
    assert f"{NIGHT} 之夜" in first.out
    assert [name[0] for name in mail_subjects()] == ["F"]
    assert jiancha("night", "--date", NIGHT).code == 0
    ended = jiancha("watch", "--date", NIGHT)
    assert (ended.code, ended.out.strip()) == (0, "昨夜监察已完成")
    assert [name for name in mail_subjects() if name.startswith("F")] == mail_subjects()[-1:]


@pytest.fixture
def begun(platform: Platform, addressed: None) -> None:
    """A night with a card to tell that went no further than judging."""
    platform.accept("overdue", "2026-11-09 10:00", promised=6, statutory=20)
    nightly.pull("scjg", NIGHT)
    nightly.admit(NIGHT)
    nightly.judge(NIGHT)


@pytest.mark.usefixtures("expectations")
def test_what_sources_sent_and_people_are_told_is_for_the_own_user_only(begun: None, ready: Engine) -> None:
    nightly.notify(NIGHT)
    weekly.compile_bulletin("2026-W46")
    modes = {path.name: path.stat().st_mode & 0o777 for path in settings().var_dir.iterdir()}
    assert modes == dict.fromkeys(("bulletins", "landing", "mail", "quality"), 0o700)
    assert settings().var_dir.stat().st_mode & 0o055, "the embedded server's user passes through it"


def test_the_watch_writes_to_operators_alone(begun: None, ready: Engine) -> None:
    notices.claim(ready, NIGHT)
    with ready.begin() as connection:
        connection.exec_driver_sql("update notice set state = 'sent' where mail_kind = 'B'")
    nightly.judge(NEXT)
    assert jiancha("watch", "--date", "2026-11-19").code == 3
    with ready.connect() as connection:
        told = connection.exec_driver_sql("select mail_kind, state, subject from notice order by notice_key").all()
        (claimed,) = connection.exec_driver_sql(
            "select count(*) from notice_claim where item_key = %s", (f"B/{NEXT}",)
        ).one()
    assert [(kind, state) for kind, state, _ in told] == [("A", "ready"), ("B", "sent"), ("F", "sent")]
    assert claimed == 0
    assert told[-1][2] == "【运维】2026-11-19 之夜监察未完成 2026-11-19"


def test_a_night_that_was_judged_is_finished_when_it_was_traced_and_its_summary_was_sent(
    begun: None, ready: Engine
) -> None:
    def watched() -> tuple[int, str]:
        ended = jiancha("watch", "--date", NIGHT)
        return ended.code, ended.out.strip().partition("；")[0]

    late = f"{NIGHT} 之夜到 03:00 仍"
    assert watched() == (3, f"{late}未追踪推送延时、未通知监察机构")
    nightly.trace()
    assert watched() == (3, f"{late}未通知监察机构")
    notices.claim(ready, NIGHT)
    assert watched() == (3, f"{late}有 2 封邮件未发出")
    with ready.begin() as connection:
        connection.exec_driver_sql("update notice set state = 'dot' where mail_kind = 'B'")
    sender.deliver(ready, "file")
    assert watched() == (0, "昨夜监察已完成"), "a held mail waits for a person, not for the night"


@pytest.mark.parametrize(("mode", "notify"), [("off", "auto"), ("file", "never")])
def test_a_night_whose_mails_are_to_stay_here_is_finished_without_them(
    begun: None, ready: Engine, monkeypatch: pytest.MonkeyPatch, mode: str, notify: str
) -> None:
    monkeypatch.setenv("JIANCHA_NOTIFY_MODE", mode)
    settings.cache_clear()
    with ready.begin() as connection:
        connection.exec_driver_sql("delete from notice_item")
    assert jiancha("night", "--date", NIGHT, "--notify", notify).code == 0
    assert jiancha("watch", "--date", NIGHT).code == 0


def test_the_watch_looks_at_last_night_when_its_hour_has_come_and_says_so_before(
    ready: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for moment, code, said in (("02:59", 0, "尚未到时"), ("03:00", 3, "仍未判定")):
        with time_machine.travel(f"2026-11-18T{moment}:00+08:00", tick=False):
            ended = jiancha("watch")
        assert ended.code == code
        assert said in ended.out
        assert f"{NIGHT} 之夜" in ended.out


def test_reference_rows_are_imported_from_csv_and_excel_and_a_bad_one_is_named(ready: Engine, tmp_path: Path) -> None:
    departments = tmp_path / "departments.csv"
    departments.write_text(
        "code,name,region,valid_from\n1,区市监局,511602,2026-01-01\n2,区人社局,511602,2026-02-30\n3,,511602,2026-01-01\n",
        encoding="utf-8-sig",
    )
    recipients = tmp_path / "recipients.xlsx"
    book = openpyxl.Workbook()
    for row in (
        ["recipient_id", "name", "email", "role", "department", "is_active", "valid_from"],
        ["lin", "林某", "lin@scjg.example", "department", "1", True, date(2026, 1, 1)],
        ["zhou", "周某", "zhou@supervision.example", "supervision", None, "false", "2026-01-01"],
        ["who", "谁", "who@nowhere.example", "visitor", None, True, "2026-01-01"],
    ):
        book.active.append(row)
    book.save(recipients)

    ended = jiancha("reference", "import", departments, recipients)

    assert ended.code == 1
    assert ended.out.splitlines() == ["departments.csv: 1 new rows", "recipients.xlsx: 2 new rows"]
    assert [" ".join(line.split(":")[0].split()) for line in ended.err.splitlines()] == [
        "departments.csv row 3", "departments.csv row 4", "recipients.xlsx row 4",
    ]  # fmt: skip
    with ready.connect() as connection:
        stored = connection.exec_driver_sql(
            "select name, is_active, valid_from from recipient order by name desc"
        ).all()
    assert stored == [("林某", True, date(2026, 1, 1)), ("周某", False, date(2026, 1, 1))]
    again = jiancha("reference", "import", departments)
    assert again.out.splitlines() == ["departments.csv: 0 new rows"]

    departments.write_text("code,name,area\n1,2,3\n", encoding="utf-8")
    refused(jiancha("reference", "import", departments), 2, "columns missing: ['region', 'valid_from']")
    refused(jiancha("reference", "import", tmp_path / "people.csv"), 2, "name the file after its content")
    refused(jiancha("reference", "import", tmp_path / "items.csv"), 2, "No such file")
    departments.write_bytes("code,name,region,valid_from\n4,区财政局,511602,2026-01-01\n".encode("gbk"))
    refused(jiancha("reference", "import", departments), 2, "not CSV in UTF-8")
    departments.write_text("code,name,region,valid_from\n4,区财政局,511602,2026-01-01,多\n", encoding="utf-8")
    assert "more cells than headings" in jiancha("reference", "import", departments).err
    recipients.write_bytes(b"not a workbook")
    refused(jiancha("reference", "import", recipients), 2, "not a workbook")


def test_a_broken_chain_is_refused_with_four_and_nothing_is_published(platform: Platform, ready: Engine) -> None:
    platform.accept("overdue", "2026-11-09 10:00", promised=5)
    assert jiancha("night", "--date", NIGHT).code == 0
    head = jiancha("ledger", "verify")
    assert head.code == 0
    assert len(head.out.strip()) == 64
    with ready.begin() as connection:
        connection.exec_driver_sql("set local session_replication_role = replica")
        connection.exec_driver_sql("update card_event set used_days = used_days - 1 where seq = 1")
    refused(jiancha("ledger", "verify"), 4, "card event 1 does not continue the evidence chain")
    refused(jiancha("week", "--week", "2026-W47"), 4, "card event 1 ")
