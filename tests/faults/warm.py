"""Real processes of the command line that start warm: a server does the slow imports once and forks one per command.

A forked process runs ``python -m etl.cli …`` like a fresh one, has its own environment, files and process id, and dies
alone. `python -m tests.faults.warm` is the server; `Warm` is the caller's side of it.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
UNCHECKED = "TESTS_UNCHECKED"
"""In a command's environment: its nights ask no expectation."""
SLOW = (
    *("adbc_driver_postgresql.dbapi", "css_inline", "docxtpl", "encodings.gb18030", "encodings.gbk"),
    *("great_expectations", "pandas", "psycopg", "pyarrow.compute", "pyarrow.csv", "pyarrow.dataset", "pyarrow.fs"),
    *("python_calamine", "requests", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite"),
    *("typer.rich_utils", "xlsxwriter"),
)


class Warm:
    """The server and how to ask it; several threads may."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", __name__], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._turn = threading.Lock()
        self._ask()

    def start(self, arguments: Sequence[str], env: Mapping[str, str], output: Path) -> int:
        """Start ``jiancha <arguments>``; standard output, error and visits go to `output`.out, .err and .visits."""
        return self._ask(arguments=list(arguments), env=dict(env), output=str(output))

    def wait(self, pid: int) -> int:
        """Its exit code; -9 when it was killed."""
        return self._ask(wait=pid)

    def close(self) -> None:
        self._server.communicate()

    def _ask(self, **request: Any) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with self._turn:
            if request:
                self._server.stdin.write(json.dumps(request) + "\n")
                self._server.stdin.flush()
            return int(self._server.stdout.readline())


@cache
def shared() -> Warm:
    """One for this process, until it ends. Its threads wait for one another; who must not takes one of his own."""
    made = Warm()
    atexit.register(made.close)
    return made


def until(is_so: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait; `AssertionError` when `what` does not come true in time (without `what`: go on)."""
    ends = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > ends:
            assert not what, f"never: {what}"
            return
        time.sleep(0.005)


def state(pid: int) -> str:
    """The kernel's letter for a process: T stopped, Z ended and not yet waited for."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


def stands_still(pid: int) -> bool:
    """Wait until a process that was to stop somewhere stands still, or has ended without -> whether it does."""
    until(lambda: state(pid) in "TZ", "the process stands still or has ended")
    return state(pid) == "T"


def go_on(pid: int) -> None:
    """Let it."""
    os.kill(pid, signal.SIGCONT)


def load() -> None:
    """Import all that processes forked from this one would import."""
    import etl
    import expectations

    for package in (etl, expectations):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # The command itself is run, not imported; everything around Airflow stays cold.
            if module.name not in ("etl.cli.__main__", "etl.runs.local_airflow"):
                importlib.import_module(module.name)
    for name in SLOW:
        importlib.import_module(name)
    gc.freeze()


def warm_scheduler(airflow_home: Path) -> None:
    """Tasks are forked from Airflow's scheduler: what it has imported they need not import one by one."""
    settings_file = airflow_home / "config" / "airflow_local_settings.py"
    settings_file.parent.mkdir(parents=True, exist_ok=True)
    code = f"import sys\nif 'scheduler' in sys.argv:\n    from {__name__} import load\n    load()\n"
    settings_file.write_text(code, encoding="utf-8")


def serve() -> None:
    """Answer 0 when warm, then each request: a process id for a start, an exit code for a wait."""
    load()
    print(0, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            print(os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1]), flush=True)
        else:
            print(os.fork() or _become(**request), flush=True)


def _become(arguments: Sequence[str], env: Mapping[str, str], output: str) -> NoReturn:
    code: object = 70
    try:
        os.environ.clear()
        os.environ.update(env)
        for descriptor, name, flags in ((0, os.devnull, os.O_RDONLY), (1, ".out", -1), (2, ".err", -1)):
            path = name if descriptor == 0 else output + name
            os.dup2(os.open(path, flags if flags >= 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
        sys.argv = ["jiancha", *arguments]
        if UNCHECKED in env:
            from tests.quality.unchecked import unchecked

            unchecked().__enter__()
        runpy.run_module("etl.cli", run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        from etl import crashpoints

        Path(f"{output}.visits").write_text(json.dumps(crashpoints._seen), encoding="utf-8")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    serve()
