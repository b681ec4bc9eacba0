"""One mail as frozen bytes: RFC 5322, CRLF, seven bits, the same bytes for the same input."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, default

from etl.domain.night import ZONE
from etl.publish.privacy import one_line

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9][A-Za-z0-9.-]*")
XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")


@dataclass(frozen=True)
class Attachment:
    """A file of a mail."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """What a mail says, before it is addressed."""

    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


def message_id(notice_key: str, mail_from: str) -> str:
    """The same key gives the same Message-ID, so a mail that did arrive twice is one mail to its reader."""
    domain = mail_from.rpartition("@")[2]
    return f"<{hashlib.sha256(notice_key.encode()).hexdigest()[:40]}@{domain}>"


def address(name: str, email: str) -> Address:
    """A mail address with its display name; `ValueError` when it is none (or not plain ASCII)."""
    if not _ADDRESS.fullmatch(email):
        raise ValueError("not an e-mail address")
    return Address(display_name=one_line(name), addr_spec=email)


def freeze(
    mail: Mail,
    notice_key: str,
    mail_from: str,
    to: Address | None,
    composed_at: datetime,
    in_reply_to: str | None = None,
) -> bytes:
    """The complete message. `to` None leaves the header out: nobody can be written to."""
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = message_id(notice_key, mail_from)
    message["Date"] = composed_at.astimezone(ZONE)
    message["From"] = Address(display_name="电子监察", addr_spec=mail_from)
    if to is not None:
        message["To"] = to
    if in_reply_to:
        message["In-Reply-To"] = in_reply_to
        message["References"] = in_reply_to
    message["Subject"] = one_line(mail.subject)
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "zh-CN"
    message.set_content(mail.text, cte="base64")
    message.add_alternative(mail.html, subtype="html", cte="base64")
    for attachment in mail.attachments:
        message.add_attachment(attachment.content, *XLSX, filename=one_line(attachment.name))
    for depth, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{depth}_{hashlib.sha256(notice_key.encode()).hexdigest()[:32]}")
    return message.as_bytes()


def plain_text(content: bytes) -> str:
    """The text part of a frozen mail."""
    part = message_from_bytes(content, policy=default).get_body(("plain",))
    return str(part.get_content()) if part else ""
