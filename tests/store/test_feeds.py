"""What a night's feed is believed to be after several attempts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine

from etl.store import feeds

pytestmark = pytest.mark.database
NIGHT = date(2026, 11, 18)


def test_an_attempt_that_fails_takes_nothing_back_that_another_one_pulled_to_the_end(ledger: Engine) -> None:
    def states() -> list[str]:
        with ledger.connect() as connection:
            return [state for _, state, _ in feeds.verdicts(connection, NIGHT)]

    feeds.set_failed(ledger, "zrzy", NIGHT, "night", "failed", "a file disappeared")
    assert states() == ["failed"]
    feeds.set_pulled(ledger, "zrzy", NIGHT, "night", None, datetime(2026, 11, 18, 17, tzinfo=UTC))
    assert states() == ["pulled"]
    feeds.set_failed(ledger, "zrzy", NIGHT, "night", "failed", "a file disappeared")
    assert states() == ["pulled"]
