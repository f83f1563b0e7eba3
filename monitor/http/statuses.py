"""Sorts statuses and network failures by what to do next: the only place that does."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import datetime

import httpx

from monitor.errors import (
    AuthError,
    MalformedError,
    RateLimitedError,
    RefusedError,
    RemoteError,
    TransientError,
)
from monitor.http.patience import UNSAID, retry_after

NOT_MODIFIED = 304
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT_MOVES = frozenset({301, 308})
GONE = frozenset({404, 410})
_PARTIAL = 206
_NEEDS_KEY = frozenset({401, 403})
_TOO_MANY = 429
_UNAVAILABLE = 503
_COME_BACK = frozenset({408, 421, 425})
_SUCCESS = range(200, 300)
_FIRST_CLIENT_FAULT = 400
_FIRST_SERVER_FAULT = 500

_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLError, "does not speak TLS as it should"),
    (ConnectionRefusedError, "refuses connections"),
    (ConnectionResetError, "hung up in the middle"),
    (httpx.ConnectTimeout, "could not be reached in time"),
    (httpx.PoolTimeout, "had to wait for too many other requests"),
    (httpx.TimeoutException, "stopped talking"),
)


def check_status(response: httpx.Response, *, now: datetime, conditional: bool) -> None:
    """Return where the answer may be read; else raise what the status asks us to do next.

    `conditional` says whether 304 is an answer to what was asked.
    """
    status, host = response.status_code, response.request.url.host
    if (status in _SUCCESS and status != _PARTIAL) or (status == NOT_MODIFIED and conditional):
        return
    message = f"{host} answered {status}"
    wait = retry_after(response.headers.get("retry-after", ""), now=now)
    if status == _TOO_MANY or (status == _UNAVAILABLE and wait is not None):
        raise RateLimitedError(message, UNSAID if wait is None else wait)
    if status in _NEEDS_KEY:
        raise AuthError(message, status=status)
    if status >= _FIRST_SERVER_FAULT or status in _COME_BACK:
        raise TransientError(message)
    if status >= _FIRST_CLIENT_FAULT:
        raise RefusedError(message, status=status)
    raise MalformedError(f"{message}, which is no answer to what was asked")


def plain_reason(error: httpx.HTTPError, host: str) -> RemoteError:
    """What went wrong on the wire, in words for the person who runs the server."""
    if isinstance(error, httpx.RemoteProtocolError):
        return _broken_protocol(error, host)
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TransientError(f"the certificate of {host} is not good: {cause.verify_message}")
        for kind, words in _WORDS:
            if isinstance(cause, kind):
                return TransientError(f"{host} {words}")
    reached = not isinstance(error, httpx.ConnectError)
    return TransientError(f"{host} {'hung up in the middle' if reached else 'is out of reach'}")


def _broken_protocol(error: httpx.RemoteProtocolError, host: str) -> RemoteError:
    reason = str(error)
    if "without sending a response" in reason:
        return TransientError(f"{host} hung up without an answer")
    if "without sending complete message body" in reason:
        return MalformedError(f"the answer of {host} is shorter than it says")
    if "location header" in reason:
        return MalformedError(f"{host} redirects to an address without sense")
    return MalformedError(f"{host} does not speak HTTP as it should")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and everything that led to it, exception groups opened."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop()
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__context__, cause.__cause__]
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions
