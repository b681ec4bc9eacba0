"""What the Dockerfile builds, without an engine: the tree .dockerignore lets in and an environment from the lock."""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from etl.settings import ROOT

LOCK = ROOT / "requirements-deploy.lock"


@dataclass(frozen=True)
class Image:
    """`tree` stands for /opt/jiancha, `bin` for where its commands are."""

    tree: Path
    bin: Path

    def python(self, code: str, *arguments: str) -> str:
        """What `code` prints, run by the image's Python with an Airflow home of its own."""
        env = {
            "PATH": f"{self.bin}:{os.defpath}",
            "AIRFLOW_HOME": str(self.tree.parent / "airflow"),
            "PYTHONPATH": str(self.tree),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        }
        command = [self.bin / "python", "-c", code, *arguments]
        done = subprocess.run(command, env=env, cwd=self.tree.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    with tempfile.TemporaryDirectory(prefix="jiancha-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        tree, venv = folder / "jiancha", folder / "venv"
        _copy(tree)
        uv, env = str(Path(sys.executable).parent / "uv"), {**os.environ, "UV_SYSTEM_CERTS": "1"}
        install = ["--quiet", "--python", str(venv / "bin" / "python")]
        for arguments in (
            ("venv", "--quiet", "--python", sys.executable, str(venv)),
            ("pip", "sync", *install, "--require-hashes", str(LOCK)),
            ("pip", "install", *install, "--no-deps", "--no-build-isolation", "--editable", str(tree)),
        ):
            subprocess.run([uv, *arguments], env=env, check=True)
        _compiled(venv)
        yield Image(tree, venv / "bin")


def _compiled(venv: Path) -> None:
    """Bytecode, which pip makes in the image, is here already for the same files; of others Python does not take it."""
    ours = Path(sysconfig.get_path("purelib"))
    theirs = venv / ours.relative_to(sys.prefix)
    if ours.stat().st_dev != theirs.stat().st_dev:
        return  # they are compiled when they are first imported
    for code in ours.rglob("__pycache__/*.pyc"):
        target = theirs / code.relative_to(ours)
        if target.parents[1].is_dir() and not target.exists():
            target.parent.mkdir(exist_ok=True)
            os.link(code, target)


def let_in(path: str) -> bool:
    """Whether .dockerignore lets a path of the checkout into the image: the last pattern that fits decides."""
    # A pattern fits a path when it fits the path or any folder above it; here none has a slash but a leading `**/`.
    names, allowed = path.split("/"), True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern = line.removeprefix("!").strip("/")
        if not pattern or line.startswith("#"):
            continue
        bare = pattern.removeprefix("**/")
        assert "/" not in bare, f"{line}: teach this function"
        if any(fnmatch.fnmatchcase(name, bare) for name in (names if bare != pattern else names[:1])):
            allowed = line.startswith("!")
    return allowed


def _copy(tree: Path) -> None:
    tops = [path for path in ROOT.iterdir() if let_in(path.name)]
    files = [file for top in tops for file in ([top] if top.is_file() else top.rglob("*")) if file.is_file()]
    for file in files:
        relative = file.relative_to(ROOT)
        if let_in(relative.as_posix()):
            target = tree / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
