"""The 311 exports of Boston as they come in the wild: other dates, lines twice, tabs, free text with personal data.

Each shape is a stream of its own with a file name of its own: which order day and month have is declared, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import pyarrow as pa

from etl.sources.contract import Source
from etl.sources.departments import boston_311
from etl.sources.dialect import Columns, To
from etl.sources.kinds import FileDrop, Files
from etl.sources.values import Rows, constant, text, time

DAY_MONTH_YEAR = (r"^(\d\d)/(\d\d)/(\d{4}) (\d\d:\d\d:\d\d)$", r"\3-\2-\1 \4")
FIRST_MOMENT = (r"^(\d{4}-\d\d-\d\d)$", r"\1 00:00:00")
LAST_MOMENT = (r"^(\d{4}-\d\d-\d\d)$", r"\1 23:59:59.999999")
HEADER = boston_311.SOURCE.kind.streams["target"].header  # type: ignore[attr-defined]

_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+(\.[\w-]+)+"
    r"|(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)"  # social security
    r"|(?<!\d)(\+?1[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\d)"  # telephone
    r"|(?<!\d)(\d[ -]?){12,18}\d(?!\d)"  # payment card
)


@dataclass(frozen=True)
class remark:
    """Free text without the numbers and addresses by which a person can be reached or charged."""

    column: str

    def read(self, rows: Rows) -> pa.Array:
        """-> string array."""
        said = rows.text(self.column).to_pylist()
        return pa.array([None if value is None else _PERSONAL.sub("*", value) for value in said], pa.string())


STREAMS: dict[str, tuple[Files, Sequence[To]]] = {
    "iso": (Files("requests_{serial}.csv", HEADER), boston_311.messages(time("target_dt"))),
    "day_month_year": (
        Files("requests_dmy.csv", HEADER),
        boston_311.messages(time("target_dt", DAY_MONTH_YEAR), partial(time, layout=DAY_MONTH_YEAR)),
    ),
    # Without a time of day a request is late from the day after its due date on.
    "dates_only": (
        Files("requests_dates.csv", HEADER),
        boston_311.messages(time("target_dt", LAST_MOMENT), partial(time, layout=FIRST_MOMENT)),
    ),
    "tabs": (Files("requests.tsv", HEADER, delimiter="\t"), boston_311.messages(time("target_dt"))),
    "remarks": (
        Files("requests_remarks.csv", (*HEADER, "closure_reason")),
        boston_311.messages(time("target_dt"), reason=remark("closure_reason")),
    ),
}

SOURCE: Source = replace(
    boston_311.SOURCE,
    name="boston_311_family",
    kind=FileDrop({name: files for name, (files, _) in STREAMS.items()}),
    dialect=Columns(
        case_no="case_enquiry_id",
        version=constant(1),
        written=constant(None),
        received=constant(None),
        item_code=constant(None),
        item_name=text("type"),
        streams={name: said for name, (_, said) in STREAMS.items()},
    ),
)
