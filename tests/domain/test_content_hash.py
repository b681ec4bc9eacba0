"""A content hash is SHA-256 over the row as JSON, instants in UTC without an empty fraction; it may never change."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from etl.domain.message import content_hashes, table
from tests.oracle.proof import effort

OLDEST = datetime(1950, 1, 1, tzinfo=UTC)
instants = st.one_of(
    st.integers(0, 3 * 10**15).map(lambda us: OLDEST + timedelta(microseconds=us)),
    st.integers(0, 3 * 10**9).map(lambda seconds: OLDEST + timedelta(seconds=seconds)),
)


def said(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat().replace("+00:00", "Z")


@effort(100, 5_000)
@given(st.lists(st.tuples(instants, st.none() | instants, st.none() | st.text(max_size=3)), min_size=1, max_size=5))
def test_hashes_cover_the_row_as_json(rows: list[tuple[datetime, datetime | None, str | None]]) -> None:
    key = {"source": "zrzy", "case_no": "一", "kind": "accept", "seq": 0, "version": 1}
    messages = table(
        [key | {"occurred_at": occurred, "written_at": written, "region": region} for occurred, written, region in rows]
    )
    expected = [
        [*key.values(), said(occurred), said(written), None, region, None, None, "{}"]
        for occurred, written, region in rows
    ]
    texts = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in expected]
    assert content_hashes(messages, ["{}"] * len(rows)) == [hashlib.sha256(text.encode()).hexdigest() for text in texts]
