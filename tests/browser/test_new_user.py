"""The first hour with the platform: pages that open anywhere, and real nights under the real scheduler."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine

from etl.domain.night import cutoff_at
from etl.runs.local_airflow import Airflow
from tests.airflow_api import fetch
from tests.browser.conftest import CONNECTED

# One worker for all: what the fixtures start is started once.
pytestmark = [
    pytest.mark.airflow,
    pytest.mark.database,
    pytest.mark.slow,
    pytest.mark.xdist_group("new user"),
]
NIGHT, LATEST_WEEK = date(2026, 11, 16), "2026-W46"
PATIENCE_SECONDS = 300
NIGHTLY, WEEKLY = "dags/nightly_supervision", "dags/weekly_bulletin"


def test_mails_and_the_bulletin_are_whole_pages_by_themselves(demo: Path, page: Page, tmp_path: Path) -> None:
    from etl.runs import weekly

    mails = [_read(path) for path in (demo / "mail" / "2026-11-15").iterdir()]
    assert {mail["subject"].split("】")[1] for mail in mails} == {
        "区人社局 电子监察日警报 2026-11-15",
        "区市监局 电子监察日警报 2026-11-15",
        "区自然资源和规划局 电子监察日警报 2026-11-15",
        "电子监察日汇总 2026-11-15",
    }
    for mail in mails:
        part = mail.get_body(("html",))
        assert part is not None
        (tmp_path / "mail.html").write_text(part.get_content(), encoding="utf-8")
        headings = _opened(page, tmp_path / "mail.html", "h1, h2")
        if "日汇总" in mail["subject"]:
            assert headings == [
                "电子监察日汇总", "各部门红黄牌", "待人工决定的牌", "数据接入", "数据变化", "静默的数据源", "最慢链路",
                "对账差异", "需人工核对的邮件", "未能通知",
            ]  # fmt: skip
            expect(page.locator("body")).to_contain_text("今日无新增")
        else:
            plain = mail.get_body(("plain",)).get_content()
            parts = [part for part in ("撤回", "发现的问题") if f"【{part}】" in plain]
            assert headings == [mail["subject"].split("】")[1].removesuffix(" 2026-11-15"), *parts]
            assert ("撤回" in parts) == ("撤回" in mail["subject"])
            assert "发现的问题" in parts, "rows set aside"
        expect(page.locator("body")).to_contain_text("数据截止 2026-11-16 01:00")

    bulletin = Path(weekly.compile_bulletin(LATEST_WEEK)["html"])
    assert _opened(page, bulletin, "h1, h2") == [
        "电子监察周报", "一、总体情况", "二、红黄牌情况", "三、红黄牌明细", "四、数据推送情况", "五、数据质量",
        "六、督办与整改",
    ]  # fmt: skip
    expect(page.locator("body")).to_contain_text("2026 年第 46 周")


@dataclass(frozen=True)
class Night:
    """A night run by hand in the scheduler: the ledger before and after it, the mails after it."""

    run_id: str
    before: set[str]
    after: set[str]
    mails: dict[str, str]


@pytest.fixture(scope="module")
def night(demo: Path, served: Airflow) -> Night:
    dags = fetch(served, "GET", "dags")["dags"]
    assert {dag["dag_id"]: dag["is_paused"] for dag in dags} == {"nightly_supervision": False, "weekly_bulletin": False}
    assert fetch(served, "GET", "importErrors")["total_entries"] == 0
    before = _ledger()
    assert _run(served, NIGHTLY, "by-hand", {"business_on": NIGHT.isoformat()}) == "success"
    return Night("by-hand", before, _ledger(), _mails(demo))


def test_a_night_by_hand_tells_the_departments(served: Airflow, night: Night) -> None:
    pulled = fetch(served, "GET", f"{NIGHTLY}/dagRuns/{night.run_id}/taskInstances/pull/listMapped")["task_instances"]
    assert {task["rendered_map_index"]: task["state"] for task in pulled} == dict.fromkeys(CONNECTED, "success")
    assert night.after != night.before
    assert {path.split("_")[0] for path in night.mails if path.startswith(str(NIGHT))} == {f"{NIGHT}/A", f"{NIGHT}/B"}
    values = _returned(served, night.run_id)
    assert set(values) == {"pull", "admit", "judge", "trace", "reconcile", "notify"}
    assert all(isinstance(number, int) for value in values.values() for number in value.values())
    assert values["notify"]["claimed"] > 0


def test_backfilled_backwards_and_side_by_side_nights_leave_the_ledger_of_the_command_line_and_mail_nobody(
    demo: Path, served: Airflow, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is told, one that was missed, the one after it, and a new one."""
    from etl.runs import nightly

    nights = [NIGHT + timedelta(days=number) for number in range(1, 5)]
    nightly.run(nights[0], CONNECTED)
    nightly.run(nights[2], CONNECTED, mode="never")
    before, mails = _ledger(), _mails(demo)
    assert mails != night.mails
    expected = _by_command_line(demo, nights, before, monkeypatch)
    asked = {"reprocess_behavior": "completed", "run_backwards": True, "max_active_runs": 2}
    days = {"from_date": cutoff_at(nights[0]).isoformat(), "to_date": cutoff_at(nights[-1]).isoformat()}
    fetch(served, "POST", "backfills", dag_id="nightly_supervision", **asked, **days)
    runs = {run["dag_run_id"]: run["run_type"] for run in fetch(served, "GET", f"{NIGHTLY}/dagRuns")["dag_runs"]}
    assert sorted(runs.values()) == ["backfill"] * len(nights) + ["manual"], "nothing runs that nobody asked for"
    assert {run: _finished(served, NIGHTLY, run) for run in runs} == dict.fromkeys(runs, "success")
    made = _ledger()
    assert made == expected, sorted(made ^ expected)[:10]
    assert _mails(demo) == mails
    assert {_returned(served, run)["notify"]["claimed"] for run, kind in runs.items() if kind == "backfill"} == {0}


