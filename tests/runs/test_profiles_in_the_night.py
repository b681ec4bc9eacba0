"""Versions of a profile over nights, and the one profile nothing is ever issued by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from etl.sources.contract import Source
from etl.store.profiles import FOLDER
from tests.cli.command import jiancha
from tests.cli.test_without_a_database import refused
from tests.runs.test_a_night import rows
from tests.runs.world import Platform


def test_a_source_that_names_it_is_refused_before_anything_is_pulled_or_judged(
    platform: Platform, ready: Engine, altered: Callable[..., Source]
) -> None:
    platform.accept("A", "2026-11-10 10:00", promised=3, statutory=4)
    altered("scjg", profile="hunan_legacy")
    refused(jiancha("night", "--date", "2026-11-17"), 4, "source scjg: by profile hunan_legacy no card is ever issued")
    assert platform.asked == []
    altered("scjg", profile="hunan")
    assert jiancha("night", "--date", "2026-11-17").code == 0
    altered("scjg", profile="hunan_legacy")
    refused(jiancha("backfill", "diff", "--from", "2026-11-17", "--to", "2026-11-17"), 4, "no card is ever issued")
    assert rows(ready, "select distinct profile_version from card_event") == [("hunan@2018.1",)]


def test_a_night_is_judged_by_the_version_it_knows_and_a_revision_withdraws_for_the_rule(
    platform: Platform, ready: Engine, altered: Callable[..., Source], tmp_path: Path
) -> None:
    first = (FOLDER / "hunan.toml").read_text(encoding="utf-8")
    yellow = 'level = "yellow", base = "promised"'
    second = first.replace(yellow, f"{yellow}, offset_days = 5", 1).replace('"2018.1"', '"2026.1"')
    dated = second.replace("calendar =", "in_force_from = 2026-11-01\nknown_from = 2026-11-19\ncalendar =", 1)
    for name, text in (("hunan.toml", first), ("hunan@2026.1.toml", dated)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    altered("scjg", profile=str(tmp_path))
    platform.accept("A", "2026-11-10 10:00", promised=3, statutory=20)
    platform.finish("A", "2026-11-16 10:00")
    for night in ("2026-11-17", "2026-11-18"):  # its cut-off is on the 19th
        assert jiancha("night", "--date", night).code == 0
    events = "select business_on::text, event, nature, standing, profile_version from card_event where level = 'yellow'"
    assert rows(ready, f"{events} order by seq") == [
        ("2026-11-13", "issued", "conduct", True, "hunan@2018.1"),
        ("2026-11-18", "withdrawn", "rule", False, "hunan@2026.1"),
    ]
    assert jiancha("ledger", "verify").code == 0
