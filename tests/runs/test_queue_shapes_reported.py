"""How a source queues, through real nights: stored with the night, on the command line, in the bulletin."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine

from etl.publish.chapter import Week
from etl.publish.sections import registered
from etl.runs.ways import titles
from tests.cli.command import jiancha
from tests.runs.test_a_night import night, rows
from tests.runs.world import Platform, at

pytestmark = pytest.mark.database
FIRST, SECOND = date(2026, 11, 17), date(2026, 11, 18)
SAID = (
    "本夜 12 件办件中 12 件的受理与办结同时到达，而两者相隔中位数 6.0 天；办结之前没有任何记录报来，"
    "请改为受理后即时报送"
)


def test_a_source_that_sends_decided_cases_only_is_told_so_in_numbers(platform: Platform, ready: Engine) -> None:
    for number in range(12):
        told = {"receive_time": at(f"2026-11-17 {10 + number // 4}:{number % 4 * 15:02}").isoformat()}
        platform.accept(f"late-{number:02}", f"2026-11-11 09:{number:02}", **told)
        platform.finish(f"late-{number:02}", f"2026-11-17 09:{number:02}", **told)
    platform.accept("at-once", "2026-11-18 10:00")
    night(FIRST)
    found = "select class, state, opened_on, closed_on, record_count, detail, evidence[1] from v_push_finding "
    found += "where detail is not null"
    shown = ("finished_only", "late", FIRST, None, 12, SAID, "scjg/late-00/accept/0/v1")
    assert rows(ready, found) == [shown]
    assert SAID in jiancha("delays", "--from", FIRST, "--to", FIRST).out
    incidents = jiancha("delays", "--from", FIRST, "--to", FIRST, "--json").only["incidents"]
    assert [row["detail"] for row in incidents if row["class"] == "finished_only"] == [SAID]
    with ready.connect() as connection:
        week = Week("2026-W47", date(2026, 11, 16), date(2026, 11, 22), at("2026-11-23 01:00"), titles(), [])
        paragraphs = registered()["pushes"].compile(connection, week).paragraphs
    assert f"排队形态：区市监局办结后补报：{SAID}（如 scjg/late-00/accept/0/v1）。" in paragraphs

    night(SECOND)
    assert rows(ready, found) == [("finished_only", "recovered", FIRST, SECOND, *shown[4:])]
