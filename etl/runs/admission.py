"""Admission: landed bytes -> text columns -> canonical messages -> expectations -> ledger, page by page."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.chinese import KIND
from etl.domain.message import SCHEMA
from etl.domain.night import cutoff_at, first_cutoffs, to_us
from etl.errors import BatchRejected, CalendarNotCovering, SourceContractBroken, UsageError
from etl.quality.check import VOLUMES, Findings, RuleResult, check, check_volumes
from etl.quality.linkage import Lookup
from etl.runs import samples
from etl.settings import settings
from etl.sources import drift
from etl.sources.contract import Decoded, Source
from etl.store import landing, ledger, quality
from etl.store.calendars import stored
from etl.store.engine import engine
from etl.store.landing import LandedPage
from etl.store.ledger import Refusal

DRIFT_ROWS = 10
"""Fewer rows refused alike than this say nothing about their source."""
ALIKE_NIGHTS, ALIKE_WITHIN_DAYS = 14, 42
"""Earlier working days, or rest days, whose volumes a night's are compared with."""


@dataclass(frozen=True)
class Read:
    """One landed page, decoded and mapped, and how it differs from what its module declares."""

    page: LandedPage
    messages: pa.Table
    refusals: list[Refusal]
    row_sha256s: Mapping[int, str]
    changes: list[drift.Change]


@dataclass(frozen=True, eq=False)
class Fingerprints(Mapping[int, str]):
    """Fingerprint per row of a page over all its columns, whatever their order; `lost` are those of undecoded rows.

    Taken only once one is asked for: a page without a refusal needs none, and they are most of the cost of reading.
    """

    rows: pa.Table
    lost: Mapping[int, str]

    def __getitem__(self, row_no: int) -> str:
        return self._taken[row_no]

    def __iter__(self) -> Iterator[int]:
        return iter(self._taken)

    def __len__(self) -> int:
        return int(self.rows.num_rows) + len(self.lost)

    @cached_property
    def _taken(self) -> dict[int, str]:
        return _row_sha256s(self.rows) | dict(self.lost)


def admit_source(source: Source, business_on: date) -> dict[str, int]:
    """Admit every waiting page of one source; what a page says becomes known at the night's cut-off.

    Raises:
        BatchRejected: a critical expectation failed, or most rows of a stream for one reason; none of these pages is
            admitted.
    """
    known_at = cutoff_at(business_on, settings().cutoff)
    with engine().connect() as connection:
        waiting = landing.pages_to_admit(connection, source.name, business_on)
    counts = _admit_pages(source, waiting, known_at) if waiting else {}
    _compare_volumes(source, business_on, known_at)
    return counts


def _admit_pages(source: Source, waiting: Sequence[LandedPage], known_at: datetime) -> dict[str, int]:
    pages = [read_page(source, page, page.content()) for page in waiting]
    findings, failed = check_rows(pages, known_at, lambda wanted: quality.openings(wanted, known_at))
    results = [*findings.results, *_drift_results(pages)]
    for night in sorted({page.business_on for page in waiting}):  # whichever run found its pages waiting
        quality.record(engine(), source.name, night, results)
    if findings.critical:
        rules = "; ".join(f"{result.title} ({result.failed_rows})" for result in findings.critical)
        raise BatchRejected(f"{source.name}: {len(pages)} pages not admitted: {rules}; fix the source or its module")
    refuse_drift(source, pages, failed)
    counts = {"accepted": 0, "repeated": 0, "quarantined": 0}
    for page, doubts in zip(pages, failed, strict=True):
        result = admit_read(page, doubts, known_at)
        for name in counts:
            counts[name] += getattr(result, name)
    return counts


def _compare_volumes(source: Source, business_on: date, known_at: datetime) -> None:
    """How many messages of each kind the night brought, against what is usual on such days; it is only said."""
    earlier = [business_on - timedelta(days=back) for back in range(1, ALIKE_WITHIN_DAYS + 1)]
    try:
        calendar = stored(engine()).cn(business_on, source.region)
        is_worked = calendar.is_working_day(business_on)
        alike = [night for night in earlier if calendar.is_working_day(night) == is_worked][:ALIKE_NIGHTS]
    except CalendarNotCovering:  # judging refuses such a night itself; what was admitted stays admitted
        return
    counted = quality.count_volumes(engine(), source.name, business_on, known_at, alike)
    if not any(row["usual_count"] for row in counted):
        return
    findings = check_volumes(pa.Table.from_pylist(counted, VOLUMES), known_at)
    told: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for failure in findings.failed.to_pylist():
        row = counted[failure["row"]]
        told[failure["suite"], failure["rule"]].append(
            f"{KIND[row['kind']]}：{row['row_count']} 条，通常 {row['usual_count']:g} 条"
        )
    results = [replace(result, samples=tuple(told[result.suite, result.rule])) for result in findings.results]
    quality.record(engine(), source.name, business_on, results)


