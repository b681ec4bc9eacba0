"""What the ledger knows and since when: first loads, regular nights, backfills, replays, frozen sources."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from werkzeug import Response

from etl.domain.night import cutoff_at
from etl.errors import SourceError
from etl.publish.envelope import plain_text
from etl.runs import nightly
from etl.settings import settings
from etl.sources.sets import national
from etl.sources.sets import provincial as module
from tests.cli.command import jiancha
from tests.runs.conftest import Feeds
from tests.runs.test_a_night import night, rows, status
from tests.runs.world import Platform

FIRST = date(2026, 11, 16)
SECOND, THIRD, FOURTH, FIFTH = (FIRST + timedelta(days=days) for days in range(1, 5))


def digest(*options: str) -> str:
    ended = jiancha("ledger", "digest", *options)
    assert ended.code == 0
    return ended.out.strip()


def known(engine: Engine) -> dict[str, tuple[date, str]]:
    """Per case the night it became known and on what basis."""
    found = rows(engine, "select case_no, known_at, known_basis from message")
    nights = {cutoff_at(FIRST + timedelta(days=days)): FIRST + timedelta(days=days) for days in range(-10, 10)}
    return {case_no: (nights[known_at], basis) for case_no, known_at, basis in found}


def mails() -> list[Path]:
    return sorted((settings().var_dir / "mail").rglob("*.eml"))


def mailed() -> str:
    """The text of every mail written."""
    return "".join(plain_text(path.read_bytes()) for path in mails())


def items(engine: Engine, kind: str) -> list[tuple[Any, ...]]:
    return rows(engine, f"select item_key, is_muted from notice_item where mail_kind = '{kind}' order by 1")


def test_a_first_load_gives_each_record_the_night_it_had_arrived_by_and_later_nights_their_own(
    platform: Platform, ready: Engine
) -> None:
    platform.accept("early", "2026-11-10 10:00")
    platform.accept("after-midnight", "2026-11-12 00:30")
    platform.accept("after-cutoff", "2026-11-12 01:30")
    platform.accept("on-the-night", "2026-11-16 10:00")
    assert night(FIRST).code == 0
    platform.accept("next-day", "2026-11-17 10:00")
    platform.accept("slow", "2026-11-09 10:00", receive_time="2026-11-17T11:00:00+08:00")
    assert night(SECOND).code == 0
    assert known(ready) == {
        "early": (date(2026, 11, 10), "reconstructed"),
        "after-midnight": (date(2026, 11, 11), "reconstructed"),
        "after-cutoff": (date(2026, 11, 12), "reconstructed"),
        "on-the-night": (FIRST, "reconstructed"),
        "next-day": (SECOND, "night"),
        "slow": (SECOND, "night"),
    }


def test_each_night_asks_for_its_own_window_and_a_second_run_of_it_changes_nothing(
    platform: Platform, ready: Engine
) -> None:
    platform.accept("first", "2026-11-02 10:00")
    night(FIRST)
    platform.accept("third", "2026-11-18 10:00")
    night(THIRD)
    before, feeds = digest(), status()
    night(THIRD)
    night(SECOND)
    asked = [
        tuple(text and datetime.fromisoformat(text) for text in (query.get("since"), query["until"]))
        for query in platform.asked
        if query["stream"] == "accept"
    ]
    overlap = timedelta(hours=2)
    ends = {day: cutoff_at(day) for day in (FIRST, SECOND, THIRD)}
    assert asked == [
        (since and since - overlap, until)
        for since, until in (
            (None, ends[FIRST]),
            (ends[FIRST], ends[THIRD]),  # the night nobody ran is taken along
            (ends[SECOND], ends[THIRD]),
            (ends[FIRST], ends[SECOND]),
        )
    ]
    assert rows(ready, "select covers_until from watermark") == [(ends[THIRD],)]
    assert status()["scjg"]["accepted"] == feeds["scjg"]["accepted"] == 2
    assert rows(ready, "select count(*) from feed") == [(3,)]
    assert digest("--facts") == digest("--facts")
    night(SECOND)
    assert before != digest(), "a night that had not run now has a feed of its own"


def test_nights_run_in_any_order_know_the_same_facts(
    platform: Platform, ready: Engine, another_ledger: Callable[[], Engine]
) -> None:
    for day in (FIRST, SECOND, THIRD):
        platform.accept(f"case-{day}", f"{day} 10:00")
    in_order = [night(day).code for day in (FIRST, SECOND, THIRD)]
    facts, everything = digest("--facts"), digest()
    again = another_ledger()
    backwards = [night(day).code for day in (THIRD, FIRST, SECOND)]
    assert in_order == backwards == [0, 0, 0]
    assert digest("--facts") == facts
    assert known(again)[f"case-{SECOND}"] == (SECOND, "reconstructed")
    assert digest() != everything, "what was known when is part of the ledger"


def test_equal_facts_on_equal_nights_make_the_same_ledger_whatever_pages_retries_and_time_zone(
    platform: Platform, another_ledger: Callable[[], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.accept("bad", "2026-11-10 10:00", limit_unit="X")
    for number in range(5):
        platform.accept(f"case-{number}", "2026-11-10 10:00", promised=4 + number % 2)
    platform.finish("case-1", "2026-11-17 10:00")
    assert [night(day).code for day in (FIRST, SECOND)] == [1, 0]
    ledger, facts = digest(), digest("--facts")

    engine = another_ledger()
    platform.page_rows = 2
    platform.rows["accept"].reverse()
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "America/New_York")
        time.tzset()
        for day in (FIRST, SECOND):
            platform.broken["result"] = Response(b"[]")
            with pytest.raises(SourceError):
                nightly.pull("scjg", day)
            platform.broken.clear()
            night(day)
        found = digest("--facts"), digest()
    time.tzset()
    assert len(rows(engine, "select from landed_page where stream = 'accept'")) > 2
    assert found == (facts, ledger)


def test_a_replayed_row_is_known_from_the_night_of_its_replay(feeds: Feeds, ready: Engine, altered: Any) -> None:
    feeds.scjg.accept("fixed", "2026-11-12 10:00")
    feeds.scjg.finish("fixed", "2026-11-13 10:00", result_type="6")
    feeds.scjg.finish("hopeless", "2026-11-13 10:00", result_type="??")
    feeds.rsj.accept("rsj-bad", "2026-11-12 10:00", sljg="9")
    feeds.zrzy.close(FIRST)
    assert night(FIRST).code == 1
    assert jiancha("source", "replay", "scjg", "--date", FIRST).only == {
        "accepted": 0, "repeated": 0, "still_quarantined": 2,
    }  # fmt: skip
    before = status()["scjg"]

    codes = vars(module.CODES) | {"finished": {**module.CODES.finished, "6": "other"}}
    altered("scjg", dialect=national.dialect(type(module.CODES)(**codes)))
    ended = jiancha("source", "replay", "scjg", "--date", SECOND)

    assert (ended.code, ended.only) == (1, {"accepted": 1, "repeated": 0, "still_quarantined": 1})
    found = rows(
        ready, "select case_no, payload ->> 'outcome', known_at, known_basis from message where kind = 'finish'"
    )
    assert found == [("fixed", "other", cutoff_at(SECOND), "night")]
    assert sorted(rows(ready, "select source, state from quarantine")) == [
        ("rsj", "open"),
        ("scjg", "open"),
        ("scjg", "replayed"),
    ]
    after = status()["scjg"]
    assert (before["accepted"], before["quarantined"]) == (1, 2)
    assert (after["accepted"], after["quarantined"], after["unexplained"]) == (2, 1, 0)
    assert jiancha("source", "replay", "scjg", "--date", SECOND).only["accepted"] == 0


def test_a_quarantined_row_delivered_again_is_one_row_and_a_repetition(platform: Platform, ready: Engine) -> None:
    platform.accept("bad", "2026-11-16 23:30", limit_unit="X")
    night(FIRST)
    night(SECOND)  # its overlap asks for the row once more
    found = status()["scjg"]
    assert len(rows(ready, "select from quarantine")) == 1
    assert [found[name] for name in ("accepted", "repeated", "quarantined", "unexplained")] == [0, 1, 1, 0]


def test_a_source_that_fails_two_nights_keeps_its_cards_raises_one_incident_and_recovers(
    platform: Platform, exchange: Any, ready: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for feed, name in ((platform, "scjg"), (exchange, "rsj")):
        feed.accept(f"{name}-old", "2026-11-02 10:00", promised=5)
        feed.accept(f"{name}-new", "2026-11-12 10:00", promised=4, statutory=5)
    night(FIRST)
    cards_then = jiancha("status", "--json").only["cards"]
    platform.broken["apply"] = Response(b"[]")
    assert [night(SECOND).code, night(THIRD).code] == [3, 3]

    events = "select distinct source, business_on from card_event where business_on > '2026-11-16' order by 1, 2"
    assert {source for source, _ in rows(ready, events)} == {"rsj"}
    assert status()["scjg"]["last_complete_on"] == FIRST.isoformat()
    assert rows(ready, "select source, opened_on, closed_on from v_feed_incident") == [("scjg", SECOND, None)]
    assert items(ready, "C") == [(f"C/scjg/{SECOND}", False)]
    assert cards_then != jiancha("status", "--json").only["cards"], "the other department goes on"

    platform.broken.clear()
    assert night(FOURTH).code == 0
    assert rows(ready, "select opened_on, closed_on from v_feed_incident") == [(SECOND, FOURTH)]
    assert {on for source, on in rows(ready, events) if source == "scjg"} == {FOURTH}
    levels = "select level, standing from v_card where case_no = '{}-new' and standing order by 1"
    assert rows(ready, levels.format("scjg")) == rows(ready, levels.format("rsj")) != []
    assert jiancha("ledger", "verify").code == 0


def test_a_night_judged_again_voids_and_appends_and_never_tells_the_same_card_twice(
    platform: Platform, ready: Engine, addressed: None
) -> None:
    platform.accept("wrong", "2026-11-10 10:00", promised=4, statutory=9)
    platform.accept("right", "2026-11-10 10:00", promised=4, statutory=9)
    for day in (FIRST, SECOND, THIRD):
        night(day)
    assert mailed().count("wrong") > 0
    issued = rows(ready, "select business_on from v_card_event where case_no = 'wrong' and level = 'yellow'")
    assert issued == [(FIRST,)]

    # Found later: both had reached the platform on the first day, and nobody saw them.
    arrived = {"receive_time": "2026-11-16T11:00:00+08:00"}
    platform.finish("wrong", "2026-11-13 10:00", **arrived)
    platform.accept("never-seen", "2026-11-10 10:00", promised=4, statutory=9, **arrived)
    assert night(FIRST).code == 0

    voided = rows(ready, "select level from card_event where case_no = 'wrong' and event = 'void'")
    assert ("yellow",) in voided
    assert rows(ready, "select level from v_card where case_no = 'wrong' and level = 'yellow'") == []
    seen = rows(ready, "select business_on from v_card_event where case_no = 'never-seen' and level = 'yellow'")
    assert seen == [(FIRST,)]
    assert rows(ready, "select count(*) from card_event where case_no = 'right' and event = 'void'") == [(0,)]
    assert jiancha("ledger", "verify").code == 0
    night(THIRD)
    claims = rows(
        ready,
        "select case_no, level, card_event.business_on, event, count(distinct notice_key) from notice_claim "
        "join notice_item using (item_key) join card_event on seq = card_event_seq join notice using (notice_key) "
        "where notice.mail_kind = 'A' group by 1, 2, 3, 4",
    )
    assert {case_no for case_no, *_ in claims} == {"right", "wrong", "never-seen"}
    assert {mails_of_it for *_, mails_of_it in claims} == {1}
    before, told = digest(), mails()
    for day in (FIRST, SECOND, THIRD):
        night(day)
    assert (digest(), mails()) == (before, told)


def test_cards_from_before_the_start_and_reminders_of_stopped_clocks_are_recorded_and_not_mailed(
    platform: Platform, ready: Engine, addressed: None
) -> None:
    night(FIRST)
    arrived = {"receive_time": "2026-11-17T10:00:00+08:00"}
    platform.accept("before-start", "2026-10-12 10:00", promised=4, statutory=8, **arrived)
    platform.accept("stopped", "2026-11-09 10:00", promised=5, **arrived)
    platform.finish("stopped", "2026-11-13 10:00", **arrived)
    platform.accept("overdue", "2026-11-09 10:00", promised=5, statutory=20, **arrived)
    night(SECOND)
    cards = rows(ready, "select case_no, level, is_baseline from card_event order by case_no, level_rank(level)")
    assert cards == [
        ("before-start", "reminder", True),
        ("before-start", "yellow", True),
        ("before-start", "red", True),
        ("overdue", "reminder", False),
        ("overdue", "yellow", False),
        ("stopped", "reminder", False),
    ]
    told = rows(
        ready, "select case_no, level, is_muted from notice_item join card_event on seq = card_event_seq order by 2"
    )
    assert told == [("overdue", "reminder", False), ("overdue", "yellow", False)]
    text = "".join(plain_text(path.read_bytes()).partition("【发现的问题】")[0] for path in mails())
    assert "overdue" in text
    assert "stopped" not in text
    assert "before-start" not in text


def test_a_night_that_is_to_tell_nobody_tells_nobody_ever(platform: Platform, ready: Engine, addressed: None) -> None:
    platform.accept("quiet", "2026-11-09 10:00", promised=5)
    assert night(FIRST, "--notify", "never").code == 0
    assert mails() == []
    assert night(FIRST).code == 0
    assert jiancha("notices", "send").code == 0
    assert "quiet" not in mailed()
    assert items(ready, "A") == []


def test_a_night_repaired_before_the_next_one_closes_its_incident_and_tells_the_cards_nobody_heard_of(
    platform: Platform, ready: Engine, addressed: None
) -> None:
    platform.accept("overdue", "2026-11-10 10:30", promised=5, statutory=20)
    night(FIRST)
    platform.data_until = cutoff_at(FIRST)
    assert night(SECOND).code == 3
    assert "overdue" not in mailed()
    assert rows(ready, "select closed_on from v_feed_incident") == [(None,)]
    platform.data_until = None
    assert night(SECOND).code == 0
    assert rows(ready, "select from v_feed_incident") == []
    told = rows(ready, "select level from notice_item join card_event on seq = card_event_seq order by 1")
    assert told == [("yellow",)]
    assert "overdue" in mailed()
    told_once = mails()
    night(SECOND)
    assert mails() == told_once


def test_a_version_told_again_is_a_repetition_and_told_otherwise_a_conflict(platform: Platform, ready: Engine) -> None:
    platform.accept("again", "2026-11-16 10:00")
    platform.accept("otherwise", "2026-11-16 10:00")
    night(FIRST)
    later = {"cd_time": "20261116100100", "receive_time": "2026-11-17T10:00:00+08:00"}
    platform.accept("again", "2026-11-16 10:00", **later)
    platform.accept("otherwise", "2026-11-16 10:00", promised=9, **later)
    platform.accept("otherwise", "2026-11-16 10:00", promised=8, data_version=2, **later)
    assert night(SECOND).code == 1
    found = status()["scjg"]
    assert [found[name] for name in ("accepted", "repeated", "quarantined", "unexplained")] == [3, 1, 1, 0]
    assert rows(ready, "select reason from quarantine") == [("version_conflict",)]
    limits = "select version, (payload ->> 'promised_limit')::float::int from message where case_no = 'otherwise'"
    assert sorted(rows(ready, limits)) == [(1, 7), (2, 8)]


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_a_landed_page_that_is_not_what_was_landed_is_never_read_again(
    platform: Platform, ready: Engine, damage: str
) -> None:
    platform.accept("bad", "2026-11-16 10:00", limit_unit="X")
    night(FIRST)
    ((path,),) = rows(ready, "select path from landed_page join quarantine using (page_id)")
    page = settings().var_dir / "landing" / path
    page.write_bytes(b"[]") if damage == "changed" else page.unlink()
    ended = jiancha("source", "replay", "scjg", "--date", SECOND)
    assert (ended.code, ended.out) == (4, "")
    assert ended.err.startswith(f"jiancha: landed page {path}")


def test_a_very_first_night_without_a_single_record_is_an_incident_and_the_office_hears_of_it(
    platform: Platform, ready: Engine, addressed: None
) -> None:
    platform.broken["apply"] = Response(b"[]")
    assert night(FIRST).code == 3
    assert rows(ready, "select source, opened_on, closed_on from v_feed_incident") == [("scjg", FIRST, None)]
    assert sorted(path.name[0] for path in mails()) == ["B", "C"]


def test_an_explanation_says_no_more_than_the_ledger_while_a_source_is_not_complete(
    platform: Platform, ready: Engine
) -> None:
    platform.accept("open", "2026-11-16 09:00", promised=2, statutory=20)
    assert [night(on).code for on in (FIRST, SECOND)] == [0, 0]
    platform.broken["accept"] = Response("no", status=403)
    assert [night(on).code for on in (THIRD, FOURTH)] == [3, 3]
    assert rows(ready, "select level from v_card where level <> 'reminder'") == []
    told = jiancha("explain", "open", "--json").only
    assert [card["level"] for card in told["boundaries"]] == ["reminder"]
    assert (told["as_of"], told["waiting_for"]) == ("2026-11-18T01:00:00+08:00", ["scjg"])
    assert "市监局 此后的数据尚未完整到达，判定停在该时点" in jiancha("explain", "open").out
    # In time, as comes to light when the source is back.
    platform.finish("open", "2026-11-17 15:00", receive_time="2026-11-18T10:00:00+08:00")
    platform.broken.clear()
    assert night(FIFTH).code == 0
    told = jiancha("explain", "open", "--json").only
    assert [card["level"] for card in told["boundaries"]] == ["reminder"], "no night was there to miss the finish"
    assert told["waiting_for"] == []
