"""What each night judged: a difference of two judgements, made again whenever its ground is no longer what it was."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from etl import sources
from etl.domain.calendar import CalendarBook
from etl.domain.night import cutoff_at, night_of, nights
from etl.domain.profile import ProfileBook
from etl.runs import findings
from etl.runs.night_groups import Group, completeness_until, groups, judged_moments, rules_of
from etl.runs.ways import links
from etl.settings import settings
from etl.store import cards as card_store
from etl.store import feeds, ledger
from etl.store.calendars import Calendars, stored
from etl.store.engine import engine
from etl.supervision import cards as card_rules
from etl.supervision import difference
from etl.supervision.delays import own_systems
from etl.supervision.judge import CARDS, judge_table
from etl.supervision.question import Doubt

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Ground:
    """What nights' judgements rest on, in order, so that each night looks its part up and counts nothing again.

    `totals` are the messages per source known by each of `known_at`; records were doubtful from the cut-offs `doubted`
    until the cut-offs `freed`.
    """

    completeness: feeds.Completeness
    calendars: Calendars
    known_at: Sequence[datetime]
    totals: Sequence[Mapping[str, int]]
    doubted: Sequence[datetime]
    freed: Sequence[datetime]

    @classmethod
    def of(
        cls,
        completeness: feeds.Completeness,
        calendars: Calendars,
        known: Sequence[tuple[datetime, Mapping[str, int]]],
        doubts: Sequence[Doubt],
    ) -> _Ground:
        """`known`: (knowledge time, messages per source) in order of knowledge time."""
        totals: list[Counter[str]] = []
        for _, per_source in known:
            totals.append(Counter(totals[-1] if totals else ()))
            totals[-1].update(per_source)
        return cls(
            completeness,
            calendars,
            [known_at for known_at, _ in known],
            totals,
            sorted(doubt.since or _EVER for doubt in doubts),
            sorted(doubt.until for doubt in doubts if doubt.until),
        )

    def fingerprint(self, night: date) -> str:
        """Of the messages known by the night's cut-off, doubtful records, feed verdicts of the two nights it is the
        difference of, calendars, profiles.
        """
        moment = cutoff_at(night, settings().cutoff)
        earlier, judged = self.completeness.judged(night - timedelta(days=1)), self.completeness.judged(night)
        known = bisect_right(self.known_at, moment)
        rules = {name: rules_of(name) for name in judged}
        basis = {
            "messages": dict(self.totals[known - 1]) if known else {},
            "judged": {name: [str(earlier.get(name)), str(complete_on)] for name, complete_on in judged.items()},
            "frozen": {name: list(map(str, silent)) for name, silent in self.completeness.frozen(night).items()},
            "doubts": [bisect_right(self.doubted, moment), bisect_right(self.freed, moment)],
            "rules": {
                name: [book.fingerprint(moment.date()), self.calendars.book(book.calendar).fingerprint(moment.date())]
                for name, book in rules.items()
            },
        }
        return hashlib.sha256(orjson.dumps(basis, option=orjson.OPT_SORT_KEYS)).hexdigest()


def record(business_on: date, notify: str) -> dict[str, int]:
    """Judge the night, and every other one up to the last one judged, that rests on something new -> counts.

    Args:
        notify: ``never`` tells nobody of what these nights find.
    """
    totals: defaultdict[str, int] = defaultdict(int, nights=0, events=0)
    ledger.gather_statistics(engine())
    known = feeds.known_counts(engine())
    first = min((night_of(known_at) for known_at, _ in known), default=business_on)
    fingerprints = feeds.fingerprints(engine())
    calendars, doubts = stored(engine()), list(map(Doubt.of, ledger.doubts(engine())))
    # A later night that was judged is a difference to this one, or to one before it.
    last = max([business_on, *fingerprints])
    completeness = completeness_until(last)
    ground = _Ground.of(completeness, calendars, known, doubts)
    for night in nights(min(first, business_on), last):
        if night > business_on and night not in fingerprints:
            continue
        fingerprint = ground.fingerprint(night)
        if fingerprints.get(night) != fingerprint:
            asked = list(groups(night, completeness, calendars, doubts))
            findings.record_night(engine(), night, asked, doubts)
            events, cases = _night_events(night, asked, doubts)
            muted = {name for name, first_on in completeness.first_on.items() if notify == "never" or night < first_on}
            result = card_store.record_night(
                engine(), night, sources.names(), events, fingerprint=fingerprint, cases=cases, muted=muted
            )
            for key, count in result.items():
                totals[key] += count
            totals["nights"] += 1
    return dict(totals)


def judge_at(night: date, as_of: datetime | None = None, known_by: datetime | None = None) -> pa.Table:
    """Cards of every source at the night's cut-off; a source not complete that night at its last complete one.

    Args:
        as_of: judge earlier than the cut-off.
        known_by: judge with other knowledge than the night's own.
    """
    alike: defaultdict[tuple[datetime, str], list[str]] = defaultdict(list)
    completeness, calendars = completeness_until(night), stored(engine())
    for name, moment in judged_moments(night, completeness).items():
        alike[min(moment, as_of) if as_of else moment, sources.get(name).profile].append(name)
    tables, doubts = [CARDS.empty_table()], list(map(Doubt.of, ledger.doubts(engine())))
    for (moment, _), names in sorted(alike.items()):
        known, rules = known_by or moment, rules_of(names[0])
        book = calendars.book(rules.calendar)
        frozen = completeness.frozen_cutoffs(moment, settings().cutoff)
        parts = ledger.case_messages(names, known, card_rules.kinds())
        tables.extend(_cards(messages, moment, known, rules, book, frozen, doubts) for messages in parts)
    return pa.concat_tables(tables)


def _night_events(night: date, asked: Sequence[Group], doubts: Sequence[Doubt]) -> tuple[list[dict[str, Any]], int]:
    """judge(night) - judge(night before) -> (events, cases judged).

    Only cases that are open, have changed since or stood still until now are judged: every other case is judged alike
    on both nights.
    """
    known_at, events, cases = cutoff_at(night, settings().cutoff), [], 0
    own = own_systems(links())
    for group in asked:
        before, moment, by = group.before, group.moment, (group.rules, group.book, group.frozen, doubts)
        parts = ledger.case_messages(
            group.names, moment, card_rules.kinds(), changed_since=group.since, always=group.always
        )
        for messages in parts:
            cases += pc.count_distinct(messages["case_no"]).as_py()
            old = CARDS.empty_table()
            if before is not None:
                was_known = messages.filter(pc.less_equal(messages["known_at"], before))
                old = _cards(was_known, before, before, *by)
            changed = list(difference.changes(old, _cards(messages, moment, moment, *by)))
            told_by = difference.first_told_by(messages, own) if changed else {}
            for event in changed:
                event["source"] = told_by.get(event["case_no"], event["source"])
                ruled = group.rules.labelled(event["profile_version"])
                is_manual = ruled.is_manual(event["clock"], event["level"])
                stamp = {"business_on": night, "known_at": known_at, "is_manual": is_manual}
                events.append(difference.event(event, sources.get(event["source"]).in_force_from) | stamp)
    return events, cases


def _cards(
    messages: pa.Table,
    as_of: datetime,
    known_by: datetime,
    rules: ProfileBook,
    book: CalendarBook,
    frozen: Mapping[str, Sequence[datetime]],
    doubts: Sequence[Doubt],
) -> pa.Table:
    return judge_table(
        messages, as_of, known_by, rules, book, cutoff=settings().cutoff, links=links(), frozen=frozen, doubts=doubts
    )
