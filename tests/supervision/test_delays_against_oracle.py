"""Hops, lags, lateness and the responsible hop are those the oracle finds by walking minute by minute."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tests.oracle import pushes
from tests.oracle.cases import SHANGHAI
from tests.oracle.look import cut_off_from
from tests.oracle.proof import effort
from tests.oracle.stepping import as_known, local, second

WAYS = {
    # A department's own system is read at the district's database, the platform and the ministry further on.
    "own": pushes.Way("own", (("district", "real_time", 60),)),
    "city": pushes.Way("village", (("city", "real_time", 30),)),
    "border": pushes.Way("district", (("customs", "real_time", 30),)),
    "platform": pushes.Way(
        "own", (("district", "real_time", 60), ("city", "real_time", 30), ("platform", "nightly", 0))
    ),
    "ministry": pushes.Way("own", (("district", "nightly", 0), ("ministry", "real_time", 1440))),
    "alone": pushes.Way("alone", (("files", "nightly", 0),)),
}
# Before a long holiday with make-up days, and an ordinary fortnight.
STARTS = [date(2018, 10, 15), date(2025, 9, 24)]
STEPS = st.sampled_from([-120, -3, 0, 0, 1, 29, 30, 31, 59, 60, 61, 300, 1440, 2000, 4321, 9000])


@st.composite
def journeys(draw: st.DrawFn) -> list[pushes.Sent]:
    """What some sources tell of one record; one place is dated by one of them."""
    start = datetime.combine(draw(st.sampled_from(STARTS)), datetime.min.time(), SHANGHAI)
    occurred = second(start + timedelta(minutes=draw(st.integers(0, 14 * 1440))))
    sent = []
    sources = draw(st.lists(st.sampled_from(sorted(WAYS)), min_size=1, unique=True))
    for source in sources if "own" not in sources else sorted(set(sources) - {"border"}):
        written = occurred + 60 * draw(STEPS)
        received = written + 60 * draw(STEPS)
        missed = draw(st.sampled_from([0, 0, 0, 1, 3]))
        has_written, has_received = (draw(st.integers(0, 7)) > 0 for _ in range(2))
        known = cut_off_from(received if has_received else max(written, occurred)) + missed * 86_400
        sent.append(
            pushes.Sent(source, occurred, written if has_written else None, received if has_received else None, known)
        )
    return sent


def routes() -> dict[str, Any]:
    from etl.supervision.delays import LinkLimit, Relay, Route

    def relays(name: str) -> list[Relay]:
        places = WAYS[name].places
        between = range(1, len(places) - 1)
        others = [(other, way) for other, way in WAYS.items() if other != name]
        ends = [
            Relay(other, n, is_written=False) for n in between for other, way in others if way.places[-1] == places[n]
        ]
        return ends + [
            Relay(other, n, is_written=True) for n in between for other, way in others if way.start == places[n]
        ]

    return {
        name: Route(
            way.start,
            tuple(
                LinkLimit(target, timedelta(minutes=minutes), "nightly" if mode == "nightly" else "real_time")
                for target, mode, minutes in way.links
            ),
            tuple(relays(name)),
        )
        for name, way in WAYS.items()
    }


def moment(at: int | None) -> datetime | None:
    return None if at is None else local(at)


@effort(300, 5000)
@given(journeys())
def test_every_lag_is_the_one_counted_minute_by_minute(sent: list[pushes.Sent]) -> None:
    from datetime import time

    from etl.domain.night import to_us
    from etl.domain.office_axis import OfficeAxis
    from etl.store.calendars import packaged
    from etl.supervision.delays import measure

    night = max(record.known for record in sent)
    calendar = as_known(local(night).date())
    rows, expected = [], []
    for record in sent:
        seen = pushes.sightings(record, sent, WAYS)
        place = seen[-1][0] if seen else 0
        first = next((at for number, at, _ in seen if number == place), None)
        rows.append(
            {"source": record.source, "department": None, "kind": "finish", "occurred_at": local(record.occurred)}
            | {"written_at": moment(record.written), "received_at": moment(record.received)}
            | {"known_at": local(record.known), "relayed_at": moment(first), "position": place, "is_again": False}
        )
        expected += pushes.lags(record, sent, WAYS, calendar)
    instant = pa.timestamp("us", "UTC")
    schema = pa.schema(
        [("source", pa.string()), ("department", pa.string()), ("kind", pa.string())]
        + [(name, instant) for name in ("occurred_at", "written_at", "received_at", "known_at", "relayed_at")]
        + [("position", pa.int64()), ("is_again", pa.bool_())]
    )
    axis = OfficeAxis(packaged().cn(local(night).date()))
    found = measure(pa.Table.from_pylist(rows, schema=schema), routes(), time(1), axis)
    columns = [found[name].to_pylist() for name in ("hop", "set_out", "reached", "working_days", "is_late")]
    assert sorted(
        (hop, begin, end, round(days, 9), late) for hop, begin, end, days, late in zip(*columns, strict=True)
    ) == sorted(
        (lag.hop, to_us(local(lag.set_out)), to_us(local(lag.reached)), round(lag.working_days, 9), lag.is_late)
        for lag in expected
    )


@effort(300, 5000)
@given(journeys())
def test_the_responsible_hop_is_the_first_that_took_longer_than_it_may(sent: list[pushes.Sent]) -> None:
    from datetime import time

    from etl.domain.message import parse, table
    from etl.domain.night import to_us
    from etl.domain.office_axis import OfficeAxis
    from etl.store.calendars import packaged
    from etl.supervision.delays import responsible_hops
    from etl.supervision.history import Messages

    night = max(record.known for record in sent)
    calendar = as_known(local(night).date())
    stamped = [
        {
            "source": one.source,
            "case_no": "C",
            "kind": "finish",
            "seq": 0,
            "version": 1,
            "payload": {"outcome": "granted"},
        }
        | {"occurred_at": local(one.occurred).isoformat(), "department": None, "region": None}
        | {"item_code": None, "item_name": None, "loaded_at": local(one.known).isoformat()}
        | {
            f"{n}_at": None if (at := getattr(one, n)) is None else local(at).isoformat()
            for n in ("written", "received")
        }
        for one in sent
    ]
    messages = table([row for row in map(parse, stamped) if isinstance(row, dict)])
    known = pa.array([to_us(local(one.known)) for one in sent]).cast(pa.timestamp("us", "UTC"))
    history = Messages.of(messages.append_column("known_at", known), ("finish",))
    axis = OfficeAxis(packaged().cn(local(night).date()))
    found = responsible_hops(history, [[n] for n in range(len(sent))], routes(), time(1), axis, to_us(local(night)))
    told = {one.source: one for one in sent}
    mine = [told[source] for source in history.table["source"].to_pylist()]
    assert found == [pushes.responsible(one, sent, WAYS, calendar) for one in mine]
