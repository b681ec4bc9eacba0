"""A night that is not like others: a source that has changed, and three months of records at once."""

from __future__ import annotations

import email
import email.policy
import io
from dataclasses import replace
from datetime import date, timedelta

import openpyxl
from sqlalchemy import Engine

from etl import sources
from etl.domain.night import cutoff_at
from etl.settings import settings
from etl.sources.dialect import Columns
from etl.sources.sets import national
from tests.runs.test_a_night import Alter, night, rows, status
from tests.runs.world import Platform

FIRST, SECOND, THIRD = date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 19)


def finishes(platform: Platform, count: int, **more: object) -> None:
    for number in range(count):
        platform.finish(f"case-{number:02}", f"2026-11-18 10:{number:02}", **more)


def cards(engine: Engine) -> set[tuple[object, ...]]:
    return set(rows(engine, "select case_no, level from v_card_event where standing"))


def test_finishes_that_come_in_a_new_shape_freeze_the_source_instead_of_making_every_case_late(
    platform: Platform, ready: Engine, altered: Alter, addressed: None
) -> None:
    for number in range(12):
        platform.accept(f"case-{number:02}", f"2026-11-09 11:{number:02}", promised=7, statutory=7)
    assert night(FIRST).code == 0
    before = cards(ready)
    assert {level for _, level in before} == {"reminder"}
    finishes(platform, 12, result_date="2026年11月18日10时")

    for on in (SECOND, THIRD):  # at 11:00 and a few minutes on the 18th all limits ran out
        assert night(on).code == 3
        found = status()["scjg"]
        assert (found["state"], found["last_complete_on"]) == ("partial", "2026-11-17")
        (detail,) = {detail for (detail,) in rows(ready, f"select detail from feed where business_on = '{SECOND}'")}
        assert "12 of 12 rows are refused alike, bad_time (result_date is '2026年11月18日10时')" in detail
    assert cards(ready) == before, "no card from the absence of finishes"
    assert "数据接入中断告知" in "".join(_text(each) for each in _mails())

    dialect = sources.get("scjg").dialect
    assert isinstance(dialect, Columns)
    read = replace(national.time("result_date", (r"^(\d{4})年(\d\d)月(\d\d)日(\d\d)时$", r"\1-\2-\3 \4:00:00")))
    (finish, certificate) = dialect.streams["result"]
    mended = {**dialect.streams, "result": [replace(finish, occurred=read), certificate]}
    altered("scjg", dialect=replace(dialect, streams=mended))
    assert night(THIRD + timedelta(days=1)).code == 0
    assert rows(ready, "select count(*) from message where kind = 'finish'") == [(12,)]
    assert {level for _, level in cards(ready)} <= {"reminder"}, "all were in time"


def test_rows_that_waited_and_were_told_again_in_order_hold_nobody(platform: Platform, ready: Engine) -> None:
    for number in range(12):
        platform.accept(f"case-{number:02}", f"2026-11-09 11:{number:02}", promised=7, statutory=7)
    assert night(FIRST).code == 0
    finishes(platform, 11, result_date="2026年11月18日10时")
    platform.finish("case-11", "2026-11-18 15:00", result_date="2026年11月18日15时")
    assert (night(SECOND).code, status()["scjg"]["state"]) == (3, "partial")
    platform.rows["result"].clear()
    finishes(platform, 11, receive_time="2026-11-19T10:00:00+08:00")
    platform.finish("case-11", "2026-11-18 15:00", receive_time="2026-11-19T10:00:00+08:00")
    assert (night(THIRD).code, status()["scjg"]["state"]) == (1, "complete")
    assert {case for case, level in cards(ready) if level != "reminder"} == {"case-11"}, "the only one late"


def test_a_few_bad_rows_are_set_aside_and_freeze_nothing(platform: Platform, ready: Engine) -> None:
    finishes(platform, 9, result_date="2026年11月18日10时")
    platform.accept("good", "2026-11-18 10:00")
    assert night(SECOND).code == 1
    assert status()["scjg"]["state"] == "complete"
    assert rows(ready, "select reason, count(*) from quarantine group by 1") == [("bad_time", 9)]


def test_three_months_of_records_in_one_night_are_known_from_that_night_and_flood_nobody(
    platform: Platform, ready: Engine, addressed: None
) -> None:
    assert night(FIRST).code == 0
    began, burst = date(2026, 8, 20), {"receive_time": "2026-11-18T20:00:00+08:00"}
    days = [began + timedelta(days=number) for number in range(90)]
    for day in days:
        for number in range(3):
            platform.accept(f"{day:%m%d}-{number}", f"{day} 10:0{number}", promised=3, statutory=5, **burst)
    for day in days[:-10:2]:
        platform.finish(f"{day:%m%d}-0", f"{day} 16:00", **burst)

    ended = night(SECOND)

    assert ended.code == 0, ended.err
    total = sum(len(found) for found in platform.rows.values())
    assert status()["scjg"] | {"source": ""} == {
        "source": "", "last_complete_on": f"{SECOND}", "accepted": total, "repeated": 0, "quarantined": 0,
        "unexplained": 0, "state": "complete",
    }  # fmt: skip
    assert rows(ready, "select distinct known_at, known_basis from message") == [(cutoff_at(SECOND), "night")]
    live = sources.get("scjg").in_force_from
    early = f"reached_at < timestamptz '{live} 00:00+08'"
    assert rows(ready, f"select is_baseline, {early} from card_event group by 1, 2 order by 1") == [
        (False, False),
        (True, True),
    ]
    assert rows(
        ready, "select count(*) from notice_item i join card_event on seq = card_event_seq where is_baseline"
    ) == [(0,)]
    assert not {case for case, level in cards(ready) if level != "reminder"} & {
        f"{day:%m%d}-0" for day in days[:-10:2]
    }, "finished in time"

    told = {
        case
        for (case,) in rows(
            ready, "select case_no from notice_item join card_event on seq = card_event_seq where level = 'red'"
        )
    }
    assert len(told) > 30
    (digest,) = [mail for mail in _mails() if "电子监察日警报" in mail["Subject"]]
    (attachment,) = digest.iter_attachments()
    sheet = openpyxl.load_workbook(io.BytesIO(attachment.get_content())).worksheets[0]
    listed = [row[1].value for row in sheet.iter_rows(min_row=2) if row[1].value]
    inline = [line for line in _text(digest).partition("【发现的问题】")[0].splitlines() if "办件编号：" in line]
    assert len(inline) == 30
    assert told <= set(listed)
    for part in (_text(digest), digest.get_body(("html",)).get_content()):
        assert f"共 {len(listed)} 件，此处列出前 30 件" in part
        assert "全部见附件" in part
    summaries = [
        _text(mail) for mail in _mails() if "电子监察日汇总" in mail["Subject"] and f"{SECOND}" in mail["Subject"]
    ]
    assert len(summaries) == 1
    assert len(summaries[0].splitlines()) < 60, "the office hears counts, not cases"


def _mails() -> list[email.message.EmailMessage]:
    paths = sorted((settings().var_dir / "mail").rglob("*.eml"))
    return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]


def _text(mail: email.message.EmailMessage) -> str:
    text: str = mail.get_body(("plain",)).get_content()
    return text
