"""Turns a message into a mail, in which nothing that was said in a post can act."""

from __future__ import annotations

import hashlib
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

from alerts.email.settings import EmailSettings, well_formed
from monitor.errors import RefusedError
from monitor.model import Message

HEADER_LINE = 150
"""At 78 the header writer breaks a long subject before its first word, which some programs show as
a blank. RFC 5322 section 2.1.1 allows 998; bodies are quoted-printable, 76 a line, whatever this
says."""


def compose_mail(message: Message, settings: EmailSettings) -> EmailMessage:
    """Turn a message into multipart/alternative; the same message gives the same mail.

    Raises:
        RefusedError: when the recipient's address cannot be written in a header.
    """
    try:
        recipient = well_formed(message.recipient)
    except (ValueError, UnicodeError) as error:
        raise RefusedError(f"the recipient's address cannot be used: {error}") from error
    ascii_only = recipient.addr_spec.isascii() and settings.from_address.isascii()
    policy = SMTP if ascii_only else SMTPUTF8
    mail = EmailMessage(policy=policy.clone(max_line_length=HEADER_LINE))
    mail["From"] = _named(settings.from_name, well_formed(settings.from_address))
    mail["To"] = _named(message.recipient_name, recipient)
    if settings.reply_to is not None:
        mail["Reply-To"] = well_formed(settings.reply_to)
    mail["Subject"] = one_line(message.subject)
    mail["Date"] = message.created_at
    mail["Message-ID"] = f"<{_message_id(message.message_id)}>"
    mail["Auto-Submitted"] = "auto-generated"
    # An out-of-office note must never be taken for a person's answer (Exchange obeys this).
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    if message.urgent:
        mail["X-Priority"] = "1"
        mail["Importance"] = "high"
    mail.set_content(_encodable(message.text), cte="quoted-printable")
    mail.add_alternative(_encodable(message.html), subtype="html", cte="quoted-printable")
    # Only now: what describes content would move into the first part with it.
    mail["Content-Language"] = "en-GB"
    # "=_" cannot occur in quoted-printable, and the same message must give the same mail.
    mail.set_boundary(f"=_{hashlib.sha256(message.message_id.encode()).hexdigest()[:32]}")
    return mail


def _encodable(text: str) -> str:
    """The text with anything that UTF-8 cannot carry (half of a surrogate pair) made visible."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _named(name: str, address: Address) -> Address:
    return Address(display_name=one_line(name), username=address.username, domain=address.domain)


def one_line(text: str) -> str:
    """Only what can be printed, on one line: nothing in it can begin another header."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())


def _message_id(identity: str) -> str:
    """The identity as it stands; one that could break out of its header is a fault of ours."""
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.\[\]:-]+", identity):
        raise ValueError("a message identity has the form left@right, in ASCII")
    return identity
