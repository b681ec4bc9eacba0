"""Feeds: what each source delivered each night, whether absence may be believed, and what nights rest on."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Connection, Engine

from etl.crashpoints import reach
from etl.domain.night import cutoff_at, night_of
from etl.errors import UsageError
from etl.store.statements import sql

UNPULLED = "本夜没有拉取"


def set_pulled(
    engine: Engine, source: str, business_on: date, known_basis: str, declared_rows: int | None, until: datetime
) -> None:
    """One transaction: the night's feed is pulled, and the watermark covers it."""
    reach("pull.before_watermark")
    with engine.begin() as connection:
        _set(connection, source, business_on, known_basis, "pulled", declared_rows, "")
        connection.execute(
            sql("feeds/advance_watermark"),
            {"source": source, "stream": "*", "covers_until": until, "business_on": business_on},
        )
    reach("pull.after_watermark")


def set_failed(engine: Engine, source: str, business_on: date, known_basis: str, state: str, detail: str) -> None:
    """The night's feed could not be pulled completely; the watermark stays."""
    with engine.begin() as connection:
        _set(connection, source, business_on, known_basis, state, None, detail[:1000])


def set_admitted(
    engine: Engine,
    source: str,
    business_on: date,
    cutoff: datetime,
    detail: str,
    page_ids: Sequence[int],
    doubt: tuple[str, str] | None,
) -> None:
    """Give the night its verdict from what was admitted; `page_ids` are the pages that were there to be admitted.

    A page landed meanwhile by another run is admitted, and judged, by that run. A night made up for after a later one
    took its records with it stays frozen: they became known only then, and their absence until then proves nothing.

    Args:
        cutoff: the night's own.
        detail: why a page was not admitted.
        doubt: state and detail of a night that was read to its end and is not believed; the next pull asks again for
            everything since the last night that was.
    """
    with engine.begin() as connection:
        later = known_later(connection, source, business_on, cutoff)
        connection.execute(
            sql("feeds/set_admitted"),
            {
                "source": source, "business_on": business_on, "detail": detail[:1000], "page_ids": list(page_ids),
                "known_later": later and f"本夜应到的记录至 {later} 之夜方为我方掌握，仍按此前最近一个完整之夜判定",
                "doubt": doubt and doubt[0], "doubt_detail": doubt and doubt[1][:1000],
            },
        )  # fmt: skip
        connection.execute(sql("feeds/ask_again"), {"source": source, "business_on": business_on, "cutoff_at": cutoff})


def known_later(connection: Connection, source: str, business_on: date, cutoff: datetime) -> date | None:
    """The night with which the last of what had reached the source by `cutoff` became known, when that was later."""
    parameters = {"source": source, "business_on": business_on, "cutoff_at": cutoff}
    known_at = connection.execute(sql("feeds/known_later"), parameters).scalar()
    return known_at and night_of(known_at)


def believed(connection: Connection, source: str, business_on: date) -> Any:
    """complete_on: the source's last complete night before this one; confirmed_on: see `confirm`; each may be null."""
    return connection.execute(sql("feeds/believed"), {"source": source, "business_on": business_on}).one()


def brought(connection: Connection, source: str, after: datetime, known_by: datetime, cutoff: time) -> list[Any]:
    """(on_date, kind, messages): how much arrived for each night, of what became known after one moment by another."""
    asked = {"source": source, "after": after, "known_by": known_by, "cutoff": cutoff.isoformat()}
    return list(connection.execute(sql("feeds/brought"), asked))


def landed(connection: Connection, source: str, business_on: date) -> Any:
    """landed_rows, new_rows: what a night's pages hold, and how much of it was not known before."""
    return connection.execute(sql("feeds/landed"), {"source": source, "business_on": business_on}).one()


def copied(connection: Connection, source: str, business_on: date, complete_on: date | None) -> list[Any]:
    """(file, copy_of): the night's files that are another day's and have not been delivered again since."""
    asked = {"source": source, "business_on": business_on, "complete_on": complete_on}
    return list(connection.execute(sql("feeds/copied"), asked))


def doubted_after(connection: Connection, source: str, business_on: date) -> list[date]:
    """Later nights not believed for what they brought."""
    asked = {"source": source, "business_on": business_on}
    return list(connection.execute(sql("feeds/doubted_after"), asked).scalars())


def set_doubt(connection: Connection, source: str, business_on: date, doubt: tuple[str, str] | None) -> None:
    """Change the doubt about a night that has one, or take it back."""
    state, detail = doubt or ("complete", "")
    asked = {"source": source, "business_on": business_on, "state": state, "detail": detail[:1000]}
    connection.execute(sql("feeds/set_doubt"), asked)


def confirm(engine: Engine, source: str, business_on: date, actor: str, reason: str) -> None:
    """The source says that what it brings from this night on is all there is: earlier nights are no measure for it."""
    if not (actor.strip() and reason.strip()):
        raise UsageError("a confirmation needs the name of who gives it and a reason")
    asked = {"source": source, "business_on": business_on, "actor": actor, "reason": reason}
    with engine.begin() as connection:
        connection.execute(sql("feeds/confirm"), asked)


