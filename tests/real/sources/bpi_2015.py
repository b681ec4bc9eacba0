"""Building permits of a Dutch municipality, BPI Challenge 2015 log 1, as `tests.real.bpi_2015_export` drops them.

Source: 4TU.ResearchData, doi 10.4121/uuid:a0addfda-2044-4541-a450-fdcc9fe16d17. Two departments in one log: activities
with a due date of their own, and whole applications, whose limit is interrupted and extended.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from etl.sources.contract import Source
from etl.sources.dialect import Columns, To, When, to
from etl.sources.kinds import FileDrop, Files
from etl.sources.values import Reader, code, constant, number, text, time, whole
from tests.real.bpi_2015_export import ACTIVITIES, APPLICATIONS, PROCEDURES

LAST_MOMENT_OF_DAY = (r"^(\d{4}-\d\d-\d\d)T.*$", r"\1 23:59:59.999999")
DUE: dict[str, Reader] = {"instant": time("due"), "local_date": time("due", LAST_MOMENT_OF_DAY)}
DECISION_DAYS = 56
"""Eight weeks, Wabo article 3.9: a limit to count the log's interruptions against."""
KIND = {
    "missing data": "other",
    "decision suspended": "other",
    "term suspended": "other",
    "extension": "extension",
}


def activities(reading: Literal["instant", "local_date"]) -> Source:
    """Every activity with a due date as a case of its own, the due date read as a moment or as a day."""
    said = (
        to("accept", time("began"), outcome=constant("passed"), promised_due_at=DUE[reading]),
        to("finish", time("done"), outcome=constant("other")),
    )
    return _source(f"bpi_2015_{reading}", "activity_no", "activity", {"activities": said}, "due_moment")


def applications() -> Source:
    """Applications with their interruptions, against the eight weeks of the law and the log's own extensions."""
    said: dict[str, tuple[To, ...]] = {
        "applications": (
            to(
                "accept",
                time("began"),
                outcome=constant("passed"),
                statutory_limit=constant(float(DECISION_DAYS)),
                limit_unit=constant("natural_day"),
            ),
            to("finish", time("ended"), outcome=constant("other"), when=When("ended")),
        ),
        "procedures": (
            to(
                "special_start",
                time("at"),
                seq=whole("number"),
                when=When("record", "begins"),
                special_kind=code("kind", KIND, required=True),
                approved_days=number("days"),
                approver=text("by"),
            ),
            to("special_result", time("at"), seq=whole("number"), when=When("record", "ends")),
        ),
    }
    return _source("bpi_2015", "application_no", "application_no", said, str(Path(__file__).with_name("bpi_2015.toml")))


def _source(name: str, case_no: str, item: str, streams: dict[str, tuple[To, ...]], profile: str) -> Source:
    headers = {"activities": ACTIVITIES, "applications": APPLICATIONS, "procedures": PROCEDURES}
    return Source(
        name=name,
        title="建筑许可",
        department="bpi_2015",
        region="nl",
        timezone="Europe/Amsterdam",
        encoding="utf-8",
        in_force_from=date(2010, 1, 1),
        kind=FileDrop({stream: Files(f"{stream}.csv", headers[stream]) for stream in streams}),
        dialect=Columns(
            case_no=case_no,
            version=constant(1),
            written=constant(None),
            received=constant(None),
            item_code=constant(None),
            item_name=text(item),
            streams=streams,
        ),
        links=(),
        profile=profile,
    )
