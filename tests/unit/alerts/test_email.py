"""The settings of the e-mail channel, and the mail that it makes of a message."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from alerts.email import PLUGIN, EmailAlerter, EmailSettings, compose_mail
from monitor.clock import SystemClock
from monitor.errors import RefusedError
from monitor.model import Message

SETTINGS = EmailSettings(host="mail.dunnowby.example", from_address="alerts@dunnowby.example")
MESSAGE = Message(
    message_id="alert.7.1@staff-mentions.dunnowby.example",
    recipient="head@dunnowby.example",
    recipient_name="Ruth Adeyemi",
    subject="Abusive post: read today (SM-2026-0007)",
    text="plain",
    html="<p>rich</p>",
    urgent=False,
    created_at=datetime(2026, 7, 1, 18, 44, 12, tzinfo=UTC),
)
HEADERS = {
    *("from", "to", "subject", "date", "message-id", "auto-submitted", "x-auto-response-suppress"),
    *("content-language", "mime-version", "content-type"),
}


def as_read(mail: EmailMessage) -> EmailMessage:
    return email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)


@pytest.mark.parametrize(
    "wrong",
    [
        {"from_address": "not an address"},
        {"from_address": "a@dunnowby.example\r\nBcc: everybody@elsewhere.example"},
        {"reply_to": "two@dunnowby.example, three@dunnowby.example"},
        {"from_address": "alerts"},
        {"port": 0},
        {"port": 70_000},
        {"security": "ssl"},
        {"username": "sm"},
        {"password": "secret"},
        {"security": "none", "username": "sm", "password": "secret"},
        {"timeout_seconds": 0},
        {"host": ""},
        {"pasword": "secret"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    settings = {"host": "mail.dunnowby.example", "from_address": "alerts@dunnowby.example"}
    with pytest.raises(ValidationError):
        EmailSettings(**(settings | wrong))


def test_a_password_is_never_printed() -> None:
    settings = EmailSettings(
        host="mail.dunnowby.example", from_address="a@b.example", username="sm", password="battery"
    )
    assert "battery" not in repr(settings)
    assert "battery" not in settings.model_dump_json()


def test_a_domain_beyond_ascii_is_kept_as_dns_knows_it() -> None:
    settings = EmailSettings(host="mail.example", from_address="alerts@dŵr-y-coed.example")
    assert settings.from_address == "alerts@xn--dr-y-coed-b9b.example"


def test_the_plugin_builds_an_alerter_from_its_own_settings() -> None:
    assert PLUGIN.kind == "email"
    assert isinstance(
        PLUGIN.build(PLUGIN.config.model_validate(SETTINGS), SystemClock()), EmailAlerter
    )


def test_the_same_message_gives_the_same_bytes() -> None:
    assert compose_mail(MESSAGE, SETTINGS).as_bytes() == compose_mail(MESSAGE, SETTINGS).as_bytes()


def test_only_an_urgent_message_is_marked_as_important() -> None:
    assert "Importance" not in compose_mail(MESSAGE, SETTINGS)
    urgent = compose_mail(replace(MESSAGE, urgent=True), SETTINGS)
    assert urgent["Importance"] == "high"
    assert urgent["X-Priority"] == "1"


def test_answers_go_where_the_settings_say() -> None:
    settings = SETTINGS.model_copy(update={"reply_to": "office@dunnowby.example"})
    assert compose_mail(MESSAGE, settings)["Reply-To"] == "office@dunnowby.example"
    assert "Reply-To" not in compose_mail(MESSAGE, SETTINGS)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b.example\nBcc: c@d.example",
        "a@b.example, c@d.example",
        "<a@b.example>",
        "@",
    ],
)
def test_an_address_that_is_not_one_is_refused_for_good(address: str) -> None:
    with pytest.raises(RefusedError):
        compose_mail(replace(MESSAGE, recipient=address), SETTINGS)


@pytest.mark.parametrize("identity", ["", "a b@c", "a@b>\r\nX: y", "naïve@b.example"])
def test_a_message_identity_that_is_not_one_is_a_fault_of_ours(identity: str) -> None:
    with pytest.raises(ValueError, match="message identity"):
        compose_mail(replace(MESSAGE, message_id=identity), SETTINGS)


ANYTHING = st.text(st.characters())
"""Every code point, halves of surrogate pairs included."""


@given(subject=ANYTHING, name=ANYTHING, text=ANYTHING, html=ANYTHING)
def test_no_text_adds_a_header_or_breaks_a_line_limit(
    subject: str, name: str, text: str, html: str
) -> None:
    message = replace(MESSAGE, subject=subject, recipient_name=name, text=text, html=html)
    mail = compose_mail(message, SETTINGS)
    read = as_read(mail)
    assert {header.lower() for header in read} == HEADERS
    assert [address.addr_spec for address in read["To"].addresses] == [MESSAGE.recipient]
    assert len(list(read.iter_parts())) == 2
    assert max(map(len, mail.as_bytes().split(b"\r\n"))) <= 998
    assert mail.as_bytes().isascii()


@given(hostile=st.sampled_from(["\r\n", "\n", "\r", "\u2028", "\x00", "\x0b", "\x85"]))
def test_a_line_break_in_a_subject_is_a_blank(hostile: str) -> None:
    mail = compose_mail(replace(MESSAGE, subject=f"one{hostile}Bcc: two@three.example"), SETTINGS)
    assert as_read(mail)["Subject"] == "one Bcc: two@three.example"
    assert "Bcc" not in as_read(mail)
