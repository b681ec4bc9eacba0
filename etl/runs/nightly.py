"""One night: pull, admit, judge, trace, reconcile, notify; from the command line, from Airflow, for any past night.

Night D is everything that reached the sources up to its cut-off (D+1 01:00). A regular night pulls from the watermark;
a past night pulls the window of its own business date; the very first night takes everything before its cut-off and
gives each record the knowledge time it would have had (`known_basis` reconstructed).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import structlog

from etl import sources
from etl.crashpoints import reach
from etl.domain.calendar import CalendarBook
from etl.domain.night import cutoff_at, night_of, nights
from etl.domain.profile import ProfileBook
from etl.errors import (
    ConfigurationError,
    JianchaError,
    SourceContractBroken,
    SourceError,
    SourceIncomplete,
    SourceLate,
    UsageError,
)
from etl.runs import findings
from etl.runs.ways import links, titles
from etl.settings import settings
from etl.sources.contract import Page, Source, Window
from etl.store import cards as card_store
from etl.store import feeds, landing, ledger
from etl.store import findings as finding_store
from etl.store.calendars import Calendars, stored
from etl.store.engine import engine
from etl.store.evidence import verify
from etl.store.profiles import profile_book
from etl.supervision import cards as card_rules
from etl.supervision import difference
from etl.supervision.delays import Route
from etl.supervision.judge import CARDS, judge_table
from etl.supervision.published_engine import refuse_read_only
from etl.supervision.question import Doubt, is_revised

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
    declared.kind.settle(declared, connection, taken, done=True)
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
        as_of: judge as of this moment instead and only report; nothing is written.
        notify: ``never`` tells nobody of the night's events, for good. A source's nights before its first load were
            reconstructed and are told to nobody either.
        only: the sources this run was about; incidents are raised for them alone.
    """
    if notify not in ("auto", "never"):
        raise UsageError(f"notify is {notify!r}; use auto or never")
    if as_of is not None:
        return _counts(judge_at(business_on, as_of))
    totals: defaultdict[str, int] = defaultdict(int, nights=0, events=0)
    with card_store.only_judge(engine()):
        _judge_nights(business_on, notify, totals)
    _incidents(business_on, chosen(only), is_muted=notify == "never")
    return dict(totals)


def _judge_nights(business_on: date, notify: str, totals: defaultdict[str, int]) -> None:
    known = feeds.known_counts(engine())
    first = min((night_of(known_at) for known_at, _ in known), default=business_on)
    fingerprints, went_live = feeds.fingerprints(engine()), feeds.first_nights(engine())
    calendars, doubts = stored(engine()), list(map(Doubt.of, ledger.doubts(engine())))
    # A later night that was judged is a difference to this one, or to one before it.
    for night in nights(min(first, business_on), max([business_on, *fingerprints])):
        if night > business_on and night not in fingerprints:
            continue
        fingerprint = _fingerprint(night, known, calendars, doubts)
        if fingerprints.get(night) != fingerprint:
            moments = judged_moments(night - timedelta(days=1)), judged_moments(night)
            findings.record_night(engine(), night, *moments, calendars)
            events, cases = _night_events(night, calendars, doubts)
            muted = {name for name, first_on in went_live.items() if notify == "never" or night < first_on}
            result = card_store.record_night(
                engine(), night, sources.names(), events, fingerprint=fingerprint, cases=cases, muted=muted
            )
            for key, count in result.items():
                totals[key] += count
            totals["nights"] += 1


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
    follow_ups.raise_due(engine(), business_on)
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


def judge_at(night: date, as_of: datetime | None = None, known_by: datetime | None = None) -> pa.Table:
    """Cards of every source at the night's cut-off; a source not complete that night at its last complete one.

    Args:
        as_of: judge earlier than the cut-off.
        known_by: judge with other knowledge than the night's own.
    """
    groups: defaultdict[tuple[datetime, str], list[str]] = defaultdict(list)
    for name, moment in judged_moments(night).items():
        groups[min(moment, as_of) if as_of else moment, sources.get(name).profile].append(name)
    tables, doubts = [CARDS.empty_table()], list(map(Doubt.of, ledger.doubts(engine())))
    for (moment, _), names in sorted(groups.items()):
        known, rules = known_by or moment, rules_of(names[0])
        book = stored(engine()).book(rules.calendar)
        parts = ledger.case_messages(names, known, card_rules.kinds())
        tables.extend(_cards(messages, moment, known, rules, book, doubts) for messages in parts)
    return pa.concat_tables(tables)


