"""Asks time-stamp authorities about checkpoints until each has answered well."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom

from cryptography.x509 import Certificate
from loguru import logger
from pydantic import SecretStr

from monitor.backoff import next_delay
from monitor.clock import Clock
from monitor.errors import AuthError, EvidenceError, RateLimitedError, RemoteError
from monitor.evidence.stamp import ANSWER_TYPE, REQUEST_TYPE, Token, ask, open_token, read_roots
from monitor.http.client import SourceHttp
from monitor.storage.stamps import Stamps, StoredStamp, Wanted

AT_ONCE = 20
"""Most stamps asked of one authority in one round: a long gap is closed politely."""
RENEW_WITHIN = timedelta(days=60)
"""A stamp is renewed so long before the first certificate behind it expires."""
RENEW_AGAIN = timedelta(days=1)
"""The wait where an authority has no newer certificate yet."""
SHORTEST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
LARGEST_ROOTS = 1_000_000
_UNAUTHORISED = 401

_random = SystemRandom().random


@dataclass(frozen=True, slots=True)
class Customer:
    """As whom an authority knows us; the password shows itself to nobody who prints this."""

    username: str
    password: SecretStr

    def basic(self) -> str:
        """The value of the Authorization header (RFC 7617, with UTF-8)."""
        both = f"{self.username}:{self.password.get_secret_value()}"
        return f"Basic {base64.b64encode(both.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class Authority:
    """One configured authority: its name, its address, its root certificates, its way out."""

    name: str
    url: str
    ca_file: Path
    http: SourceHttp
    customer: Customer | None = None

    async def stamp(self, note: str) -> Token:
        """A new time-stamp over a note, checked.

        Raises:
            RemoteError: the authority cannot be reached or does not answer as it should.
            EvidenceError: its answer is no time-stamp that `ca_file` vouches for.
        """
        question = ask(note)
        headers = {"Content-Type": REQUEST_TYPE, "Accept": ANSWER_TYPE}
        if self.customer is not None:
            headers["Authorization"] = self.customer.basic()
        try:
            # `post` follows no redirect, so a password goes to this address and to no other.
            answer = await self.http.post(self.url, question.request, headers=headers)
        except AuthError as error:
            raise AuthError(self._refusal(error), status=error.status) from error
        roots = await asyncio.to_thread(self.roots)
        return open_token(answer, note, roots, nonce=question.nonce)

    def roots(self) -> tuple[Certificate, ...]:
        """Whom this authority's tokens must lead to, read anew each time.

        Raises:
            EvidenceError: the file cannot be read or holds no root.
        """
        return roots_in(self.ca_file)

    def _refusal(self, error: AuthError) -> str:
        if error.status != _UNAUTHORISED:
            return f"{error}: it lets us in no further; ask whoever runs it what is missing"
        if self.customer is None:
            return f"{error}: it wants a user name and a password; write username and password_file"
        return f"{error}: it refuses the user name or the password; see username and password_file"


async def try_out(authority: Authority) -> str:
    """Ask for a stamp that nobody keeps; what can be said of it. Raises as `Authority.stamp`."""
    token = await authority.stamp("staff-mentions/check\n")
    return f"stamps; its certificate is good until {token.expires_at:%Y-%m-%d}"


def roots_in(path: Path) -> tuple[Certificate, ...]:
    """The certificates in a `ca_file`.

    Raises:
        EvidenceError: it cannot be read or holds no root.
    """
    try:
        with path.open("rb") as file:
            return read_roots(file.read(LARGEST_ROOTS))
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read ({error.strerror})") from error
    except EvidenceError as error:
        raise EvidenceError(f"{path}: {error}") from error


@dataclass(slots=True)
class _Patience:
    """How one authority fares: failures in a row, and when it is asked again."""

    failures: int = 0
    not_before: datetime | None = None
    renew_not_before: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class StampTrouble:
    """An authority that did not answer well the last time, and why."""

    authority: str
    error: str


@dataclass(slots=True)
class Stamper:
    """Gets every checkpoint stamped by every authority; a failure waits, longer each time."""

    stamps: Stamps
    authorities: Sequence[Authority]
    clock: Clock
    _patience: dict[str, _Patience] = field(default_factory=dict)
    _one_round: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def round(self) -> int:
        """Ask for what is missing and what ends soon; how many stamps came."""
        async with self._one_round:
            return sum(await asyncio.gather(*(self._ask_all(each) for each in self.authorities)))

    def missing(self) -> int:
        """How many checkpoints lack a stamp of at least one authority."""
        return self.stamps.unstamped([each.name for each in self.authorities])

    def troubles(self) -> tuple[StampTrouble, ...]:
        """The authorities that failed the last time they were asked."""
        return tuple(
            StampTrouble(each.name, patience.error)
            for each in self.authorities
            if (patience := self._patience.get(each.name)) and patience.error
        )

    async def _ask_all(self, authority: Authority) -> int:
        patience = self._patience.setdefault(authority.name, _Patience())
        now = self.clock.now()
        if patience.not_before and now < patience.not_before:
            return 0
        kept = 0
        try:
            for wanted in await asyncio.to_thread(
                self.stamps.missing, authority.name, limit=AT_ONCE
            ):
                kept += await self._ask(authority, wanted)
            if patience.renew_not_before is None or now >= patience.renew_not_before:
                kept += await self._renew(authority, patience)
        except (RemoteError, EvidenceError) as error:
            self._failed(authority, patience, error)
        else:
            patience.failures, patience.not_before, patience.error = 0, None, ""
        return kept

    async def _renew(self, authority: Authority, patience: _Patience) -> int:
        kept = 0
        for wanted in await asyncio.to_thread(
            self.stamps.expiring,
            authority.name,
            now=self.clock.now(),
            within=RENEW_WITHIN,
            limit=AT_ONCE,
        ):
            if not await self._ask(authority, wanted):
                patience.renew_not_before = self.clock.now() + RENEW_AGAIN
                break
            kept += 1
        return kept

    async def _ask(self, authority: Authority, wanted: Wanted) -> bool:
        """Whether a stamp came that is worth keeping; one that ends no later than ours is not."""
        token = await authority.stamp(wanted.note)
        if wanted.expires_at is not None and token.expires_at <= wanted.expires_at:
            return False
        await asyncio.to_thread(
            self.stamps.keep, wanted, authority.name, token, at=self.clock.now()
        )
        logger.bind(authority=authority.name, size=wanted.size).info("checkpoint.stamped")
        return True

    def _failed(
        self, authority: Authority, patience: _Patience, error: RemoteError | EvidenceError
    ) -> None:
        patience.failures += 1
        patience.error = str(error)
        wait = next_delay(patience.failures, base=SHORTEST_WAIT, cap=LONGEST_WAIT, random=_random)
        if isinstance(error, RateLimitedError):
            wait = max(wait, error.retry_after)
        patience.not_before = self.clock.now() + wait
        logger.bind(authority=authority.name, error=str(error)).warning("stamp.failed")


def doubts(
    stamps: Sequence[StoredStamp], notes: dict[int, str], ca_files: dict[str, Path]
) -> Iterator[str]:
    """What is wrong with stored stamps, each a sentence; nothing where all hold.

    Each token is checked at its own time: against the roots of its authority in the config, or
    those kept beside it where that authority is configured no more.
    """
    for stamp in stamps:
        try:
            _check(stamp, notes.get(stamp.size), ca_files.get(stamp.authority))
        except EvidenceError as error:
            place = f"the time-stamp of {stamp.authority} on the checkpoint of {stamp.size} entries"
            yield f"{place}: {error}"


def _check(stamp: StoredStamp, note: str | None, ca_file: Path | None) -> None:
    if note is None:
        raise EvidenceError("there is no such checkpoint")
    roots = roots_in(ca_file) if ca_file else read_roots(stamp.token.chain.encode())
    found = open_token(stamp.token.response, note, roots)
    if (found.at, found.expires_at) != (stamp.token.at, stamp.token.expires_at):
        raise EvidenceError("the database gives it another time than the authority did")
