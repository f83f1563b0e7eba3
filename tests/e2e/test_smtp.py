"""The e-mail channel against real SMTP servers on loopback that behave well, badly, or not."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from alerts.email import EmailAlerter, EmailSettings
from monitor.clock import SystemClock
from monitor.errors import AuthError, RefusedError, RemoteError, TransientError
from monitor.model import Message

MESSAGE = Message(
    message_id="alert.7.1@staff-mentions.dunnowby.example",
    recipient="head@dunnowby.example",
    recipient_name="Ruth Adeyemi",
    subject="Threatening post: act now (SM-2026-0007)",
    text="A public post reads as a threat.\n.\nA line with one dot stands above.\n",
    html="<p>A public post reads as a threat: ring 999. Ysgol Dŵr-y-Coed.</p>",
    urgent=True,
    created_at=datetime(2026, 11, 20, 18, 44, 12, tzinfo=UTC),
)


@dataclass
class Mailbox:
    """A server's handler: what it answers to a recipient and to a mail, and what it took."""

    to_recipient: list[str] = field(default_factory=list)
    to_mail: list[str] = field(default_factory=list)
    dies: list[str] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    covered: list[bool] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        answer = self.to_recipient.pop(0) if self.to_recipient else "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.covered.append(session.ssl is not None)
        answer = self.to_mail.pop(0) if self.to_mail else "250 2.0.0 queued as 4711"
        dies = self.dies.pop(0) if self.dies else ""
        if answer.startswith("250") and dies != "before keeping":
            assert isinstance(envelope.original_content, bytes)
            self.taken.append(envelope.original_content)
        if dies:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return answer

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.users.append(given.login.decode())
        return AuthResult(success=given.password == b"correct horse", handled=False)

    def mails(self) -> list[EmailMessage]:
        return [email.message_from_bytes(raw, policy=email.policy.default) for raw in self.taken]


