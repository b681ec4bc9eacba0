"""Run benchmarks and write docs/performance.md: `python -m benchmarks [--only NAME ...]`.

Every module of this package with a `report` is one benchmark; its section of the page is replaced, the others stay.
"""

from __future__ import annotations

import argparse
import os
import pkgutil
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType

import structlog

import benchmarks
from etl.settings import ROOT

PAGE = ROOT / "docs" / "performance.md"
HEAD = """# Performance

Written by `make bench`, section by section. Ratios compare contestants that took turns in one process; times are
medians of at least five turns after one that is not counted. A bar that is not met says so.
"""


def registered() -> dict[str, ModuleType]:
    """Name -> module of every benchmark, in the order of the page."""
    found = {info.name: info for info in pkgutil.iter_modules(benchmarks.__path__) if info.name != "__main__"}
    modules = {name: import_module(f"benchmarks.{name}") for name in found}
    return {name: module for name, module in sorted(modules.items()) if hasattr(module, "report")}


def section(module: ModuleType) -> str:
    """Measure one benchmark -> its section."""
    title, *_ = (module.__doc__ or "").splitlines()
    return "\n".join([f"## {title.rstrip('.')}", "", _circumstances(), "", *module.report(), ""])


def replaced(page: str, name: str, text: str, order: list[str]) -> str:
    """The page with this benchmark's section new; sections stand between marks that name them."""
    sections = dict(re.findall(r"<!-- (\w+) -->\n(.*?)(?=<!-- \w+ -->\n|\Z)", page, re.DOTALL))
    sections = {key: body.strip() + "\n" for key, body in (sections | {name: text}).items()}
    return HEAD + "".join(f"\n<!-- {key} -->\n{sections[key]}" for key in order if key in sections)


def _circumstances() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT)
    changed = subprocess.run(["git", "status", "--porcelain"], capture_output=True, text=True, cwd=ROOT)
    return (
        f"Commit {commit.stdout.strip() or 'unknown'}{' with changes' if changed.stdout.strip() else ''}, "
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {_processor()}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start."
    )


def _processor() -> str:
    names = re.findall(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text()) if sys.platform == "linux" else []
    return names[0] if names else platform.machine()


def main() -> None:
    """Measure, print, write after each section."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))  # errors only
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = registered()
    parser.add_argument("--only", nargs="+", choices=known, default=list(known), metavar="NAME", help=", ".join(known))
    for name in parser.parse_args().only:
        text = section(known[name])
        print(text, flush=True)
        page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        PAGE.write_text(replaced(page, name, text, list(known)), encoding="utf-8")


if __name__ == "__main__":
    main()