def replay(source: Source, business_on: date) -> dict[str, int]:
    """Read quarantined rows again with today's module; what passes becomes known at the night's cut-off."""
    known_at = cutoff_at(business_on, settings().cutoff)
    counts = {"accepted": 0, "repeated": 0, "still_quarantined": 0}
    for page_id, row_nos in ledger.open_quarantine(engine(), source.name).items():
        with engine().connect() as connection:
            page = landing.page(connection, page_id)
        read = read_page(source, page, page.content())
        mine = pc.is_in(read.messages["row_no"], pa.array(sorted(row_nos), pa.int64()))
        read = Read(read.page, read.messages.filter(mine), [], read.row_sha256s, [])
        doubts = check_rows([read], known_at)[1][0]
        good = _without(read.messages, {refusal.row_no for refusal in doubts})
        # Known from tonight on, but here since the row came.
        here = _known(good, page.known_basis, page.known_at or known_at)["known_at"]
        good = good.set_column(good.schema.get_field_index("loaded_at"), "loaded_at", here)
        shas = {row: read.row_sha256s[row] for row in row_nos}
        result = ledger.replay_page(engine(), page, _known(good, "night", known_at), shas, known_at)
        counts["accepted"] += result.accepted
        counts["repeated"] += result.repeated
        counts["still_quarantined"] += len(row_nos) - result.accepted - result.repeated
    return counts


def dismiss(source: Source, case_no: str, business_on: date) -> int:
    """What the case's quarantined rows leave out is nothing, a person found: known from the night's cut-off -> rows.

    Raises:
        UsageError: the source has no open quarantined row of this case.
    """
    dismissed = ledger.dismiss(engine(), source.name, case_no, cutoff_at(business_on, settings().cutoff))
    if not dismissed:
        raise UsageError(f"source {source.name} has no quarantined row of case {case_no} that is open")
    return dismissed


def admit_read(read: Read, doubts: Sequence[Refusal], known_at: datetime) -> ledger.Admitted:
    """One page, one transaction."""
    refusals = [*read.refusals, *_told(read.messages, doubts)]
    good = _without(read.messages, {refusal.row_no for refusal in refusals})
    messages = _known(good, read.page.known_basis, known_at)
    return ledger.admit_page(engine(), read.page, messages, refusals, read.row_sha256s, known_at)


def read_page(source: Source, page: LandedPage, content: bytes) -> Read:
    """Bytes of one page -> messages and refusals.

    Raises:
        SourceContractBroken: nothing in the page can be believed; where it lacks columns, with what may stand there.
    """
    decoded = source.kind.decode(source, page.stream, content, page.meta)
    try:
        messages, rejects = source.dialect.messages(source, page.stream, decoded.rows)
    except SourceContractBroken as error:
        found = "；".join(change.title for change in drift.changes(source, page.stream, decoded.rows, []))
        raise SourceContractBroken(f"{error}（{found}）" if found else str(error)) from None
    if delivered := page.meta.get("modified_at"):  # records that do not say when they arrived came with their file
        arrived = pa.scalar(datetime.fromisoformat(delivered)).cast(SCHEMA.field("received_at").type)
        filled = pc.fill_null(messages["received_at"], arrived)
        messages = messages.set_column(messages.schema.get_field_index("received_at"), "received_at", filled)
    lost = {row: hashlib.sha256(f"{page.sha256}:{row}".encode()).hexdigest() for row, _, _ in decoded.rejects}
    shas = Fingerprints(decoded.rows, {**lost, **decoded.reject_sha256s})
    subjects = dict(_subjects(source, page.stream, decoded, {row for row, _, _ in rejects}))
    refusals = [
        Refusal(row, shas[row], reason, detail, *subjects.get(row, ()))
        for row, reason, detail in [*decoded.rejects, *rejects]
    ]
    changes = drift.changes(source, page.stream, decoded.rows, rejects, page.meta.get("undeclared", ()))
    return Read(page, _without(messages, {refusal.row_no for refusal in refusals}), refusals, shas, changes)


def _subjects(
    source: Source, stream: str, decoded: Decoded, rejected: set[int]
) -> Iterator[tuple[int, tuple[str | None, tuple[str, ...]]]]:
    """Of which case refused rows say they are, and what is missing of it without them."""
    is_rejected = pc.is_in(decoded.rows["row_no"], pa.array(sorted(rejected), pa.int64()))
    for rows in (decoded.refused, decoded.rows.filter(is_rejected)):
        if rows is not None and len(rows):
            yield from source.dialect.subjects(stream, rows).items()


def _told(messages: pa.Table, doubts: Sequence[Refusal]) -> Iterator[Refusal]:
    """Rows that failed an expectation, with the case and everything they said of it."""
    failed = messages.filter(pc.is_in(messages["row_no"], pa.array([doubt.row_no for doubt in doubts], pa.int64())))
    said: dict[int, tuple[str, dict[str, None]]] = {}
    for row_no, case_no, kind in zip(
        *(failed[name].to_pylist() for name in ("row_no", "case_no", "kind")), strict=True
    ):
        said.setdefault(row_no, (case_no, {}))[1][kind] = None
    for doubt in doubts:
        case_no, kinds = said[doubt.row_no]
        yield replace(doubt, case_no=case_no, kinds=tuple(kinds))


