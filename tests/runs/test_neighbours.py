"""The demonstration's other departments through real nights: who fell silent, what was keyed twice, who says little."""

from __future__ import annotations

import email
import email.policy
import json
import sqlite3
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from city.build import build
from city.deliver import HORIZON
from city.provincial_platform import Platform, server
from etl.publish.chapter import Week
from etl.publish.sections import registered
from etl.runs import link_report
from etl.runs.ways import titles
from etl.settings import settings
from etl.store import feeds
from etl.store.reference import import_file
from tests.cli.command import jiancha
from tests.runs.test_a_night import rows

FIRST, SECOND, LAST = date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 22)
KEYED_AGAIN = "national_drug_system->syj_entry"


@pytest.fixture
def neighbours(ready: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """syj and its copy, jtj, wsny and zjj connected, with those who are written to."""
    folder = tmp_path / "city"
    build(folder, 1)
    platform = server(Platform(folder, HORIZON), 0)
    threading.Thread(target=platform.serve_forever, args=(0.1,), daemon=True).start()
    for name in ("jtj", "wsny"):
        monkeypatch.setenv(f"JIANCHA_CONNECTION_{name.upper()}", f"http://127.0.0.1:{platform.server_port}/{name}")
    for name in ("syj", "syj_exchange"):
        monkeypatch.setenv(f"JIANCHA_CONNECTION_{name.upper()}", f"sqlite:///{folder / name}.sqlite")
    monkeypatch.setenv("JIANCHA_CONNECTION_ZJJ", str(folder / "zjj"))
    for path in sorted((folder / "reference").iterdir()):
        assert import_file(ready, path)[1] == []
    yield folder
    platform.shutdown()
    platform.server_close()


def summary(night: date) -> str:
    """The text of mail B as the supervision office gets it."""
    (path, *_) = sorted((settings().var_dir / "mail" / str(night)).glob("B*.eml"))
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def silent(engine: Engine, night: date) -> dict[str, tuple[date, int]]:
    with engine.connect() as connection:
        return {row["source"]: (row["first_on"], row["working_days"]) for row in feeds.silent(connection, night)}


@pytest.mark.database
@pytest.mark.usefixtures("expectations")
def test_the_silent_the_twice_keyed_and_the_decided_only(neighbours: Path, ready: Engine) -> None:
    for night in (FIRST, SECOND, LAST):
        assert jiancha("night", "--date", night).code in (0, 1)

    assert silent(ready, FIRST) == {}
    assert silent(ready, SECOND) == {"jtj": (date(2026, 11, 17), 3)}
    assert silent(ready, LAST) == {"jtj": (date(2026, 11, 17), 4)}
    assert "区交通运输局" in summary(SECOND).split("静默的数据源")[1].split("最慢链路")[0]
    assert "区交通运输局" not in summary(FIRST).split("静默的数据源")[1].split("最慢链路")[0]
    states = rows(ready, "select business_on, state from feed where source = 'jtj' order by 1")
    assert states == [(FIRST, "complete"), (SECOND, "complete"), (LAST, "silent")], "four working days are no chance"
    assert rows(ready, f"select from v_card_event where source = 'jtj' and business_on > '{SECOND}'") == []

    ((messages, late, median),) = rows(
        ready,
        "select sum(message_count), sum(late_count), max(p50_seconds) from link_lag "
        f"where hop = '{KEYED_AGAIN}' and source = 'syj'",
    )
    assert 0 < late < messages
    assert median > 12 * 3600
    withdrawn = rows(
        ready,
        "select case_no, responsible_hop from v_card where source = 'syj' and nature = 'push_delay' and not standing",
    )
    assert len({case for case, _ in withdrawn}) >= 2
    assert {hop for _, hop in withdrawn} == {KEYED_AGAIN}
    monday = date(2026, 11, 16)
    week = Week("2026-W47", monday, LAST, HORIZON, titles(), link_report.links(monday, LAST, LAST))
    with ready.connect() as connection:
        chapter = registered()["pushes"].compile(connection, week)
    assert any("区交通运输局自 2026-11-17 起连续 4 个工作日没有数据" in text for text in chapter.paragraphs)
    named = {row[1]: row for row in chapter.tables[0].rows}
    assert int(named["国家药监局审批系统 → 省药监局自建系统（二次录入）"][4]) > 0

    undecided = dict(
        rows(
            ready,
            "select source, count(*) from (select source, case_no from message group by 1, 2 "
            "having bool_and(kind <> 'finish')) open_case group by source",
        )
    )
    assert "zjj" not in undecided
    assert undecided["wsny"] > 5

    missing, wrong = lost_and_altered(neighbours)
    assert min(len(missing), len(wrong)) >= 2
    hop = "hop = 'syj_entry->provincial_exchange'"
    told = set(rows(ready, f"select class, case_no from v_difference where closed_on is null and {hop}"))
    assert told == {("missing", case) for case in missing} | {("wrong", case) for case in wrong}
    assert rows(ready, f"select from v_difference where closed_on is not null and {hop}"), "some were sent after all"
    assert rows(ready, "select from v_push_finding where class = 'resent' and source = 'syj_exchange'")
    counted = summary(LAST).split("对账差异")[1].split("需人工核对的邮件")[0]
    assert "漏报" in counted
    assert "错报" in counted
    printed = jiancha("reconcile", LAST).out
    assert "漏报　省药监局自建系统（二次录入） → 省数据共享交换平台" in printed
    assert all(case in printed for case in missing | wrong)
    assert rows(ready, "select from v_card_event where source = 'syj_exchange'") == [], "a copy makes no cards"


def lost_and_altered(folder: Path) -> tuple[set[str], set[str]]:
    """Cases of which the platform's database lacks a record syj's has, or last said it otherwise; dirty rows aside."""
    dirt = {row["case"] for row in json.loads((folder / "city.json").read_text(encoding="utf-8"))["dirt"]}
    missing: set[str] = set()
    wrong: set[str] = set()
    with sqlite3.connect(folder / "syj.sqlite") as database:
        database.execute("attach ? as platform", (str(folder / "syj_exchange.sqlite"),))
        for (name,) in database.execute("select name from platform.sqlite_master where type = 'table'").fetchall():
            columns = [column for _, column, *_ in database.execute(f"pragma table_info({name})")]
            key = [column for column in columns if column in ("sblsh", "spxh", "tbcxxh", "bzxh")]
            said = ", ".join(column for column in columns if column not in ("xtsj", "rksj", "sjbbh"))
            copies = database.execute(f"select {', '.join(key)}, {said} from platform.{name} order by sjbbh").fetchall()
            last = {copy[: len(key)]: copy[len(key) :] for copy in copies}
            for row in database.execute(f"select {', '.join(key)}, {said} from main.{name}").fetchall():
                heard = last.get(row[: len(key)])
                if row[0] not in dirt and heard != row[len(key) :]:
                    (wrong if heard else missing).add(row[0])
    return missing, wrong
