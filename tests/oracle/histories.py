"""Random case histories: what happened, what was written when, what arrived when, and what was said again later.

All moments lie on a grid of minutes or of seconds, so that an oracle that steps along the grid misses nothing. Faults
sit at boundaries, so every other moment is one that means something already: where the oracle sees a level reached, or
something else begin or end; or one step beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.oracle.cases import SHANGHAI
from tests.oracle.judge import Doubt
from tests.oracle.look import boundaries
from tests.oracle.profiles import HUNAN, Profile

Message = dict[str, Any]
Judgement = tuple[list[Message], datetime, datetime | None]

# A quiet fortnight; long holidays with make-up days; notices amended meanwhile; the turn of a year without a notice.
QUIET, AMENDED, UNANNOUNCED = date(2018, 10, 15), date(2020, 1, 17), date(2026, 12, 21)
WINDOWS = [QUIET, date(2025, 9, 22), date(2015, 8, 28), AMENDED, UNANNOUNCED, UNANNOUNCED]
LAGS = [timedelta(minutes=n) for n in (0, 0, 0, 1, 20, 60 * 3, 60 * 24, 60 * 24 * 3, 60 * 24 * 8)]
CLOCKS = [time(0), time(1), time(9), time(10), time(12), time(12, 45), time(13, 30), time(17, 29), time(17, 30)]
SECONDS = [time(8, 59, 59), time(9, 0, 1), time(11, 59, 59), time(17, 29, 59), time(17, 30, 1), time(23, 59, 59)]
LIMITS: dict[str, list[float]] = {
    "working_day": [0.5, 1, 1, 2, 2, 3, 4, 5, 7],
    "natural_day": [1, 3, 5, 7, 15],
    "hour": [2, 7, 24, 30],
    "minute": [30, 420, 1000],
    "month": [1, 1, 1.5],
}
LAST_DAY, DAYS_SEEN = 14, 26
LATE_WORDS = 5
"""Messages of a case that are corrections or written late; the oracle tries every choice among them."""


class Story:
    """Draws one case's messages onto a grid of steps."""

    def __init__(self, dice: Random, window: date, case_no: str, grid: int, rules: Profile) -> None:
        self.dice, self.window, self.case_no, self.grid, self.rules = dice, window, case_no, grid, rules
        self.messages: list[Message] = []
        self.marks: list[datetime] = []
        self.late_words = 0
        self.department = self.one("health", "health", "somebody")

    def one(self, *choices: Any) -> Any:
        return self.dice.choice(choices)

    def is_one_in(self, number: int) -> bool:
        return self.dice.randrange(number) == 0

    def mark(self) -> None:
        """Note what means something by now: when things happened, and every boundary of what has been told."""
        told = {datetime.fromisoformat(message["occurred_at"]) for message in self.messages}
        far = datetime.combine(self.window + timedelta(days=DAYS_SEEN), time(12), SHANGHAI)
        self.marks = sorted(told | set(boundaries(self.messages, far, self.rules, self.grid)))

    def moment(self, first: int = 0, last: int = LAST_DAY) -> datetime:
        from_day, to_day = (self.window + timedelta(days=days) for days in (first, last + 1))
        near = [mark for mark in self.marks if from_day <= mark.date() < to_day]
        if near and self.is_one_in(2):
            return self.one(*near) + self.one(0, 0, 0, 1, 1, -1) * timedelta(seconds=self.grid)
        clocks = CLOCKS if self.grid == 60 else [*CLOCKS, *SECONDS]
        day = datetime.combine(self.window + timedelta(days=self.dice.randint(first, last)), time(), SHANGHAI)
        if self.is_one_in(2):
            return datetime.combine(day, self.one(*clocks), SHANGHAI)
        return day + timedelta(seconds=self.dice.randrange(0, 86_400, self.grid))

    def limit(self, unit: str, *more: float | None) -> float | None:
        choice: float | None = self.one(*LIMITS[unit], *more)
        return choice

    def say(
        self,
        kind: str,
        occurred: datetime,
        payload: dict[str, Any],
        *,
        seq: int = 0,
        version: int = 1,
        source: str = "health",
        earliest: datetime | None = None,
    ) -> Message:
        """Written after it occurred (or nobody knows when), received after that, sometimes loaded later still."""
        written = max(occurred, earliest or occurred)
        is_unknown = False
        if not self.is_told_out():
            written += self.one(*LAGS)
            later = [mark for mark in self.marks if mark >= written]
            if later and self.is_one_in(4):
                written = self.one(*later) + self.one(0, 0, 1) * timedelta(seconds=self.grid)
            is_unknown = self.is_one_in(10)
        self.late_words += version > 1 or written > occurred or is_unknown
        received = written + self.one(*LAGS)
        loaded = self.one(None, None, None, received + timedelta(hours=1), received + timedelta(days=4))
        message = {
            "source": source, "case_no": self.case_no, "kind": kind, "seq": seq, "version": version,
            "occurred_at": occurred.isoformat(),
            "written_at": None if is_unknown else written.isoformat(),
            "received_at": None if self.is_one_in(10) else received.isoformat(),
            "loaded_at": None if loaded is None else loaded.isoformat(),
            "department": self.department, "region": "430000000000",
            "item_code": "1143000000000000000100010100000", "item_name": "医疗机构设置审批", "payload": payload,
        }  # fmt: skip
        self.messages.append(message)
        return message

    def is_told_out(self) -> bool:
        """Whether the case has had as many doubtful words as an oracle can weigh against one another."""
        return self.late_words >= LATE_WORDS

    def tell(
        self,
        kind: str,
        occurred: datetime,
        payload: dict[str, Any],
        *,
        seq: int = 0,
        other: dict[str, Any] | None = None,
    ) -> None:
        """Once; again, with another moment or (`other`) content; a version missing; contradicted; by two systems."""
        corrected = ("changed", "changed", "again", "version 2 only", "gap", "contradicted")
        story = self.one(*["once"] * 7, "two systems", *(("once",) if self.is_told_out() else corrected))
        first = 2 if story == "version 2 only" else 1
        said = self.say(kind, occurred, payload, seq=seq, version=first)
        earliest = occurred + timedelta(days=self.dice.randint(0, 8))
        day = (occurred.date() - self.window).days
        moved = self.moment(day - 4, day + 6)
        if story in ("changed", "gap"):
            version = 3 if story == "gap" else 2
            self.say(kind, moved, payload | (other or {}), seq=seq, version=version, earliest=earliest)
        if story == "again":
            self.say(kind, occurred, payload, seq=seq, version=2, earliest=earliest)
        if story == "contradicted":
            # The same version says something else later: not a new version, so it must change nothing.
            times = (said[name] for name in ("loaded_at", "received_at", "written_at", "occurred_at"))
            arrived = datetime.fromisoformat(next(told for told in times if told is not None))
            again = self.say(kind, moved, payload | (other or {}), seq=seq, version=first)
            again["loaded_at"] = (arrived + timedelta(days=self.one(1, 2, 5))).isoformat()
        if story == "two systems":
            self.say(
                kind, moved, payload | self.one({}, other or {}), seq=seq, source=self.one("a_platform", "platform")
            )
        self.mark()


