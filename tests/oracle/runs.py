"""When each clock of a case ran, as seen at one moment: plain reading of the messages, one clock after another."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.oracle.stepping import Span, second

Message = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One clock that ran from `start` to `stop`, against limits in `unit`."""

    clock: str
    key: str
    about: Message
    start: int
    stop: int
    limits: dict[str, float | None]
    unit: str = "working_day"
    given_due: int | None = None
    is_instant: bool = False
    is_joint: bool = False
    spans: tuple[Span, ...] = ()
    extensions: list[Message] = field(default_factory=list)


def at(text: str) -> int:
    return second(datetime.fromisoformat(text))


def occurred(message: Message) -> int:
    return at(message["occurred_at"])


def the_one(messages: list[Message], kind: str) -> Message | None:
    """Of a kind told once: the department's own system speaks, else the earliest that passed, else the earliest."""

    def rank(message: Message) -> tuple[bool, bool, int, str]:
        is_own = message["source"] == message["department"]
        return (not is_own, not has_passed(message), occurred(message), message["source"])

    return min((m for m in messages if m["kind"] == kind), key=rank, default=None)


def every(messages: list[Message], kind: str) -> list[Message]:
    """Of a repeating kind: one a number, the department's own before the earliest."""
    numbers = sorted({m["seq"] for m in messages if m["kind"] == kind})
    found = (the_one([m for m in messages if m["kind"] == kind and m["seq"] == seq], kind) for seq in numbers)
    return [message for message in found if message is not None]


def has_passed(message: Message) -> bool:
    return message["kind"] != "accept" or (message["payload"].get("outcome") or "passed") == "passed"


def asks(message: Message) -> bool:
    return bool(message["payload"].get("outcome") == "supplement")


def runs(messages: list[Message], as_of: int, fixed: dict[str, float], believed: list[Message]) -> list[Run]:
    """Every clock of one case; `messages` had happened by `as_of`, one version a record of all that is `believed`."""
    accept, finish = the_one(messages, "accept"), the_one(messages, "finish")
    finished = None if finish is None else occurred(finish)
    starts = every(messages, "special_start")
    ends = {m["seq"]: occurred(m) for m in every(messages, "special_result")}

    def end(special: Message) -> int | None:
        """A result at the very moment of the start is none yet."""
        ended = ends.get(special["seq"])
        return None if ended == occurred(special) else ended

    procedures = [m for m in starts if m["payload"].get("special_kind") != "extension"]
    extensions = sorted((m for m in starts if m not in procedures), key=lambda m: (occurred(m), m["seq"]))
    spans = []
    for start in procedures:
        until = end(start) if end(start) is not None else finished  # open until the case finishes
        if until is None or until > occurred(start):
            spans.append(Span(occurred(start), until, start["payload"].get("approved_days")))
    found: list[Run] = []

    def run(clock: str, about: Message, start: int, stop: int, limits: dict[str, float | None], **more: Any) -> None:
        if stop >= start:
            found.append(Run(clock, more.pop("key", ""), about, start, stop, limits, **more))

    if accept is not None and has_passed(accept):
        says = accept["payload"]
        promised, statutory, given = (says.get(n) for n in ("promised_limit", "statutory_limit", "promised_due_at"))
        kind = says.get("case_type")
        is_instant = not given and ((promised == 0 and kind != "promised") or (promised is None and kind == "instant"))
        run(
            "case",
            accept,
            occurred(accept),
            as_of if finished is None else finished,
            {"promised": promised, "statutory": statutory},
            unit=says.get("limit_unit") or "working_day",
            given_due=at(given) if given else None,
            is_instant=is_instant,
            is_joint=bool(says.get("joint")),
            spans=tuple(spans),
            extensions=extensions,
        )
    for stage in every(messages, "stage"):
        says = stage["payload"]
        if says.get("began_at") is not None:
            still = as_of if finished is None else finished
            stop = still if says.get("outcome") is None else occurred(stage)
            key = str(stage["seq"])
            run("stage", stage, at(says["began_at"]), stop, {"stage": says["limit"]}, key=key, spans=tuple(spans))
    for start in procedures:
        stop = as_of if end(start) is None else min(as_of, end(start) or 0)
        if finish is not None and finish["payload"]["outcome"] in ("voided", "returned", "withdrawn", "transferred"):
            stop = min(stop, occurred(finish))
        limits = {"approved": start["payload"].get("approved_days")}
        run("special", start, occurred(start), stop, limits, key=str(start["seq"]))
    apply = the_one(messages, "apply")
    if apply is not None:
        channel = apply["payload"].get("channel")
        if channel is None and accept is not None:
            channel = accept["payload"].get("channel")
        if channel == "online":
            answers = [the_one(messages, kind) for kind in ("pre_accept", "accept", "finish")]
            # To ask for supplements is to answer, also when the same record is told as passed later.
            answers += [
                m for m in believed if m["kind"] in ("pre_accept", "accept") and asks(m) and occurred(m) <= as_of
            ]
            stop = min([as_of, *(occurred(m) for m in answers if m is not None)])
            run("pre_accept", apply, occurred(apply), stop, {"fixed": fixed.get("pre_accept")})
    if (
        accept
        and finish
        and accept["payload"].get("certificate_required")
        and finish["payload"]["outcome"] == "granted"
    ):
        certificate = the_one(messages, "certificate")
        stop = as_of if certificate is None else occurred(certificate)
        run("certificate", finish, occurred(finish), stop, {"fixed": fixed.get("certificate")})
    inquiry = the_one(messages, "inquiry")
    if inquiry is not None:
        says, reply = inquiry["payload"], the_one(messages, "reply")
        stop = as_of if reply is None else occurred(reply)
        unit = says.get("limit_unit") or "working_day"
        run(says["inquiry_kind"], inquiry, occurred(inquiry), stop, {"promised": says.get("limit")}, unit=unit)
    return found
