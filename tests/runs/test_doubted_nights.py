"""Nights read to their end and not believed: frozen, told once, believed again when the records come or on a word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from etl.domain.night import cutoff_at
from tests.cli.command import jiancha
from tests.runs.test_a_night import night, rows
from tests.runs.test_calendar_import import notice
from tests.runs.test_knowledge import mails
from tests.runs.world import Drop, Platform

FIRST = date(2026, 11, 17)
SECOND, THIRD, FOURTH = (FIRST + timedelta(days=number) for number in (1, 2, 3))
FEEDS = "select business_on, state from feed order by 1"
CARDS = "select case_no, level from v_card_event where level <> 'reminder' order by 1, 2"


def busy(platform: Platform, first: date, last: date, *, but: date | None = None) -> None:
    """Twenty-two acceptances a day, each of yesterday's decided; every case in time by minutes."""
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if day.weekday() < 5:
            for case in range(22):
                minute = f"{10 + case // 2}:{case % 2 * 30 + 10}" if case < 4 else f"14:{case + 10}"
                platform.accept(f"{day:%m%d}-{case:02}", f"{day} {minute}", promised=1, statutory=2)
        if day.weekday() < 5 and day != but:
            before = day - timedelta(days=3 if day.weekday() == 0 else 1)
            for case in range(22):
                platform.finish(f"{before:%m%d}-{case:02}", f"{day} 09:{case + 10}")


def test_a_night_without_decisions_freezes_its_source_tells_of_it_once_and_heals_when_they_come(
    platform: Platform, ready: Engine, addressed: None
) -> None:
    busy(platform, date(2026, 10, 28), FOURTH, but=SECOND)
    for day in (FIRST, SECOND):
        ended = night(day)
    why = ended.only["frozen"]["scjg"]
    assert why.startswith("2026-11-18 之夜办结仅到 0 条，此前 15 个工作日中位数 22 条")
    assert rows(ready, FEEDS) == [(FIRST, "complete"), (SECOND, "low")]
    assert rows(ready, CARDS) == [], "no card from the absence of decisions"
    assert len([path for path in mails() if path.name.startswith("C")]) == 1
    assert night(SECOND).code == 0, "run again it is no other night"
    assert rows(ready, FEEDS) == [(FIRST, "complete"), (SECOND, "low")]
    assert len([path for path in mails() if path.name.startswith("C")]) == 1

    busy(platform, SECOND, SECOND)  # what the platform had received all along, and now answers
    del platform.rows["accept"][-22:]
    assert night(THIRD).code == 0
    assert rows(ready, FEEDS) == [(FIRST, "complete"), (SECOND, "low"), (THIRD, "complete")]
    assert rows(ready, "select count(*) from message where kind = 'finish'") == [(22 * 17,)]
    assert rows(ready, CARDS) == []
    assert rows(ready, "select opened_on, state, closed_on from v_feed_incident") == [(SECOND, "low", THIRD)]


@pytest.mark.parametrize(
    ("region", "state", "silences"),
    [("511600", "complete", []), ("511700", "silent", [("scjg", FIRST, SECOND, 3)])],
)
def test_nothing_is_missed_on_days_the_sources_region_was_closed(
    platform: Platform, ready: Engine, tmp_path: Path, region: str, state: str, silences: list[object]
) -> None:
    closed = [f"{region},{day},holiday,台风停工,2026-台风,{FIRST}" for day in (SECOND, THIRD, FOURTH)]
    assert jiancha("calendar", "import", notice(tmp_path, *closed), "--yes").code == 0
    busy(platform, date(2026, 10, 28), FIRST)
    night(FOURTH)
    assert rows(ready, FEEDS) == [(FOURTH, state)]
    found = f"select source, last_on, first_on, working_days from silence where business_on = '{FOURTH}'"
    assert rows(ready, found) == silences


def test_a_first_load_that_is_not_believed_is_loaded_again(platform: Platform, ready: Engine) -> None:
    """Nothing is reconstructed from it: what it lacked was there for nights before it."""
    busy(platform, date(2026, 10, 28), FIRST)
    night(FOURTH)
    assert rows(ready, FEEDS) == [(FOURTH, "silent")]
    assert rows(ready, "select from card_event") == []
    monday = FOURTH + timedelta(days=3)
    busy(platform, SECOND, monday)  # what the platform had received all along, and now answers
    night(monday)
    assert rows(ready, "select opened_on, state, closed_on from v_feed_incident") == [(FOURTH, "silent", monday)]
    assert rows(ready, "select count(*) from message where kind = 'accept'") == [(22 * 19,)]
    assert rows(ready, CARDS) == []


