"""One conversation with a mail server, and what each of its answers means."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from email.message import EmailMessage
from typing import NoReturn

from alerts.email.mail import one_line
from alerts.email.settings import EmailSettings
from monitor.errors import AuthError, RefusedError, RemoteError, TransientError

_READY = 220
_DONE = 250
_TEMPORARY = 4
_NEEDS_LOG_IN = frozenset({530, 534, 535, 538})
_TOO_BIG = 552
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")
_SAID_LIMIT = 200


class _Leavable(smtplib.SMTP):
    """A client that another thread can call off at any moment, its connecting included.

    `hang_up` sets the mark and then looks for a line; the client has its line and then looks for
    the mark. So one of them always sees the other, and nobody waits for a reply in vain.
    """

    called_off = False

    def getreply(self) -> tuple[int, bytes]:
        if self.called_off:
            self.close()
            raise smtplib.SMTPServerDisconnected("called off")
        return super().getreply()


class _LeavableUnderTls(_Leavable, smtplib.SMTP_SSL):
    """The same, under TLS from the first byte."""


class Conversation:
    """One connection, from greeting to farewell, held in a thread of its own.

    With a mail, it delivers it and returns the server's answer; without, what it found.
    """

    def __init__(self, settings: EmailSettings, mail: EmailMessage | None) -> None:
        self._settings = settings
        self._mail = mail
        self._client: _Leavable | None = None
        self._called_off = False

    def hang_up(self) -> None:
        """Close the line from another thread, so that a call that is stuck on it returns."""
        self._called_off = True
        client = self._client
        if client is None:
            return
        client.called_off = True
        line = client.sock
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def hold(self) -> str:
        """Have the conversation; its outcome is a line of text or an error of `monitor.errors`."""
        try:
            return self._hold()
        except RemoteError:
            raise
        except smtplib.SMTPServerDisconnected as error:
            if isinstance(error.__context__, TimeoutError):
                raise TransientError("the mail server did not answer in time") from error
            raise TransientError("the mail server hung up before it had answered") from error
        except smtplib.SMTPResponseException as error:
            _refuse_channel(error.smtp_code, error.smtp_error, "the mail server")
        except smtplib.SMTPException as error:
            raise TransientError(f"the mail server broke the rules of SMTP: {error}") from error
        except ssl.SSLCertVerificationError as error:
            raise TransientError(
                f"the mail server's certificate does not verify ({error.verify_message}); "
                "nothing was sent, and nothing is ever sent without encryption instead"
            ) from error
        except ssl.SSLError as error:
            reason = error.reason or "no common protocol"
            raise TransientError(f"encryption with the mail server failed ({reason})") from error
        except TimeoutError as error:
            raise TransientError("the mail server did not answer in time") from error
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise TransientError(f"the mail server cannot be reached ({why})") from error

    def _hold(self) -> str:
        client = self._client = self._open()
        if self._called_off:
            client.called_off = True
        try:
            self._greet(client)
            cover = self._encrypt(client)
            self._log_in(client)
            said = self._check(client, cover) if self._mail is None else self._deliver(client)
            with contextlib.suppress(smtplib.SMTPException, OSError):
                client.quit()  # the outcome is known: a rude farewell does not change it
            return said
        finally:
            client.close()

    def _check(self, client: smtplib.SMTP, cover: str) -> str:
        code, said = client.noop()
        if code != _DONE:
            _refuse_channel(code, said, "the mail server")
        proof = "log-in accepted" if self._settings.username else "no log-in"
        return f"{self._settings.host}:{self._settings.port} answers, {cover}, {proof}"

    def _open(self) -> _Leavable:
        """A client that has not connected yet, so that `hang_up` can see it while it does."""
        name, timeout = _own_name(), self._settings.timeout_seconds
        client = (
            _LeavableUnderTls(local_hostname=name, timeout=timeout, context=self._trust())
            if self._settings.security == "tls"
            else _Leavable(local_hostname=name, timeout=timeout)
        )
        # smtplib checks a certificate against this name, which only its constructor can set.
        client._host = self._settings.host  # type: ignore[attr-defined] # noqa: SLF001
        return client

    def _greet(self, client: smtplib.SMTP) -> None:
        code, said = client.connect(self._settings.host, self._settings.port)
        if code != _READY:
            _refuse_channel(code, said, "the mail server's greeting")
        client.ehlo_or_helo_if_needed()

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._settings.ca_file is not None:
            try:
                context.load_verify_locations(self._settings.ca_file)
            except OSError as error:  # ssl.SSLError is one: the file holds no certificate
                why = error.strerror or "it holds no certificate"
                raise AuthError(f"the channel's ca_file cannot be used ({why})") from error
        return context

    def _encrypt(self, client: smtplib.SMTP) -> str:
        """Put the line under TLS where that is due; say under what it is now."""
        if self._settings.security == "starttls":
            if not client.has_extn("starttls"):
                raise AuthError(
                    "the mail server does not offer STARTTLS: "
                    'use security = "tls" (often port 465), or ask who runs the server'
                )
            client.starttls(context=self._trust())
            client.ehlo_or_helo_if_needed()
        line = client.sock
        return f"{line.version()}" if isinstance(line, ssl.SSLSocket) else "no encryption"

    def _log_in(self, client: smtplib.SMTP) -> None:
        username, password = self._settings.username, self._settings.password
        if username is None or password is None:
            return
        try:
            client.login(username, password.get_secret_value())
        except smtplib.SMTPAuthenticationError as error:
            # `from None`: smtplib keeps what was said in both directions.
            _refuse_log_in(error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError as error:
            raise AuthError(
                "the mail server offers no log-in here: take username and password out of the "
                "config if it is a relay, or use the port meant for submission (587 or 465)"
            ) from error
        except (smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
            raise
        except smtplib.SMTPException as error:
            raise AuthError(
                "the mail server offers no way to log in that this program speaks (PLAIN, LOGIN, "
                "CRAM-MD5): ask who runs it for a relay, or for an account with a password"
            ) from error
        except UnicodeEncodeError as error:
            raise AuthError("the mail password holds a letter that SMTP cannot send") from error

    def _deliver(self, client: smtplib.SMTP) -> str:
        mail = self._mail
        assert mail is not None
        content = mail.as_bytes()
        options = [f"size={len(content)}"] if client.has_extn("size") else []
        recipient: str = mail["To"].addresses[0].addr_spec
        if not (recipient + self._settings.from_address).isascii():
            if not client.has_extn("smtputf8"):
                raise RefusedError("the mail server takes no addresses with letters beyond ASCII")
            client.command_encoding = "utf-8"
            options += ["SMTPUTF8", "BODY=8BITMIME"]
        code, said = client.mail(self._settings.from_address, options)
        if code != _DONE:
            if code == _TOO_BIG:
                _refuse_mail(code, said, "the size of the mail")
            _refuse_channel(code, said, "the sender's address")
        code, said = client.rcpt(recipient)
        if code not in {_DONE, _DONE + 1}:
            _refuse_mail(code, said, "the recipient")
        code, said = self._hand_over(client, content)
        if code != _DONE:
            _refuse_mail(code, said, "the mail")
        return _quotable(code, said)

    def _hand_over(self, client: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
        """Send the content; a line lost from here on leaves open whether the mail was taken."""
        try:
            return client.data(content)
        except smtplib.SMTPDataError as error:
            _refuse_mail(error.smtp_code, error.smtp_error, "the mail")
        except (smtplib.SMTPServerDisconnected, OSError) as error:
            raise TransientError(
                "the line broke before the server's answer: the mail may have been taken; "
                "it will be sent again under the same Message-ID"
            ) from error


def _own_name() -> str:
    """The name for EHLO, without asking DNS, which may be what is broken."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


