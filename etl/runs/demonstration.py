"""The demonstration: a city of real processes run through its nights, and what a supervisor would want to see of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import FrameType

from rich.console import Console

from etl.domain.night import nights
from etl.errors import ConfigurationError
from etl.settings import ROOT, settings
from etl.store.engine import embedded_url, engine

FIRST_LOAD, LAST_NIGHT, WEEK = date(2026, 11, 15), date(2026, 11, 22), "2026-W47"
BOSTON_NIGHT = date(2022, 9, 16)
ON_PLATFORM, IN_DATABASES, IN_FOLDERS = ("scjg", "jtj", "wsny"), ("syj", "syj_exchange", "ycsp"), ("zrzy", "zjj")
CITY = (*ON_PLATFORM, "rsj", *IN_DATABASES, *IN_FOLDERS)
SEED = 1
console = Console(stderr=True)


def run(*, fresh: bool = False) -> str:
    """Everything from nothing -> the summary. Run again it changes nothing and sends nothing.

    Interrupted by Ctrl-C or SIGTERM it stops what it started and ends with exit code 130; run again it goes on there.
    """
    with _interruptible():
        return _run(fresh)


def _run(fresh: bool) -> str:
    from etl.runs import demonstration_summary, local_airflow, weekly

    if fresh:
        _forget()
    _say("准备数据库与演示城市")
    with city():
        for night in nights(FIRST_LOAD, date.fromordinal(LAST_NIGHT.toordinal() - 1)):
            if not _is_done(night):
                _run_night(night)
        if not _is_done(LAST_NIGHT):
            _say(f"{LAST_NIGHT} 之夜：通过 Airflow 运行")
            local_airflow.run_night(LAST_NIGHT)
    _say(f"{WEEK} 周报")
    bulletin = weekly.compile_bulletin(WEEK)
    _say("真实数据：波士顿 311 请求（2016、2022）")
    boston = _boston()
    return demonstration_summary.text(FIRST_LOAD, LAST_NIGHT, bulletin, boston)


def serve_airflow(port: int) -> int:
    """`make up`: the demonstration's ledger under a real Airflow until Ctrl-C."""
    from etl.runs import local_airflow

    # Said now, not after the minutes the first demonstration takes.
    local_airflow.refuse_taken(port)
    with _interruptible():
        _run(fresh=False)
        with city():
            _say("启动 Airflow（约半分钟）；按 Ctrl-C 停止")
            local_airflow.up(port)
    return 0


@contextmanager
def city() -> Iterator[None]:
    """The ledger migrated, the city's reference data in it and its systems reachable, for as long as the block runs."""
    from etl.runs import overview

    outside = dict(os.environ)
    try:
        folder = _build()
        overview.prepare()
        _import_reference(folder)
        with _platform(folder):
            yield
    finally:
        # The addresses of the city's systems mean nothing once they have stopped.
        os.environ.clear()
        os.environ.update(outside)


def _build() -> Path:
    """Write the city once; files already collected from its folders stay collected."""
    folder = settings().var_dir / "city"
    os.environ["JIANCHA_CONNECTION_RSJ"] = exchange = embedded_url(settings().var_dir, "city_exchange")
    for source in IN_DATABASES:
        os.environ[f"JIANCHA_CONNECTION_{source.upper()}"] = f"sqlite:///{folder / source}.sqlite"
    for source in IN_FOLDERS:
        os.environ[f"JIANCHA_CONNECTION_{source.upper()}"] = str(folder / source)
    if not (folder / "city.json").exists():
        _python("city", "build", "--into", str(folder), "--seed", str(SEED), "--database-url", exchange)
    return folder


@contextmanager
def _platform(folder: Path) -> Iterator[None]:
    """The provincial platform as a process of its own."""
    command = [sys.executable, "-m", "city", "serve", "--data", str(folder)]
    # In a session of its own: Ctrl-C at the terminal must not stop it under a night that is still reading.
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        address = process.stdout.readline().strip() if process.stdout else ""
        if not address:
            raise ConfigurationError(f"the city's platform did not start (exit {process.wait()}); see the lines above")
        for source in ON_PLATFORM:
            os.environ[f"JIANCHA_CONNECTION_{source.upper()}"] = f"{address}/{source}"
        yield
    finally:
        process.terminate()
        process.wait(10)


def _run_night(night: date) -> None:
    from etl.runs import nightly

    result = nightly.run(night, CITY)
    admitted, judged = result["admit"], result["judge"]
    _say(
        f"{night} 之夜：接收 {admitted.get('accepted', 0)} 条，隔离 {admitted.get('quarantined', 0)} 条，"
        f"牌证变化 {judged.get('events', 0)} 项，邮件 {result['notify']['claimed']} 封"
    )


def _is_done(night: date) -> bool:
    """Every source complete, the night judged, and everything there is to tell handed over."""
    from etl.store import feeds, outbox

    with engine().connect() as connection:
        states = {source: state for source, state, _ in feeds.verdicts(connection, night)}
        untold = outbox.rows(connection, "items_new", business_on=night)
    return (
        night in feeds.fingerprints(engine())
        and all(states.get(source) == "complete" for source in CITY)
        and not (untold or outbox.ready(engine()))
    )


def _import_reference(folder: Path) -> None:
    from etl.store.reference import import_file

    for path in sorted((folder / "reference").iterdir()):
        _, rejected = import_file(engine(), path)
        if rejected:
            raise ConfigurationError("; ".join(rejected))


def _boston() -> dict[str, object]:
    """Boston's log through the same night, in a database of its own."""
    import orjson

    inbox = settings().var_dir / "boston"
    if not inbox.exists():
        # Renamed when whole: an interrupted drop must not look like a complete one.
        unfinished = inbox.with_name("boston.part")
        _python("city.boston", "--into", str(unfinished))
        unfinished.rename(inbox)
    env = os.environ | {
        "JIANCHA_DATABASE_NAME": "boston",
        "JIANCHA_DATABASE_URL": embedded_url(settings().var_dir, "boston"),
        "JIANCHA_CONNECTION_BOSTON_311": str(inbox),
    }
    _python("etl.cli", "ledger", "migrate", env=env)
    _python("etl.cli", "night", "--date", str(BOSTON_NIGHT), "--source", "boston_311", "--notify", "never", env=env)
    status: dict[str, object] = orjson.loads(_python("etl.cli", "status", "--json", env=env))
    return status


def _python(module: str, *arguments: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode not in (0, 1):
        raise ConfigurationError(
            f"{module} {' '.join(arguments[:2])} failed with exit {done.returncode}; see the lines above"
        )
    return done.stdout


def _forget() -> None:
    var_dir = settings().var_dir
    if settings().database_url:
        raise ConfigurationError("--fresh drops only the embedded database; unset JIANCHA_DATABASE_URL")
    for name in ("pgdata", "city", "boston", "boston.part", "landing", "mail", "bulletins", "quality", "airflow"):
        shutil.rmtree(var_dir / name, ignore_errors=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM unwind alike: neither the city's platform nor the database may outlive this process."""
    previous = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        _say("已中断，已停止全部进程；再次运行即接着做")
        raise SystemExit(130) from None
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    console.print(f"[bold]·[/bold] {text}", highlight=False)