def _accept(story: Story) -> None:
    units = ["working_day"] * 5 + ["natural_day", "hour", "minute", "month", None]
    unit = story.one(*units)
    limits = unit or "working_day"
    promised, statutory = story.limit(limits, None, 0), story.limit(limits, None, 0)
    payload: dict[str, Any] = {
        "promised_limit": promised, "statutory_limit": statutory, "limit_unit": unit,
        "joint": story.one(True, False), "channel": story.one("online", "online", "window", None),
        "certificate_required": story.one(True, True, False, None), "outcome": story.one("passed", "passed", None),
        "case_type": story.one("promised", "promised", None, "instant"),
    }  # fmt: skip
    shape = story.one("counted", "counted", "counted", "instant", "given")
    if shape == "instant":
        payload |= {"promised_limit": story.one(0, 0, None), "case_type": story.one("instant", None)}
    if shape == "given":
        payload["promised_due_at"] = story.moment(2, 12).isoformat()
    occurred = story.moment(0, 3)
    asked = story.one(*["passed"] * 5, "supplement", "refused")
    if asked == "passed":
        story.tell("accept", occurred, payload, other={"promised_limit": 10, "outcome": story.one("passed", "refused")})
        return
    story.say("accept", occurred, payload | {"outcome": asked})
    if asked == "supplement":
        story.say("accept", occurred + timedelta(days=1), payload | {"outcome": "passed"}, version=story.one(2, 2, 3))
    story.mark()


def _finish(story: Story) -> None:
    outcome = story.one(
        "granted", "granted", "granted", "refused", "voided", "returned", "withdrawn", "transferred", "other"
    )
    story.tell("finish", story.moment(), {"outcome": outcome}, other={"outcome": story.one("granted", "voided")})


def _stages(story: Story) -> None:
    for seq in range(1, 2 + story.one(0, 0, 1)):
        began, ended = sorted((story.moment(0, 8), story.moment()))
        if story.one(False, False, False, True):
            began, ended = ended, began
        says: dict[str, Any] = {"name": "审核", "began_at": began.isoformat(), "handler": "甲"}
        says["limit"] = story.limit("working_day", None, 0)
        if story.one(True, *[False] * 9):
            del says["began_at"]
        shape = story.one("closed", "open", "open then closed", "open then closed", "reported twice")
        version = 1
        if shape != "closed":
            reported = max(began, story.moment(0, 10)) if story.one(True, False) else began
            story.say("stage", reported, says | {"outcome": None}, seq=seq)
            if shape == "reported twice":
                story.say("stage", reported + timedelta(days=1), says | {"outcome": None}, seq=seq, version=2)
            version = 3 if shape == "reported twice" else 2
        if shape == "closed":
            story.tell("stage", ended, says | {"outcome": "passed"}, seq=seq)
        elif shape != "open":
            story.say("stage", ended, says | {"outcome": "passed"}, seq=seq, version=version)
        story.mark()


