"""Nights run after later ones: what became known with a later night stays unknown until then, in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import permutations
from typing import Any

from sqlalchemy import Engine
from werkzeug import Response

from etl.store.statements import sql
from tests.cli.command import jiancha
from tests.runs.test_a_night import night, rows, status
from tests.runs.test_knowledge import FIFTH, FIRST, FOURTH, SECOND, THIRD, digest, mails
from tests.runs.world import Platform

CARDS = "select * from v_card_event order by seq"
FEEDS = "select business_on, state, detail from feed order by 1"
INCIDENTS = "select opened_on, state, closed_on from v_feed_incident order by 1"


def two_cases_due_on_the_second_night(platform: Platform) -> None:
    """Both due on the second day at 15:00; one was finished that morning, and the record came at once."""
    for case_no in ("in-time", "overdue"):
        platform.accept(case_no, "2026-11-10 15:00", promised=5, statutory=20)
    platform.finish("in-time", "2026-11-17 10:00")


def test_a_missed_night_whose_records_came_with_a_later_one_stays_frozen_and_its_cards_what_they_were(
    platform: Platform, ready: Engine, addressed: None
) -> None:
    two_cases_due_on_the_second_night(platform)
    for day in (FIRST, THIRD):
        assert night(day).code == 0
    assert rows(ready, "select level from v_card where case_no = 'in-time'") == [("reminder",)], "nothing came late"
    cards, told, items = rows(ready, CARDS), mails(), rows(ready, "select item_key from notice_item")
    ended = night(SECOND, "--notify", "never")
    assert (ended.code, ended.only["admit"]["accepted"]) == (0, 0)
    why = "本夜应到的记录至 2026-11-18 之夜方为我方掌握，仍按此前最近一个完整之夜判定"
    assert ended.only["frozen"] == {"scjg": why}
    assert rows(ready, FEEDS) == [(FIRST, "complete", ""), (SECOND, "late", why), (THIRD, "complete", "")]
    assert rows(ready, INCIDENTS) == [(SECOND, "late", THIRD)]
    assert rows(ready, CARDS) == cards
    assert (mails(), rows(ready, "select item_key from notice_item where not is_muted")) == (told, items)

    assert night(SECOND).code == 0, "nobody is told of an interruption that is over"
    assert rows(ready, "select from notice_item where mail_kind = 'C'") == []
    assert rows(ready, CARDS) == cards


def test_the_hindsight_of_a_frozen_night_is_in_the_difference(platform: Platform, ready: Engine) -> None:
    two_cases_due_on_the_second_night(platform)
    for day in (FIRST, THIRD, SECOND):
        night(day, "--notify", "never")
    ended = jiancha("backfill", "diff", "--from", FIRST, "--to", THIRD)
    found = [(line["night"], line["change"], line["case_no"], line["level"]) for line in ended.lines]
    assert found == [(SECOND.isoformat(), "issued", "overdue", "yellow")]


def test_a_night_that_lost_nothing_to_a_later_one_is_complete_when_it_is_made_up_for(
    platform: Platform, ready: Engine
) -> None:
    platform.accept("old", "2026-11-10 15:00")
    platform.accept("third", "2026-11-18 15:00")
    for day in (FIRST, THIRD, SECOND):
        assert night(day).code == 0
    assert [state for _, state, _ in rows(ready, FEEDS)] == ["complete"] * 3


def test_a_night_already_complete_stays_so_and_its_late_found_records_are_known_that_night(
    platform: Platform, ready: Engine
) -> None:
    two_cases_due_on_the_second_night(platform)
    finish, platform.rows["result"] = platform.rows["result"], []
    for day in (FIRST, SECOND, THIRD):
        night(day)
    platform.rows["result"] = finish
    night(FOURTH)  # its window does not reach back so far
    late = "select standing from v_card where case_no = 'in-time' and level = 'yellow'"
    assert rows(ready, late) == [(True,)]
    night(SECOND)
    assert rows(ready, late) == []
    assert [state for _, state, _ in rows(ready, FEEDS)] == ["complete"] * 4


def test_a_night_before_the_first_load_freezes_nothing_when_it_is_pulled_once_more(
    platform: Platform, ready: Engine
) -> None:
    two_cases_due_on_the_second_night(platform)
    platform.accept("bad", "2026-11-16 10:00", limit_unit="X")
    assert night(FOURTH).code == 1
    before = rows(ready, CARDS)
    assert {row.business_on for row in _events(ready)} >= {SECOND}, "reconstructed nights are judged"
    platform.broken["apply"] = Response(b"[]")
    assert night(THIRD, "--notify", "never").code == 3
    platform.broken.clear()
    night(FIRST, "--notify", "never")
    assert rows(ready, CARDS) == before
    assert status()["scjg"]["state"] == "complete"


def _events(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.exec_driver_sql(CARDS))


def test_verdicts_incidents_and_the_whole_ledger_are_the_same_in_every_order(
    platform: Platform, ready: Engine, another_ledger: Callable[[], Engine]
) -> None:
    platform.accept("overdue", "2026-11-10 15:00", promised=5, statutory=20)
    platform.accept("late", "2026-11-19 10:00")
    found: dict[tuple[date, ...], tuple[str, list[str]]] = {}
    for order in permutations((SECOND, THIRD, FOURTH)):
        engine = another_ledger()
        for day in (FIRST, FIFTH):
            night(day, "--notify", "never")
        for day in order:
            if day == SECOND:
                platform.broken["apply"] = Response(b"[]")
            night(day, "--notify", "never")
            platform.broken.clear()
        assert rows(engine, INCIDENTS) == [(SECOND, "failed", THIRD), (FOURTH, "late", FIFTH)], order
        assert rows(engine, "select business_on from v_card_event where level = 'yellow'") == [(THIRD,)], order
        with engine.connect() as connection:
            found[order] = digest(), list(connection.execute(sql("ledger/digest_ledger")).scalars())
    (expected, lines), *others = found.values()
    for order, (made, said) in zip(list(found)[1:], others, strict=True):
        assert made == expected, (order, sorted(set(said) ^ set(lines)))