def _by_command_line(demo: Path, nights: list[date], before: set[str], patch: pytest.MonkeyPatch) -> set[str]:
    """The ledger after these nights, one after the other, without Airflow; made on a copy."""
    from etl.runs import nightly
    from etl.settings import settings
    from etl.store.engine import embedded_url, engine

    original, copied = settings().database_name, "without_airflow"
    engine().dispose()
    admin = create_engine(embedded_url(demo, "postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        # Connections that wait to be used again.
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", (original,)
        )
        connection.exec_driver_sql(f"create database {copied} template {original}")
    admin.dispose()
    with patch.context() as inner:
        inner.setenv("JIANCHA_DATABASE_URL", embedded_url(demo, copied))
        settings.cache_clear()
        engine.cache_clear()
        for night in nights:
            nightly.run(night, CONNECTED, mode="never")
            if night == nights[0]:
                assert _ledger() == before, "run once more, a night changes nothing"
        lines = _ledger()
        engine().dispose()
    settings.cache_clear()
    engine.cache_clear()
    assert {"feed", "card_event"} <= {line.split()[0] for line in lines ^ before}, "there was something to make up for"
    return lines


def test_the_weekly_dag_issues_a_bulletin_once(demo: Path, served: Airflow) -> None:
    from etl.runs import weekly

    assert _run(served, WEEKLY, "first", {"week": LATEST_WEEK}) == "success"
    issued = {path.name: path.read_bytes() for path in (demo / "bulletins").iterdir()}
    assert sorted(issued) == [f"bulletin-{LATEST_WEEK}.docx", f"bulletin-{LATEST_WEEK}.html"]
    head = weekly.compile_bulletin(LATEST_WEEK)["head_hash"]
    assert head.encode() in issued[f"bulletin-{LATEST_WEEK}.html"]
    assert {path.name: path.read_bytes() for path in (demo / "bulletins").iterdir()} == issued


def test_a_supervisor_finds_everything_in_the_browser(served: Airflow, night: Night, page: Page) -> None:
    page.goto(served.url)
    page.fill("input[name=username]", served.user)
    page.fill("input[name=password]", served.password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "login" not in url)

    page.goto(f"{served.url}/dags")
    for name in ("每夜电子监察", "电子监察周报"):
        expect(page.get_by_role("link", name=name)).to_be_visible()

    page.goto(f"{served.url}/{NIGHTLY}")
    page.get_by_label("Dag 文档").last.click()
    expect(page.get_by_role("dialog").get_by_role("heading", name="每夜电子监察")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="触发").click()
    for field in ("业务日期", "来源", "通知", "只重新判定", "判定时刻"):
        expect(page.get_by_role("dialog")).to_contain_text(field)

    page.goto(f"{served.url}/{NIGHTLY}/runs/{night.run_id}/tasks/judge")
    expect(page.get_by_text("判定红黄牌").first).to_be_visible()
    expect(page.get_by_text("Returned value was").first).to_be_visible()


def _read(path: Path) -> EmailMessage:
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def _opened(page: Page, path: Path, selector: str) -> list[str]:
    page.goto(path.as_uri())
    return page.locator(selector).all_inner_texts()


def _ledger() -> set[str]:
    """The lines `jiancha ledger digest` hashes, so that a failure shows what changed."""
    from etl.store.engine import engine
    from etl.store.statements import sql

    with engine().connect() as connection:
        return set(connection.execute(sql("ledger/digest_ledger")).scalars())


def _mails(demo: Path) -> dict[str, str]:
    folder = demo / "mail"
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.eml")
    }


def _run(airflow: Airflow, dag: str, run_id: str, conf: Mapping[str, Any]) -> str:
    fetch(airflow, "POST", f"{dag}/dagRuns", dag_run_id=run_id, logical_date=None, conf=conf)
    return _finished(airflow, dag, run_id)


def _finished(airflow: Airflow, dag: str, run_id: str) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        state = str(fetch(airflow, "GET", f"{dag}/dagRuns/{run_id}")["state"])
        if state in ("success", "failed"):
            return state
        time.sleep(1)
    raise AssertionError(f"{run_id} is still {state} after {PATIENCE_SECONDS} s; see {airflow.logs}")


def _returned(airflow: Airflow, run_id: str) -> dict[str, dict[str, int]]:
    """What each task of a night left in Airflow's own database."""
    entries = fetch(airflow, "GET", f"{NIGHTLY}/dagRuns/{run_id}/taskInstances/~/xcomEntries?limit=200")["xcom_entries"]
    values = {}
    for entry in entries:
        if entry["key"] == "return_value" and entry["task_id"] != "choose":
            path = f"{NIGHTLY}/dagRuns/{run_id}/taskInstances/{entry['task_id']}/xcomEntries/return_value"
            values[entry["task_id"]] = fetch(airflow, "GET", f"{path}?map_index={entry['map_index']}&deserialize=true")[
                "value"
            ]
    return values