@asynccontextmanager
async def serving(mailbox: Mailbox, *, implicit: Any = None, **options: Any) -> AsyncIterator[int]:
    """A real SMTP server on a free port of loopback; the port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, hostname="mail.dunnowby.example", **options),
        "127.0.0.1",
        0,
        ssl=implicit,
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def speaking(conversation: Conversation) -> AsyncIterator[int]:
    """A server that says exactly what a test wants said; the port."""
    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(ConnectionError):
            await conversation(reader, writer)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()


def alerter(port: int, **settings: Any) -> EmailAlerter:
    options = {"security": "none", "timeout_seconds": 5.0} | settings
    return EmailAlerter(
        EmailSettings(
            host="127.0.0.1", port=port, from_address="alerts@dunnowby.example", **options
        ),
        SystemClock(),
    )


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_side(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


# --- a relay that works ---------------------------------------------------------------------------


async def test_a_relay_without_log_in_or_encryption_takes_a_mail_in_two_forms() -> None:
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        receipt = await alerter(port, from_name="Dunnowby alerts").send(MESSAGE)
    (mail,) = mailbox.mails()
    assert receipt.said == "250 2.0.0 queued as 4711"
    assert receipt.at.tzinfo is not None
    assert mail["Message-ID"] == f"<{MESSAGE.message_id}>"
    assert mail["Date"].datetime == MESSAGE.created_at
    assert mail["Subject"] == MESSAGE.subject
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Importance"] == "high"
    assert mail.get_content_type() == "multipart/alternative"
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().replace("\r\n", "\n") == MESSAGE.text
    assert "Ysgol Dŵr-y-Coed" in rich.get_content()
    assert max(len(line) for line in mailbox.taken[0].split(b"\r\n")) <= 998


async def test_the_check_reaches_the_server_and_sends_nothing() -> None:
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        line = await alerter(port).check()
    assert f"127.0.0.1:{port}" in line
    assert "no encryption" in line
    assert "\n" not in line
    assert not mailbox.taken


# --- encryption -----------------------------------------------------------------------------------


async def test_starttls_covers_the_mail(server_side: ssl.SSLContext, ca_file: Path) -> None:
    mailbox = Mailbox()
    async with serving(mailbox, tls_context=server_side, require_starttls=True) as port:
        channel = alerter(port, security="starttls", ca_file=ca_file)
        assert "TLSv1" in await channel.check()
        await channel.send(MESSAGE)
    assert mailbox.covered == [True]


async def test_tls_from_the_first_byte_covers_the_mail(
    server_side: ssl.SSLContext, ca_file: Path
) -> None:
    mailbox = Mailbox()
    async with serving(mailbox, implicit=server_side) as port:
        channel = alerter(port, security="tls", ca_file=ca_file)
        assert "TLSv1" in await channel.check()
        await channel.send(MESSAGE)
    assert len(mailbox.taken) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_of_a_stranger_stops_the_mail_and_says_so(
    security: str, server_side: ssl.SSLContext
) -> None:
    mailbox = Mailbox()
    options: dict[str, Any] = (
        {"implicit": server_side} if security == "tls" else {"tls_context": server_side}
    )
    async with serving(mailbox, **options) as port:
        with pytest.raises(TransientError, match="certificate does not verify"):
            await alerter(port, security=security).send(MESSAGE)
    assert not mailbox.taken


async def test_a_certificate_for_another_host_stops_the_mail(
    authority: trustme.CA, ca_file: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("mail.elsewhere.example").configure_cert(context)
    mailbox = Mailbox()
    async with serving(mailbox, tls_context=context) as port:
        with pytest.raises(TransientError, match="certificate does not verify"):
            await alerter(port, security="starttls", ca_file=ca_file).send(MESSAGE)
    assert not mailbox.taken


@pytest.mark.parametrize("content", [None, "no certificate at all"])
async def test_a_ca_file_that_cannot_be_used_stops_the_channel_and_says_which_it_is(
    content: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    async with serving(Mailbox()) as port:
        with pytest.raises(AuthError, match="ca_file cannot be used"):
            await alerter(port, security="tls", ca_file=path).send(MESSAGE)


async def test_a_server_without_starttls_never_gets_the_mail_in_the_clear() -> None:
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        channel = alerter(port, security="starttls")
        with pytest.raises(AuthError, match="does not offer STARTTLS"):
            await channel.send(MESSAGE)
        with pytest.raises(AuthError, match="does not offer STARTTLS"):
            await channel.check()
    assert not mailbox.taken


# --- log-in ---------------------------------------------------------------------------------------


async def test_the_right_password_opens_the_door(
    server_side: ssl.SSLContext, ca_file: Path
) -> None:
    mailbox = Mailbox()
    async with serving(
        mailbox,
        tls_context=server_side,
        authenticator=mailbox.authenticate,
        auth_required=True,
        require_starttls=True,
    ) as port:
        channel = alerter(
            port,
            security="starttls",
            ca_file=ca_file,
            username="staff-mentions",
            password="correct horse",
        )
        assert "log-in accepted" in await channel.check()
        await channel.send(MESSAGE)
    assert set(mailbox.users) == {"staff-mentions"}
    assert len(mailbox.taken) == 1


async def test_the_wrong_password_stops_the_channel_and_appears_nowhere(
    server_side: ssl.SSLContext, ca_file: Path
) -> None:
    mailbox = Mailbox()
    async with serving(
        mailbox, tls_context=server_side, authenticator=mailbox.authenticate, auth_required=True
    ) as port:
        channel = alerter(
            port, security="starttls", ca_file=ca_file, username="sm", password="battery staple"
        )
        with pytest.raises(AuthError, match="username or password: 535") as raised:
            await channel.send(MESSAGE)
    assert "battery" not in str(raised.value)
    assert raised.value.__suppress_context__
    assert not mailbox.taken


async def test_a_server_that_wants_a_log_in_we_do_not_have_stops_the_channel(
    server_side: ssl.SSLContext, ca_file: Path
) -> None:
    mailbox = Mailbox()
    async with serving(
        mailbox, tls_context=server_side, authenticator=mailbox.authenticate, auth_required=True
    ) as port:
        with pytest.raises(AuthError, match="wants a log-in: 530"):
            await alerter(port, security="starttls", ca_file=ca_file).send(MESSAGE)


async def test_a_relay_that_offers_no_log_in_says_what_to_take_out_of_the_config() -> None:
    async with serving(Mailbox()) as port:
        with pytest.raises(AuthError, match="offers no log-in here: take username"):
            await alerter(port, username="sm", password="x").send(MESSAGE)


async def test_a_server_with_only_strange_ways_to_log_in_is_a_matter_for_the_administrator() -> (
    None
):
    async def modern_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.dunnowby.example\r\n")
        await reader.readline()
        writer.write(b"250-mail.dunnowby.example\r\n250 AUTH XOAUTH2\r\n")
        await reader.read()

    async with speaking(modern_only) as port:
        with pytest.raises(AuthError, match="no way to log in that this program speaks"):
            await alerter(port, username="sm", password="x").send(MESSAGE)


# --- a server that will not, now or ever ----------------------------------------------------------


async def test_an_absent_server_is_a_matter_for_later() -> None:
    async with serving(Mailbox()) as port:
        pass
    with pytest.raises(TransientError, match="cannot be reached"):
        await alerter(port).send(MESSAGE)
    with pytest.raises(TransientError, match="cannot be reached"):
        await alerter(port).check()


async def test_greylisting_is_a_matter_for_later_and_the_next_try_arrives() -> None:
    mailbox = Mailbox(to_recipient=["451 4.7.1 Greylisted, please come back"])
    async with serving(mailbox) as port:
        channel = alerter(port)
        with pytest.raises(TransientError, match=r"451 4\.7\.1 Greylisted"):
            await channel.send(MESSAGE)
        await channel.send(MESSAGE)
    assert len(mailbox.taken) == 1


async def test_an_unknown_recipient_is_refused_for_good_without_the_address_in_the_error() -> None:
    mailbox = Mailbox(to_recipient=["550 5.1.1 <head@dunnowby.example>: no such user"])
    async with serving(mailbox) as port:
        with pytest.raises(RefusedError, match="no such user") as raised:
            await alerter(port).send(MESSAGE)
    assert "head@dunnowby.example" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("452 4.3.1 disk full", TransientError),
        ("554 5.7.1 looks like spam", RefusedError),
        ("530 5.7.0 log in first", AuthError),
    ],
)
async def test_the_answer_to_the_mail_itself_is_sorted_by_what_to_do_next(
    answer: str, outcome: type[RemoteError]
) -> None:
    async with serving(Mailbox(to_mail=[answer])) as port:
        with pytest.raises(outcome, match=answer[4:]):
            await alerter(port).send(MESSAGE)


async def test_a_mail_over_the_size_that_a_server_takes_is_refused_for_good() -> None:
    async with serving(Mailbox(), data_size_limit=100) as port:
        with pytest.raises(RefusedError, match="size"):
            await alerter(port).send(MESSAGE)


# --- a server that dies ---------------------------------------------------------------------------


async def test_an_answer_lost_after_the_mail_is_sent_again_under_the_same_message_id() -> None:
    mailbox = Mailbox(dies=["after keeping"])
    async with serving(mailbox) as port:
        channel = alerter(port)
        with pytest.raises(TransientError, match="may have been taken"):
            await channel.send(MESSAGE)
        await channel.send(MESSAGE)
    first, second = mailbox.mails()
    assert first["Message-ID"] == second["Message-ID"] == f"<{MESSAGE.message_id}>"
    assert mailbox.taken[0] == mailbox.taken[1]


async def test_a_server_that_dies_before_it_kept_the_mail_gets_it_again() -> None:
    mailbox = Mailbox(dies=["before keeping"])
    async with serving(mailbox) as port:
        channel = alerter(port)
        with pytest.raises(TransientError):
            await channel.send(MESSAGE)
        await channel.send(MESSAGE)
    assert len(mailbox.taken) == 1


async def test_a_server_that_hangs_up_on_connection_is_a_matter_for_later() -> None:
    async def slam(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with speaking(slam) as port:
        with pytest.raises(TransientError, match=r"hung up|cannot be reached"):
            await alerter(port).send(MESSAGE)


@pytest.mark.parametrize(
    ("greeting", "outcome"),
    [
        (b"421 4.3.2 shutting down\r\n", TransientError),
        (b"554 5.7.1 your network is not welcome\r\n", AuthError),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", TransientError),
        (b"220 " + b"x" * 20_000 + b"\r\n", TransientError),
    ],
)
async def test_an_unfriendly_greeting_is_sorted_by_what_to_do_next(
    greeting: bytes, outcome: type[RemoteError]
) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await writer.drain()
        await reader.read()

    async with speaking(greet) as port:
        with pytest.raises(outcome):
            await alerter(port).send(MESSAGE)


async def test_a_silent_server_is_given_up_on_after_the_time_out() -> None:
    async def listen(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with speaking(listen) as port:
        with pytest.raises(TransientError, match="did not answer in time"):
            await alerter(port, timeout_seconds=0.2).send(MESSAGE)


async def test_a_server_that_drips_for_ever_is_hung_up_on() -> None:
    async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(b"220-")
            await writer.drain()
            writer.write(b"still here\r\n")
            await asyncio.sleep(0.05)  # the pace of the server; the test itself waits for nothing

    async with speaking(drip) as port:
        with pytest.raises(TransientError, match="took too long"):
            await alerter(port, timeout_seconds=0.2).send(MESSAGE)


async def test_a_delivery_that_is_called_off_leaves_the_line() -> None:
    met, left = asyncio.Event(), asyncio.Event()

    async def stall(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        met.set()
        await reader.read()
        left.set()

    async with speaking(stall) as port:
        sending = asyncio.create_task(alerter(port, timeout_seconds=60).send(MESSAGE))
        await met.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        async with asyncio.timeout(5):
            await left.wait()
