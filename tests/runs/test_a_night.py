"""Whole nights over feeds that fail: a clear error or a quarantined row with its reason, everything else untouched."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from werkzeug import Response

from etl import sources
from etl.domain.night import cutoff_at
from etl.sources.contract import Source
from tests.cli.command import Ended, jiancha
from tests.runs.conftest import Feeds
from tests.runs.world import Exchange, Platform

NIGHT = date(2026, 11, 17)
Alter = Callable[..., Source]


def night(on: date = NIGHT, *options: object) -> Ended:
    return jiancha("night", "--date", on, *options)


def status() -> dict[str, dict[str, Any]]:
    ended = jiancha("status", "--json")
    assert ended.code == 0
    return {row["source"]: row for row in ended.only["sources"]}


def rows(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def cases(engine: Engine) -> set[str]:
    return {case for (case,) in rows(engine, "select case_no from message")}


def give_each_an_ordinary_case(feeds: Feeds) -> None:
    for name, feed in vars(feeds).items():
        feed.accept(f"{name}-ordinary", "2026-11-17 10:00")
    feeds.zrzy.close(NIGHT)


def assert_only_broken(name: str, ended: Ended, state: str, said: str) -> None:
    """The named source is incomplete and says why; the other two are complete with everything explained."""
    assert ended.code == 3
    assert list(ended.only["incomplete"]) == [name]
    assert said in ended.only["incomplete"][name]
    found = status()
    assert {source: row["state"] for source, row in found.items()} == {
        source: state if source == name else "complete" for source in ("rsj", "scjg", "zrzy")
    }
    assert all(row["unexplained"] == 0 for row in found.values())
    assert found[name]["last_complete_on"] is None
    assert {row["accepted"] for source, row in found.items() if source != name} == {1}


@pytest.mark.usefixtures("expectations")
def test_dirty_rows_are_quarantined_with_their_reasons_and_every_other_row_is_admitted(
    feeds: Feeds, ready: Engine
) -> None:
    scjg, rsj, zrzy = feeds.scjg, feeds.rsj, feeds.zrzy
    scjg.accept(511602202611170001, "2026-11-17 09:00")
    scjg.accept("unknown-unit", "2026-11-17 09:01", limit_unit="X")
    scjg.accept("nul", "2026-11-17 09:02", reason="a\x00b")
    scjg.accept("surrogate", "2026-11-17 09:03", task_name="食品\ud800")
    scjg.accept("2099", "2026-11-17 09:04", accept_date="20991231090000")
    scjg.accept("twice", "2026-11-17 09:05", promised=7)
    scjg.accept("twice", "2026-11-17 09:05", promised=8)
    scjg.accept("again", "2026-11-17 09:06")
    scjg.accept("again", "2026-11-17 09:06")
    rsj.accept("rsj-good", "2026-11-17 09:00")
    rsj.finish("rsj-good", "2026-11-17 10:00", bjjgdm="9")
    rsj.accept("rsj-2099", "2026-11-17 09:01", slsj="2099-12-31 09:00:00")
    rsj.accept("rsj-text", "2026-11-17 09:02", cnsx="七天")
    zrzy.accept("zrzy-good", "2026-11-17 09:00")
    zrzy.accept("zrzy-nul", "2026-11-17 09:01", 联合办理="是\x00")
    zrzy.accept("zrzy-code", "2026-11-17 09:02", 受理结果="也许")
    zrzy.finish("zrzy-good", "2026-11-17 10:00")
    zrzy.finish("zrzy-2099", "2026-11-17 10:00", 办结时间="2099-12-31 10:00:00")
    zrzy.close(NIGHT)

    ended = night()

    assert ended.code == 1, "some rows were rejected"
    assert ended.only["incomplete"] == {}
    quarantined = rows(ready, "select source, stream, reason from quarantine order by 1, 2, 3")
    assert quarantined == [
        ("rsj", "accept", "bad_number"),
        ("rsj", "accept", "messages.occurred_in_future"),
        ("rsj", "finish", "unknown_code"),
        ("scjg", "accept", "messages.occurred_in_future"),
        ("scjg", "accept", "poison_character"),
        ("scjg", "accept", "poison_character"),
        ("scjg", "accept", "unknown_code"),
        ("scjg", "accept", "version_conflict"),
        ("zrzy", "办结", "messages.occurred_in_future"),
        ("zrzy", "受理", "poison_character"),
        ("zrzy", "受理", "unknown_code"),
    ]
    assert cases(ready) == {"511602202611170001", "twice", "again", "rsj-good", "zrzy-good"}
    kept = rows(ready, "select payload ->> 'promised_limit' from message where case_no = 'twice'")
    assert kept == [("7.0",)], "the first telling of a version stands"
    counts = {
        name: tuple(row[key] for key in ("accepted", "repeated", "quarantined")) for name, row in status().items()
    }
    assert counts == {"scjg": (3, 1, 5), "rsj": (1, 0, 3), "zrzy": (2, 0, 3)}
    assert {(row["state"], row["unexplained"]) for row in status().values()} == {("complete", 0)}
    sent = {"scjg": len(scjg.rows["accept"]), "rsj": 4, "zrzy": 5}
    assert {name: sum(count) for name, count in counts.items()} == sent


def test_a_source_that_does_not_answer_leaves_the_others_complete(
    feeds: Feeds, altered: Alter, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_each_an_ordinary_case(feeds)
    altered("scjg", kind=replace(sources.get("scjg").kind, retries=0))
    monkeypatch.setenv("JIANCHA_CONNECTION_SCJG", "http://reader:s3cret-word@127.0.0.1:9/scjg")
    ended = night()
    assert_only_broken("scjg", ended, "failed", "did not answer")
    assert "s3cret-word" not in ended.out + ended.err + str(jiancha("status").out)


def test_a_database_that_is_not_there_leaves_the_others_complete_and_no_password_behind(
    feeds: Feeds, ready: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_each_an_ordinary_case(feeds)
    monkeypatch.setenv("JIANCHA_CONNECTION_RSJ", "postgresql+psycopg://reader:s3cret-word@127.0.0.1:9/exchange")
    ended = night()
    assert_only_broken("rsj", ended, "failed", "does not answer")
    assert "s3cret-word" not in ended.out + ended.err + str(rows(ready, "select detail from feed"))


def test_a_connection_nobody_can_read_is_that_sources_fault_alone(
    feeds: Feeds, ready: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_each_an_ordinary_case(feeds)
    monkeypatch.setenv("JIANCHA_CONNECTION_SCJG", "ftp://reader:s3cret-word@platform/scjg")
    ended = night()
    assert_only_broken("scjg", ended, "failed", "a REST connection is")
    assert "s3cret-word" not in ended.out + ended.err + str(rows(ready, "select detail from feed"))


def test_a_drop_folder_that_is_not_mounted_leaves_the_others_complete(feeds: Feeds) -> None:
    give_each_an_ordinary_case(feeds)
    shutil.rmtree(feeds.zrzy.folder)
    assert_only_broken("zrzy", night(), "failed", "is the share mounted?")


def test_a_truncated_page_is_not_landed_and_leaves_the_others_complete(feeds: Feeds, ready: Engine) -> None:
    give_each_an_ordinary_case(feeds)
    whole = Platform.encode({"total": 1, "rows": [{"project_no": "lost"}], "next": None, "data_until": "2026-11-18"})
    feeds.scjg.broken["result"] = Response(whole[: len(whole) // 2], content_type="application/json")
    assert_only_broken_but_landed(night())
    assert "lost" not in cases(ready)


def assert_only_broken_but_landed(ended: Ended) -> None:
    """As a page before the broken one was whole, it is admitted; the night still is not complete."""
    assert ended.code == 3
    assert "the JSON stops in the middle" in ended.only["incomplete"]["scjg"]
    found = status()
    assert {name: row["state"] for name, row in found.items()} == {
        "rsj": "complete",
        "scjg": "partial",
        "zrzy": "complete",
    }


def test_a_page_repeated_instead_of_the_next_one_is_refused(feeds: Feeds) -> None:
    give_each_an_ordinary_case(feeds)
    feeds.scjg.accept("second", "2026-11-17 10:01")
    feeds.scjg.page_rows, feeds.scjg.is_repeating = 1, True
    ended = night()
    assert ended.code == 3
    assert "does not advance" in ended.only["incomplete"]["scjg"]
    assert {name: row["state"] for name, row in status().items()} == {
        "rsj": "complete",
        "scjg": "failed",
        "zrzy": "complete",
    }


def test_fewer_rows_than_declared_are_an_incomplete_night(platform: Platform) -> None:
    body = {"total": 2, "rows": [], "next": None, "data_until": cutoff_at(NIGHT).isoformat()}
    platform.broken["accept"] = Response(Platform.encode(body))
    ended = night()
    assert (ended.code, status()["scjg"]["state"]) == (3, "partial")
    assert "0 rows came, 2 were declared" in ended.only["incomplete"]["scjg"]


def test_a_platform_whose_data_end_before_the_cutoff_is_late(platform: Platform) -> None:
    platform.data_until = cutoff_at(NIGHT) - timedelta(hours=3)
    ended = night()
    assert (ended.code, status()["scjg"]["state"]) == (3, "late")
    platform.data_until = None
    assert (night().code, status()["scjg"]["state"]) == (0, "complete")


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_gbk_is_read_as_declared_whatever_the_header_says(platform: Platform, ready: Engine, content_type: str) -> None:
    platform.content_type = content_type
    platform.accept("gbk", "2026-11-17 10:00", task_name="食品小经营店备案（镕）")
    assert night().code == 0
    assert rows(ready, "select item_name from message") == [("食品小经营店备案（镕）",)]


def test_times_without_a_zone_are_refused_when_the_source_declares_none(
    feeds: Feeds, ready: Engine, altered: Alter
) -> None:
    give_each_an_ordinary_case(feeds)
    altered("scjg", timezone="")
    assert night().code == 1
    assert rows(ready, "select source, reason from quarantine") == [("scjg", "time_without_zone")]
    assert cases(ready) == {"rsj-ordinary", "zrzy-ordinary"}
    assert status()["scjg"]["quarantined"] == 1


def test_a_file_with_another_header_is_set_aside_and_named_until_it_comes_again(feeds: Feeds) -> None:
    give_each_an_ordinary_case(feeds)
    feeds.zrzy.kept["受理"].append({})
    feeds.zrzy.close(NIGHT, header={"承诺时限": "承诺天数"})
    assert_only_broken("zrzy", night(), "failed", "lacks 承诺时限 and has unexpected '承诺天数'")
    name = f"受理_{NIGHT:%Y%m%d}.csv"
    assert (feeds.zrzy.folder / "failed" / NIGHT.isoformat() / name).exists()
    assert f"{name} is still in failed/" in night().only["incomplete"]["zrzy"]

    feeds.zrzy.accept("zrzy-corrected", "2026-11-17 10:00")
    feeds.zrzy.close(NIGHT, "受理", before_cutoff=30)
    ended = night()
    assert ended.only["incomplete"] == {}, ended
    assert (status()["zrzy"]["state"], status()["zrzy"]["accepted"]) == ("complete", 1)


@pytest.mark.usefixtures("expectations")
def test_a_days_missing_file_is_late_and_the_night_is_repaired_when_it_comes(feeds: Feeds) -> None:
    give_each_an_ordinary_case(feeds)
    shutil.move(feeds.zrzy.folder / f"办结_{NIGHT:%Y%m%d}.xlsx", feeds.zrzy.folder.parent / "kept")
    ended = night()
    assert ended.code == 3
    assert "has not come" in ended.only["incomplete"]["zrzy"]
    assert status()["zrzy"]["state"] == "late"
    shutil.move(feeds.zrzy.folder.parent / "kept", feeds.zrzy.folder / f"办结_{NIGHT:%Y%m%d}.xlsx")
    assert night().code == 0
    assert status()["zrzy"] | {"repeated": 0} == {
        "source": "zrzy", "last_complete_on": "2026-11-17", "accepted": 1, "repeated": 0, "quarantined": 0,
        "unexplained": 0, "state": "complete",
    }  # fmt: skip


@pytest.mark.usefixtures("expectations")
def test_a_batch_whose_times_are_mostly_in_the_future_waits_for_the_night_its_zone_is_put_right(
    platform: Platform, exchange: Exchange, ready: Engine, altered: Alter
) -> None:
    for minute in range(25):
        platform.accept(f"evening-{minute}", f"2026-11-17 23:{minute:02}", cd_time="20261117230000")
    exchange.accept("rsj-ordinary", "2026-11-17 10:00")
    altered("scjg", timezone="UTC")
    assert night().code == 3
    found = status()
    assert (found["scjg"]["state"], found["scjg"]["unexplained"]) == ("partial", 25)
    assert (found["rsj"]["state"], cases(ready)) == ("complete", {"rsj-ordinary"})
    altered("scjg", timezone="Asia/Shanghai")
    assert night(NIGHT + timedelta(days=1)).code == 0
    found = status()["scjg"]
    assert [found[name] for name in ("state", "accepted", "repeated", "unexplained")] == ["complete", 25, 25, 0]
    assert {at for (at,) in rows(ready, "select known_at from message where source = 'scjg'")} == {
        cutoff_at(NIGHT)  # the first load knows when its records had arrived
    }


def test_a_failing_second_run_takes_nothing_back_from_a_complete_night(feeds: Feeds, ready: Engine) -> None:
    give_each_an_ordinary_case(feeds)
    assert night().code == 0
    before, feeds.scjg.broken["apply"] = jiancha("ledger", "digest").out, Response(b"[]")
    assert night().code == 3
    assert jiancha("ledger", "digest").out == before
    assert status()["scjg"]["state"] == "complete"
    assert rows(ready, "select from v_feed_incident") == []
