"""One night: pull, admit, judge, trace, reconcile, notify; from the command line, from Airflow, for any past night.

Night D is everything that reached the sources up to its cut-off (D+1 01:00). A regular night pulls from the watermark;
a past night pulls the window of its own business date; the very first night takes everything before its cut-off and
gives each record the knowledge time it would have had (`known_basis` reconstructed).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from etl import sources
from etl.crashpoints import reach
from etl.domain.night import cutoff_at
from etl.errors import (
    ConfigurationError,
    JianchaError,
    SourceContractBroken,
    SourceError,
    SourceIncomplete,
    SourceLate,
    UsageError,
)
from etl.runs import judged_nights
from etl.runs.night_groups import rules_of
from etl.runs.ways import links, titles
from etl.settings import settings
from etl.sources.contract import Page, Source, Window
from etl.store import cards as card_store
from etl.store import feeds, landing
from etl.store import findings as finding_store
from etl.store.engine import engine
from etl.store.evidence import verify
from etl.supervision.delays import Route

log = structlog.get_logger()


def pull(source: str, business_on: date) -> dict[str, int]:
    """Land everything that reached one source in the night's window.

    Raises:
        SourceError: the source was not read completely; what was landed stays, and the night's feed says so.
    """
    declared = sources.get(source)
    connection = settings().connection(source)
    with landing.only_puller(engine(), source):
        return _pull(declared, connection, business_on)


def _pull(declared: Source, connection: str, business_on: date) -> dict[str, int]:
    source = declared.name
    asked, basis = window(source, business_on)
    taken: list[Mapping[str, Any]] = []
    rows, is_counted, covered = 0, True, asked.until
    try:
        for part in declared.kind.pull(declared, connection, asked):
            if isinstance(part, Page):
                landing.land(
                    engine(), source, business_on, stream=part.stream, page_no=part.number, content=part.content,
                    media_type=part.media_type, meta=part.meta, known_basis=basis,
                )  # fmt: skip
                taken.append(part.meta)
            else:
                is_counted &= part.declared_rows is not None
                rows += part.declared_rows or 0
                covered = min(covered, part.data_until or covered)
        if covered < asked.until:
            raise SourceLate(
                f"{source}: its data ends at {covered.isoformat()}, before the cut-off; run the night again"
            )
    except (SourceError, ConfigurationError) as error:
        feeds.set_failed(engine(), source, business_on, basis, _failed_state(error), str(error))
        if isinstance(error, SourceError):
            raise
        raise SourceContractBroken(f"{source}: {error}") from None  # one wrong connection is one source's fault
    feeds.set_pulled(engine(), source, business_on, basis, rows if is_counted else None, asked.until)
    declared.kind.settle(declared, connection, taken)
    reach("pull.after_settle")
    log.info("pulled", source=source, business_on=str(business_on), pages=len(taken), declared_rows=rows)
    return {"pages": len(taken), "declared_rows": rows}


def admit(business_on: date, only: Sequence[str] | None = None) -> dict[str, int]:
    """Admit every landed page up to the night; a source that cannot be admitted does not hold up the others.

    What the expectations said of the night is written as a page beside.
    """
    from etl.runs import admission, completeness, quality_report

    totals: defaultdict[str, int] = defaultdict(int)
    failures: list[JianchaError] = []
    for name in chosen(only):
        with engine().connect() as connection:
            waiting = [page.page_id for page in landing.pages_to_admit(connection, name, business_on)]
        try:
            for key, count in admission.admit_source(sources.get(name), business_on).items():
                totals[key] += count
            detail = ""
        except JianchaError as error:
            failures.append(error)
            detail = str(error)
        doubt = completeness.doubt(sources.get(name), business_on)
        cutoff = cutoff_at(business_on, settings().cutoff)
        feeds.set_admitted(engine(), name, business_on, cutoff, detail, waiting, doubt)
        completeness.settle_later(sources.get(name), business_on)
        reach("admit.after_feed")
    for failure in failures:
        log.error("not admitted", reason=str(failure))
    totals["failed_sources"] = len(failures)
    quality_report.write(business_on)
    return dict(totals)


def judge(
    business_on: date, as_of: datetime | None = None, notify: str = "auto", only: Sequence[str] | None = None
) -> dict[str, int]:
    """Judge the night, and every other night, up to the last one judged, whose ground is no longer what it was.

    Args:
        as_of: judge as of this moment, not after the night's cut-off, and only report; nothing is written.
        notify: ``never`` tells nobody of the night's events, for good. A source's nights before its first load were
            reconstructed and are told to nobody either.
        only: the sources this run was about; incidents are raised for them alone, and reports are of their cards.
    """
    if notify not in ("auto", "never"):
        raise UsageError(f"notify is {notify!r}; use auto or never")
    if as_of is not None:
        if as_of > (cutoff := cutoff_at(business_on, settings().cutoff)):
            raise UsageError(f"{as_of.isoformat()} is after the cut-off of night {business_on}, {cutoff.isoformat()}")
        asked = chosen(only) if only else sources.names()
        cards = judged_nights.judge_at(business_on, as_of)
        return _counts(cards.filter(pc.is_in(cards["source"], pa.array(asked))))
    with card_store.only_judge(engine()):
        totals = judged_nights.record(business_on, notify)
    _incidents(business_on, chosen(only), is_muted=notify == "never")
    return totals


def trace() -> dict[str, int]:
    """Measure push lags of every judged night on which something is known that was not when it was measured."""
    from etl.runs import tracing

    return tracing.trace(links())


def reconcile(business_on: date, only: Sequence[str] | None = None) -> dict[str, int]:
    """Compare sources that hold the same records, and list the cases of those that can be asked for all of them."""
    from etl.runs import reconciling

    return reconciling.reconcile(business_on, chosen(only))


def notify(business_on: date, mode: str = "auto") -> dict[str, int]:
    """Freeze what is new into mails and hand them over as `notify_mode` says; ``never`` does neither.

    Raises:
        EvidenceBroken: the evidence chain does not verify; nothing was frozen or handed over.
    """
    from etl.publish import notices, sender
    from etl.runs import follow_ups, quarantine

    if mode == "never":
        return {"claimed": 0}
    with engine().connect() as connection:
        verify(connection)
    follow_ups.raise_due(business_on)
    finding_store.tell(engine(), business_on)
    quarantine.tell(business_on)
    claimed = notices.claim(engine(), business_on, titles())
    return {"claimed": len(claimed), **sender.deliver(engine(), settings().notify_mode)}


def run(business_on: date, only: Sequence[str] | None = None, *, mode: str = "auto") -> dict[str, Any]:
    """The whole night in this process -> counts per verb, sources that could not be read, and those frozen, and why."""
    incomplete: dict[str, str] = {}
    names = chosen(only)
    for name in names:
        rules_of(name)  # what may not be judged is not pulled either
    if not names:
        raise ConfigurationError("no source has a connection; set JIANCHA_CONNECTION_<SOURCE> to its URL or folder")
    for name in names:
        try:
            pull(name, business_on)
        except SourceError as error:
            incomplete[name] = str(error)
            log.error("source incomplete", source=name, reason=str(error))
    done = {
        "admit": admit(business_on, only),
        "judge": judge(business_on, notify=mode, only=only),
        "trace": trace(),
        "reconcile": reconcile(business_on, only),
        "notify": notify(business_on, mode),
    }
    with engine().connect() as connection:
        frozen = {
            source: detail
            for source, state, detail in feeds.verdicts(connection, business_on)
            if source in names and state != "complete"
        }
    return done | {"incomplete": incomplete, "frozen": frozen}


def chosen(only: Sequence[str] | None) -> list[str]:
    """The named sources, or those this installation has a connection for."""
    if only:
        return [sources.get(name).name for name in only]
    return [name for name in sources.names() if settings().has_connection(name)]


def window(source: str, business_on: date) -> tuple[Window, str]:
    """What pulling the night would ask for, and the basis of knowledge it would have."""
    until = cutoff_at(business_on, settings().cutoff)
    with engine().connect() as connection:
        covered = landing.watermark(connection, source)
    if covered is None:
        return Window(business_on, None, until), "reconstructed"
    if covered >= until:
        return Window(business_on, until - timedelta(days=1), until), "reconstructed"
    return Window(business_on, covered, until), "night"


def _failed_state(error: JianchaError) -> str:
    if isinstance(error, SourceLate):
        return "late"
    return "partial" if isinstance(error, SourceIncomplete) else "failed"


def _incidents(business_on: date, asked: Sequence[str], *, is_muted: bool) -> None:
    """Tell each open incident once, unless nobody is to be told; the supervision office's summary of the night."""
    with engine().begin() as connection:
        feeds.set_unpulled(connection, asked, business_on)
        for name, state, detail in [] if is_muted else feeds.untold_incidents(connection, asked, business_on):
            hop = _standing_hop(name, state, detail)
            incident = {"source": name, "hop": hop, "state": state, "detail": detail, "opened_on": str(business_on)}
            card_store.insert_item(
                connection, f"C/{name}/{business_on}", "C", business_on, sources.get(name).department, incident,
                is_muted=False,
            )  # fmt: skip
        card_store.insert_item(connection, f"B/{business_on}", "B", business_on, None, {}, is_muted=is_muted)


def _standing_hop(source: str, state: str, detail: str) -> str:
    """Where an incomplete feed stands still: before us if its own data end early, otherwise on the way to us."""
    way = links().get(source, Route(source, ()))
    is_before_us = state in ("late", "stale", "low", "silent") and detail != feeds.UNPULLED
    return way.hop() if way.links and is_before_us else way.pull_hop


def _counts(cards: pa.Table) -> dict[str, int]:
    levels = [
        level for level, stands in zip(*(cards[n].to_pylist() for n in ("level", "standing")), strict=True) if stands
    ]
    return {level: levels.count(level) for level in ("reminder", "yellow", "red")}
