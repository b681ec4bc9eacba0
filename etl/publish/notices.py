"""Turns items to tell into frozen mails, in one transaction; `deliver` in `etl.publish.sender` sends them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from etl import crashpoints
from etl.domain.night import cutoff_at
from etl.errors import UsageError
from etl.publish import office, replies
from etl.publish.digest import INLINE_ROWS, Footer, Titles, digest, newest
from etl.publish.envelope import Mail, address, freeze, message_id, plain_text
from etl.publish.privacy import one_line
from etl.publish.wording import NONE, minute
from etl.settings import settings
from etl.store import feeds, outbox
from etl.store.outbox import Notice, Row

INTERRUPTED = "数据接入中断，待恢复后通知"
NOBODY = "没有在用的收件人"
OPERATORS = "运行维护"


@dataclass(frozen=True)
class _Draft:
    """A mail, whom it is for, and the items it tells."""

    mail_kind: str
    business_on: date
    department: str | None
    recipients: Sequence[Row]
    mail: Mail
    item_keys: tuple[str, ...]
    first: Row | None = None  # the mail it replies to: notice_key, message_id


def claim(engine: Engine, business_on: date, titles: Titles | None = None, only: str | None = None) -> list[str]:
    """Freeze a mail for everything untold up to night `business_on`; the keys of the new notices.

    One transaction: all or nothing. An item is told to a recipient once, by key: of two runs at once the slower one
    begins again with what the other left. Items nobody can be written to about stay unclaimed and are named in mail B.

    Args:
        business_on: the night the mails are dated.
        titles: what systems and platforms are called, by code; departments are named by the ledger.
        only: the one kind of items to tell.
    """
    try:
        notices = _claim(engine, business_on, titles or {}, only)
    except IntegrityError:
        notices = _claim(engine, business_on, titles or {}, only)
    crashpoints.reach("notify.after_claim_commit")
    return [notice.notice_key for notice in notices]


def _claim(engine: Engine, business_on: date, titles: Titles, only: str | None) -> list[Notice]:
    with engine.begin() as connection:
        outbox.wait_for_claimers(connection)
        notices = _compose(connection, business_on, titles, only)
        for notice in notices:
            outbox.put(connection, notice)
        crashpoints.reach("notify.before_claim_commit")
    return notices


def preview(engine: Engine, business_on: date, titles: Titles | None = None) -> list[dict[str, Any]]:
    """The mails `claim` would freeze now, each with its plain `text`; nothing is written."""
    with engine.connect() as connection:
        notices = _compose(connection, business_on, titles or {})
    return [
        {name: value for name, value in vars(notice).items() if name != "content"}
        | {"text": plain_text(notice.content)}
        for notice in notices
    ]


def held(engine: Engine) -> list[dict[str, Any]]:
    """Mails a person has to look at: possibly delivered (dot, held) or refused for good."""
    with engine.connect() as connection:
        return [dict(found) for found in outbox.in_doubt(connection)]


def settle(engine: Engine, notice_key: str, *, is_delivered: bool) -> None:
    """A person's word on a held mail: it had arrived (sent), or it had not (ready, goes with the next delivery).

    Raises:
        UsageError: no such notice is held.
    """
    state: outbox.State = "sent" if is_delivered else "ready"
    with engine.connect() as connection:
        known = {found["notice_key"] for found in outbox.in_doubt(connection) if found["state"] == "held"}
    if notice_key not in known:
        raise UsageError(f"no held notice {notice_key!r}; held: {', '.join(sorted(known)) or 'none'}")
    outbox.move(engine, notice_key, "held", state, detail="人工核对：" + ("已送达" if is_delivered else "未送达，重发"))


def _compose(connection: Connection, business_on: date, titles: Titles, only: str | None = None) -> list[Notice]:
    head = outbox.row(connection, "ledger_head", business_on=business_on)
    drafts = list(_Night(connection, business_on, titles, head, only).drafts())
    stems = [
        "/".join((draft.mail_kind, draft.business_on.isoformat(), to["recipient_id"]))
        + (f"/{draft.department}" if draft.department else "")
        + (f"/re/{draft.first['notice_key'].replace('/', '~')}" if draft.first else "")
        for draft in drafts
        for to in draft.recipients
    ]
    ordinals = outbox.ordinals(connection, stems)
    addressed = ((draft, to) for draft in drafts for to in draft.recipients)
    return [
        _address(draft, to, stem if not ordinals[stem] else f"{stem}/#{ordinals[stem] + 1}", head)
        for (draft, to), stem in zip(addressed, stems, strict=True)
    ]


def _address(draft: _Draft, to: Row, notice_key: str, head: Row) -> Notice:
    sender = settings().mail_from
    try:
        mailbox, problem = address(to["name"], to["email"]), ""
    except ValueError:
        mailbox, problem = None, "收件地址无效，请改正收件人后人工转发"
    in_reply_to = draft.first["message_id"] if draft.first else None
    content = freeze(draft.mail, notice_key, sender, mailbox, head["composed_at"], in_reply_to)
    return Notice(
        notice_key=notice_key,
        mail_kind=draft.mail_kind,
        business_on=draft.business_on,
        department=draft.department,
        recipient=one_line(to["email"]),
        recipient_id=to["recipient_id"],
        subject=one_line(draft.mail.subject),
        message_id=message_id(notice_key, sender),
        content=content,
        content_sha256=hashlib.sha256(content).hexdigest(),
        head_hash=head["head_hash"],
        state="refused" if problem else "ready",
        detail=problem,
        item_keys=draft.item_keys,
    )


class _Night:
    """Everything read for one claim, and the drafts it leads to."""

    def __init__(self, connection: Connection, business_on: date, titles: Titles, head: Row, only: str | None) -> None:
        self._connection = connection
        self._on = business_on
        self._head = head
        self._items: dict[str, list[Row]] = defaultdict(list)
        for item in self._rows("items_new"):
            if only in (None, item["mail_kind"]):
                self._items[item["mail_kind"]].append(item)
        self._recipients = self._rows("recipients")
        self._names: dict[str, str] = {row["code"]: row["name"] for row in self._rows("departments")}
        self._titles = self._names | dict(titles)
        self._waiting: dict[str, str] = {}

    def drafts(self) -> Iterator[_Draft]:
        """B comes last: what the others could not tell anyone is said there."""
        by_department = _grouped([*self._items["A"], *self._items["D"], *self._items["E"]])
        interrupted = {row["department"] for row in self._rows("incident_departments")}
        for department, items in _grouped(self._items["C"]).items():
            interrupted.add(department)
            yield from self._incident(department, items, len(by_department.get(department, ())))
        told = {
            department: items for department, items in by_department.items() if self._can_tell(department, interrupted)
        }
        yield from self._digests(told)
        yield from self._operations(self._items["F"])
        for item in self._items["B"]:
            yield from self._summary(item)

    def _can_tell(self, department: str, interrupted: set[str]) -> bool:
        if department in interrupted:
            self._waiting.setdefault(self._name(department), INTERRUPTED)
            return False
        return bool(self._recipients_of(department))

    def _digests(self, told: Mapping[str, list[Row]]) -> Iterator[_Draft]:
        keys = [item["item_key"] for items in told.values() for item in items if item["card_event_seq"]]
        rows = {row["item_key"]: row for row in self._rows("digest_rows", item_keys=keys)} if keys else {}
        order = {key: place for place, key in enumerate(rows)}
        first = replies.first_mails(self._rows("first_mails", item_keys=keys)) if keys else {}
        for department, items in told.items():
            mine = [rows[key] for key in sorted(set(_item_keys(items)) & rows.keys(), key=order.__getitem__)]
            found = [item for item in items if item["item_key"] not in rows]
            fresh, corrections, follow_ups = replies.split(mine, first)
            if fresh or found:
                shown = [*newest(fresh)[0], *newest(fresh)[1]]
                mail = digest(
                    self._name(department), self._on, fresh, self._footer(shown), self._titles,
                    self._head["composed_at"], [item["payload"] for item in found],
                )  # fmt: skip
                keys_told = _item_keys([*fresh, *found])
                yield _Draft("A", self._on, department, self._recipients_of(department), mail, keys_told)
            for to in self._recipients_of(department):
                for kind, listed in (("E", corrections), ("D", follow_ups)):
                    for answered, part in replies.threads(listed, first, one_line(to["email"])):
                        mail = replies.reply(
                            kind, self._name(department), self._on, part, self._footer(part), self._titles
                        )
                        yield _Draft(kind, self._on, department, [to], mail, _item_keys(part), answered)

    def _incident(self, department: str, items: list[Row], waiting: int) -> Iterator[_Draft]:
        if recipients := self._recipients_of(department):
            incidents = [item["payload"] for item in items]
            frozen = self._rows("frozen_cards", sources=sorted({payload["source"] for payload in incidents}))
            mail = office.incident(
                self._name(department), self._on, incidents, frozen, waiting, self._footer(), self._titles
            )
            yield _Draft("C", self._on, department, recipients, mail, _item_keys(items))

    def _operations(self, items: list[Row]) -> Iterator[_Draft]:
        if items and (recipients := self._role("operations")):
            mail = office.operations(self._on, [item["payload"] for item in items], self._footer())
            yield _Draft("F", self._on, None, recipients, mail, _item_keys(items))
        elif items:
            self._waiting[OPERATORS] = NOBODY

    def _summary(self, item: Row) -> Iterator[_Draft]:
        if recipients := self._role("supervision"):
            night = item["business_on"]
            mail = office.summary(
                night,
                counts=self._rows("night_counts", business_on=night),
                feeds=self._rows("night_feeds", business_on=night),
                silent=feeds.silent(self._connection, night),
                links=self._rows("night_links", business_on=night),
                differences=self._rows("differences", first=night, last=night),
                decisions=self._rows("waiting_cards", business_on=night, most=INLINE_ROWS),
                drift=self._rows("night_drift", business_on=night),
                doubtful=outbox.in_doubt(self._connection),
                waiting=self._waiting,
                footer=self._footer(business_on=night),
                titles=self._titles,
            )
            yield _Draft("B", night, None, recipients, mail, (item["item_key"],))

    def _rows(self, name: str, **parameters: Any) -> Sequence[Row]:
        wanted = {"business_on": self._on} | parameters
        return outbox.rows(self._connection, name, **wanted)

    def _role(self, role: str) -> list[Row]:
        return [row for row in self._recipients if row["role"] == role]

    def _recipients_of(self, department: str) -> list[Row]:
        found = [row for row in self._role("department") if row["department"] == department]
        if not found:
            self._waiting[self._name(department)] = NOBODY
        return found

    def _name(self, department: str) -> str:
        return self._names.get(department, department)

    def _footer(self, rows: Sequence[Row] = (), business_on: date | None = None) -> Footer:
        profiles = {row["profile_version"] for row in rows} or self._head["profile_versions"]
        calendars = {row["calendar_version"] for row in rows} or self._head["calendar_versions"]
        return Footer(
            data_until=minute(cutoff_at(business_on or self._on, settings().cutoff)),
            profile_versions="、".join(sorted(profiles)) or NONE,
            calendar_versions="、".join(sorted(calendars)) or NONE,
            head_hash=self._head["head_hash"],
        )


def _grouped(items: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for item in items:
        groups[item["department"] or NONE].append(item)
    return groups


def _item_keys(items: Sequence[Row]) -> tuple[str, ...]:
    return tuple(item["item_key"] for item in items)
