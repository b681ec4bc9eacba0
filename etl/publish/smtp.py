"""One SMTP conversation whose last step, the lone dot, is the caller's to take.

``smtplib.sendmail`` sends text and dot in one breath; here the caller commits "about to finish" between the two.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from etl.errors import ConfigurationError, MailError
from etl.settings import Settings


class Refused(Exception):
    """The server said no; nothing was delivered.

    Args:
        code: SMTP reply code; 4xx may work later, 5xx will not.
        reply: what the server said.
    """

    def __init__(self, code: int, reply: bytes) -> None:
        super().__init__(f"{code} {reply.decode('utf-8', 'backslashreplace')[:200]}")
        self.is_final = code // 100 == 5


@contextmanager
def session(config: Settings) -> Iterator[smtplib.SMTP]:
    """A connection, encrypted and logged in when configured; left without ceremony when something broke.

    Raises:
        MailError: there is no server to talk to, or it does not let us in.
    """
    if config.smtp_user and not config.smtp_starttls:
        raise ConfigurationError("JIANCHA_SMTP_USER without JIANCHA_SMTP_STARTTLS would send the password in the clear")
    smtp = smtplib.SMTP(timeout=config.smtp_timeout_seconds)
    try:
        try:
            _open(smtp, config)
        except (smtplib.SMTPException, OSError) as error:
            where = f"{config.smtp_host}:{config.smtp_port}"
            raise MailError(f"no session with {where}: {type(error).__name__}: {error}") from error
        yield smtp
        smtp.quit()
    finally:
        smtp.close()


def _open(smtp: smtplib.SMTP, config: Settings) -> None:
    code, reply = smtp.connect(config.smtp_host, config.smtp_port)
    if code != 220:
        raise smtplib.SMTPConnectError(code, reply)
    if config.smtp_starttls:
        smtp._host = config.smtp_host  # type: ignore[attr-defined]  # the certificate's name; connect() leaves it out
        smtp.starttls(context=ssl.create_default_context())
    if config.smtp_user:
        smtp.login(config.smtp_user, config.smtp_password.get_secret_value())


def offer(smtp: smtplib.SMTP, sender: str, recipient: str, content: bytes) -> None:
    """MAIL, RCPT, DATA and the whole text, but not the dot that makes it count.

    Raises:
        Refused: the server declined. No RSET follows: many servers hang up after a refusal, and that would hide it.
    """
    smtp.ehlo_or_helo_if_needed()
    _expect(smtp.mail(sender), 250)
    _expect(smtp.rcpt(recipient), 250, 251)
    _expect(smtp.docmd("DATA"), 354)
    smtp.send(stuffed(content))


def finish(smtp: smtplib.SMTP) -> None:
    """The dot: from here on the server may have the mail."""
    smtp.send(b".\r\n")


def answer(smtp: smtplib.SMTP) -> str:
    """The server's word on the finished mail, read by its first digit (RFC 5321 4.2.1).

    Raises:
        Refused: it did not take the mail.
        SMTPException: no word, or none a reply can begin with, such as one cut off inside its code.
    """
    code, reply = smtp.getreply()
    if code // 100 in (4, 5):
        raise Refused(code, reply)
    if code // 100 != 2:
        raise smtplib.SMTPResponseException(code, reply)
    return f"{code} {reply.decode('utf-8', 'backslashreplace')[:200]}"


def stuffed(content: bytes) -> bytes:
    """RFC 5321 4.5.2: a line that begins with a dot gets another one; the text ends with CRLF."""
    lines = content.split(b"\r\n")
    if lines[-1] == b"":
        lines.pop()
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)


def _expect(answer: tuple[int, bytes], *good: int) -> None:
    code, reply = answer
    if code not in good:
        raise Refused(code, reply)
