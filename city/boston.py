"""`python -m city.boston --into DIR` drops Boston's real service requests into a folder, as the city's export would.

Each file gets the modification time of its drop: the midnight (America/New_York) after the last thing it can have
known. For 2016 that is a closing on 2022-09-15; for 2022 it is the due moment of 2022-05-20 that the city already
called overdue.
"""

from __future__ import annotations

import argparse
import gzip
import os
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

EXTRACTS = Path(__file__).parent / "real" / "boston_311"
ZONE = ZoneInfo("America/New_York")
DROPPED_AT = {
    "requests_2016.csv": datetime(2022, 9, 16, tzinfo=ZONE),
    "requests_2022.csv": datetime(2022, 5, 21, tzinfo=ZONE),
}


def drop(into: Path) -> list[Path]:
    """Write every file into the folder, complete from the moment its name appears; the paths."""
    into.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, dropped_at in DROPPED_AT.items():
        path = into / name
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(gzip.decompress((EXTRACTS / f"{name}.gz").read_bytes()))
        os.utime(unfinished, (dropped_at.timestamp(), dropped_at.timestamp()))
        paths.append(unfinished.rename(path))
    return paths


def main() -> None:
    """Parse the command line and print what was dropped."""
    parser = argparse.ArgumentParser(prog="python -m city.boston", description=__doc__)
    parser.add_argument("--into", type=Path, required=True)
    for path in drop(parser.parse_args().into):
        print(path)


if __name__ == "__main__":
    main()
