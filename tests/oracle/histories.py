"""Random case histories: what happened, what was written when, what arrived when, and what was said again later."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tests.oracle.cases import SHANGHAI, Case
from tests.oracle.requests import times

# A quiet fortnight; National Day with its make-up Sunday; the turn of a year without a notice.
WINDOWS = [date(2018, 10, 15), date(2018, 10, 15), date(2025, 9, 22), date(2026, 12, 10)]

lags = st.sampled_from([0, 0, 0, 1, 20, 60 * 3, 60 * 24, 60 * 24 * 3, 60 * 24 * 8]).map(lambda n: timedelta(minutes=n))


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


@st.composite
def moments(draw: st.DrawFn, window: date, first: int = 0, last: int = 30) -> datetime:
    return datetime.combine(window + timedelta(days=draw(st.integers(first, last))), draw(times), SHANGHAI)


@st.composite
def envelopes(draw: st.DrawFn, occurred: datetime, *, earliest: datetime | None = None) -> dict[str, Any]:
    """Written after it occurred (or nobody knows when), received after that, sometimes loaded later still."""
    written = max(occurred, earliest or occurred) + draw(lags)
    received = written + draw(lags)
    loaded = draw(st.sampled_from([None, None, received + timedelta(hours=1), received + timedelta(days=4)]))
    return {
        "written": None if draw(st.integers(0, 7)) == 0 else text(written),
        "received": text(received),
        "loaded": None if loaded is None else text(loaded),
    }


@st.composite
def case_histories(draw: st.DrawFn, window: date, case_no: str, *, whole_day: bool) -> list[dict[str, Any]]:
    case = Case(case_no)
    accepted = draw(moments(window, 0, 6))
    statutory = draw(st.sampled_from([None, 0, 5, 8, 10, 12]))
    promised = draw(st.sampled_from([None, 1, 2, 3, 4, 5, 7]))
    kinds = (
        ["promised", "promised", "promised"] if whole_day else ["promised", "promised", "promised", "instant", "given"]
    )
    kind = draw(st.sampled_from(kinds))
    more: dict[str, Any] = {"joint": draw(st.booleans())}
    if kind == "instant":
        promised, more["case_type"] = 0, "instant"
    if kind == "given":
        more["promised_due_at"] = draw(moments(window, 4, 14)).isoformat()
    story = draw(
        st.sampled_from(["once", "once", "once", "supplement first", "limit changed", "moved", "only version 2"])
    )
    envelope = draw(envelopes(accepted))
    again = draw(envelopes(accepted, earliest=accepted + timedelta(days=draw(st.integers(0, 12)))))
    if story == "supplement first":
        before = accepted - timedelta(days=1)
        case.accept(text(before), promised, statutory, **more, outcome="supplement", **draw(envelopes(before)))
        case.accept(text(accepted), promised, statutory, **more, version=2, **envelope)
    elif story == "only version 2":
        case.accept(text(accepted), promised, statutory, **more, version=2, **envelope)
    else:
        case.accept(text(accepted), promised, statutory, **more, **envelope)
        if story == "limit changed" and kind == "promised":
            case.accept(text(accepted), (promised or 0) + 5, 20, **more, version=2, **again)
        if story == "moved":
            case.accept(text(accepted + timedelta(days=2)), promised, statutory, **more, version=2, **again)

    finished = draw(st.none() | moments(window, 0, 24))
    if finished is not None:
        outcome = draw(st.sampled_from(["granted", "granted", "refused", "voided", "returned", "withdrawn"]))
        story = draw(st.sampled_from(["once", "once", "changed", "same again", "only version 2"]))
        envelope = draw(envelopes(finished))
        if story == "contradicted":
            # The same version says something else two nights later: not a new version, so it must change nothing.
            first = datetime.fromisoformat(envelope["received"])
            other = text(draw(moments(window, 0, 24)))
            envelope["loaded"] = text(first)
            case.finish(other, outcome, **draw(envelopes(finished)) | {"loaded": text(first + timedelta(days=2))})
        case.finish(text(finished), outcome, version=2 if story == "only version 2" else 1, **envelope)
        if story in ("changed", "same again"):
            other = draw(moments(window, 0, 24)) if story == "changed" else finished
            told_again = draw(envelopes(other, earliest=finished + timedelta(days=draw(st.integers(0, 8)))))
            case.finish(text(other), outcome, version=2, **told_again)

    if kind != "instant":
        for seq in range(1, 1 + draw(st.sampled_from([0, 0, 1, 1, 2]))):
            begun = draw(moments(window, 0, 12))
            approved = draw(st.sampled_from([None, 0, 1, 3, 3, 5]))
            payload = {
                "special_kind": "inspection",
                "approved_days": approved,
                "approver": "王某",
                "reason": "现场核查",
            }
            case.add("special_start", text(begun), payload, seq=seq, **draw(envelopes(begun)))
            if draw(st.integers(0, 3)):
                length = draw(st.integers(1, 8))
                result = datetime.combine(begun.date() + timedelta(days=length), draw(times), SHANGHAI)
                case.add("special_result", text(result), {"outcome": "passed"}, seq=seq, **draw(envelopes(result)))
        if statutory and kind != "given" and draw(st.integers(0, 4)) == 0:
            asked = draw(moments(window, 0, 16))
            days, approver = draw(st.sampled_from([3, 5, 10, 12, None])), draw(st.sampled_from(["张某", "张某", None]))
            payload = {"special_kind": "extension", "approved_days": days, "approver": approver, "reason": "案情复杂"}
            case.add("special_start", text(asked), payload, seq=9, **draw(envelopes(asked)))
    return case.messages


@st.composite
def judgements(draw: st.DrawFn, *, whole_day: bool = False) -> tuple[list[dict[str, Any]], datetime, datetime | None]:
    """(messages in any order, as_of, known_by)."""
    window = draw(st.sampled_from(WINDOWS))
    messages = []
    for n in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        messages += draw(case_histories(window, f"CASE-{n}", whole_day=whole_day))
    as_of = draw(moments(window, 1, 40))
    known_by = draw(st.none() | moments(window, 1, 45))
    return draw(st.permutations(messages)), as_of, known_by
