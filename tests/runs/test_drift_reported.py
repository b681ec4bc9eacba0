"""What changed in a source is in the night's quality results and in the supervision office's mail, in words."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine

from etl import sources
from etl.domain.message import SCHEMA
from etl.errors import BatchRejected
from etl.runs.admission import Read, refuse_drift
from etl.store.landing import LandedPage
from etl.store.ledger import Refusal
from tests.cli.command import jiancha
from tests.runs.test_a_night import rows
from tests.runs.test_neighbours import summary
from tests.runs.world import Exchange, Platform

EARLIER, NIGHT, NEXT = (date(2026, 11, day) for day in (16, 17, 18))
PHONE = "13900001111"
DRIFT = (
    "select rule, title, severity, checked_rows, failed_rows from quality_result"
    " where suite = 'drift' order by rule collate \"C\""
)

pytestmark = pytest.mark.database


def section(night: date) -> str:
    return summary(night).partition("【数据变化】")[2].partition("【")[0].strip()


@pytest.mark.parametrize("page_rows", [500, 1])
def test_new_codes_and_columns_pass_the_rest_and_are_told_however_the_pages_are_cut(
    platform: Platform, ready: Engine, addressed: Engine, page_rows: int
) -> None:
    platform.page_rows = page_rows
    for number in range(4):
        platform.accept(f"A{number}", "2026-11-16 10:00", **{PHONE: "x"})
    platform.finish("A0", "2026-11-17 10:00")
    platform.finish("A1", "2026-11-17 10:00", result_type="78")
    platform.finish("A2", "2026-11-17 10:00", result_type="77")
    platform.finish("A3", "2026-11-17 10:00", result_type="77")
    assert jiancha("night", "--date", NIGHT).code == 1
    assert rows(ready, DRIFT) == [
        ("accept.new_column.*", "accept：新增未登记的字段*，未读取", "warning", 4, 4),
        ("result.new_code.result_type.'77'", "result：字段result_type出现未约定的代码'77'", "error", 4, 2),
        ("result.new_code.result_type.'78'", "result：字段result_type出现未约定的代码'78'", "error", 4, 1),
    ]
    assert rows(ready, "select count(*) from message where kind = 'finish'") == [(1,)]
    told = section(NIGHT).splitlines()
    assert told[0] == "数据源 | 变化 | 涉及行数 | 本夜行数"
    assert "区市监局 | result：字段result_type出现未约定的代码'77' | 2 | 4" in told
    assert PHONE not in summary(NIGHT)
    assert jiancha("night", "--date", NEXT).code == 0
    assert section(NEXT) == "字段与代码均与约定一致。"


def test_a_renamed_judged_column_freezes_its_source_and_says_what_it_may_be_called_now(
    platform: Platform, exchange: Exchange, ready: Engine, addressed: Engine
) -> None:
    platform.accept("A1", "2026-11-16 10:00")
    row = platform.rows["accept"][0]
    row["law_limit_days"] = row.pop("law_limit")
    exchange.accept("B1", "2026-11-16 10:00")
    ended = jiancha("night", "--date", NIGHT)
    assert ended.code == 3
    ((detail,),) = rows(ready, "select detail from feed where source = 'scjg'")
    assert "the page has no column law_limit" in detail
    assert "accept：字段law_limit疑似改名为law_limit_days" in detail
    assert "疑似改名为law_limit_days" in summary(NIGHT).partition("【数据接入】")[2].partition("【")[0]
    assert rows(ready, "select case_no from message") == [("B1",)], "the other source passes"


def test_what_a_source_sent_wrongly_and_has_put_right_is_given_up_by_a_person(
    platform: Platform, ready: Engine
) -> None:
    feeds = "select business_on, state from feed order by 1"
    give_up = ("source", "set-aside", "scjg", "--date", NIGHT, "--by", "李某", "--reason", "接口字段已恢复")
    platform.accept("A0", "2026-11-16 10:00")
    assert jiancha("night", "--date", EARLIER).code == 0
    platform.accept("A1", "2026-11-17 10:00")
    row = platform.rows["accept"][1]
    row["law_limit_days"] = row.pop("law_limit")
    assert jiancha("night", "--date", NIGHT).code == 3
    row["law_limit"] = row.pop("law_limit_days")
    assert jiancha("night", "--date", NEXT).code == 3, "what it had sent cannot be read yet"

    ended = jiancha(*give_up)
    assert (ended.code, ended.out.count("accept")) == (0, 2), ended
    assert jiancha("night", "--date", NEXT).code == 0
    assert rows(ready, feeds) == [(EARLIER, "complete"), (NIGHT, "partial"), (NEXT, "complete")]
    assert rows(ready, "select case_no, known_at::date from message order by 1") == [("A0", EARLIER), ("A1", NEXT)]
    assert rows(ready, "select distinct actor, reason from page_set_aside") == [("李某", "接口字段已恢复")]
    assert jiancha("status", "--json").only["sources"][0]["unexplained"] == 0
    again = jiancha(*give_up)
    assert (again.code, "has no page up to 2026-11-17 that waits" in again.err) == (2, True)
    assert jiancha("ledger", "verify").code == 0


def test_pages_given_up_wait_again_when_the_source_sends_them_for_the_same_night_again(
    platform: Platform, ready: Engine
) -> None:
    platform.accept("A1", "2026-11-16 10:00")
    row = platform.rows["accept"][0]
    row["law_limit_days"] = row.pop("law_limit")
    assert jiancha("night", "--date", NIGHT).code == 3
    assert jiancha("source", "set-aside", "scjg", "--date", NIGHT, "--by", "李某", "--reason", "已恢复").code == 0
    assert jiancha("night", "--date", NIGHT).code == 3
    assert rows(ready, "select state from feed") == [("partial",)]
    row["law_limit"] = row.pop("law_limit_days")
    assert jiancha("source", "set-aside", "scjg", "--date", NIGHT, "--by", "李某", "--reason", "已恢复").code == 0
    assert jiancha("night", "--date", NIGHT).code == 0
    assert rows(ready, "select state from feed") == [("complete",)]
    assert rows(ready, "select case_no from message") == [("A1",)]


@pytest.mark.parametrize(("by", "reason"), [(" ", "已恢复"), ("李某", "")])
def test_pages_are_given_up_by_somebody_for_a_reason(ready: Engine, by: str, reason: str) -> None:
    ended = jiancha("source", "set-aside", "scjg", "--date", NIGHT, "--by", by, "--reason", reason)
    assert (ended.code, "a reason" in ended.err) == (2, True)


def test_a_new_column_of_a_table_is_told_though_nobody_reads_it(
    exchange: Exchange, ready: Engine, addressed: Engine
) -> None:
    exchange.accept("B1", "2026-11-16 10:00")
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql("alter table ex_sl add column jjcd text")
    assert jiancha("night", "--date", NIGHT).code == 0
    assert [row[:2] for row in rows(ready, DRIFT)] == [
        ("accept.new_column.jjcd", "accept：新增未登记的字段jjcd，未读取")
    ]
    assert "jjcd" in section(NIGHT)


def test_rows_asked_for_again_count_once_in_what_makes_a_source_changed() -> None:
    """Three nights of twenty rows of a new code, each told again with the next, and then so many good rows."""

    def page(number: int, bad: list[str], good: list[str]) -> Read:
        landed = LandedPage(number, "scjg", NIGHT, "result", 1, "", "", {}, "night", None)
        refusals = [Refusal(row_no, sha256, "unknown_code", "it is 70") for row_no, sha256 in enumerate(bad)]
        return Read(landed, SCHEMA.empty_table(), refusals, dict(enumerate([*bad, *good])), [])

    source, coded = sources.get("scjg"), [f"coded {number}" for number in range(60)]
    refused = [page(night, coded[: 20 * (night + 1)], []) for night in range(3)]
    nobody: list[list[Refusal]] = [[]] * 4
    refuse_drift(source, [*refused, page(3, [], [str(number) for number in range(60)])], nobody)
    with pytest.raises(BatchRejected, match="60 of 119 rows are refused alike, unknown_code"):
        refuse_drift(source, [*refused, page(3, [], [str(number) for number in range(59)])], nobody)
