"""The national set as changes through real nights: a batch sent again, an update that comes first, deletes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import Engine

from etl.sources.contract import Source
from etl.sources.kinds import Rest
from etl.sources.sets import national_changes, provincial
from tests.cli.command import jiancha
from tests.runs.test_a_night import rows
from tests.runs.world import ITEM, Platform, at, compact

NIGHT, NEXT = date(2026, 11, 16), date(2026, 11, 17)
OWN: dict[str, dict[str, Any]] = {
    "accept": {"apply_date": "20261116090000", "apply_type": "1", "applyer_name": "王小明", "accept_result": "1"}
    | {"accept_date": "20261116090000", "promise_date": "20261125170000"},
    "result": {"result_date": "20261116150000", "result_type": "0"},
}

pytestmark = pytest.mark.database


@pytest.fixture
def changing(platform: Platform, httpserver: HTTPServer, altered: Callable[..., Source]) -> Platform:
    """scjg speaks in changes."""
    httpserver.expect_request("/scjg/special_procedure").respond_with_handler(platform.answer)
    kind, dialect = Rest(tuple(national_changes.COLUMNS)), national_changes.dialect(provincial.CODES)
    altered("scjg", kind=kind, dialect=dialect)
    return platform


def send(platform: Platform, stream: str, case: str, operation: str, when: str, sent: str = "", **more: Any) -> None:
    row = dict.fromkeys(national_changes.COLUMNS[stream]) | OWN[stream]
    head = {"row_guid": case, "project_no": case, "task_code": ITEM, "task_name": "食品小经营店备案", "cd_batch": sent}
    moments = {"cd_time": compact(at(when)), "receive_time": at(sent or when).isoformat()}
    platform.rows[stream].append(row | head | moments | {"cd_operation": operation} | more)


def test_a_batch_sent_again_repeats_and_a_delete_is_a_void_or_set_aside(changing: Platform, ready: Engine) -> None:
    for case in ("A", "B"):
        send(changing, "accept", case, "I", "2026-11-16 10:00")
    send(changing, "result", "A", "I", "2026-11-16 16:00")
    assert jiancha("night", "--date", NIGHT).only["admit"] == {
        "accepted": 3, "repeated": 0, "quarantined": 0, "failed_sources": 0
    }  # fmt: skip
    again = "2026-11-17 09:00"
    send(changing, "accept", "A", "I", "2026-11-16 10:00", again)
    send(changing, "result", "A", "U", "2026-11-17 08:00", result_type="1", reason="更正")
    send(changing, "result", "A", "I", "2026-11-16 16:00", again)
    send(changing, "result", "A", "D", "2026-11-17 10:00")
    send(changing, "accept", "B", "D", "2026-11-17 11:00", accept_date=None, apply_date=None, accept_result=None)
    ended = jiancha("night", "--date", NEXT)
    assert (ended.code, ended.only["admit"]) == (
        1, {"accepted": 2, "repeated": 2, "quarantined": 1, "failed_sources": 0}
    )  # fmt: skip
    finished = "select case_no, version > 1, payload ->> 'outcome' from message where kind = 'finish' order by 1, 2"
    assert rows(ready, finished) == [
        ("A", False, "granted"), ("A", True, "refused"), ("B", True, "voided")
    ]  # fmt: skip
    assert rows(ready, "select reason, detail from quarantine") == [("deleted_in_source", "cd_operation is 'D'")]
