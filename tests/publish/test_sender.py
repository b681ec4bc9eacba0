"""Delivery against a real SMTP server and a real file system, and what a kill at each step leaves behind."""

from __future__ import annotations

import asyncio
import email
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from etl.errors import ConfigurationError, MailError, UsageError
from etl.publish import notices, sender, smtp
from etl.runs import checkup
from etl.settings import ROOT, settings
from tests.faults.nasty_smtp import NastySmtp
from tests.publish.world import NIGHT, SCJG, Ledger

pytestmark = pytest.mark.database


class Inbox:
    """A real SMTP server that keeps what it accepts; `refuse` answers a recipient at a stage with a reply."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, bytes]] = []
        self.refuse: dict[tuple[str, str], str] = {}
        self.silent_for: set[str] = set()

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if reply := self.refuse.get(("RCPT", address)):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        (address,) = envelope.rcpt_tos
        if reply := self.refuse.get(("DATA", address)):
            return reply
        self.mails.append((address, envelope.original_content or b""))
        if address in self.silent_for:
            await asyncio.sleep(30)
        return "250 Accepted"


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch, book: Ledger) -> Iterator[Inbox]:
    kept = Inbox()
    controller = Controller(kept, hostname="127.0.0.1", port=_free_port())
    controller.start()
    _configure(monkeypatch, SMTP_PORT=str(controller.port), SMTP_TIMEOUT_SECONDS="3")
    yield kept
    controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _configure(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"JIANCHA_{name}", value)
    settings.cache_clear()


def three(book: Ledger) -> list[str]:
    book.recipient("scjg-2", "department", SCJG)
    book.tell("511602-1", "yellow", item_name=".开头的事项")
    book.summary_due()
    return notices.claim(book.engine, NIGHT)


def states(book: Ledger) -> dict[str, str]:
    return dict(book.all("select notice_key, state from notice order by notice_key"))


FIRST, SECOND, SUMMARY = f"A/2026-11-22/scjg-1/{SCJG}", f"A/2026-11-22/scjg-2/{SCJG}", "B/2026-11-22/office"


def test_off_sends_nothing(book: Ledger) -> None:
    three(book)
    assert sender.deliver(book.engine, "off") == {}
    assert set(states(book).values()) == {"ready"}


def test_file_mode_writes_the_frozen_bytes_once(book: Ledger, mail_folder: Path) -> None:
    three(book)
    assert sender.deliver(book.engine, "file") == {"sent": 3}
    frozen = {
        sender.file_name(key): bytes(content) for key, content in book.all("select notice_key, content from notice")
    }
    assert {path.name: path.read_bytes() for path in mail_folder.iterdir()} == frozen
    assert sender.deliver(book.engine, "file") == {}


def test_a_full_disk_for_one_file_does_not_stop_the_others(book: Ledger, mail_folder: Path) -> None:
    three(book)
    (mail_folder / sender.file_name(SECOND)).mkdir(parents=True)
    with pytest.raises(MailError, match="scjg-2"):
        sender.deliver(book.engine, "file")
    assert states(book) == {FIRST: "sent", SECOND: "ready", SUMMARY: "sent"}
    (mail_folder / sender.file_name(SECOND)).rmdir()
    assert sender.deliver(book.engine, "file") == {"sent": 1}


def test_live_mode_delivers_each_mail_to_its_one_recipient(book: Ledger, inbox: Inbox) -> None:
    three(book)
    assert sender.deliver(book.engine, "live") == {"sent": 3}
    frozen = dict(book.all("select recipient, content from notice"))
    assert dict(inbox.mails) == {address: bytes(content) for address, content in frozen.items()}
    assert book.one("select min(attempts) from notice") == 1
    assert sender.deliver(book.engine, "live") == {}
    assert len(inbox.mails) == 3


def test_sandbox_sends_every_mail_to_one_address_and_leaves_it_as_frozen(
    book: Ledger, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(book)
    with pytest.raises(ConfigurationError):
        sender.deliver(book.engine, "sandbox")
    _configure(monkeypatch, SANDBOX_TO="trial@office.example")
    assert sender.deliver(book.engine, "sandbox") == {"sent": 3}
    assert {address for address, _ in inbox.mails} == {"trial@office.example"}
    assert "To: =?utf-8?" in inbox.mails[0][1].decode()


def test_a_mail_refused_for_good_is_shown_and_one_refused_for_now_goes_again(book: Ledger, inbox: Inbox) -> None:
    three(book)
    inbox.refuse = {
        ("RCPT", "scjg-1@office.example"): "550 no such user",
        ("DATA", "scjg-2@office.example"): "451 greylisted",
    }
    with pytest.raises(MailError, match="greylisted"):
        sender.deliver(book.engine, "live")
    assert states(book) == {FIRST: "refused", SECOND: "ready", SUMMARY: "sent"}
    assert "550 no such user" in notices.held(book.engine)[0]["detail"]
    inbox.refuse = {}
    assert sender.deliver(book.engine, "live") == {"sent": 1}
    assert [address for address, _ in inbox.mails].count("scjg-2@office.example") == 1


def test_no_answer_after_the_dot_is_held_and_never_sent_again(book: Ledger, inbox: Inbox) -> None:
    three(book)
    inbox.silent_for = {"scjg-1@office.example"}
    with pytest.raises(MailError, match="scjg-1"):
        sender.deliver(book.engine, "live")
    assert states(book) == {FIRST: "held", SECOND: "sent", SUMMARY: "sent"}
    assert sender.deliver(book.engine, "live") == {}
    assert [address for address, _ in inbox.mails].count("scjg-1@office.example") == 1


@pytest.fixture
def nasty(monkeypatch: pytest.MonkeyPatch, book: Ledger) -> Iterator[NastySmtp]:
    """A server that disturbs conversations as told."""
    server = NastySmtp()
    _configure(monkeypatch, SMTP_PORT=str(server.port), SMTP_TIMEOUT_SECONDS="3")
    yield server
    server.close()


@pytest.mark.parametrize(
    ("trouble", "state"),
    [
        (("half", "queued"), "held"),  # "25" of "250": read as a number it would be a refusal, and the mail go again
        (("garbage", "queued"), "held"),
        (("252", "queued"), "sent"),
        (("half", "dot"), "held"),
        (("451", "dot"), "ready"),
        (("421", "dot"), "ready"),
        (("550", "dot"), "refused"),
        (("drop", "data"), "ready"),
    ],
    ids=str,
)
def test_only_a_whole_reply_says_what_became_of_a_mail(
    book: Ledger, nasty: NastySmtp, tmp_path: Path, trouble: tuple[str, str], state: str
) -> None:
    three(book)
    nasty.tell(tmp_path / "journal", {1: (*trouble, 0.0)})
    if state == "sent":
        sender.deliver(book.engine, "live")
    else:
        with pytest.raises(MailError, match="scjg-1"):
            sender.deliver(book.engine, "live")
    assert states(book) == {FIRST: state, SECOND: "sent", SUMMARY: "sent"}


def test_a_refusal_counts_although_the_server_hangs_up_after_it(book: Ledger, nasty: NastySmtp, tmp_path: Path) -> None:
    three(book)
    nasty.tell(tmp_path / "journal", {}, refuse=["scjg-1@office.example"])
    with pytest.raises(MailError, match="no such user"):
        sender.deliver(book.engine, "live")
    assert states(book) == {FIRST: "refused", SECOND: "sent", SUMMARY: "sent"}


def test_a_dot_that_could_not_be_sent_leaves_no_doubt(
    book: Ledger, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    three(book)
    finish, connections = smtp.finish, list[smtplib.SMTP]()

    def cut(connection: smtplib.SMTP) -> None:
        if not connections:  # as when the server's reset arrives first
            connections.append(connection)
            connection.sock.shutdown(socket.SHUT_WR)
        finish(connection)

    monkeypatch.setattr(smtp, "finish", cut)
    with pytest.raises(MailError, match="Server not connected"):
        sender.deliver(book.engine, "live")
    assert states(book) == {FIRST: "ready", SECOND: "sent", SUMMARY: "sent"}
    assert sender.deliver(book.engine, "live") == {"sent": 1}
    assert len(inbox.mails) == 3


def test_a_person_settles_a_held_mail(book: Ledger, inbox: Inbox) -> None:
    three(book)
    with book.engine.begin() as connection:
        connection.exec_driver_sql("update notice set state = 'dot' where mail_kind = 'A'")
    assert sender.deliver(book.engine, "live") == {"held": 2, "sent": 1}
    notices.settle(book.engine, FIRST, is_delivered=True)
    notices.settle(book.engine, SECOND, is_delivered=False)
    with pytest.raises(UsageError, match="no held notice"):
        notices.settle(book.engine, SECOND, is_delivered=True)
    assert sender.deliver(book.engine, "live") == {"sent": 1}
    assert [address for address, _ in inbox.mails] == ["office@office.example", "scjg-2@office.example"]
    assert notices.held(book.engine) == []


def test_without_a_server_everything_stays_ready(book: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    three(book)
    _configure(monkeypatch, SMTP_PORT=str(_free_port()))
    with pytest.raises(MailError, match="ConnectionRefused"):
        sender.deliver(book.engine, "live")
    assert set(states(book).values()) == {"ready"}


def test_a_password_is_never_sent_in_the_clear(book: Ledger, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    three(book)
    _configure(monkeypatch, SMTP_USER="jiancha", SMTP_PASSWORD="secret")
    with pytest.raises(ConfigurationError, match="STARTTLS"):
        sender.deliver(book.engine, "live")
    assert inbox.mails == []


class Secure(Inbox):
    """A server that takes mails of one user only, over an encrypted connection; `certificate` is its own."""

    def __init__(self, certificate: Path) -> None:
        super().__init__()
        self.certificate = certificate
        self.logins: list[LoginPassword] = []

    def authenticate(
        self, server: Any, session: Any, envelope: Any, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        self.logins.append(given)
        return AuthResult(success=given == LoginPassword(b"jiancha", b"secret"), handled=False)


@pytest.fixture
def secure(monkeypatch: pytest.MonkeyPatch, book: Ledger, tmp_path: Path) -> Iterator[Secure]:
    """The settings are right; only the certificate is not trusted yet."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    kept = Secure(certificate)
    controller = Controller(
        kept,
        hostname="127.0.0.1",
        port=_free_port(),
        tls_context=context,
        require_starttls=True,
        authenticator=kept.authenticate,
        auth_required=True,
    )
    controller.start()
    _configure(
        monkeypatch,
        SMTP_HOST="localhost",
        SMTP_PORT=str(controller.port),
        SMTP_STARTTLS="true",
        SMTP_USER="jiancha",
        SMTP_PASSWORD="secret",
    )
    yield kept
    controller.stop()


