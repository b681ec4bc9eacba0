"""After an outage the missed nights are made up for: reversed and side by side. The ledger is the same, and
its cards are what they were: what became known with a later night stays unknown until then.

Every night is the real command in a process of its own; only the databases are copies of one another.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url

from city.build import build
from city.provincial_platform import Platform, server
from etl.store.engine import embedded_url
from etl.store.statements import sql
from tests.faults.warm import shared

pytestmark = [pytest.mark.database, pytest.mark.slow]
MISSED = [date(2026, 11, 16) + timedelta(days=number) for number in range(3)]
BEFORE, AFTER = MISSED[0] - timedelta(days=1), MISSED[-1] + timedelta(days=1)


class Office:
    """Ledgers that are copies of one that has just come through an outage."""

    def __init__(self, server_dir: Path, folder: Path, environment: dict[str, str]) -> None:
        self.server_dir, self.folder, self.environment = server_dir, folder, environment
        self.admin = create_engine(make_url(embedded_url(server_dir, "postgres")), isolation_level="AUTOCOMMIT")
        self.made: list[str] = []
        self.runs = count()

    def new(self, name: str, *, template: str | None = None) -> None:
        url = embedded_url(self.server_dir, name)
        if template:
            shutil.copytree(self.folder / template, self.folder / name)
            with self.admin.connect() as connection:
                connection.exec_driver_sql(f"drop database {name}")
                connection.exec_driver_sql(f"create database {name} template {template}")
        self.made.append(name)
        self.environment |= {"JIANCHA_DATABASE_URL": url, "JIANCHA_VAR_DIR": str(self.folder / name)}

    def start(self, *command: str) -> tuple[int, Path]:
        output = self.folder / f"run-{next(self.runs)}"
        return shared().start(command, os.environ | self.environment, output), output

    def finish(self, process: int, output: Path) -> None:
        code = shared().wait(process)
        told = [Path(f"{output}.{kind}").read_text(encoding="utf-8") for kind in ("out", "err")]
        assert code in (0, 1), told  # 1: some rows are in quarantine

    def night(self, on: date, *options: str) -> None:
        self.finish(*self.start("night", "--date", str(on), *options))

    def ledger(self) -> set[str]:
        engine: Engine = create_engine(self.environment["JIANCHA_DATABASE_URL"])
        with engine.connect() as connection:
            connection.exec_driver_sql("set time zone 'UTC'")
            lines = set(connection.execute(sql("ledger/digest_ledger")).scalars())
        engine.dispose()
        return lines


@pytest.fixture(scope="module")
def office(embedded_server: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("order")
    summary = build(folder / "city", 1)
    platform = server(Platform(folder / "city", datetime.fromisoformat(str(summary["data_until"]))), 0)
    threading.Thread(target=platform.serve_forever, args=(0.1,), daemon=True).start()
    made = Office(
        embedded_server,
        folder,
        {
            "JIANCHA_CONNECTION_RSJ": f"sqlite:///{folder / 'city' / 'rsj.sqlite'}",
            "JIANCHA_CONNECTION_SCJG": f"http://127.0.0.1:{platform.server_port}/scjg",
        },
    )
    made.new("outage")
    made.finish(*made.start("ledger", "migrate"))
    reference = sorted(str(path) for path in (folder / "city" / "reference").iterdir())
    made.finish(*made.start("reference", "import", *reference))
    for night in (BEFORE, AFTER):
        made.night(night)
    yield made
    platform.shutdown()
    platform.server_close()
    with made.admin.connect() as connection:
        for name in made.made:
            connection.exec_driver_sql(f"drop database if exists {name} with (force)")
    made.admin.dispose()


def reversed_(office: Office) -> None:
    for night in reversed(MISSED):
        office.night(night, "--notify", "never")


def side_by_side(office: Office) -> None:
    for process in [office.start("night", "--date", str(night), "--notify", "never") for night in MISSED]:
        office.finish(*process)


def test_missed_nights_may_be_made_up_for_backwards_and_side_by_side(office: Office) -> None:
    before = office.ledger()
    made = []
    for number, way in enumerate((reversed_, side_by_side)):
        office.new(f"order_{number}", template="outage")
        way(office)
        made.append(office.ledger())
    one, other = made
    assert {line.split()[0] for line in one ^ before} == {"feed", "notice_item", "quality_result"}
    assert one == other, sorted(one ^ other)[:10]
