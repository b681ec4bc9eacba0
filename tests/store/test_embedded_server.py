"""The embedded server's first start on a machine, by several processes at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from etl.settings import ROOT

NEW_MACHINE = """
set -e
mount --bind "$1/etc" /etc
sed -i '/^pgserver:/d' /etc/passwd /etc/group /etc/shadow /etc/gshadow
shift
for folder; do
    "$PYTHON" -c "import sys; from pathlib import Path; from etl.store.engine import embedded_url
embedded_url(Path(sys.argv[1]), 'first')" "$folder" &
    pids="$pids $!"
done
for pid in $pids; do wait $pid; done
"""


@pytest.mark.database
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="only root's server has a user of its own")
def test_processes_that_start_servers_at_once_on_a_new_machine_do_not_stumble_over_its_user(
    embedded_var: Path,
) -> None:
    shutil.copytree("/etc", embedded_var / "etc", symlinks=True, ignore_dangling_symlinks=True)
    folders = [str(embedded_var / name) for name in ("a", "b")]
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", NEW_MACHINE, "new-machine", str(embedded_var), *folders],
        cwd=ROOT, env=os.environ | {"PYTHON": sys.executable}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    if "unshare failed" in done.stderr or "mount failed" in done.stderr or "permission denied" in done.stderr.lower():
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr


@pytest.mark.database
def test_processes_that_want_the_same_new_database_at_once_all_get_it(embedded_server: Path) -> None:
    script = """
import sys
from pathlib import Path
from etl.store.engine import embedded_url
for number in range(5):
    print(flush=True)
    sys.stdin.readline()
    embedded_url(Path(sys.argv[1]), f"wanted_{number}")
"""
    command = [sys.executable, "-c", script, str(embedded_server)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    wanting = [subprocess.Popen(command, cwd=ROOT, text=True, **pipes) for _ in range(3)]
    for _ in range(5):
        for process in wanting:
            process.stdout.readline()
        for process in wanting:
            with suppress(BrokenPipeError):
                process.stdin.write("go\n")
                process.stdin.flush()
    said = [process.communicate(timeout=60)[1] for process in wanting]
    assert [process.returncode for process in wanting] == [0, 0, 0], said


@pytest.mark.database
def test_an_error_of_the_ledger_does_not_list_the_parameters_of_its_statement(ledger: Engine) -> None:
    with pytest.raises(SQLAlchemyError) as caught, ledger.connect() as connection:
        connection.execute(text("select from nowhere where applicant = :name"), {"name": "王小明"})
    assert "nowhere" in str(caught.value)
    assert "王小明" not in str(caught.value)
