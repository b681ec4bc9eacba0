"""The services of docker-compose.yml, started with their own commands, environment and health checks."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from cryptography.fernet import Fernet
from sqlalchemy import make_url

from etl.domain.night import ZONE
from etl.settings import ROOT
from etl.store.engine import embedded_url
from tests.deploy import commands, compose
from tests.deploy.conftest import Image
from tests.postgres_server import server_folder

# One worker builds the image for all of them.
pytestmark = pytest.mark.xdist_group("compose")
SECONDS = 120
PASSWORD = "a-password-of-the-administrator"


class Stack:
    """Compose without containers: names of hosts and folders are replaced, everything else is as the file says."""

    def __init__(self, image: Image, folder: Path) -> None:
        self.image, self.folder = image, folder
        self.port, health, self.socket_folder = _free_port(), _free_port(), folder / "pgdata"
        url = make_url(embedded_url(folder, "postgres"))
        self.admin = f"host={url.query['host']} user={url.username} dbname=postgres"
        secrets = {name: f"{name.lower()}0" for name in compose.required()}
        secrets |= {"AIRFLOW_FERNET_KEY": Fernet.generate_key().decode(), "AIRFLOW_ADMIN_PASSWORD": PASSWORD}
        self.replaced = (
            (r"@postgres/([\w]+)", rf"@/\1?host={self.socket_folder}"),
            (r"(api-server|127\.0\.0\.1):8080", f"127.0.0.1:{self.port}"),
            ("^8080$", str(self.port)),
            ("127.0.0.1:8974", f"127.0.0.1:{health}"),
            ("^0.0.0.0$", "127.0.0.1"),
            ("/opt/jiancha", str(image.tree)),
            ("/var/lib/jiancha", str(folder / "state")),
        )
        self.file = self._here(compose.loaded(secrets))
        self.common = {
            "PATH": f"{image.bin}:{os.defpath}",
            "PYTHONPATH": str(image.tree),
            "JIANCHA_VAR_DIR": str(folder / "state"),
            "AIRFLOW_HOME": str(folder / "state" / "airflow"),
            "HOME": str(folder),
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(health),
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> subprocess.Popen[bytes]:
        with self.log(name).open("wb") as log:
            self.running[name] = process = subprocess.Popen(
                self.file["services"][name]["command"],
                env=self.environment(name),
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return process

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """As `docker compose exec`: a command in a service's environment."""
        return subprocess.run(
            command, env=self.environment(name), cwd=self.folder, capture_output=True, text=True, check=False
        )

    def wait_healthy(self, name: str) -> None:
        test = self.file["services"][name]["healthcheck"]["test"]
        deadline = time.monotonic() + SECONDS
        while (checked := self.run(name, *test[1:])).returncode:
            said = self.log(name).read_text(encoding="utf-8")[-2000:]
            assert self.running[name].poll() is None, f"{name} ended: {said}"
            assert time.monotonic() < deadline, f"{name} not healthy: {checked.stderr}\n{said}"
            time.sleep(0.5)

    def environment(self, name: str) -> dict[str, str]:
        return {**self.common, **self.file["services"][name]["environment"]}

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def stop(self) -> None:
        for process in self.running.values():
            if process.poll() is None:
                process.terminate()
        for process in self.running.values():
            try:
                process.wait(SECONDS)
            finally:
                # Whatever of its session is left; each service is a session of its own.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def _here(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._here(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._here(inner) for inner in value]
        if isinstance(value, str):
            for pattern, instead in self.replaced:
                value = re.sub(pattern, instead, value)
        return value


@pytest.fixture(scope="module")
def stack(image: Image) -> Iterator[Stack]:
    with server_folder("compose") as folder:
        stack = Stack(image, folder)
        with psycopg.connect(stack.admin, autocommit=True) as connection:
            for statement in stack.file["configs"]["databases"]["content"].strip().splitlines():
                connection.execute(statement)
        try:
            yield stack
        finally:
            stack.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.airflow
