"""A city of many open cases: written as it is made, in order, the same for the same seed, and servable."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from city.build import SCALED
from city.deliver import HORIZON
from city.provincial_platform import Platform
from city.stories import THE_SILENCE

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 4_000, 24_000
pytestmark = pytest.mark.xdist_group("scaled city")
MEASURED = """
import re, sys
from pathlib import Path
from city.build import build
build(Path(sys.argv[1]), 1, scale=int(sys.argv[2]))
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


def built(folder: Path, scale: int) -> int:
    """Peak resident memory, in KiB, of a process that builds a city of this scale.

    Read from /proc: what getrusage says includes the process that started it.
    """
    command = [sys.executable, "-c", MEASURED, str(folder), str(scale)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=400)
    return int(done.stdout)


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, int]:
    """A city of MANY open cases, and the peaks of building FEW and MANY."""
    folder = tmp_path_factory.mktemp("scaled")
    few = built(folder, FEW)
    return folder, few, built(folder, MANY)


def test_six_times_the_cases_need_no_more_memory(cities: tuple[Path, int, int]) -> None:
    folder, few, many = cities
    written = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert written > 20_000_000
    assert many - few < 3_000, f"{few} KiB for {FEW} cases, {many} KiB for {MANY}"


def test_the_cases_asked_for_are_there_and_open(cities: tuple[Path, int, int]) -> None:
    folder, _, _ = cities
    shares = json.loads((folder / "city.json").read_text(encoding="utf-8"))["scale"]
    assert set(shares) == set(SCALED)
    assert sum(shares.values()) == MANY
    with sqlite3.connect(folder / "rsj.sqlite") as database:
        crowd = "select distinct sblsh from {} where length(sblsh) = 22"
        ((accepted,),) = database.execute(f"select count(*) from ({crowd.format('ex_sl')})")
        assert accepted == shares["rsj"]
        assert database.execute(crowd.format("ex_bj")).fetchall() == []
        within_promise = "avg(julianday('2026-11-20 17:30') - julianday(slsj) < cnsx * 1.4)"
        ((within,),) = database.execute(f"select {within_promise} from ex_sl where length(sblsh) = 22")
    assert within > 0.8, "most are within their promise"


def test_rows_have_rising_ids_in_order_of_arrival_and_are_served_page_by_page(cities: tuple[Path, int, int]) -> None:
    folder, _, _ = cities
    platform = Platform(folder, HORIZON)
    seen, after = [], 0
    while True:
        page = platform.page("wsny/accept", {"limit": "1000", "after": str(after)})
        seen += [(row["row_id"], datetime.fromisoformat(row["receive_time"])) for row in page["rows"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert [number for number, _ in seen] == list(range(1, page["total"] + 1))
    assert len(seen) > MANY // len(SCALED)
    arrived = [instant for _, instant in seen]
    assert arrived == sorted(arrived)


def test_the_silent_department_is_silent_at_every_scale(cities: tuple[Path, int, int]) -> None:
    folder, _, _ = cities
    lines = (folder / "jtj" / "apply.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 1000
    assert datetime.strptime(json.loads(lines[-1])["cd_time"] + "+0800", "%Y%m%d%H%M%S%z") <= THE_SILENCE