def test_what_a_night_lacks_beside_a_page_nobody_could_admit_is_asked_for_again(
    platform: Platform, ready: Engine
) -> None:
    busy(platform, date(2026, 10, 28), SECOND)
    assert night(FIRST).code == 0
    for row in platform.rows["result"][-22:]:
        row["result_type"] = "70"
    night(SECOND)
    busy(platform, THIRD, THIRD)
    shown = platform.rows["result"][-22:]
    del platform.rows["result"][-22:]
    night(THIRD)
    assert rows(ready, FEEDS) == [(FIRST, "complete"), (SECOND, "partial"), (THIRD, "partial")]

    platform.rows["result"] += shown
    for row in platform.rows["result"][-44:-22]:
        row |= {"result_type": "0", "receive_time": f"{FOURTH}T09:00:00+08:00"}
    busy(platform, FOURTH, FOURTH)
    assert night(FOURTH).code == 1, "rows that said nothing were set aside"
    assert rows(ready, FEEDS)[-1] == (FOURTH, "complete")
    known = "select case_no from message where kind = 'finish'"
    assert {case for (case,) in rows(ready, known)} == {row["project_no"] for row in platform.rows["result"]}
    assert rows(ready, CARDS) == []


def test_on_the_word_of_the_source_a_night_is_believed_and_only_then_has_its_cards(
    platform: Platform, ready: Engine
) -> None:
    busy(platform, date(2026, 10, 28), SECOND, but=SECOND)
    for day in (FIRST, SECOND):
        night(day)
    assert rows(ready, CARDS) == []
    who = ("--by", "林某", "--reason", "系统停用一天，当日未办结任何事项")
    assert jiancha("source", "confirm", "scjg", "--date", SECOND, *who).code == 0
    assert night(SECOND).code == 0
    assert rows(ready, FEEDS) == [(FIRST, "complete"), (SECOND, "complete")]
    assert {level for _, level in rows(ready, CARDS)} == {"yellow"}, "nothing was decided, and so all are late"
    refused = jiancha("source", "confirm", "scjg", "--date", SECOND, "--by", " ", "--reason", "x")
    assert refused.code == 2
    assert "needs the name" in refused.err


def test_a_day_file_that_is_another_days_is_no_night_until_it_is_delivered_again(drop: Drop, ready: Engine) -> None:
    drop.accept("monday", "2026-11-17 10:00")
    drop.close(FIRST)
    assert night(FIRST).code == 0
    (taken,) = (drop.folder / "done" / str(FIRST)).glob("受理_*")
    drop.close(SECOND)
    drop.write("受理_20261118.csv", taken.read_bytes(), cutoff_at(SECOND) - timedelta(minutes=30))
    ended = night(SECOND)
    assert "受理_20261118.csv 与此前的 受理_20261117.csv 逐字节相同" in ended.only["frozen"]["zrzy"]
    drop.close(THIRD)
    night(THIRD)
    assert rows(ready, FEEDS) == [(FIRST, "complete"), (SECOND, "stale"), (THIRD, "stale")], "it is still owed"
    drop.accept("tuesday", "2026-11-18 10:00")
    drop.close(SECOND, "受理", before_cutoff=-24 * 60)
    drop.close(FOURTH)
    night(FOURTH)
    assert rows(ready, FEEDS)[-1] == (FOURTH, "complete")
    assert rows(ready, "select count(*) from message where kind = 'accept'") == [(2,)]


def test_a_full_night_after_an_empty_one_is_no_reason_to_doubt_a_later_night_once_more(
    platform: Platform, ready: Engine, another_ledger: Callable[[], Engine]
) -> None:
    """Whatever the order in which missed nights are made up for, each is judged by its own knowledge."""
    busy(platform, date(2026, 10, 28), FOURTH, but=THIRD)
    found = []
    for order in ((SECOND, THIRD), (THIRD, SECOND)):
        engine = ready if not found else another_ledger()
        for day in (FIRST, FOURTH, *order):
            night(day, "--notify", "never")
        found.append((rows(engine, FEEDS), rows(engine, CARDS)))
    assert found[0] == found[1]