# --- what an answer means ------------------------------------------------------------------------


def _quotable(code: int, said: bytes | str) -> str:
    """A server's answer on one short line, without anybody's address, fit for a log."""
    text = said if isinstance(said, str) else said.decode("utf-8", "replace")
    return f"{code} {_ADDRESS.sub('(address)', one_line(text))[:_SAID_LIMIT]}".strip()


def _refuse_log_in(code: int, said: bytes | str) -> NoReturn:
    answer = _quotable(code, said)
    if code // 100 == _TEMPORARY or code < 0:
        raise TransientError(f"the mail server cannot check the password now: {answer}") from None
    raise AuthError(f"the mail server refuses the username or password: {answer}") from None


def _refuse_channel(code: int, said: bytes | str, what: str) -> NoReturn:
    """An answer that concerns every mail we could send."""
    answer = _sort_common(code, said, what)
    raise AuthError(f"{what} is refused: {answer}")


def _refuse_mail(code: int, said: bytes | str, what: str) -> NoReturn:
    """An answer that concerns this one mail, or the one person it is for."""
    answer = _sort_common(code, said, what)
    raise RefusedError(f"{what} is refused: {answer}")


def _sort_common(code: int, said: bytes | str, what: str) -> str:
    """Raise what does not depend on whom the answer concerns; else give its quotable words."""
    answer = _quotable(code, said)
    # smtplib's own words are text, a server's are bytes: "Line too long." is no refusal.
    if code // 100 == _TEMPORARY or code < 0 or isinstance(said, str):
        raise TransientError(f"{what}: not now: {answer}")
    if code in _NEEDS_LOG_IN:
        raise AuthError(f"the mail server wants a log-in: {answer}")
    return answer
