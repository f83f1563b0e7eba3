"""Once a week, each witness gets the newest checkpoint to keep."""

from __future__ import annotations

import json
from dataclasses import dataclass

from monitor.clock import Clock
from monitor.config.evidence import WitnessConfig
from monitor.evidence.checkpoint import VerifierKey, stated
from monitor.model import AlertKind, Role, Urgency
from monitor.people.audience import Audience
from monitor.storage.records import Addressee, Hearing
from monitor.storage.store import Store


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The people outside who keep checkpoints."""

    store: Store
    audience: Audience
    clock: Clock

    def tell(self, verifier: VerifierKey) -> int:
        """Send this week's checkpoint to whoever has not had it; how many mails were raised.

        Asked every day: a week whose Monday went by while the service was down is made up for.
        """
        config, now = self.audience.config, self.clock.now()
        checkpoints = self.store.log.checkpoints()
        if not config.evidence.witnesses or not checkpoints:
            return 0
        _size, note, _at = checkpoints[-1]
        facts = {"size": stated(note).size, "note": note, "verifier": str(verifier)}
        year, week, _day = now.astimezone(config.zone).isocalendar()
        return sum(
            self._raise(each, f"{year}-{week:02d}", json.dumps(facts, ensure_ascii=False))
            for each in config.evidence.witnesses
        )

    def _raise(self, witness: WitnessConfig, week: str, text: str) -> bool:
        now = self.clock.now()
        person = f"witness:{witness.email}"
        addressee = Addressee(
            person, witness.name, witness.email, (self.audience.config.channel().name,)
        )
        hearing = Hearing(
            AlertKind.WITNESS,
            person,
            Role.WITNESS,
            Urgency.DIGEST,
            now,
            about_headteacher=False,
        )
        raised = self.store.judging.raise_alert(
            key=f"{person}:{week}",
            kind=AlertKind.WITNESS,
            text=text,
            addressees=[(addressee, hearing)],
            at=now,
        )
        return raised is not None