def check_rows(
    pages: Sequence[Read], known_at: datetime, lookup: Lookup | None = None
) -> tuple[Findings, list[list[Refusal]]]:
    """All expectations over all pages at once -> (findings with samples, per page the rows to quarantine).

    Args:
        lookup: where else records may be that must have come before; none: nobody is reproached for lacking them.
    """
    numbered = [
        read.messages.append_column("page", pa.array(np.full(len(read.messages), number)))
        for number, read in enumerate(pages)
    ]
    messages = pa.concat_tables(numbered)
    findings = check(messages, known_at, lookup)
    findings = replace(findings, results=samples.with_samples(findings, messages))
    doubts: list[list[Refusal]] = [[] for _ in pages]
    errors = findings.failed.filter(pc.equal(findings.failed["severity"], "error"))
    rows = messages.take(errors["row"])
    titles = {(result.suite, result.rule): result.title for result in findings.results}
    for suite, rule, page, row in zip(
        *(errors[name].to_pylist() for name in ("suite", "rule")),
        *(rows[name].to_pylist() for name in ("page", "row_no")),
        strict=True,
    ):
        doubts[page].append(Refusal(row, pages[page].row_sha256s[row], f"{suite}.{rule}", titles[suite, rule]))
    return findings, doubts


def refuse_drift(source: Source, pages: Sequence[Read], doubts: Sequence[Sequence[Refusal]]) -> None:
    """A bad row is set aside and the batch goes on; most rows bad alike are a source that has changed.

    Without its finishes every case would look late, so nothing may be judged before module and source agree again.
    """
    rows, refused, examples = (
        Counter[str](),
        defaultdict[tuple[str, str], list[str]](list),
        dict[tuple[str, str], str](),
    )
    for read, doubted in zip(pages, doubts, strict=True):
        rows[read.page.stream] += len(read.row_sha256s)
        first = {refusal.row_no: refusal for refusal in reversed([*read.refusals, *doubted])}
        for refusal in first.values():
            refused[read.page.stream, refusal.reason].append(refusal.row_sha256)
            examples.setdefault((read.page.stream, refusal.reason), refusal.detail)
    for (stream, reason), told in refused.items():
        if len(told) < DRIFT_ROWS or len(told) * 2 <= rows[stream]:
            continue
        # Rows asked for again count once; looked at last, because it takes every row's fingerprint.
        bad, every = (
            set(told),
            {row for read in pages if read.page.stream == stream for row in read.row_sha256s.values()},
        )
        if len(bad) >= DRIFT_ROWS and len(bad) * 2 > len(every):
            raise BatchRejected(
                f"{source.name}/{stream}: {len(bad)} of {len(every)} rows are refused alike, {reason}"
                f" ({examples[stream, reason]}); the source has changed: correct it or its module"
            )


def _drift_results(pages: Sequence[Read]) -> list[RuleResult]:
    """What changed in the night: a result per difference, the same ones however its pages are taken together."""
    rows, concerned = Counter[str](), Counter[drift.Change]()
    for read in pages:
        rows[read.page.stream] += len(read.row_sha256s)
        for change in read.changes:
            concerned[replace(change, rows=0)] += change.rows
    return [
        RuleResult(
            "drift",
            ".".join(filter(None, (change.stream, change.what, change.column, change.value))),
            change.title,
            "error" if change.what in (drift.NEW_CODE, drift.RETYPED) else "warning",
            rows[change.stream],
            count,
            basis="数据源模块登记的字段与代码",
        )
        for change, count in concerned.items()
    ]


def _known(messages: pa.Table, known_basis: str, known_at: datetime) -> pa.Table:
    """Append `known_at`: tonight's cut-off, or for reconstructed nights the cut-off each record was there for."""
    limit = np.full(len(messages), to_us(known_at))
    if known_basis == "reconstructed":
        moment = pc.coalesce(*(messages[name] for name in ("received_at", "written_at", "occurred_at")))
        limit = np.minimum(limit, first_cutoffs(moment.cast(pa.int64()).to_numpy(), settings().cutoff))
    return messages.append_column("known_at", pa.array(limit).cast(SCHEMA.field("occurred_at").type))


def _without(messages: pa.Table, rows: set[int]) -> pa.Table:
    return messages.filter(pc.invert(pc.is_in(messages["row_no"], pa.array(sorted(rows), pa.int64()))))


def _row_sha256s(rows: pa.Table) -> dict[int, str]:
    """Fingerprint per row over all its columns, whatever their order."""
    names = sorted(set(rows.column_names) - {"row_no"})
    cells = zip(*(rows[name].to_pylist() for name in names), strict=True) if names else ()
    return {
        row_no: hashlib.sha256(orjson.dumps(dict(zip(names, row, strict=True)))).hexdigest()
        for row_no, row in zip(rows["row_no"].to_pylist(), cells, strict=True)
    }
