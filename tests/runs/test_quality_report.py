"""What the expectations said of real nights: stored with samples and volumes, reported from what is stored alone."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from etl.settings import settings
from tests.cli.command import jiancha
from tests.runs.test_a_night import rows
from tests.runs.world import Platform

FIRST, NIGHT = date(2026, 11, 16), date(2026, 11, 17)
PHONE = "13900001111"

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("expectations")]


def found(night: date, rule: str) -> dict:
    (source,) = jiancha("quality", "--on", night, "--json").only["sources"]
    (one,) = (one for one in source["rules"] if f"{one['suite']}.{one['rule']}" == rule)
    return one


def test_a_finish_is_reproached_for_no_acceptance_only_when_batch_and_ledger_have_none(
    platform: Platform, ready: Engine
) -> None:
    platform.accept("A1", "2026-11-16 10:00")
    assert jiancha("night", "--date", FIRST).code == 0
    platform.finish("A1", "2026-11-17 10:00")
    platform.finish("A2", "2026-11-17 11:00")
    platform.accept("A3", "2026-11-17 09:00")
    platform.finish("A3", "2026-11-17 12:00")
    assert jiancha("night", "--date", NIGHT).code == 0
    told = found(NIGHT, "finish.without_accept")
    assert (told["checked_rows"], told["failed_rows"], told["first_on"]) == (3, 1, "2026-11-17")
    assert told["samples"] == ["A2：2026-11-17 11:00"]
    assert told["trend"][-2:] == [None, [3, 1]] or told["trend"][-2:] == [[0, 0], [3, 1]]
    # Accepted at last, it is not reproached again.
    platform.accept("A2", "2026-11-17 09:00", receive_time="2026-11-18T09:00:00+08:00")
    assert jiancha("night", "--date", NIGHT + timedelta(days=1)).code == 0
    assert found(NIGHT + timedelta(days=1), "finish.without_accept")["failed_rows"] == 0


def test_the_report_says_what_is_stored_and_names_nobody(platform: Platform, ready: Engine) -> None:
    platform.accept("A1", "2026-11-16 10:00", task_name=f"备案{PHONE}", task_code="short")
    platform.accept("A2", "2026-11-16 10:00", promised=30, statutory=20)
    platform.finish("A2", "2026-11-16 11:00", fee=-1)
    assert jiancha("night", "--date", FIRST).code == 1
    (source,) = jiancha("quality", "--json").only["sources"]
    stored = rows(ready, "select suite, rule, checked_rows, failed_rows from quality_result")
    assert {(one["suite"], one["rule"], one["checked_rows"], one["failed_rows"]) for one in source["rules"]} == set(
        stored
    )
    assert len(source["rules"]) == len(stored) > 80
    assert [one["failed_rows"] > 0 for one in source["rules"]] == sorted(
        (one["failed_rows"] > 0 for one in source["rules"]), reverse=True
    )
    assert found(FIRST, "finish.fee_range")["samples"] == ["A2：-1"]
    assert found(FIRST, "accept.promise_too_long")["samples"] == ["A2：20 / 30"]
    page = (settings().var_dir / "quality" / f"quality-{FIRST}.html").read_text("utf-8")
    assert "承诺时限长于法定" in page
    assert PHONE not in page
    assert not [samples for (samples,) in rows(ready, "select samples from quality_result") if PHONE in str(samples)]


def test_the_command_writes_the_same_page_as_the_night(platform: Platform, ready: Engine, tmp_path: Path) -> None:
    platform.accept("A1", "2026-11-16 10:00")
    assert jiancha("night", "--date", FIRST).code == 0
    assert jiancha("quality", "--on", FIRST, "--html", tmp_path / "out.html").out.strip() == str(tmp_path / "out.html")
    night = settings().var_dir / "quality" / f"quality-{FIRST}.html"
    assert (tmp_path / "out.html").read_bytes() == night.read_bytes()
    assert "数据质量：2026-11-16 之夜" in jiancha("quality").out
    assert jiancha("quality", "--on", "2026-11-30").code == 2
    assert jiancha("quality", "--source", "rsj", "--on", FIRST).code == 2


def test_a_night_far_from_the_usual_of_its_sort_is_said_and_judged_all_the_same(
    platform: Platform, ready: Engine
) -> None:
    days = [date(2026, 11, 9) + timedelta(days=back) for back in range(12)]
    for on in days:
        count = 0 if on.isoweekday() > 5 else 3 if on == days[-1] else 12
        for number in range(count):
            platform.accept(f"{on:%d}-{number}", f"{on} 10:{number:02d}")
    for on in (days[-2], days[-1]):
        assert jiancha("night", "--date", on).code == 0
    volume = "select row_count, usual_count from quality_volume where kind = 'accept' and business_on = '{}'"
    assert rows(ready, volume.format(days[-2])) == [(12, 12.0)]
    assert rows(ready, volume.format(days[-1])) == [(3, 12.0)]
    assert rows(ready, volume.format(date(2026, 11, 15))) == [(0, None)]
    assert found(days[-2], "volume.few")["failed_rows"] == 0
    told = found(days[-1], "volume.few")
    assert (told["checked_rows"], told["failed_rows"], told["samples"]) == (1, 1, ["受理：3 条，通常 12 条"])
    (feed,) = rows(ready, f"select state from feed where business_on = '{days[-1]}'")
    assert feed == ("complete",)


def test_a_night_that_was_not_pulled_to_its_end_is_not_counted(platform: Platform, ready: Engine) -> None:
    platform.accept("A1", "2026-11-16 10:00")
    assert jiancha("night", "--date", FIRST).code == 0
    platform.is_repeating = True
    platform.page_rows = 1
    platform.accept("A2", "2026-11-17 10:00")
    platform.accept("A3", "2026-11-17 10:00")
    assert jiancha("night", "--date", NIGHT).code == 3
    assert rows(ready, "select business_on, row_count from quality_volume") == [(FIRST, 1)]
