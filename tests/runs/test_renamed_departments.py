"""Departments and items that are renamed or merged keep their history: every night is told in the names it had."""

from __future__ import annotations

import email
import email.policy
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from etl import sources
from etl.settings import settings
from tests.cli.command import jiancha
from tests.runs.test_a_night import rows
from tests.runs.world import Platform

FIRST = date(2026, 11, 16)
SECOND, THIRD = (FIRST + timedelta(days=days) for days in (1, 2))
OLD, NEW = "区市监局", "区市场监管和知识产权局"
MERGED = "91511600MERGED000X"
NAMED = """select distinct business_on, department_name(department, business_on), item_name
from card_event where event = 'issued' order by 1, 3"""


def subjects() -> list[str]:
    """Subjects of the mails to the department, by night."""
    mails = sorted((settings().var_dir / "mail").rglob("A*.eml"))
    parsed = (email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in mails)
    return sorted({str(mail["Subject"]) for mail in parsed}, key=lambda subject: subject[-10:])


@pytest.mark.usefixtures("addressed")
def test_a_card_shows_the_name_of_its_night_and_the_next_one_the_new_name(
    platform: Platform, ready: Engine, tmp_path: Path
) -> None:
    code = sources.get("scjg").department
    platform.accept("nothing", "2026-11-16 09:00", promised=20, statutory=20)
    assert jiancha("night", "--date", FIRST).code == 0  # the first load tells nobody
    platform.accept("old", "2026-11-17 10:00", promised=1, statutory=20, task_name="食品小经营店备案")
    assert jiancha("night", "--date", SECOND).code == 0

    renamed = tmp_path / "departments.csv"
    header = "code,name,region,valid_from"
    lines = (header, *(f"{one},{NEW},511602,{THIRD}" for one in (code, MERGED)))
    renamed.write_text("\n".join(lines), encoding="utf-8")
    assert jiancha("reference", "import", renamed).out == "departments.csv: 2 new rows\n"
    platform.accept("new", "2026-11-18 10:00", promised=1, statutory=20, task_name="食品经营许可（新设）")
    assert jiancha("night", "--date", THIRD).code == 0

    assert rows(ready, NAMED) == [
        (SECOND, OLD, "食品小经营店备案"),
        (THIRD, NEW, "食品小经营店备案"),
        (THIRD, NEW, "食品经营许可（新设）"),
    ]
    assert [f"{OLD} 电子监察" in subjects()[0], f"{NEW} 电子监察" in subjects()[1], len(subjects())] == [True, True, 2]
    names = rows(ready, f"select department_name('{code}', '{SECOND}'), department_name('{MERGED}', '{SECOND}')")
    assert names == [(OLD, MERGED)], "before it has a name a code is shown as itself"


def test_what_a_renaming_starts_on_does_not_change_what_was_recorded(ready: Engine, tmp_path: Path) -> None:
    items = tmp_path / "items.csv"
    header = "item_code,name,department,promised_limit,statutory_limit,limit_unit,valid_from"
    items.write_text(f"{header}\nX,旧名,D,7,20,working_day,2020-01-01\n", encoding="utf-8")
    assert jiancha("reference", "import", items).code == 0
    items.write_text(
        f"{header}\nX,另一名,D,5,20,working_day,2020-01-01\nX,新名,D,5,20,working_day,2026-11-18\n", encoding="utf-8"
    )
    assert jiancha("reference", "import", items).out == "items.csv: 1 new rows\n"
    assert rows(ready, "select name, valid_from from item order by 2") == [
        ("旧名", date(2020, 1, 1)),
        ("新名", date(2026, 11, 18)),
    ]
