"""Run every benchmark and write docs/performance.md."""

from __future__ import annotations

import platform
import subprocess
from datetime import UTC, datetime

from benchmarks import due_dates, judging
from etl.settings import ROOT


def main() -> None:
    """Measure, print, write."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    lines = [
        "# Performance",
        "",
        "Medians of five runs, everything of one table in one process and one run. Written by `make bench`.",
        "",
        f"Commit {commit.stdout.strip() or 'unknown'}, {datetime.now(UTC):%Y-%m-%d}, "
        f"Python {platform.python_version()}, {platform.machine()}.",
        "",
        *due_dates.report(),
        "",
        *judging.report(),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    (ROOT / "docs" / "performance.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
