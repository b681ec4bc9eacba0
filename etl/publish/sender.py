"""Delivers frozen mails. A crash anywhere loses none, repeats none, and leaves at most one for a person to settle.

The state ``dot`` is committed just before the lone dot that makes SMTP deliver. Found at the next start it means
"perhaps delivered", which no program can settle: the mail becomes ``held`` and is never sent again by itself.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
from collections import Counter
from collections.abc import Callable
from typing import Literal

from sqlalchemy import Engine

from etl import crashpoints
from etl.errors import ConfigurationError, MailError
from etl.publish import smtp
from etl.publish.files import write_file
from etl.settings import Settings, settings
from etl.store import outbox
from etl.store.disk import private
from etl.store.outbox import Row

Mode = Literal["off", "file", "sandbox", "live"]

FILE_CRASH_POINTS = ("notify.before_file", "notify.after_file", "notify.after_file_state")
SMTP_CRASH_POINTS = (
    *("notify.before_data", "notify.after_data", "notify.after_dot_commit", "notify.after_final_dot"),
    *("notify.after_reply", "notify.after_reply_commit"),
)


def deliver(engine: Engine, mode: Mode, only: str | None = None) -> dict[str, int]:
    """Send what is ready; counts by outcome: ``sent``, ``ready`` (later again), ``refused``, ``held``.

    Args:
        mode: ``off`` sends nothing; ``file`` writes .eml under var_dir/mail; ``sandbox`` sends all to one address;
            ``live`` sends to the recipients.
        only: the one kind of mails to send.

    Raises:
        MailError: some mails could not be sent; the others were.
        ConfigurationError: the mode lacks a setting; nothing was sent.
    """
    config = settings()
    counts: Counter[str] = Counter()
    if mode == "off":
        return dict(counts)
    if mode == "sandbox" and not config.sandbox_to:
        raise ConfigurationError("mode sandbox needs JIANCHA_SANDBOX_TO")
    with outbox.only_sender(engine):
        interrupted = outbox.hold_interrupted(engine)
        counts["held"] += len(interrupted)
        problems: list[str] = []
        send = _file if mode == "file" else _post(config.sandbox_to if mode == "sandbox" else None)
        waiting = outbox.ready(engine, only)
        for place, notice_key in enumerate(waiting):
            try:
                outcome, problem = send(engine, config, outbox.content(engine, notice_key))
            except MailError as error:  # no server: the others would wait for the same time-out
                problems.append(str(error))
                counts["ready"] += len(waiting) - place
                break
            counts[outcome] += 1
            if problem:
                problems.append(f"{notice_key}: {problem}")
    if problems:
        raise MailError(
            f"not every mail was sent ({', '.join(f'{state} {n}' for state, n in sorted(counts.items()) if n)}): "
            + "; ".join(problems[:5])
        )
    return {state: count for state, count in counts.items() if count}


def file_name(notice_key: str) -> str:
    """A notice key as a file name, readable and unique on every file system."""
    readable = re.sub(r"[^\w.-]+", "_", notice_key)[:60]
    return f"{readable}-{hashlib.sha256(notice_key.encode()).hexdigest()[:8]}.eml"


def _file(engine: Engine, config: Settings, notice: Row) -> tuple[str, str]:
    key = notice["notice_key"]
    folder = config.var_dir / "mail"
    crashpoints.reach("notify.before_file")
    try:
        write_file(private(folder) / notice["business_on"].isoformat() / file_name(key), notice["content"])
    except OSError as error:
        problem = f"{type(error).__name__}: {error}"
        outbox.move(engine, key, "ready", "ready", detail=problem, attempts=1)
        return "ready", problem
    crashpoints.reach("notify.after_file")
    # The same bytes under the same name: a crash before this commit only writes the file once more.
    outbox.move(engine, key, "ready", "sent", detail="写入文件", attempts=1)
    crashpoints.reach("notify.after_file_state")
    return "sent", ""


def _post(instead_to: str | None) -> Callable[[Engine, Settings, Row], tuple[str, str]]:
    """A sender by SMTP; `instead_to` replaces every envelope recipient (the mail itself stays as frozen)."""

    def post(engine: Engine, config: Settings, notice: Row) -> tuple[str, str]:
        key, was, has_dot = notice["notice_key"], "ready", False
        recipient = instead_to or notice["recipient"]
        try:
            # One connection a mail: a broken conversation cannot spoil the next one.
            with smtp.session(config) as connection:
                crashpoints.reach("notify.before_data")
                smtp.offer(connection, config.mail_from, recipient, bytes(notice["content"]))
                crashpoints.reach("notify.after_data")
                outbox.move(engine, key, "ready", "dot", attempts=1)
                was = "dot"
                crashpoints.reach("notify.after_dot_commit")
                smtp.finish(connection)
                has_dot = True
                crashpoints.reach("notify.after_final_dot")
                reply = smtp.answer(connection)
                crashpoints.reach("notify.after_reply")
                outbox.move(engine, key, "dot", "sent", detail=f"{recipient} {reply}" if instead_to else reply)
                was = "sent"
                crashpoints.reach("notify.after_reply_commit")
        except (smtp.Refused, smtplib.SMTPException, OSError) as error:
            return _settle(engine, key, was, error, has_dot=has_dot)
        return "sent", ""

    return post


def _settle(engine: Engine, key: str, was: str, error: Exception, *, has_dot: bool) -> tuple[str, str]:
    problem = f"{type(error).__name__}: {error}"
    if was == "sent":  # only the farewell failed
        return "sent", ""
    if isinstance(error, smtp.Refused):
        state: outbox.State = "refused" if error.is_final else "ready"
    else:
        # No answer after the dot: the server may have the mail. A dot that could not be sent: certainly not.
        state = "held" if has_dot else "ready"
    outbox.move(engine, key, "dot" if was == "dot" else "ready", state, detail=problem, attempts=int(was == "ready"))
    return state, problem