@pytest.mark.slow
@pytest.mark.database
def test_the_services_start_in_order_and_a_person_logs_in_and_runs_a_night(stack: Stack) -> None:
    def init() -> None:
        code = stack.running["init"].wait(SECONDS)
        assert code == 0, stack.log("init").read_text(encoding="utf-8")[-2000:]

    stack.start("init")
    init()
    for name in ("api-server", "dag-processor", "init"):  # every `up` runs init again
        stack.start(name)
    init()
    assert "already exist" in stack.log("init").read_text(encoding="utf-8")
    stack.wait_healthy("api-server")
    for name in ("scheduler", "triggerer"):
        stack.start(name)
    for name in ("scheduler", "triggerer", "dag-processor"):
        stack.wait_healthy(name)

    base = f"http://127.0.0.1:{stack.port}"
    assert requests.get(f"{base}/api/v2/dags", timeout=10).status_code == 401
    login = {"username": "admin", "password": "admin"}
    assert requests.post(f"{base}/auth/token", json=login, timeout=10).status_code == 401
    token = requests.post(f"{base}/auth/token", json=login | {"password": PASSWORD}, timeout=10)
    token.raise_for_status()
    headers = {"Authorization": f"Bearer {token.json()['access_token']}"}

    def api(method: str, path: str, **body: Any) -> Any:
        answer = requests.request(method, f"{base}/api/v2/{path}", json=body or None, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def until(done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not done():
            assert time.monotonic() < deadline, stack.log("scheduler").read_text(encoding="utf-8")[-2000:]
            time.sleep(0.5)

    until(lambda: len(api("GET", "dags")["dags"]) == 2)
    assert {dag["dag_id"]: dag["is_paused"] for dag in api("GET", "dags")["dags"]} == {
        "nightly_supervision": True,
        "weekly_bulletin": True,
    }
    path = "dags/nightly_supervision/dagRuns"
    api("PATCH", "dags/nightly_supervision", is_paused=False)
    conf = {"business_on": "2026-11-22", "recompute_only": True}
    run = api("POST", path, logical_date=None, conf=conf)["dag_run_id"]
    until(lambda: api("GET", f"{path}/{run}")["state"] in ("success", "failed"))
    tasks = {one["task_id"]: one["state"] for one in api("GET", f"{path}/{run}/taskInstances")["task_instances"]}
    assert api("GET", f"{path}/{run}")["state"] == "success", tasks
    assert tasks["judge"] == tasks["trace"] == tasks["notify"] == "success"

    backfill = next(c for c in how_to("backfill.md") if c[:3] == ["airflow", "backfill", "create"])
    planned = stack.run("scheduler", *backfill, "--dry-run")
    # A run's logical date is the beginning of its night.
    starts = map(datetime.fromisoformat, re.findall(r"^\| (2026-\S+ \S+)", planned.stdout, re.MULTILINE))
    assert [start.astimezone(ZONE).day for start in starts] == [16, 17, 18, 19], planned.stdout


@pytest.mark.database
def test_neither_database_user_reaches_the_other_s_database_or_is_a_superuser(stack: Stack) -> None:
    with psycopg.connect(stack.admin) as connection:
        told = connection.execute(
            "select rolname, datname from pg_roles, pg_database where rolname in ('airflow', 'jiancha')"
            " and has_database_privilege(rolname, datname, 'connect') and not datistemplate and datname <> 'postgres'"
            " order by 1, 2"
        ).fetchall()
        supers = connection.execute(
            "select rolname from pg_roles where rolname in ('airflow', 'jiancha') and (rolsuper or rolcreaterole)"
        ).fetchall()
    assert told == [
        ("airflow", "airflow"),
        ("jiancha", "demonstration"),
        ("jiancha", "demonstration_airflow"),
        ("jiancha", "jiancha"),
    ]
    assert supers == []


def how_to(name: str) -> list[list[str]]:
    return list(commands.in_page((ROOT / "docs" / "how-to" / name).read_text(encoding="utf-8")))