def verdicts(connection: Connection, business_on: date) -> list[tuple[str, str, str]]:
    """(source, state, detail) of every source that has ever been pulled; a night never pulled is ``late``."""
    rows = connection.execute(sql("feeds/last_complete_nights"), {"business_on": business_on})
    return [
        (row.source, row.state or "late", row.detail or ("" if row.state else UNPULLED))
        for row in rows
        if row.state or row.asked_from <= business_on
    ]


def silent(connection: Connection, business_on: date) -> list[dict[str, Any]]:
    """Sources that were silent on a night, 静默, as tracing found it.

    Rows: source, last_on (night that last brought something), first_on (first silent working day), working_days.
    """
    return [dict(row) for row in connection.execute(sql("delays/silences"), {"business_on": business_on}).mappings()]


@dataclass(frozen=True)
class Completeness:
    """Per source the night of its first load, and in order the nights from then on that were and were not complete.

    What is judged before the first load was reconstructed by it.
    """

    first_on: Mapping[str, date]
    complete_on: Mapping[str, Sequence[date]]
    frozen_on: Mapping[str, Sequence[date]]

    def judged(self, night: date) -> dict[str, date]:
        """Per source the night it can be judged at: this one, or the last complete one while its feed is not.

        Nights before a source's first load count as complete, pulled again or not.
        """
        found = {}
        for source in self.first_on:
            complete, frozen = (_until(nights[source], night) for nights in (self.complete_on, self.frozen_on))
            if complete or not frozen:
                found[source] = complete[-1] if complete else night
        return found

    def together(self, names: Collection[str]) -> Completeness:
        """Of sources that tell of the same cases none is complete while another one is not."""
        mine = self.first_on.keys() & names
        frozen = sorted({night for name in mine for night in self.frozen_on[name]})
        complete = sorted({night for name in mine for night in self.complete_on[name]}.difference(frozen))
        return replace(
            self,
            complete_on={**self.complete_on, **dict.fromkeys(mine, complete)},
            frozen_on={**self.frozen_on, **dict.fromkeys(mine, frozen)},
        )

    def frozen(self, night: date) -> dict[str, Sequence[date]]:
        """Per source the nights up to this one from which nothing may be concluded."""
        frozen = {source: _until(silent, night) for source, silent in self.frozen_on.items()}
        return {source: silent for source, silent in frozen.items() if silent}

    def frozen_cutoffs(self, as_of: datetime, cutoff: time) -> dict[str, list[datetime]]:
        """Per source the cut-offs of its frozen nights up to the night `as_of` lies in."""
        frozen = self.frozen(night_of(as_of))
        return {source: [cutoff_at(night, cutoff) for night in silent] for source, silent in frozen.items()}


def completeness(engine: Engine, until: date) -> Completeness:
    """What judging any night up to this one may conclude from."""
    with engine.connect() as connection:
        rows = connection.execute(sql("feeds/completeness"), {"until": until}).all()
    return Completeness(*({row.source: row[column] for row in rows} for column in (1, 2, 3)))


def set_unpulled(connection: Connection, sources: Sequence[str], business_on: date) -> None:
    """The night is over, and these sources have no verdict unless they were pulled: ``late``."""
    parameters = {"sources": list(sources), "business_on": business_on, "detail": UNPULLED}
    connection.execute(sql("feeds/set_unpulled"), parameters)


def untold_incidents(connection: Connection, sources: Sequence[str], business_on: date) -> list[tuple[str, str, str]]:
    """(source, state, detail) of those not complete tonight, whose incident is open and not told yet."""
    parameters = {"sources": list(sources), "business_on": business_on}
    return [
        (row.source, row.state, row.detail) for row in connection.execute(sql("feeds/untold_incidents"), parameters)
    ]


def known_counts(engine: Engine) -> list[tuple[datetime, dict[str, int]]]:
    """(knowledge time, messages per source) in order of knowledge time."""
    counts: defaultdict[datetime, dict[str, int]] = defaultdict(dict)
    with engine.connect() as connection:
        for row in connection.execute(sql("cards/known_counts")):
            counts[row.known_at][row.source] = row.messages
    return sorted(counts.items())


def fingerprints(engine: Engine) -> dict[date, str]:
    """What each judged night was judged from."""
    with engine.connect() as connection:
        return {row.business_on: row.fingerprint for row in connection.execute(sql("cards/night_fingerprints"))}


def _until(nights: Sequence[date], night: date) -> Sequence[date]:
    return nights[: bisect_right(nights, night)]


def _set(
    connection: Connection,
    source: str,
    business_on: date,
    known_basis: str,
    state: str,
    declared_rows: int | None,
    detail: str,
) -> None:
    connection.execute(
        sql("feeds/set_pulled"),
        {
            "source": source, "business_on": business_on, "known_basis": known_basis, "state": state,
            "declared_rows": declared_rows, "detail": detail,
        },
    )  # fmt: skip