def test_starttls_and_login(book: Ledger, secure: Secure, monkeypatch: pytest.MonkeyPatch) -> None:
    three(book)
    with pytest.raises(MailError, match="CERTIFICATE_VERIFY_FAILED"):
        sender.deliver(book.engine, "live")
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.certificate))
    assert sender.deliver(book.engine, "live") == {"sent": 3}
    assert len(secure.mails) == len(secure.logins) == 3


@pytest.mark.parametrize("mode", ["sandbox", "live"])
def test_the_doctor_finds_what_would_keep_the_sender_from_the_server(
    secure: Secure, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    def mail() -> tuple[bool, str]:
        (found,) = (finding for finding in checkup.doctor() if finding.title == "邮件")
        assert found.is_fatal
        return found.is_fine, found.detail

    _configure(monkeypatch, NOTIFY_MODE=mode, SANDBOX_TO="trial@office.example")
    is_fine, why = mail()
    assert not is_fine
    assert "CERTIFICATE_VERIFY_FAILED" in why
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.certificate))
    is_fine, why = mail()
    assert is_fine
    assert "250" in why
    for setting, value, said in (
        ("SMTP_PASSWORD", "wrong", "SMTPAuthenticationError"),
        ("SMTP_PORT", str(_free_port()), "ConnectionRefused"),
        ("SMTP_STARTTLS", "false", "JIANCHA_SMTP_STARTTLS"),
    ):
        _configure(monkeypatch, **{setting: value})
        is_fine, why = mail()
        assert not is_fine
        assert said in why
    assert secure.mails == []


