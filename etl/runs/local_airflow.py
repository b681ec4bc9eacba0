"""Airflow on this machine: its settings, one night through the real DAG, and all of its services under one roof.

Airflow is only ever started as a process from here, never imported: it reads its configuration once, at import.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import FrameType
from typing import TextIO

import psutil  # type: ignore[import-untyped]
import requests
from sqlalchemy import create_engine, inspect

from etl.errors import JianchaError, UsageError
from etl.settings import ROOT, settings
from etl.store.engine import embedded_url

# Log files are read from disk: the servers that hand them out would listen on every address of the machine.
FIRST: dict[str, tuple[str, ...]] = {"api-server": ("api-server",), "dag-processor": ("dag-processor",)}
THEN: dict[str, tuple[str, ...]] = {
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
STARTUP_SECONDS = 180
GRACE_SECONDS = 10
CONNECTION = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
BUNDLE = {
    "name": "jiancha",
    "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
    "kwargs": {"path": str(ROOT)},
}


class AirflowFailed(JianchaError):
    """An Airflow process ended or did not become healthy in time; the log it names says why."""


@dataclass(frozen=True)
class Airflow:
    """A running Airflow: where a browser goes, how it logs in, where its services write."""

    url: str
    user: str
    password: str
    logs: Path
    services: Mapping[str, subprocess.Popen[bytes]]


def environment(port: int = 8080) -> dict[str, str]:
    """The process environment of every Airflow command of this project.

    Settings already given as ``AIRFLOW__…`` win, so an office can use its own servers; without
    ``AIRFLOW__DATABASE__SQL_ALCHEMY_CONN`` the embedded server is started and its database ``airflow`` used.

    Args:
        port: of the API server on 127.0.0.1; running tasks report to it.
    """
    var_dir = settings().var_dir.resolve()
    home = var_dir / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    metadata = os.environ.get(CONNECTION) or embedded_url(var_dir, "airflow")
    base = f"http://127.0.0.1:{port}"
    defaults = {
        "AIRFLOW__API__WORKERS": "1",
        # Whoever meets a DAG first decides, `airflow dags test` included: a first look at the pages must be able to
        # trigger and to backfill at once.
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": "Asia/Shanghai",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        CONNECTION: metadata,
        # Left out, Airflow would look for asyncpg, which is not installed; psycopg 3 does both.
        f"{CONNECTION}_ASYNC": metadata,
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        "NO_COLOR": "1",
    }
    ours = {
        # Another installation's home in the shell must not be taken for this one's.
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__API__BASE_URL": base,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base}/execution/",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([BUNDLE]),
        # Given, tasks need not join the embedded server one by one.
        "JIANCHA_DATABASE_URL": settings().database_url or embedded_url(var_dir, settings().database_name),
        "JIANCHA_VAR_DIR": str(var_dir),
        "PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)])),
    }
    return {**defaults, **os.environ, **ours}


def migrate(env: Mapping[str, str] | None = None) -> None:
    """Create or upgrade Airflow's own tables; safe to repeat (about six seconds)."""
    _run(env or environment(), "db", "migrate")


def run_night(business_on: date, conf: Mapping[str, object] | None = None) -> None:
    """One night through the real DAG in a single process, without scheduler or API server (about ten seconds).

    Args:
        business_on: the night; `conf` may add the DAG's other params (`sources`, `notify`, `recompute_only`, `as_of`).

    Raises:
        AirflowFailed: any task failed; the log it names tells which.
    """
    # Nobody waits five minutes at a terminal for a source that is down.
    env = {"AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY": "5", **environment()}
    if not _has_tables(env[CONNECTION]):
        migrate(env)
    asked = {**(conf or {}), "business_on": business_on.isoformat()}
    _run(env, "dags", "test", "nightly_supervision", "--conf", json.dumps(asked))


