"""BPI Challenge 2015, log 1 (building permits of a Dutch municipality): from XES to the files an export would drop.

It only copies: every value stands in a file as it stands in the log, but for what `began` says below.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from lxml import etree

ACTIVITIES = ("activity_no", "application_no", "activity", "began", "due", "done")
APPLICATIONS = ("application_no", "parts", "began", "ended")
PROCEDURES = ("application_no", "record", "kind", "number", "at", "days", "by")

# Activity -> (record, kind, number within the application).
RECORDS = {
    "08_AWB45_020_2": ("begins", "missing data", "1"),
    "08_AWB45_040": ("ends", "missing data", "1"),
    "11_AH_II_035": ("begins", "decision suspended", "2"),
    "11_AH_II_145": ("ends", "decision suspended", "2"),
    "07_OPS_055": ("begins", "term suspended", "3"),
    "07_OPS_075": ("ends", "term suspended", "3"),
    "06_VD_020": ("begins", "extension", "4"),
}
_XES = "{http://www.xes-standard.org/}"
Values = dict[str, str]


def export(log: Path) -> dict[str, bytes]:
    """File name -> content, three files."""
    activities, applications, procedures = [], [], []
    for application, events in _traces(log):
        case = application["concept:name"]
        applications.append(
            (case, application.get("parts", ""), application["startDate"], application.get("endDate", ""))
        )
        for event in events:
            code, at = event["concept:name"], event["time:timestamp"]
            if due := event.get("dueDate"):
                # When an activity could begin is not said: with its application, or where the log has it earlier, then.
                began = min(application["startDate"], at, due, key=datetime.fromisoformat)
                activities.append((f"{case}/{code}", case, event["activityNameEN"], began, due, at))
            if code in RECORDS:
                days = event["question"] if code == "06_VD_020" else ""
                procedures.append((case, *RECORDS[code], at, days, event["org:resource"]))
    return {
        "activities.csv": _table(ACTIVITIES, activities),
        "applications.csv": _table(APPLICATIONS, applications),
        "procedures.csv": _table(PROCEDURES, procedures),
    }


def _traces(log: Path) -> Iterator[tuple[Values, list[Values]]]:
    with gzip.open(log) as content:
        for _, trace in etree.iterparse(content, tag=f"{_XES}trace"):
            events = [_values(event) for event in trace.iterchildren(f"{_XES}event")]
            yield _values(trace), events
            trace.clear()


def _values(element: etree._Element) -> Values:
    return {child.get("key"): child.get("value") for child in element if child.tag != f"{_XES}event"}


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode()
