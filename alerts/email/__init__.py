"""Reaches people by e-mail over SMTP: STARTTLS, implicit TLS, or a plain relay that is trusted.

One message is one connection. What the server answers is sorted by what to do next: later (4xx, a
time-out, silence, a certificate that does not verify), never to this person (5xx about them), or
not at all until somebody repairs the channel (a refused log-in, no encryption where it is due).
"""

from __future__ import annotations

import asyncio

from alerts.email.conversation import Conversation
from alerts.email.mail import compose_mail
from alerts.email.settings import EmailSettings
from monitor.clock import Clock
from monitor.contract import AlerterPlugin
from monitor.errors import TransientError
from monitor.model import Message, Receipt

__all__ = ["PLUGIN", "EmailAlerter", "EmailSettings", "compose_mail"]

_PATIENCE = 4
"""One delivery may take this many time-outs in all: a server that drips cannot hold a thread."""


class EmailAlerter:
    """An `Alerter` for one mail server."""

    def __init__(self, settings: EmailSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    async def send(self, message: Message) -> Receipt:
        mail = compose_mail(message, self._settings)
        said = await self._within_patience(Conversation(self._settings, mail))
        return Receipt(said=said, at=self._clock.now())

    async def check(self) -> str:
        return await self._within_patience(Conversation(self._settings, None))

    async def _within_patience(self, conversation: Conversation) -> str:
        """Talk in a thread; hang up from outside when it takes too long or is called off."""
        try:
            async with asyncio.timeout(self._settings.timeout_seconds * _PATIENCE):
                return await asyncio.to_thread(conversation.hold)
        except TimeoutError as error:
            raise TransientError("the mail server took too long over the conversation") from error
        finally:
            conversation.hang_up()


PLUGIN = AlerterPlugin(kind="email", config=EmailSettings, build=EmailAlerter)