@contextmanager
def running(port: int = 8080) -> Iterator[Airflow]:
    """API server, DAG processor, scheduler and triggerer, healthy; on leaving, no process of theirs is left.

    Raises:
        AirflowFailed: one of them ended while starting or was not healthy within three minutes.
        UsageError: the port is taken.
    """
    refuse_taken(port)
    # Only what a person asks for: Airflow takes a backfill for the latest run, finds the latest closed night missing
    # and would run it, mails included, against sources whose data ends with the demonstration.
    env = {"AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False", **environment(port)}
    password = _admin_password(Path(env["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]))
    migrate(env)
    services: dict[str, subprocess.Popen[bytes]] = {}
    airflow = Airflow(f"http://127.0.0.1:{port}", "admin", password, Path(env["AIRFLOW_HOME"]) / "services", services)
    try:
        for name, command in FIRST.items():
            services[name] = _start(env, _log(env, name), command)
        # Tasks the scheduler starts before the API answers would fail.
        _wait(airflow, ("metadatabase",))
        for name, command in THEN.items():
            services[name] = _start(env, _log(env, name), command)
        _wait(airflow, ("dag_processor", "scheduler", "triggerer"))
        yield airflow
    finally:
        _stop(services)


def up(port: int = 8080, out: TextIO = sys.stdout) -> None:
    """Airflow with its pages on `port` until Ctrl-C or SIGTERM; prints where to go and how to log in."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    with suppress(KeyboardInterrupt), running(port) as airflow:
        print(f"{airflow.url}  用户 {airflow.user}  密码 {airflow.password}", file=out, flush=True)
        while True:
            _raise_if_ended(airflow)
            time.sleep(1)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(env: Mapping[str, str], *arguments: str) -> None:
    log = _log(env, "-".join(arguments[:2]))
    process = _start(env, log, arguments)
    try:
        code = process.wait()
    finally:
        # Interrupted while waiting, it would go on alone.
        process.kill()
    if code:
        raise AirflowFailed(f"airflow {' '.join(arguments[:2])} ended with exit code {code}; see {log}")


def _start(env: Mapping[str, str], log: Path, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "airflow", *arguments],
            env=env,
            # Not the current folder, which Python would put before PYTHONPATH.
            cwd=env["AIRFLOW_HOME"],
            stdout=output,
            stderr=subprocess.STDOUT,
            # Its own session: tasks move into process groups of their own, but none of them leaves the session.
            start_new_session=True,
        )


def _log(env: Mapping[str, str], name: str) -> Path:
    folder = Path(env["AIRFLOW_HOME"]) / "services"
    folder.mkdir(exist_ok=True)
    return folder / f"{name}.log"


def _has_tables(url: str) -> bool:
    engine = create_engine(url, hide_parameters=True)
    try:
        return inspect(engine).has_table("alembic_version")
    finally:
        engine.dispose()


def refuse_taken(port: int) -> None:
    """Raises `UsageError` when something else listens on `port`."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(f"port {port} is taken ({error.strerror}); choose another one with --port") from error


def _admin_password(file: Path) -> str:
    """The administrator's password, made up on the first start and kept in a file only its owner reads."""
    if file.exists():
        return str(json.loads(file.read_text(encoding="utf-8"))["admin"])
    password = secrets.token_urlsafe(12)
    file.touch(mode=0o600)
    file.write_text(json.dumps({"admin": password}), encoding="utf-8")
    return password


def _wait(airflow: Airflow, parts: tuple[str, ...]) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline:
        _raise_if_ended(airflow)
        with suppress(requests.RequestException):
            health = requests.get(f"{airflow.url}/api/v2/monitor/health", timeout=5).json()
            if all(health[part]["status"] == "healthy" for part in parts):
                return
        time.sleep(0.2)
    raise AirflowFailed(f"{', '.join(parts)} not healthy after {STARTUP_SECONDS} s; see {airflow.logs}")


def _raise_if_ended(airflow: Airflow) -> None:
    for name, process in airflow.services.items():
        if process.poll() is not None:
            raise AirflowFailed(f"{name} ended with exit code {process.returncode}; see {airflow.logs}/{name}.log")


def _stop(services: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Ask politely, then end whatever is left of each service's session, grandchildren included."""
    # A second, impatient Ctrl-C must not leave half of them behind.
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for process in services.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for process in services.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        sessions = {process.pid for process in services.values()}
        while left := list(_alive_in(sessions)):
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        for process in services.values():
            process.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _alive_in(sessions: set[int]) -> Iterator[int]:
    for process in psutil.process_iter(["status"]):
        with suppress(ProcessLookupError, PermissionError):
            if process.info["status"] != psutil.STATUS_ZOMBIE and os.getsid(process.pid) in sessions:
                yield process.pid
