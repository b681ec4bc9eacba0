"""`python -m tests.faults.prove`: the long proofs at full size, written to docs/proof.md, part by part.

Every story is drawn from the seed and its name alone: ``--seed S --story pair/17`` tells exactly that one again.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import secrets
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from tests.faults import disks
from tests.faults.disks import Disks
from tests.faults.feeds import Feeds
from tests.faults.kills import Kills
from tests.faults.pairs import Pairs
from tests.faults.sender import Senders
from tests.faults.server_kills import ServerKills
from tests.faults.stories import Proof, console, run

ROOT = Path(__file__).resolve().parents[2]
PAPER = ROOT / "docs" / "proof.md"
EFFORTS = {
    path.stem.removeprefix("test_"): path.relative_to(ROOT).as_posix()
    for path in sorted(ROOT.glob("tests/*/test_*.py"))
    if "tests.oracle.proof" in path.read_text(encoding="utf-8")
}
"""Files of property tests that try harder when asked to; each is a part."""
HEAD = """# Proofs

Written by `make prove`, each part when it was last run; `python -m tests.faults.prove --help` says how to repeat a part
or a single story of it. `make test` tells a few of the same stories.
"""


def proofs(size: float) -> list[Proof]:
    """The parts made of stories, at a share of full size."""

    def share(full: int) -> int:
        return max(1, round(full * size))

    return [
        Kills(share(1000), each=share(20)),
        Senders(share(500), share(200)),
        ServerKills(share(100)),
        Disks(share(30)),
        Pairs(share(200)),
        Feeds(share(500), healthy=share(200), each=share(10)),
    ]


def prove(proof: Proof, seed: int, minutes: float) -> tuple[str, bool]:
    """Run one part -> (its section of the paper, whether it held)."""
    commit = _commit()
    if isinstance(proof, Disks) and (reason := disks.reason_not_to()):
        return _section(proof.title, f"Not run: {reason}. {_stamp(commit)}", []), True
    done = run(proof, seed, minutes=minutes)
    held = not done.failures
    ended = (
        "" if done.is_enough or not held else f" Ended for want of time, {done.reached} of {proof.target} asked for."
    )
    stamp = (
        f"**{'Held' if held else 'FAILED'}.** {_stamp(commit)} {done.seconds / 60:.1f} minutes; again: "
        f"`python -m tests.faults.prove --part {proof.name} --seed {seed}`.{ended}"
    )
    failures = [f"    {line}" for text in done.failures for line in ("", *text.splitlines())]
    return _section(proof.title, stamp, [*proof.report(), *failures]), held


def try_hard(name: str) -> tuple[str, bool]:
    """Run one file of property tests at full effort, with fresh examples -> the same."""
    commit, began = _commit(), time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", EFFORTS[name]]
    env = os.environ | {"JIANCHA_PROOF": "full"}
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, check=False)
    console.print(done.stdout, highlight=False, markup=False)
    stamp = (
        f"**{'FAILED' if done.returncode else 'Held'}.** {_stamp(commit)} {(time.monotonic() - began) / 60:.1f} "
        f"minutes; again: `python -m tests.faults.prove --part {name}`."
    )
    about = f"`{EFFORTS[name]}` with `JIANCHA_PROOF=full`, fresh examples: {done.stdout.strip().splitlines()[-1]}."
    return _section(_effort_title(name), stamp, [about]), not done.returncode


def write(section: str) -> None:
    """Put one section into the paper in place of the one of that title; the others stay as they were written."""
    text = PAPER.read_text(encoding="utf-8") if PAPER.exists() else ""
    # A section that does not say of which commit it is says nothing.
    sections = {part.partition("\n")[0]: part for part in re.split(r"(?m)^## ", text)[1:] if "Commit " in part}
    title = section.partition("\n")[0]
    sections[title] = section
    order = [*(proof.title for proof in proofs(1)), *map(_effort_title, EFFORTS)]
    body = "".join(f"\n## {sections[name].strip()}\n" for name in order if name in sections)
    PAPER.write_text(HEAD + body, encoding="utf-8")


def _effort_title(name: str) -> str:
    return f"Full effort: {name.replace('_', ' ')}"


def _section(title: str, stamp: str, lines: list[str]) -> str:
    return "\n".join([title, "", stamp, "", *lines])


def _stamp(commit: str) -> str:
    return (
        f"Commit {commit}, {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}, "
        f"{os.cpu_count()} processors."
    )


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout

    changed = [line for line in git("status", "--porcelain").splitlines() if not line.endswith("docs/proof.md")]
    return git("rev-parse", "--short", "HEAD").strip() + (" with changes not yet committed" if changed else "")


def main() -> int:
    """Parse the command line, prove, write the paper; exit 1 when anything failed."""
    names = [*(proof.name for proof in proofs(1)), *EFFORTS]
    parser = argparse.ArgumentParser(prog="python -m tests.faults.prove", description=__doc__)
    parser.add_argument("--part", action="append", choices=names, help="only this part, and its section of the paper")
    parser.add_argument("--size", type=float, default=1.0, help="share of full size, such as 0.1")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--minutes", type=float, default=24 * 60, help="begin no story of a part after that many")
    parser.add_argument("--story", default="", help="only this one, such as pair/17; writes no paper")
    options = parser.parse_args()
    console.print(f"seed {options.seed}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    chosen = [proof for proof in proofs(options.size) if proof.name in (options.part or names)]
    if options.story:
        kind = options.story.partition("/")[0]
        found = [proof for proof in chosen if kind in proof.kinds]
        if not found:
            parser.error(f"no part has stories named {kind}/…")
        return bool(run(found[0], options.seed, workers=1, only=options.story).failures)
    began, is_fine = time.monotonic(), True
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # a story's part has workers of its own, a file of tests has one
        stories = (prove(proof, options.seed, options.minutes) for proof in chosen)
        efforts = (pool.submit(try_hard, name) for name in options.part or names if name in EFFORTS)
        for section, held in chain(stories, (done.result() for done in as_completed(efforts))):
            write(section)
            is_fine &= held
    console.print(f"{'everything held' if is_fine else 'FAILED'}, {(time.monotonic() - began) / 60:.1f} minutes")
    return not is_fine


if __name__ == "__main__":
    sys.exit(main())
