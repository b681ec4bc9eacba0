from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.publish.world import NIGHT, RSJ, SCJG, Ledger


@pytest.fixture
def book(ledger: Engine) -> Ledger:
    """A ledger with the calendar, two departments and one recipient of each role."""
    from etl.store import calendars

    calendars.seed(ledger)
    rows = Ledger(ledger)
    rows.department(SCJG, "广安区市场监督管理局")
    rows.department(RSJ, "广安区人力资源和社会保障局")
    rows.recipient("scjg-1", "department", SCJG)
    rows.recipient("rsj-1", "department", RSJ)
    rows.recipient("office", "supervision")
    rows.recipient("ops", "operations")
    return rows


@pytest.fixture
def mail_folder(book: Ledger) -> Path:
    from etl.settings import settings

    return settings().var_dir / "mail" / NIGHT.isoformat()
