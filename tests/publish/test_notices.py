"""From items to frozen mails: who gets what, once, and nothing that must not be in a mail."""

from __future__ import annotations

import email
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any

import openpyxl
import pytest

from etl.publish import notices
from etl.publish.digest import COLUMNS, WITHDRAWN_COLUMNS
from etl.store import outbox
from tests.publish.world import NIGHT, RSJ, SCJG, Ledger, at

pytestmark = pytest.mark.database
TITLES = {"scjg": "区市监局", "province": "省平台"}


def case(book: Ledger, case_no: str, applicant: str = "王小明", handler: str = "李科长") -> None:
    accepted = {"outcome": "passed", "promised_limit": 7, "statutory_limit": 20, "limit_unit": "working_day"}
    book.message(case_no, "apply", at("11-09 09:00"), {"applicant": applicant})
    book.message(case_no, "accept", at("11-09 09:30"), accepted)
    book.message(case_no, "stage", at("11-12 09:30"), {"name": "审核", "handler": handler})


def mails(book: Ledger, kind: str) -> list[EmailMessage]:
    found = book.all("select content from notice where mail_kind = :kind order by notice_key", kind=kind)
    return [email.message_from_bytes(bytes(content), policy=default) for (content,) in found]


def body(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def sheet(mail: EmailMessage, title: str) -> list[list[object]]:
    (attachment,) = mail.iter_attachments()
    book = openpyxl.load_workbook(io.BytesIO(attachment.get_content()))
    return [[cell.value for cell in row] for row in book[title].iter_rows()]


def test_a_digest_has_every_column_red_first_and_the_footer(book: Ledger) -> None:
    case(book, "511602-1")
    case(book, "511602-2")
    book.put(
        "push_finding",
        **{"source": "scjg", "case_no": "511602-1", "kind": "stage", "seq": 0, "version": 1, "level": "yellow"},
        **{"hop": "scjg->province", "business_on": NIGHT, "lag_seconds": 99_000, "lag_working_days": "1.255"},
        **{"class": "late", "department": SCJG, "set_out_at": at("11-20 09:00"), "reached_at": at("11-21 12:30")},
    )
    book.tell("511602-1", "yellow", due_at="2026-11-18T17:30:00+08:00", excluded_days="2.005")
    book.tell("511602-2", "red", limit_days="20", used_days="20.125", nature="suspect", provisional=True)
    assert notices.claim(book.engine, NIGHT, TITLES) == [f"A/2026-11-22/scjg-1/{SCJG}"]
    (mail,) = mails(book, "A")
    assert mail["Subject"] == "【红牌1 黄牌1】广安区市场监督管理局 电子监察日警报 2026-11-22"
    assert mail["To"].addresses[0].addr_spec == "scjg-1@office.example"
    head, red, yellow, *_ = sheet(mail, "红黄牌与预警")
    assert head == [*COLUMNS, "情况说明"]
    assert dict(zip(COLUMNS, yellow)) == {
        "级别": "黄牌",
        "办件编号": "511602-1",
        "事项名称": "食品经营许可",
        "承办处室": "广安区市场监督管理局",
        "申请人": "王**",
        "受理时间": "2026-11-09 09:30",
        "承诺时限": "7 个工作日",
        "已用（日）": 8.13,
        "超时（日）": 1.13,
        "应办结日": "2026-11-18 17:30",
        "当前环节/责任人": "审核/李科长",
        "特殊程序扣除（日）": 2.01,
        "超时性质": "办理超时",
        "推送时延": "区市监局 → 省平台 1.26 个工作日",
        "状态": "新发·未办结",
    }
    assert dict(zip(COLUMNS, red))["承诺时限"] == "7 个工作日（法定 20）"
    assert dict(zip(COLUMNS, red))["状态"] == "新发·暂定·未办结"
    for text in (body(mail), body(mail, "html")):
        for expected in ("2026-11-23 01:00", "hunan@2018", "cn@2025-11-04", book.hash, "待核实", "王**"):
            assert expected in text
        assert text.index("511602-2") < text.index("511602-1"), "red first"
        assert "王小明" not in text


def test_a_withdrawn_card_stands_in_its_own_block_with_the_hop_that_answers(book: Ledger) -> None:
    case(book, "511602-1")
    book.event("511602-1", "yellow", business_on=date(2026, 11, 20))
    withdrawn = {"event": "withdrawn", "nature": "push_delay", "responsible_hop": "scjg->province"}
    book.tell("511602-1", "yellow", **withdrawn)
    notices.claim(book.engine, NIGHT, TITLES)
    (mail,) = mails(book, "A")
    assert mail["Subject"].startswith("【撤回1】")
    row = dict(zip(WITHDRAWN_COLUMNS, sheet(mail, "撤回")[1]))
    assert (row["撤回原因"], row["责任环节"], row["状态"]) == ("推送延时", "区市监局 → 省平台", "撤回")
    assert "推送延时" in body(mail)
    assert "新增红黄牌" not in body(mail)


def test_of_several_untold_nights_the_last_word_on_a_card_counts(book: Ledger) -> None:
    book.tell("511602-1", "yellow", business_on=date(2026, 11, 20))
    book.tell("511602-1", "red", business_on=date(2026, 11, 21))
    book.tell("511602-2", "yellow", business_on=date(2026, 11, 20))
    book.tell("511602-2", "yellow", event="withdrawn", nature="push_delay")
    notices.claim(book.engine, NIGHT)
    (mail,) = mails(book, "A")
    assert mail["Subject"].startswith("【红牌1 撤回1】")
    assert book.one("select count(*) from notice_claim") == 4


def test_an_event_voided_before_anyone_heard_of_it_is_never_told(book: Ledger) -> None:
    wrong = book.tell("511602-1", "red")
    book.tell("511602-1", "red", event="void", voids_seq=wrong, standing=True)
    assert notices.claim(book.engine, NIGHT) == []


def test_an_event_voided_after_it_was_told_is_corrected(book: Ledger) -> None:
    wrong = book.tell("511602-1", "red", business_on=date(2026, 11, 21))
    notices.claim(book.engine, date(2026, 11, 21))
    book.tell("511602-1", "red", event="void", voids_seq=wrong, standing=True)
    answered = f"A~2026-11-21~scjg-1~{SCJG}"
    assert notices.claim(book.engine, NIGHT) == [f"E/2026-11-22/scjg-1/{SCJG}/re/{answered}"]
    (first,), (correction,) = mails(book, "A"), mails(book, "E")
    assert correction["In-Reply-To"] == correction["References"] == first["Message-ID"]
    assert "更正作废" in body(correction)


def test_nothing_is_told_twice_and_later_items_of_the_night_get_the_next_number(book: Ledger) -> None:
    book.tell("511602-1", "yellow")
    book.summary_due()
    assert notices.claim(book.engine, NIGHT) == [f"A/2026-11-22/scjg-1/{SCJG}", "B/2026-11-22/office"]
    assert notices.claim(book.engine, NIGHT) == []
    book.tell("511602-2", "yellow")
    assert notices.claim(book.engine, NIGHT) == [f"A/2026-11-22/scjg-1/{SCJG}/#2"]
    ids = [mail["Message-ID"] for mail in mails(book, "A") + mails(book, "B")]
    assert len(set(ids)) == 3


def test_muted_items_and_items_of_later_nights_stay(book: Ledger) -> None:
    book.tell("511602-1", "yellow", is_muted=True)
    book.tell("511602-2", "yellow", business_on=date(2026, 11, 23))
    assert notices.claim(book.engine, NIGHT) == []


def test_a_preview_writes_nothing(book: Ledger) -> None:
    book.tell("511602-1", "yellow")
    (notice,) = notices.preview(book.engine, NIGHT)
    assert notice["subject"].startswith("【黄牌1】")
    assert "办件编号：511602-1" in notice["text"]
    assert book.one("select count(*) from notice") == 0


def test_the_same_facts_give_the_same_bytes(book: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    book.tell("511602-1", "yellow")
    head = {"composed_at": at("11-23 01:20")}
    row = outbox.row
    monkeypatch.setattr(outbox, "row", lambda *args, **named: {**row(*args, **named), **head})
    first, second = (notices.preview(book.engine, NIGHT)[0]["content_sha256"] for _ in range(2))
    assert first == second


def test_every_recipient_of_a_department_gets_the_digest_and_inactive_ones_do_not(book: Ledger) -> None:
    book.recipient("scjg-2", "department", SCJG, name="赵副局长")
    book.recipient("scjg-3", "department", SCJG, is_active=False)
    book.tell("511602-1", "yellow")
    assert notices.claim(book.engine, NIGHT) == [f"A/2026-11-22/scjg-1/{SCJG}", f"A/2026-11-22/scjg-2/{SCJG}"]
    assert [mail["To"].addresses[0].display_name for mail in mails(book, "A")] == ["张主任", "赵副局长"]


def test_a_quiet_night_still_sends_the_summary(book: Ledger) -> None:
    book.summary_due()
    assert notices.claim(book.engine, NIGHT) == ["B/2026-11-22/office"]
    (mail,) = mails(book, "B")
    assert mail["Subject"] == "【今日无新增】电子监察日汇总 2026-11-22"
    assert "今日无新增" in body(mail)
    assert "0" * 64 in body(mail)


def test_the_summary_counts_by_department_and_names_feeds_links_and_mails_in_doubt(book: Ledger) -> None:
    book.tell("511602-1", "yellow")
    book.tell("511602-1", "red")
    book.tell("511602-2", "yellow", nature="suspect", department=RSJ, source="rsj")
    book.event("511602-3", "yellow", business_on=date(2026, 11, 20))
    book.tell("511602-3", "yellow", event="withdrawn", nature="push_delay", responsible_hop="scjg->province")
    book.event("511602-4", "red", is_baseline=True)
    book.put(
        "feed",
        **{"source": "scjg", "business_on": NIGHT, "state": "partial", "known_basis": "night", "detail": "少一页"},
        **{"declared_rows": 120, "landed_rows": 100, "accepted_rows": 98, "quarantined_rows": 2},
    )
    book.put(
        "link_lag",
        **{"business_on": NIGHT, "source": "scjg", "hop": "scjg->province", "kind": "finish", "message_count": 7},
        **{
            "department": SCJG,
            "late_count": 2,
            "negative_count": 0,
            "p50_seconds": 90,
            "p95_seconds": 5400,
            "max_seconds": 180_000,
        },
    )
    book.put(
        "notice",
        **{"notice_key": "A/x", "mail_kind": "A", "business_on": date(2026, 11, 21), "recipient": "x@office.example"},
        **{
            "subject": "【红牌1】某局",
            "message_id": "<x@y>",
            "content": b"",
            "content_sha256": "0" * 64,
            "head_hash": "0" * 64,
            "state": "held",
        },
    )
    book.summary_due()
    notices.claim(book.engine, NIGHT, TITLES)
    (mail,) = mails(book, "B")
    assert mail["Subject"].startswith("【红牌1 黄牌1】")
    text = body(mail)
    assert "广安区市场监督管理局 | 红牌 | 1 | 0 | 0 | 1" in text
    assert "广安区市场监督管理局 | 黄牌 | 0 | 1 | 0 | 0" in text
    assert "广安区人力资源和社会保障局 | 黄牌 | 1 | 0 | 1 | 1" in text
    assert "合计 |  | 2 | 1 | 1 | 2" in text
    assert "区市监局 | 不完整 | 120 | 100 | 98 | 0 | 2 | 20 | 少一页" in text
    assert "省平台 | 办结 | 7 | 2 | 1.50 分钟 | 1.50 小时 | 2.08 天" in text
    assert "x@office.example | 【红牌1】某局 | 待核实" in text
    assert [found["notice_key"] for found in notices.held(book.engine)] == ["A/x"]


def test_an_interrupted_feed_replaces_the_digest_until_it_is_whole_again(book: Ledger) -> None:
    yesterday = date(2026, 11, 21)
    book.put("feed", source="scjg", business_on=yesterday, state="complete", known_basis="night")
    book.event("511602-0", "red", business_on=yesterday)
    book.tell("511602-1", "yellow")
    book.incident("scjg", SCJG)
    book.summary_due()
    assert notices.claim(book.engine, NIGHT) == [f"C/2026-11-22/scjg-1/{SCJG}", "B/2026-11-22/office"]
    (incident,), (summary,) = mails(book, "C"), mails(book, "B")
    assert (
        "政务服务平台 → 电子监察平台 | 不完整 | 2026-11-22 | 2026-11-21 | 红牌1、黄牌1 | 应报 120 行，只到 80 行"
        in body(incident)
    )
    assert "另有 1 项警报" in body(incident)
    assert f"广安区市场监督管理局 | {notices.INTERRUPTED}" in body(summary)
    assert notices.claim(book.engine, date(2026, 11, 23)) == [], "still open on the next night"
    book.put("feed", source="scjg", business_on=date(2026, 11, 24), state="complete", known_basis="night")
    assert notices.claim(book.engine, date(2026, 11, 24)) == [f"A/2026-11-24/scjg-1/{SCJG}"]


def test_a_department_without_recipients_is_named_and_its_items_wait(book: Ledger) -> None:
    book.tell("511602-1", "yellow", department="zrzy")
    book.summary_due()
    assert notices.claim(book.engine, NIGHT) == ["B/2026-11-22/office"]
    assert f"zrzy | {notices.NOBODY}" in body(mails(book, "B")[0])
    book.recipient("zrzy-1", "department", "zrzy")
    assert notices.claim(book.engine, NIGHT) == ["A/2026-11-22/zrzy-1/zrzy"]


def test_without_operators_the_summary_says_so(book: Ledger) -> None:
    with book.engine.begin() as connection:
        connection.exec_driver_sql("update recipient set is_active = false where role = 'operations'")
    book.item("F/1", "F", {"subject": "磁盘不足", "text": "剩余 4%"})
    book.summary_due()
    assert notices.claim(book.engine, NIGHT) == ["B/2026-11-22/office"]
    assert f"{notices.OPERATORS} | {notices.NOBODY}" in body(mails(book, "B")[0])


def test_operators_get_one_mail_a_night(book: Ledger) -> None:
    book.item("F/1", "F", {"subject": "夜间任务未完成", "text": "03:00 前没有完成的夜间任务。\n请查看。"})
    book.item("F/2", "F", {"subject": "磁盘不足", "text": "剩余 4%"})
    assert notices.claim(book.engine, NIGHT) == ["F/2026-11-22/ops"]
    (mail,) = mails(book, "F")
    assert mail["Subject"] == "【运维】夜间任务未完成 等 2 项 2026-11-22"
    assert "剩余 4%" in body(mail)


def test_only_thirty_rows_stand_in_the_mail_and_all_in_the_attachment(book: Ledger) -> None:
    for number in range(35):
        book.tell(f"511602-{number:03d}", "yellow")
    book.tell("511602-999", "red")
    notices.claim(book.engine, NIGHT)
    (mail,) = mails(book, "A")
    assert body(mail).count("级别：") == 30
    assert "1. 级别：红牌；办件编号：511602-999" in body(mail)
    assert "共 36 件" in body(mail)
    assert sum(row[0] in ("红牌", "黄牌") for row in sheet(mail, "红黄牌与预警")) == 36


HOSTILE = "\r\nBcc: all@evil.example\r\n\r\n<script>alert(1)</script>\u202e"


def test_hostile_text_stays_text(book: Ledger) -> None:
    case(book, "=HYPERLINK(1)", applicant=f"王{HOSTILE}", handler=f"李{HOSTILE}")
    book.put("department", code="evil", name=f"恶意局{HOSTILE}", region="511602", valid_from=date(2026, 1, 1))
    book.recipient("evil-1", "department", "evil", name=f"张{HOSTILE}")
    book.tell("=HYPERLINK(1)", "red", department="evil", item_name=f"事项{HOSTILE}")
    notices.claim(book.engine, NIGHT)
    (mail,) = mails(book, "A")
    raw = book.one("select content from notice")
    header = bytes(raw).split(b"\r\n\r\n")[0]
    assert mail["Bcc"] is None
    assert b"\nBcc" not in header
    assert bytes(raw).isascii()
    assert all(len(line) <= 998 for line in bytes(raw).split(b"\r\n"))
    assert "<script" not in body(mail, "html")
    assert "\u202e" not in body(mail)
    (attachment,) = mail.iter_attachments()
    cell = openpyxl.load_workbook(io.BytesIO(attachment.get_content())).active["B2"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s"), "text, not a formula"


def test_no_identity_or_telephone_number_leaves_in_a_mail(book: Ledger) -> None:
    numbers = ("13800138000", "510123199001011234", "１３９００１３９０００", "0826-2345678", "138 0013 8000")
    case(book, "511602202611220001", applicant=f"张三{numbers[0]}", handler=f"刘芳（{numbers[2]}）")
    book.tell("511602202611220001", "red", item_name=f"许可 {numbers[1]} {numbers[3]} {numbers[4]}")
    notices.claim(book.engine, NIGHT)
    (mail,) = mails(book, "A")
    seen = body(mail) + body(mail, "html") + str(sheet(mail, "红黄牌与预警"))
    assert not [number for number in (*numbers, "13900139000", "8001") if number in seen]
    assert "511602202611220001" in seen, "the case number stays"


@pytest.mark.parametrize("address", ["", "no-at", "a@b\r\nBcc: x@y", "局长@office.example", "<a@b>", "a@b, c@d"])
def test_a_bad_address_refuses_one_mail_and_not_the_night(book: Ledger, address: str) -> None:
    book.recipient("scjg-2", "department", SCJG, email=address)
    book.tell("511602-1", "yellow")
    assert len(notices.claim(book.engine, NIGHT)) == 2
    assert book.all("select state from notice order by notice_key") == [("ready",), ("refused",)]


@pytest.mark.parametrize("is_locked", [True, False], ids=["with the lock", "by the keys alone"])
def test_of_two_runs_at_once_one_claims(book: Ledger, monkeypatch: pytest.MonkeyPatch, is_locked: bool) -> None:
    for number in range(20):
        book.tell(f"511602-{number}", "yellow")
    book.summary_due()
    together = threading.Barrier(2)
    both_composed = threading.local()
    put = outbox.put

    def put_together(*args: Any) -> None:
        if not hasattr(both_composed, "yes"):
            together.wait(10)
            both_composed.yes = True
        put(*args)

    if not is_locked:
        monkeypatch.setattr(outbox, "wait_for_claimers", lambda connection: None)
        monkeypatch.setattr(outbox, "put", put_together)
    with ThreadPoolExecutor(2) as pool:
        claimed = list(pool.map(notices.claim, [book.engine] * 2, [NIGHT] * 2))
    assert sorted(map(len, claimed)) == [0, 2]
    assert book.one("select count(*) from notice") == 2
    assert book.one("select count(*) from notice_claim") == 21


def test_claims_of_two_nights_at_once_tell_each_item_once(book: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        book.tell(f"511602-{number}", "yellow")
    together = threading.Barrier(2, timeout=10)
    first_try = threading.local()
    put = outbox.put

    def put_together(*args: Any) -> None:
        if not hasattr(first_try, "is_over"):
            first_try.is_over = True
            together.wait()
        put(*args)

    monkeypatch.setattr(outbox, "wait_for_claimers", lambda connection: None)
    monkeypatch.setattr(outbox, "put", put_together)
    with ThreadPoolExecutor(2) as pool:
        claimed = list(pool.map(notices.claim, [book.engine] * 2, [NIGHT, NIGHT + timedelta(days=1)]))
    assert sorted(map(len, claimed)) == [0, 1]
    assert book.one("select count(*) from notice_claim") == 5
