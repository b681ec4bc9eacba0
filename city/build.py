"""One folder (and one database) holding everything the demonstration reads. Same seed, same bytes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from city import day_files, exchange_set, national_set, reference
from city.deliver import HORIZON, deliver
from city.dirt import spoil
from city.population import events

_SHAPES = {"scjg": national_set.rows, "rsj": exchange_set.rows, "zrzy": day_files.rows}


def build(into: Path, seed: int, database_url: str = "") -> dict[str, object]:
    """Write the city under `into`: scjg/ (for `serve`), rsj (a database), zrzy/ (a drop folder), reference/.

    `database_url` receives rsj's ten tables (dropped first); empty writes an SQLite file into the folder. Returns
    the summary that is also kept as city.json.
    """
    into.mkdir(parents=True, exist_ok=True)
    # Files already taken lie in zrzy/done; a new city starts with a full inbox.
    shutil.rmtree(into / "zrzy", ignore_errors=True)
    streams, dirt, stories = {}, [], {}
    for source, shape in _SHAPES.items():
        happened = events(source, seed)
        stories[source] = {event.case.number: event.case.story for event in happened}
        streams[source] = shape(deliver(source, happened, seed))
        dirt += spoil(source, streams[source])
    national_set.write(into / "scjg", streams["scjg"])
    exchange_set.write(database_url or f"sqlite:///{_fresh(into / 'rsj.sqlite')}", streams["rsj"])
    day_files.write(into / "zrzy", streams["zrzy"])
    reference.write(into / "reference")
    summary: dict[str, object] = {
        "seed": seed,
        "data_until": HORIZON.isoformat(),
        "rows": {source: {name: len(rows) for name, rows in found.items()} for source, found in streams.items()},
        "dirt": dirt,
        "stories": stories,
    }
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    (into / "city.json").write_text(text + "\n", encoding="utf-8")
    for path in into.rglob("*"):
        if path.is_file() and path.parent.name != "zrzy":
            os.utime(path, (HORIZON.timestamp(),) * 2)
    return summary


def _fresh(path: Path) -> Path:
    path.unlink(missing_ok=True)
    return path