def _specials(story: Story) -> None:
    for seq in range(1, 1 + story.one(1, 2, 3, 4)):
        begun = story.moment(0, 10)
        payload = {
            "special_kind": story.one("inspection", "hearing", "publicity"), "approver": story.one("王某", None),
            "approved_days": story.one(None, None, 0, 0.5, 1, 2, 3), "reason": "现场核查",
        }  # fmt: skip
        story.tell("special_start", begun, payload, seq=seq, other={"approved_days": 2})
        if story.one(True, True, True, False):
            result = story.one(begun, *[story.moment(-2)] * 5)
            story.tell("special_result", result, {"outcome": "passed"}, seq=seq)


def _extension(story: Story) -> None:
    """Half of them approved before anything is overdue, about as long as one kind of handling or the other may take."""
    for seq in range(8, 9 + story.one(0, 0, 1)):
        payload = {
            "special_kind": "extension", "approved_days": story.one(3, 5, 10, 11, 11, 12, 15, 15, 16, 0, None),
            "approver": story.one(*["张某"] * 5, None, " "), "reason": "案情复杂",
        }  # fmt: skip
        begun = story.moment(0, story.one(3, LAST_DAY))
        story.tell("special_start", begun, payload, seq=seq, other={"approver": None})


def _apply(story: Story) -> None:
    """Often so long before the acceptance that an answer to it was due."""
    payload = {"channel": story.one("online", "online", "window", None)}
    story.tell("apply", story.moment(story.one(-9, 0), 3), payload, other={"channel": "window"})
    if story.one(True, False):
        says = {"outcome": story.one("passed", "refused", "supplement"), "reason": "材料"}
        story.tell("pre_accept", story.moment(), says)


def _inquiry(story: Story) -> None:
    unit = story.one("working_day", "working_day", "natural_day", "hour", "month", None)
    says = {"inquiry_kind": story.one("consultation", "complaint"), "limit_unit": unit}
    says["limit"] = story.limit(unit or "working_day", None, 0)
    story.tell("inquiry", story.moment(0, 4), says, other={"inquiry_kind": "complaint"})
    if story.one(True, True, False):
        story.tell("reply", story.moment(), {"outcome": "answered"})


def _supplements(story: Story) -> None:
    story.tell("supplement_notice", story.moment(), {"materials": ["身份证"]}, seq=1)
    story.tell("supplement_receipt", story.moment(), {}, seq=1)


def _certificate(story: Story) -> None:
    story.tell("certificate", story.moment(0, 20), {"certificate_no": "Z1"})


# What a case has besides, and how often in ten; what is told first marks the moments of what comes later.
PARTS = [
    (_apply, 4), (_specials, 6), (_extension, 4), (_stages, 4), (_finish, 7), (_certificate, 3), (_inquiry, 3),
    (_supplements, 1),
]  # fmt: skip


def judgement(seed: int, rules: Profile, grid: int, windows: Sequence[date]) -> Judgement:
    """(messages in any order, as_of, known_by), whatever this number stands for."""
    dice = Random(seed)
    window = dice.choice(windows)
    messages: list[Message] = []
    asking = Story(dice, window, "", grid, rules)
    for n in range(dice.randint(1, 3)):
        story = Story(dice, window, f"CASE-{n}", grid, rules)
        if not story.is_one_in(12):
            _accept(story)
        for part, in_ten in PARTS:
            if dice.randint(1, 10) <= in_ten:
                part(story)
        messages += story.messages
        asking.marks += story.marks
    as_of = asking.moment(asking.one(1, 18), DAYS_SEEN)
    known_by = asking.moment(1, DAYS_SEEN + 4) if asking.is_one_in(3) else None
    dice.shuffle(messages)
    return messages, as_of, known_by


def doubts_about(judgement: Judgement, seed: int) -> list[Doubt]:
    """Some of what the cases are told by could not be used for some nights, or still cannot, or never could."""
    dice, messages = Random(seed), judgement[0]
    doubts = []
    for message in dice.sample(messages, min(len(messages), dice.randint(1, 4))):
        night = datetime.fromisoformat(message["occurred_at"]).astimezone(SHANGHAI).date()
        since = datetime.combine(night + timedelta(days=dice.randint(-2, 6)), time(1), SHANGHAI)
        until = since + timedelta(days=dice.randint(1, 12))
        begin, end = dice.choice([(since, until), (since, until), (since, None), (None, until)])
        doubts.append(Doubt(message["case_no"], frozenset({message["kind"]}), begin, end))
    return doubts


def judgements(
    *, rules: Profile = HUNAN, grid: int = 60, windows: Sequence[date] = WINDOWS
) -> st.SearchStrategy[Judgement]:
    """Judgements of their own number each: drawn choice by choice they would be few and small."""
    return st.integers(0, 2**63 - 1).map(lambda seed: judgement(seed, rules, grid, windows))