def _night_events(night: date, calendars: Calendars, doubts: Sequence[Doubt]) -> tuple[list[dict[str, Any]], int]:
    """judge(night) - judge(night before) -> (events, cases judged).

    Only cases that are open, have changed since or stood still until now are judged: every other case is judged alike
    on both nights.
    """
    earlier, now = judged_moments(night - timedelta(days=1)), judged_moments(night)
    groups: defaultdict[tuple[datetime | None, datetime, str], list[str]] = defaultdict(list)
    for name, moment in now.items():
        if earlier.get(name) != moment:  # a source still frozen has nothing new to say
            groups[earlier.get(name), moment, sources.get(name).profile].append(name)
    known_at, events, cases = cutoff_at(night, settings().cutoff), [], 0
    for (before, moment, _), names in groups.items():
        rules = rules_of(names[0])
        book = calendars.book(rules.calendar)
        since = None if before is None or is_revised(before, moment, book, rules) else before
        freed = {d.case_no for d in doubts if before and d.until and before < d.until <= moment}
        parts = ledger.case_messages(names, moment, card_rules.kinds(), changed_since=since, always=freed)
        for messages in parts:
            cases += pc.count_distinct(messages["case_no"]).as_py()
            old = CARDS.empty_table()
            if before is not None:
                was_known = messages.filter(pc.less_equal(messages["known_at"], before))
                old = _cards(was_known, before, before, rules, book, doubts)
            for event in difference.changes(old, _cards(messages, moment, moment, rules, book, doubts)):
                ruled = rules.labelled(event["profile_version"])
                is_manual = ruled.is_manual(event["clock"], event["level"])
                stamp = {"business_on": night, "known_at": known_at, "is_manual": is_manual}
                events.append(difference.event(event, sources.get(event["source"]).in_force_from) | stamp)
    return events, cases


def rules_of(source: str) -> ProfileBook:
    """The profile a source is judged by; `SafetyRefusal` for one that nothing may be issued by."""
    profiles = profile_book(sources.get(source).profile)
    refuse_read_only(profiles, source)
    return profiles


def judged_moments(night: date) -> dict[str, datetime]:
    """Per source the moment a night judges it at: the cut-off of its last complete night."""
    return {
        name: cutoff_at(complete_on, settings().cutoff)
        for name, complete_on in feeds.judged_nights(engine(), night).items()
    }


def _cards(
    messages: pa.Table,
    as_of: datetime,
    known_by: datetime,
    rules: ProfileBook,
    book: CalendarBook,
    doubts: Sequence[Doubt],
) -> pa.Table:
    frozen = {
        name: [cutoff_at(night, settings().cutoff) for night in silent]
        for name, silent in feeds.frozen_nights(engine(), night_of(as_of)).items()
    }
    return judge_table(
        messages, as_of, known_by, rules, book, cutoff=settings().cutoff, links=links(), frozen=frozen, doubts=doubts
    )


def _fingerprint(
    night: date,
    known: Sequence[tuple[datetime, dict[str, int]]],
    calendars: Calendars,
    doubts: Sequence[Doubt],
) -> str:
    """What the night's judgement rests on: messages known by its cut-off, doubtful records, feed verdicts of the two
    nights it is the difference of, calendars, profiles.
    """
    moment = cutoff_at(night, settings().cutoff)
    counts: defaultdict[str, int] = defaultdict(int)
    for known_at, per_source in known:
        if known_at <= moment:
            for name, count in per_source.items():
                counts[name] += count
    judged = feeds.judged_nights(engine(), night)
    earlier = feeds.judged_nights(engine(), night - timedelta(days=1))
    rules = {name: rules_of(name) for name in judged}
    basis = {
        "messages": dict(counts),
        "judged": {name: [str(earlier.get(name)), str(complete_on)] for name, complete_on in judged.items()},
        "frozen": {name: list(map(str, silent)) for name, silent in feeds.frozen_nights(engine(), night).items()},
        "doubts": [
            sum(doubt.since is None or doubt.since <= moment for doubt in doubts),
            sum(doubt.until is not None and doubt.until <= moment for doubt in doubts),
        ],
        "rules": {
            name: [book.fingerprint(moment.date()), calendars.book(book.calendar).fingerprint(moment.date())]
            for name, book in rules.items()
        },
    }
    return hashlib.sha256(orjson.dumps(basis, option=orjson.OPT_SORT_KEYS)).hexdigest()


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