def test_the_doctor_knows_that_a_sandbox_needs_an_address(
    book: Ledger, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    _configure(monkeypatch, NOTIFY_MODE="sandbox")
    (found,) = (finding for finding in checkup.doctor() if finding.title == "邮件")
    assert not found.is_fine
    assert "JIANCHA_SANDBOX_TO" in found.detail


def test_a_line_that_begins_with_a_dot_arrives_unchanged() -> None:
    assert smtp.stuffed(b".a\r\n..b\r\nc.\r\n.") == b"..a\r\n...b\r\nc.\r\n..\r\n"


def _kill(command: str, point: str) -> None:
    """Run `command` in a process of its own that is killed for good when it reaches `point`."""
    script = (
        "from datetime import date\nfrom etl.publish import notices, sender\nfrom etl.store.engine import engine\n"
        + command
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"JIANCHA_KILL_AT": point},
        capture_output=True,
        timeout=60,
    )
    assert ended.returncode == -signal.SIGKILL, f"{point} was never reached: {ended.stderr.decode()[-600:]}"


@pytest.mark.parametrize("point", sender.FILE_CRASH_POINTS)
def test_a_kill_while_writing_files_loses_and_repeats_nothing(book: Ledger, mail_folder: Path, point: str) -> None:
    three(book)
    _kill('sender.deliver(engine(), "file")', point)
    sender.deliver(book.engine, "file")
    assert set(states(book).values()) == {"sent"}
    mails = [email.message_from_bytes(path.read_bytes())["Message-ID"] for path in mail_folder.glob("*.eml")]
    assert len(set(mails)) == len(mails) == 3


