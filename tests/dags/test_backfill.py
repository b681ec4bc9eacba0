"""Past nights through Airflow's own backfill, scheduler and public API: in order, reversed, side by side, over runs
that are there and over a metadata database that forgot them. The ledger is the one the command line leaves in order,
and nobody is mailed. Three nights backwards and side by side are part of a new user's first hour (`tests/browser`).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer
from sqlalchemy import create_engine

from etl.domain.night import cutoff_at
from etl.runs.local_airflow import Airflow, running
from etl.store.engine import embedded_url
from etl.store.statements import sql
from tests.airflow_api import fetch
from tests.faults.warm import Warm, shared, warm_scheduler
from tests.oracle.proof import FULL
from tests.runs.world import Exchange, Platform

pytestmark = [pytest.mark.airflow, pytest.mark.database, pytest.mark.slow]
FIRST_LOAD = date(2026, 11, 9)
DAG = "dags/nightly_supervision"


def nights(number: int) -> list[date]:
    return [FIRST_LOAD + timedelta(days=days) for days in range(1, number + 1)]


@dataclass
class Office:
    """A ledger with a past, to go back to as often as wanted, and what Airflow remembers of it."""

    server: Path
    var_dir: Path
    name: str
    platform: Platform
    warm: Warm
    nights: list[date] = field(default_factory=list)
    before: Any = None

    def url(self, database: str = "") -> str:
        return embedded_url(self.server, f"{self.name}{database}")

    def admin(self, *statements: str) -> None:
        admin = create_engine(embedded_url(self.server, "postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.format(self.name))
        admin.dispose()

    def jiancha(self, *arguments: object) -> int:
        """The command in a process of its own -> its exit code."""
        return self.warm.wait(self.warm.start([*map(str, arguments)], os.environ, self.var_dir.parent / "command"))

    def keep(self) -> None:
        """What the ledger says now is where every way begins."""
        self.before = self.ledger(), self.told()
        self.admin("create database {0}_kept template {0}")

    def fresh(self) -> None:
        self.admin("drop database {0} with (force)", "create database {0} template {0}_kept")

    def forget_runs(self) -> None:
        """Airflow's metadata database is lost and made anew."""
        self.admin("drop database {0}_airflow with (force)", "create database {0}_airflow")

    def ledger(self) -> set[str]:
        engine = create_engine(self.url())
        with engine.connect() as connection:
            connection.exec_driver_sql("set time zone 'UTC'")
            lines = set(connection.execute(sql("ledger/digest_ledger")).scalars())
        engine.dispose()
        return lines

    def told(self) -> dict[str, Any]:
        """Everything that was or will be mailed."""
        engine = create_engine(self.url())
        with engine.connect() as connection:
            outbox: dict[str, Any] = {
                table: sorted(map(tuple, connection.exec_driver_sql(f"select * from {table}")), key=str)
                for table in ("notice", "notice_claim", "notice_item where not is_muted")
            }
        engine.dispose()
        folder = self.var_dir / "mail"
        return outbox | {str(path): sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.eml")}

    @contextmanager
    def sources_end_at(self, night: date) -> Iterator[None]:
        """The platform has no data after this night."""
        self.platform.data_until = cutoff_at(night)
        yield
        self.platform.data_until = None

    @contextmanager
    def airflow(self) -> Iterator[Airflow]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        warm_scheduler(self.var_dir / "airflow")
        with running(port) as airflow:
            deadline = time.monotonic() + 120
            while "nightly_supervision" not in {dag["dag_id"] for dag in fetch(airflow, "GET", "dags")["dags"]}:
                assert time.monotonic() < deadline
                time.sleep(0.5)
            yield airflow

    def backfill(
        self, airflow: Airflow, reprocess: str, at_once: int = 1, *, backwards: bool = False
    ) -> list[tuple[date, str]]:
        """All nights through one backfill -> (night, state) of every run it made or ran again, in order of start."""
        earlier = {run["dag_run_id"]: run["start_date"] for run in _runs(airflow)}
        asked = {
            "from_date": cutoff_at(self.nights[0]).isoformat(), "to_date": cutoff_at(self.nights[-1]).isoformat(),
            "reprocess_behavior": reprocess, "max_active_runs": at_once, "run_backwards": backwards,
        }  # fmt: skip
        made = fetch(airflow, "POST", "backfills", dag_id="nightly_supervision", **asked)
        deadline = time.monotonic() + 120 * len(self.nights)
        while {run["state"] for run in _runs(airflow)} - {"success", "failed"}:
            assert time.monotonic() < deadline, f"still running; see {airflow.logs}"
            time.sleep(0.5)
        if fetch(airflow, "GET", f"backfills/{made['id']}")["completed_at"] is None:
            # The scheduler looks every thirty seconds whether a backfill is over; until then no other one may begin.
            try:
                fetch(airflow, "PUT", f"backfills/{made['id']}/cancel")
            except requests.HTTPError as error:
                assert error.response.status_code == 409, "it was over meanwhile"  # noqa: PT017
        ran = [run for run in _runs(airflow) if run["start_date"] != earlier.get(run["dag_run_id"])]
        assert {run["run_type"] for run in ran} <= {"backfill"}
        ran.sort(key=lambda run: run["start_date"])
        return [(date.fromisoformat(run["run_after"][:10]), run["state"]) for run in ran]


def _runs(airflow: Airflow) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = fetch(airflow, "GET", f"{DAG}/dagRuns?limit=100")["dag_runs"]
    return runs


@pytest.fixture
def office(
    embedded_server: Path, tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    from etl.settings import settings

    for name in [name for name in os.environ if name.startswith(("AIRFLOW", "JIANCHA_"))]:
        monkeypatch.delenv(name)
    made = Office(embedded_server, tmp_path / "var", f"backfill_{os.getpid()}", Platform(), shared())
    for name, value in {
        "JIANCHA_VAR_DIR": str(made.var_dir),
        "JIANCHA_DATABASE_URL": made.url(),
        "JIANCHA_CONNECTION_SCJG": made.platform.serve(httpserver),
        "JIANCHA_CONNECTION_RSJ": f"sqlite:///{tmp_path / 'rsj.sqlite'}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": made.url("_airflow"),
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield made
    made.admin(*(f"drop database if exists {{0}}{name} with (force)" for name in ("", "_kept", "_airflow")))
    settings.cache_clear()


def live(office: Office, tmp_path: Path, number: int, *, missed: set[int], broken: set[int]) -> None:
    """A first load and `number` nights as they went: some missed, some with data that had not come.

    Afterwards finish records turn up that had reached the platform on the first and on the last but one day.
    """
    assert office.jiancha("ledger", "migrate") == 0
    people = (
        "recipient_id,name,email,role,department,valid_from\nzhou,周某,zhou@supervision.example,supervision,,2020-01-01"
    )
    (tmp_path / "recipients.csv").write_text(people, encoding="utf-8")
    assert office.jiancha("reference", "import", tmp_path / "recipients.csv") == 0
    exchange = Exchange.at(f"sqlite:///{tmp_path / 'rsj.sqlite'}")
    for feed, name in ((office.platform, "scjg"), (exchange, "rsj")):
        for days in range(-6, number + 1):
            opened, closed = FIRST_LOAD + timedelta(days=days), FIRST_LOAD + timedelta(days=days + 3)
            feed.accept(f"{name}-{days}", f"{opened} 10:00", promised=1 + days % 4, statutory=6)
            if days % 4:
                feed.finish(f"{name}-{days}", f"{closed} 15:00")
    exchange.engine.dispose()
    office.nights = nights(number)
    days = {str(office.nights[0]), str(office.nights[-2])}
    kept = office.platform.rows["result"]
    is_late = [row["receive_time"][:10] in days for row in kept]
    assert sum(is_late) == 2
    office.platform.rows["result"] = [row for row, late in zip(kept, is_late, strict=True) if not late]
    for day, night in enumerate([FIRST_LOAD, *office.nights]):
        if day in broken:
            with office.sources_end_at(night - timedelta(days=1)):
                assert office.jiancha("night", "--date", night) == 3
        elif day not in missed:
            assert office.jiancha("night", "--date", night) == 0
    office.platform.rows["result"] = kept
    office.keep()


def by_command_line(office: Office) -> set[str]:
    """The ledger after the same nights, one after the other, without Airflow."""
    for night in office.nights:
        assert office.jiancha("night", "--date", night, "--notify", "never") == 0
    ledger, (before, told) = office.ledger(), office.before
    assert {line for line in before ^ ledger if line.startswith("card_event")}, "the nights had something to learn"
    assert {line for line in before ^ ledger if line.startswith("feed")}, "and some were missed"
    assert office.told() == told
    return ledger


def check(office: Office, expected: set[str]) -> None:
    made = office.ledger()
    assert made == expected, sorted(made ^ expected)[:10]
    assert office.told() == office.before[1]


@pytest.mark.skipif(not FULL, reason="ten nights in every combination take a quarter of an hour; JIANCHA_PROOF=full")
def test_ten_nights_in_every_order_over_every_kind_of_run_leave_the_ledger_of_the_command_line_and_mail_nobody(
    office: Office, tmp_path: Path
) -> None:
    live(office, tmp_path, 10, missed={3, 7, 8}, broken={5})
    expected = by_command_line(office)

    def run(airflow: Airflow, reprocess: str, at_once: int = 1, *, backwards: bool = False, failed: int = 0) -> None:
        """Every night, or after some `failed` those; what runs one at a time runs in order."""
        ran = office.backfill(airflow, reprocess, at_once, backwards=backwards)
        wanted = [(night, "success") for night in office.nights[-failed:]]
        assert (ran if at_once == 1 else sorted(ran, reverse=backwards)) == wanted[:: -1 if backwards else 1]
        check(office, expected)

    def run_failing(airflow: Airflow, reprocess: str, at_once: int = 1, *, backwards: bool = False) -> None:
        """Every night, the last three of them while the platform has no data for them."""
        with office.sources_end_at(office.nights[-4]):
            ran = office.backfill(airflow, reprocess, at_once, backwards=backwards)
        assert [state for _, state in sorted(ran)] == ["success"] * 7 + ["failed"] * 3
        assert office.told() == office.before[1]

    office.fresh()
    with office.airflow() as airflow:
        run_failing(airflow, "none")
        run(airflow, "failed", backwards=True, failed=3)
        office.fresh()
        assert office.backfill(airflow, "none", 4) == [], "runs that are there stay as they are"
        check(office, office.before[0])
        run(airflow, "completed", backwards=True)
    office.forget_runs()
    office.fresh()
    with office.airflow() as airflow:
        run_failing(airflow, "none", backwards=True)
        run(airflow, "failed", 3, failed=3)
        office.fresh()
        run(airflow, "completed", 4)
        assert office.backfill(airflow, "failed", 4) == [], "none of them failed"
    office.forget_runs()
    with office.airflow() as airflow:
        run(airflow, "none", 4)  # the ledger has it all, only Airflow does not know
        office.fresh()
        run_failing(airflow, "completed", 2)
        run(airflow, "failed", failed=3)
        run(airflow, "completed")
