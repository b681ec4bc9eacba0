"""What a bulletin section is made of: a small model that HTML and DOCX both render, and that is kept as issued."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection

from etl.domain.night import ZONE


@dataclass(frozen=True)
class Table:
    """A titled table of ready text; `figures` names the columns set flush right, `note` stands under it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Bars:
    """A stacked horizontal bar chart: per label one count per series (name, colour)."""

    title: str
    series: tuple[tuple[str, str], ...]
    bars: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Chapter:
    """One compiled section."""

    paragraphs: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    chart: Bars | None = None


@dataclass(frozen=True)
class Week:
    """Which days a bulletin is about, and what was known when it was compiled.

    `first`, `last`: Monday and Sunday; `titles`: systems and platforms by code; `links`: the week's lags per source and
    hop, rows as `etl.runs.link_report.links` gives them; `own_systems`: sources whose word on a case goes before a
    platform's.
    """

    name: str
    first: date
    last: date
    data_until: datetime
    titles: Mapping[str, str]
    links: Sequence[Mapping[str, Any]] = ()
    own_systems: Sequence[str] = ()

    def before(self) -> Week:
        """The week before, with the knowledge of today."""
        step = timedelta(days=7)
        return replace(self, first=self.first - step, last=self.last - step, links=())

    def parameters(self) -> dict[str, date | datetime | list[str]]:
        """For queries: first, last (dates), from_at, until_at (instants, half open), data_until, own_systems."""
        return {
            "first": self.first,
            "last": self.last,
            "from_at": datetime.combine(self.first, time(), tzinfo=ZONE),
            "until_at": datetime.combine(self.last + timedelta(days=1), time(), tzinfo=ZONE),
            "data_until": self.data_until,
            "own_systems": list(self.own_systems),
        }


@dataclass(frozen=True)
class Section:
    """A section's place, title and compilation; it reads the ledger and nothing else."""

    number: int
    title: str
    compile: Callable[[Connection, Week], Chapter]
