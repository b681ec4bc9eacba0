"""Nothing is ever issued by a profile that only shows what another system computes."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine

from etl.sources.contract import Source
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
