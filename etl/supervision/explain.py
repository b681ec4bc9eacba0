"""Why a case stands where it stands, day by day, with the record behind every day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from etl.domain.axis import Axis
from etl.domain.calendar import CalendarBook
from etl.domain.chinese import CLOCK, KIND, LEVEL, UNIT, nature, refusal
from etl.domain.clock import Suspensions
from etl.domain.date_axis import DateAxis
from etl.domain.message import KEY, TIMES, key_text
from etl.domain.night import DAY_US, NEVER, ZONE, from_us, to_us
from etl.domain.office_axis import OfficeAxis
from etl.domain.profile import Profile, ProfileBook
from etl.errors import UsageError
from etl.supervision.cards import clocks
from etl.supervision.cards.clock import COUNTED, GIVEN, INSTANT, UNITS, axis_of, spans_of, specials_of
from etl.supervision.cards.counting import Counting, Runs
from etl.supervision.contract import contract_card
from etl.supervision.delays import Route, own_systems
from etl.supervision.history import Messages, pick
from etl.supervision.judge import judge_table
from etl.supervision.question import Doubt, Question, book_of, moments_at


def explain(
    messages: pa.Table,
    case_no: str,
    as_of: datetime,
    known_by: datetime,
    profile: Profile | ProfileBook,
    book: CalendarBook,
    *,
    cutoff: time = time(1),
    links: Mapping[str, Route] | None = None,
    frozen: Mapping[str, Sequence[datetime]] | None = None,
    doubtful: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """One case's ledger: `days`, `boundaries` (cards), start, stop and suspensions. `UsageError` without acceptance.

    Args:
        frozen: per source the cut-offs of nights on which it was not complete.
        doubtful: the case's records that are here and unusable: source, case_no, kinds, reason, since, until.
    """
    mine = messages.filter(pc.equal(messages["case_no"], case_no))
    clock = clocks()["case"]
    history = Messages.of(mine, clock.kinds, own_systems(links or {}))
    profiles = book_of(profile)
    question = Question(to_us(as_of), to_us(known_by), profiles, book, cutoff, links or {})
    moments = moments_at(question, *(np.array([value]) for value in (0, question.as_of, question.known_by)))
    picked = pick(history, moments) if len(history.case_nos) else None
    run = clock.run(history, moments, picked) if picked is not None else None
    if run is None or picked is None or not len(run.moment):
        is_told = picked is not None and picked.one(history, "accept", 1)[0] >= 0
        said = "its acceptance starts no clock" if is_told else f"no acceptance was known by {known_by.isoformat()}"
        raise UsageError(f"case {case_no}: {said}; there is no clock to explain")
    version = int(profiles.version_of(moments.rules, run.start)[0])
    if version < 0:
        raise UsageError(f"case {case_no}: no version of profile {profiles.name} was in force when it was accepted")
    rules, region = profiles.versions[version], history.table["region"][int(run.subject[0])].as_py()
    calendar = book.version(int(moments.calendar[0]), book.place(region))
    specials = specials_of(history, moments, picked)
    unit = UNITS[int(run.unit[0])]
    promise = GIVEN if run.given_due[0] != NEVER else INSTANT if run.is_instant[0] else COUNTED
    axis = axis_of(rules, unit, promise, calendar)
    if axis is None:
        raise UsageError(f"case {case_no}: profile {rules.label} cannot count a limit in {unit}; correct the record")
    suspensions = Counting.of(axis, unit, run, *spans_of(history, specials, run.moment)).suspensions
    doubts = [Doubt.of(row) for row in doubtful]
    cards = judge_table(
        mine, as_of, known_by, profile, book, cutoff=cutoff, links=links, frozen=frozen, doubts=doubts
    ).to_pylist()
    keys = _Evidence(history)
    spans = [
        {
            "from": from_us(int(history.occurred[message])).isoformat(),
            # A result at the very moment of the start is none yet.
            "to": None if end in (NEVER, history.occurred[message]) else from_us(int(end)).isoformat(),
            "approved_days": _plain(history.number("approved_days")[message]),
            "evidence": keys.of(message),
        }
        for message, end in zip(specials.message, specials.end, strict=True)
    ]
    finish = int(picked.one(history, "finish", 1)[0])
    ended = (int(history.occurred[finish]), keys.of(finish)) if finish >= 0 else None
    return {
        "case_no": case_no,
        "profile": rules.label,
        "calendar_version": axis.calendar.version,
        "as_of": as_of.astimezone(ZONE).isoformat(),
        "known_by": known_by.astimezone(ZONE).isoformat(),
        "start": from_us(int(run.start[0])).isoformat(),
        "stop": from_us(int(run.stop[0])).isoformat(),
        "is_finished": finish >= 0,
        "promised_limit": _plain(run.limits["promised"][0]),
        "statutory_limit": _plain(run.limits["statutory"][0]),
        "limit_unit": unit,
        "suspensions": spans,
        "boundaries": [contract_card(card) for card in cards],
        "doubts": [_doubt(row) for row in doubtful if _is_open(row, known_by)],
        "records": _records(mine, known_by, OfficeAxis(calendar)),
        "days": list(_days(axis, run, suspensions, spans, cards, keys.of(int(run.subject[0])), ended)),
    }


def as_text(ledger: dict[str, Any], names: Mapping[str, str] | None = None) -> str:
    """The ledger for people; `names` says what systems are called, by code."""
    names = names or {}
    unit = UNIT[ledger["limit_unit"]]
    limits = f"承诺 {_shown(ledger['promised_limit'], unit)}、法定 {_shown(ledger['statutory_limit'], unit)}"
    lines = [
        f"办件 {ledger['case_no']}　受理 {_minute(ledger['start'])}　{limits}",
        f"判定时点 {_minute(ledger['as_of'])}，依据截至 {_minute(ledger['known_by'])} 已掌握的数据",
        f"规则 {ledger['profile']}，工作日历 {ledger['calendar_version']}",
        *(_held(ledger, names) if ledger.get("waiting_for") else ()),
        "",
        "日期　　　　　计入　　累计　　说明",
    ]
    lines += [
        f"{day['date']}　{day['counted_days']:>7.4f}　{day['running_days']:>8.4f}　{day['note']}"
        for day in ledger["days"]
    ]
    lines.append("")
    lines += [_doubted(doubt) for doubt in ledger["doubts"]]
    for card in ledger["boundaries"]:
        state = "成立" if card["standing"] else "撤回"
        hops = (names.get(part, part) for part in (card["responsible_hop"] or "").split("->"))
        hop = f"，责任环节 {' → '.join(hops)}" if card["responsible_hop"] else ""
        lines.append(
            f"{_title(card)}：{_minute(card['reached_at'])} 之后超过，{state}，"
            f"性质 {nature(card['level'], card['nature'])}{hop}，依据 {'；'.join(card['deciding'] or card['evidence'])}"
        )
    if not ledger["boundaries"]:
        lines.append("没有达到任何级别")
    deciding = {key for card in ledger["boundaries"] for key in card["deciding"]}
    lines += [_told(record) for record in ledger["records"] if record["key"] in deciding]
    return "\n".join(lines)


def _held(ledger: Mapping[str, Any], names: Mapping[str, str]) -> Iterable[str]:
    """Why the case is judged earlier than asked."""
    sources = "、".join(names.get(name, name) for name in ledger["waiting_for"])
    yield f"{sources} 此后的数据尚未完整到达，判定停在该时点：补齐之前，不因缺少记录发牌、撤牌"


def _is_open(row: Mapping[str, Any], known_by: datetime) -> bool:
    return (row["since"] is None or row["since"] <= known_by) and (row["until"] is None or row["until"] > known_by)


def _doubt(row: Mapping[str, Any]) -> dict[str, Any]:
    since = row["since"] and row["since"].astimezone(ZONE).isoformat()
    return {name: row[name] for name in ("source", "kinds", "reason")} | {"since": since}


def _doubted(doubt: Mapping[str, Any]) -> str:
    """Why nothing more is said of the case."""
    kinds = "、".join(KIND[kind] for kind in doubt["kinds"])
    since = f"自 {_minute(doubt['since'])} 起" if doubt["since"] else ""
    return (
        f"该件有一条未通过校验的{kinds}记录（{refusal(doubt['reason'])}），{since}已隔离；"
        "重放或者排除之前，不因缺少该记录发牌、撤牌，有关的牌维持隔离之前的结论"
    )


def _records(messages: pa.Table, known_by: datetime, axis: OfficeAxis) -> list[dict[str, Any]]:
    """Every record known by then with its times, and how long it was on its way in working days."""
    known = messages.filter(pc.less_equal(messages["known_at"], pa.scalar(known_by)))
    records = []
    for row in known.sort_by("occurred_at").to_pylist():
        sent, arrived = row["written_at"], row["received_at"]
        days = (
            axis.days(axis.at(np.array([to_us(arrived)])) - axis.at(np.array([to_us(sent)])))
            if sent and arrived
            else None
        )
        times = {name: row[name] and row[name].astimezone(ZONE).isoformat() for name in (*TIMES[:3], "known_at")}
        key = key_text(*(row[name] for name in KEY))
        records.append({"key": key, **times, "transport_days": None if days is None else round(float(days[0]), 6)})
    return records


def _told(record: dict[str, Any]) -> str:
    written, received = (_minute(record[name]) if record[name] else "不明" for name in ("written_at", "received_at"))
    days = record["transport_days"]
    way = "" if days is None else f"，途中 {days:.2f} 个工作日"
    return (
        f"记录 {record['key']}：发生 {_minute(record['occurred_at'])}，写入 {written}，接收 {received}{way}，"
        f"{_minute(record['known_at'])} 起为我方掌握"
    )


class _Evidence:
    def __init__(self, history: Messages) -> None:
        self._history = history

    def of(self, row: int) -> str:
        record = {
            name: self._history.table[name][int(row)].as_py()
            for name in ("source", "case_no", "kind", "seq", "version")
        }
        return key_text(**record)


def _days(
    axis: Axis,
    run: Runs,
    suspensions: Suspensions,
    spans: list[dict[str, Any]],
    cards: list[dict[str, Any]],
    accepted_by: str,
    ended: tuple[int, str] | None,
) -> Iterable[dict[str, Any]]:
    start, stop = int(run.start[0]), max(int(run.stop[0]), int(run.start[0]))
    first, last = (from_us(moment).date() for moment in (start, stop))
    begin = int(axis.start(run.start)[0])
    running = 0
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        on_date = date.fromordinal(ordinal)
        midnight = to_us(datetime.combine(on_date, time(), tzinfo=ZONE))
        edges = np.array([max(midnight, start), min(midnight + DAY_US, stop)])
        if isinstance(axis, DateAxis):
            edges = np.array([midnight - 1, midnight])
        low, high = np.maximum(axis.at(edges), begin)
        out = int(np.clip(np.minimum(suspensions.end, high) - np.maximum(suspensions.begin, low), 0, None).sum())
        counted = int(high - low) - out
        running += counted
        reached = [card for card in cards if from_us(to_us(card["reached_at"])).date() == on_date]
        covering = [span for span in spans if _covers(span, on_date)] if out else []
        kind, note = _kind(axis, on_date, out, counted, axis.days(np.array([counted]))[0])
        notes = [note, *(f"停表（{span['evidence']}）" for span in covering)]
        evidence = [span["evidence"] for span in covering]
        if on_date == first:
            notes.append(f"{from_us(start):%H:%M} 受理")
            evidence.insert(0, accepted_by)
        if on_date == last and ended:
            moment, finished_by = ended
            is_before = moment < start
            notes.append(
                f"办结于 {from_us(moment):%Y-%m-%d %H:%M}，早于受理" if is_before else f"{from_us(stop):%H:%M} 办结"
            )
            evidence.append(finished_by)
        notes += map(_boundary, reached)
        yield {
            "date": on_date.isoformat(),
            "kind": kind,
            "counted_days": round(float(axis.days(np.array([counted]))[0]), 6),
            "running_days": round(float(axis.days(np.array([running]))[0]), 6),
            "note": "，".join(part for part in notes if part),
            "evidence": evidence,
        }


def _title(card: dict[str, Any]) -> str:
    """Level, and for another clock than the case's which one."""
    clock = "" if card["clock"] == "case" else f"{CLOCK[card['clock']]}{card['clock_key']} "
    return clock + LEVEL[card["level"]]


def _boundary(card: dict[str, Any]) -> str:
    moment, title = f"{card['reached_at'].astimezone(ZONE):%H:%M}", _title(card)
    return f"{moment} 到{title}界限" if card["standing"] else f"{moment} 原判{title}的界限，已撤回"


def _kind(axis: Axis, on_date: date, excluded: int, counted: int, days: float) -> tuple[str, str]:
    ruling = axis.calendar.rulings.get(on_date)
    is_worked = axis.calendar.is_working_day(on_date)
    if not is_worked:
        is_provisional = axis.calendar.is_provisional[axis.calendar.index_of(on_date)]
        name = ruling.name if ruling else "休息日"
        return ("holiday" if ruling else "rest"), f"{name}（暂定）" if is_provisional else name
    if excluded and not counted:
        return "suspended", ""
    if ruling and ruling.kind == "makeup":
        return "makeup", "调休上班"
    return ("worked", "") if days >= 1 else ("partial", "不足一天")


def _covers(span: dict[str, Any], on_date: date) -> bool:
    begin = datetime.fromisoformat(span["from"]).date()
    end = datetime.fromisoformat(span["to"]).date() if span["to"] else date.max
    return begin <= on_date <= end


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _shown(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:g} {unit}"


def _minute(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"
