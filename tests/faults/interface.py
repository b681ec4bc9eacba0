"""An office's query interface behind a platform, beside a neighbour's, and everything that can go wrong with it."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.faults.offices import ITEM, ZONE, Office, Row, Sick, business_day

SICK = "scjg"
POISON = ("\\u0000", "\\ud800", "\\u000b")
SPOILS: dict[str, dict[str, Any]] = {
    "unknown_code": {"result_type": "77"},
    "bad_time": {"result_date": "20260230101500"},
    "poisoned": {"reason": "@poison@"},
    "bad_bytes": {"reason": "@bytes@"},
    "not_finite": {"fee": float("nan")},
    "too_long": {"reason": "长" * 20_000},
    "twice_keyed": {"twice_keyed": None},
}
"""What is changed in a row to spoil it; what no text can hold is put in its place when the answer is made bytes."""
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Interface(Sick):
    """Answers for the sick office and for its neighbours, by path; only the sick one is ever wrong."""

    neighbours: Mapping[str, Office] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)
    """Requests to where an answer pointed, which nobody should follow."""
    _again: dict[int, datetime] = field(default_factory=dict)
    """By number of a row that had been of no use when it was pushed once more."""
    _owed: set[int] = field(default_factory=set)
    _kept: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _asked: Counter[str] = field(default_factory=Counter)

    def turn(self, night: date, wrong: str) -> None:
        """Tonight; once all is well, what was of no use before is pushed once more."""
        super().turn(night, wrong)
        self._asked.clear()
        if not wrong:
            self._again |= dict.fromkeys(self._owed, datetime.combine(night, time(12), ZONE))
            self._owed.clear()
        useless = self.office.of(night) if wrong == "recoded" else self.spoilt
        self._owed |= {self.office.rows.index(row) for row in useless if row.is_decision or wrong != "recoded"}

    def answer(self, name: str, stream: str, query: Mapping[str, str]) -> Answer:
        wrong, office = (self.wrong, self.office) if name == SICK else ("", self.neighbours[name])
        self._asked[name] += 1
        if wrong == "refused":
            return 403, {}, b"{}"
        if wrong == "overloaded" or (wrong == "retried" and self._asked[name] < 3):
            return 503, {"Retry-After": "0"}, b""
        if wrong == "redirected":
            return 302, {"Location": f"/elsewhere/{stream}"}, b""
        if wrong == "garbage" and stream == "result":
            return 200, {}, b"<html><body>maintenance</body></html>"
        until = datetime.fromisoformat(query["until"])
        since = datetime.fromisoformat(query.get("since", "2000-01-01T00:00:00+08:00"))
        vouched = until - timedelta(hours=9) if wrong == "behind" else until
        found = self._found(wrong, office, stream, since, vouched)
        body = _page(wrong, stream, found, int(query["limit"]), int(query.get("after", -1)))
        if name == SICK:
            self.sent += len(body["rows"])
        return 200, {}, self._bytes(wrong, body | {"data_until": vouched.isoformat()})

    def _found(self, wrong: str, office: Office, stream: str, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """The rows of a stream that it says it received in (since, until]."""
        found, is_sick = [], office is self.office
        for number, row in enumerate(office.rows if stream in ("accept", "result") else []):
            received = self._again.get(number, row.received) if is_sick else row.received
            if stream != ("result" if row.is_decision else "accept") or not since < received <= until:
                continue
            if not is_sick or self._is_there(wrong, row):
                told = _told(number, row, received.astimezone(UTC if wrong == "in_utc" else ZONE))
                found.append(told | (self._changed(wrong, row) if is_sick else {}))
        if wrong == "cached":
            return self._kept.get(stream, [])
        if is_sick and not wrong:
            self._kept[stream] = found
        if wrong == "footer" and stream == "result":
            found.append(dict.fromkeys(found[0]) | {"row_id": 10**9, "task_name": f"合计 {len(found)} 件"})
        if wrong == "retold" and stream == "result":
            before = [row for row in office.rows if row.is_decision and business_day(row.received) < self.night]
            row = Random(f"{self.night}").choice(before[-200:])
            noon = datetime.combine(self.night, time(12), ZONE)
            found.append(_told(10**9, row, noon) | {"result_date": f"{row.at + timedelta(days=3):%Y%m%d%H%M%S}"})
        return found

    def _changed(self, wrong: str, row: Row) -> dict[str, Any]:
        if wrong == "recoded" and row.is_decision and business_day(row.received) >= self.since:
            return {"result_type": "70"}
        if wrong == "new_column":
            return {"handled_in_district": "1"}
        return SPOILS[wrong] if row in self.spoilt else {}

    def _is_there(self, wrong: str, row: Row) -> bool:
        day = business_day(row.received)
        if wrong == "silent":
            return False
        if row in self.hidden:
            return False
        if day < self.since:
            return True
        if wrong == "stopped" or (wrong == "undecided" and row.is_decision):
            return False
        if wrong == "thin" or (wrong == "thinly_decided" and row.is_decision):
            alike = [other for other in self.office.of(day) if other.is_decision == row.is_decision]
            return alike.index(row) < int(self.share * len(alike))
        return True

    def _bytes(self, wrong: str, body: dict[str, Any]) -> bytes:
        text = json.dumps(body, ensure_ascii=False)
        text = text.replace('"twice_keyed": null', '"accept_result": "2"')
        content = text.encode("utf-8" if wrong == "other_encoding" else "gbk")
        poison = POISON[self.night.toordinal() % len(POISON)].encode()
        return content.replace(b"@poison@", poison).replace(b"@bytes@", b"\xff\xff")

    @contextmanager
    def served(self) -> Iterator[str]:
        """The address under which the offices are asked, for as long as the block runs."""
        interface = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                address = urlsplit(self.path)
                _, name, stream = address.path.split("/")
                if name == "elsewhere":
                    interface.strays.append(self.path)
                    self.send_error(404)
                    return
                query = {key: values[-1] for key, values in parse_qs(address.query).items()}
                code, headers, content = interface.answer(name, stream, query)
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                is_cut = interface.wrong == "half_sent" and name == SICK and stream == "result"
                self.send_header("Content-Length", str(len(content) + (500 if is_cut else 0)))
                for header in headers.items():
                    self.send_header(*header)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()


def _page(wrong: str, stream: str, found: list[dict[str, Any]], limit: int, after: int) -> dict[str, Any]:
    """One page of the rows found, and how many it says there are."""
    if is_shifting := wrong == "shifting" and stream == "result":
        # A row already read goes, and another comes behind the key: it is never seen, and the number is right again.
        limit, found = -(-(len(found) - 1) // 3), found[:-1]
    rest = [row for row in found if row["row_id"] > after]
    page, total = rest[:limit], len(found)
    following = str(page[-1]["row_id"]) if len(rest) > len(page) else None
    if is_shifting and len(rest) < len(found) and following:
        total -= 1
    if wrong == "cut" and stream == "result":
        page = page[: len(page) - max(1, len(page) // 5)]
    if wrong == "repeated":
        page, total = [row for row in page for _ in range(2)], 2 * total
    if wrong == "unordered":
        page = Random(total).sample(page, len(page))
    if wrong == "linked":
        following = "/elsewhere/next"
    if wrong == "stuck":
        page, following = [], "1"
    return {"total": total, "rows": page, "next": following}


def _told(number: int, row: Row, received: datetime) -> dict[str, Any]:
    own: dict[str, Any] = (
        {"result_date": f"{row.at:%Y%m%d%H%M%S}", "result_type": "0", "reason": None, "fee": 0, "fee_basis": None,
         "cert_no": None, "cert_date": None}
        if row.is_decision
        else {"accept_date": f"{row.at:%Y%m%d%H%M%S}", "accept_result": "1", "reason": None, "promise_limit": 1,
              "law_limit": 9, "limit_unit": "G", "project_type": "2", "apply_type": "1", "cert_required": "0",
              "is_joint": "0", "flow": None}
    )  # fmt: skip
    return {
        "row_id": number, "project_no": row.case_no, "data_version": 1, "task_code": ITEM,
        "task_name": "食品小经营店备案",
        "cd_operation": "I", "cd_time": f"{row.at + timedelta(minutes=1):%Y%m%d%H%M%S}",
        "receive_time": received.isoformat(),
    } | own  # fmt: skip