@pytest.mark.parametrize("point", sender.SMTP_CRASH_POINTS)
def test_a_kill_while_sending_loses_and_repeats_nothing_and_holds_at_most_one(
    book: Ledger, inbox: Inbox, point: str
) -> None:
    three(book)
    _kill('sender.deliver(engine(), "live")', point)
    counts = sender.deliver(book.engine, "live")
    held = [found["notice_key"] for found in notices.held(book.engine)]
    addresses = [address for address, _ in inbox.mails]
    assert len(addresses) == len(set(addresses)), "nothing twice"
    recipients = dict(book.all("select notice_key, recipient from notice"))
    missing = [key for key, address in recipients.items() if address not in addresses]
    assert set(missing) <= set(held), "nothing lost without being shown"
    expected = point in ("notify.after_dot_commit", "notify.after_final_dot", "notify.after_reply")
    assert len(held) == counts.get("held", 0) == int(expected)
    assert {state for key, state in states(book).items() if key not in held} == {"sent"}


@pytest.mark.parametrize(("point", "left"), [("notify.before_claim_commit", 3), ("notify.after_claim_commit", 0)])
def test_a_kill_while_claiming_leaves_all_or_nothing(book: Ledger, point: str, left: int) -> None:
    book.recipient("scjg-2", "department", SCJG)
    book.tell("511602-1", "yellow")
    book.summary_due()
    _kill("notices.claim(engine(), date(2026, 11, 22))", point)
    assert len(notices.claim(book.engine, NIGHT)) == left
    assert len(states(book)) == 3


def test_two_senders_take_turns(book: Ledger, inbox: Inbox) -> None:
    from concurrent.futures import ThreadPoolExecutor

    three(book)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(sender.deliver, [book.engine] * 2, ["live"] * 2))
    assert sum(result.get("sent", 0) for result in results) == len(inbox.mails) == 3
    assert sum(result.get("held", 0) for result in results) == 0


def test_smtplib_still_keeps_its_server_name_where_we_set_it() -> None:
    assert hasattr(smtplib.SMTP(), "_host"), "etl.publish.smtp sets it for the certificate check"
