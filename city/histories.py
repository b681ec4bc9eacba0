"""What happens to one case: events in the order life brought them, each with the facts an official would key in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from city import people
from city.departments import DEPARTMENTS
from city.items import Item

Facts = dict[str, Any]
STAGES = ("承办", "审核", "批准")
SHARES = (0.5, 0.3, 0.2)
"""How a promised limit is divided over the stages."""


@dataclass(frozen=True)
class Case:
    """One application. `story` names the plan it was drawn from and is never delivered to anybody."""

    source: str
    number: str
    item: Item
    applicant: str
    is_business: bool
    channel: str
    story: str


@dataclass(frozen=True)
class Event:
    """Something an official records. `written` None: minutes later; `transit` None: within the hour."""

    case: Case
    kind: str
    at: datetime
    seq: int = 0
    version: int = 1
    facts: Mapping[str, Any] = field(default_factory=dict)
    written: datetime | None = None
    transit: timedelta | None = None


class History:
    """One case being lived through; the methods append events and keep nothing else."""

    def __init__(self, case: Case, accepted_at: datetime, rng: Random) -> None:
        self.case, self.item, self.accepted_at, self.rng = case, case.item, accepted_at, rng
        self.department = DEPARTMENTS[case.source]
        self.later = self.department.hours.later
        self.events: list[Event] = []

    def due(self, share: float, *, statutory: bool = False) -> datetime:
        """The instant at which this share of the limit is used up."""
        return self.later(self.accepted_at, share * (self.item.statutory if statutory else self.item.promised))

    def add(self, kind: str, at: datetime, *, seq: int = 0, version: int = 1, **more: Any) -> None:
        """Record one event; `written` and `transit` are the event's, everything else is a fact."""
        written, transit = more.pop("written", None), more.pop("transit", None)
        self.events.append(Event(self.case, kind, at, seq, version, more, written, transit))

    def apply(self, wait: timedelta | None = None) -> datetime:
        """The application, some time before acceptance: days online, minutes at a window."""
        rng = self.rng
        if wait is not None:
            applied = self.accepted_at - wait
        elif self.case.channel == "online":
            days = rng.uniform(2.2, 3.4) if rng.random() < 1 / 14 else rng.uniform(0.15, 1.5)
            applied = self.later(self.accepted_at, -days)
            if self.department.form == "tables":
                self.add("pre_accept", self.later(applied, days * rng.uniform(0.5, 0.9)), outcome="passed")
        else:
            applied = self.accepted_at - timedelta(seconds=rng.randint(240, 1500))
        self.add("apply", applied)
        return applied

    def accept(self, applied: datetime, *, version: int = 1, **more: Any) -> None:
        """Acceptance with the limits the department binds itself to."""
        known: Facts = {"outcome": "passed", "reason": None, "promised": self.item.promised, "applied_at": applied}
        self.add("accept", self.accepted_at, version=version, **known | more)

    def open(self, wait: timedelta | None = None) -> None:
        """Application and acceptance."""
        self.accept(self.apply(wait))

    def stage(self, seq: int, began: datetime, ended: datetime | None, **more: Any) -> None:
        """One step; `ended` None reports it as still being handled."""
        limit = round(self.item.promised * SHARES[seq - 1], 1) or None
        facts: Facts = {"name": STAGES[seq - 1], "began_at": began, "ended_at": ended, "limit": limit}
        more.setdefault("outcome", "agreed" if ended else None)
        reported = ended or more.pop("reported")
        more.setdefault("handler", people.official(self.rng, self.case.source))
        self.add("stage", reported, seq=seq, **facts | more)

    def stages(self, end: datetime, *, count: int = 3) -> None:
        """The first `count` steps, dividing the office time between acceptance and `end`."""
        began, days = self.accepted_at, self.department.hours.days_between(self.accepted_at, end)
        for seq in range(1, count + 1):
            share = sum(SHARES[:seq]) + (self.rng.uniform(-0.03, 0.03) if seq < 3 else 0)
            ended = min(self.later(self.accepted_at, days * share), end)
            self.stage(seq, began, ended)
            began = ended

    def finish(self, at: datetime, outcome: str = "granted", *, stages: bool = True, **more: Any) -> None:
        """The decision, the certificate where the item has one, and its collection."""
        if stages:
            self.stages(at)
        granted = outcome == "granted"
        number = None
        if granted and self.item.certificate:
            number = f"广{self.case.source.upper()}{self.case.number[6:]}"
        more.setdefault("reason", None if granted else self.rng.choice(("材料不符合法定形式", "不具备法定条件")))
        facts: Facts = {"outcome": outcome, "fee": 0, "fee_basis": None}
        facts |= {"certificate_no": number, "certified_at": number and at + timedelta(seconds=90)}
        self.add("finish", at, **facts | more)
        if granted and more.get("version", 1) == 1 and self.rng.random() < 0.5:
            self.add("collect", self.later(at, self.rng.uniform(0.2, 2.5)), method=self.rng.choice(("窗口", "邮寄")))

    def suspend(self, seq: int, start: datetime, end: datetime | None, days: float | None, **facts: Any) -> None:
        """A special procedure; `end` None leaves it open."""
        known: Facts = {"special_kind": "inspection", "approved_days": days, "reason": "需现场核查"}
        known["approver"] = people.official(self.rng, self.case.source)
        self.add("special_start", start, seq=seq, **known | facts)
        if end is not None:
            self.add("special_result", end, seq=seq, outcome="completed")

    def supplement(self, notified: datetime, received: datetime | None, *, seq: int = 1) -> None:
        """A notice of missing material and its receipt."""
        materials = self.rng.sample(("身份证明", "经营场所使用证明", "申请表", "授权委托书", "平面布局图"), 2)
        self.add("supplement_notice", notified, seq=seq, materials=materials)
        if received is not None:
            self.add("supplement_receipt", received, seq=seq)
