"""Once a week, each witness gets the newest checkpoint to keep, and hears what befell the log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from monitor.clock import Clock
from monitor.config.evidence import WitnessConfig
from monitor.evidence.checkpoint import VerifierKey, stated
from monitor.evidence.leaf import OpenedLeaf, write_time
from monitor.model import AlertKind, Role, Urgency
from monitor.people.audience import Audience
from monitor.storage.records import Addressee, Hearing
from monitor.storage.store import Store

_EVENTS: Final = {
    "log.restored": ("backup_made_at", "size", "lost_until"),
    "key.changed": ("old_key", "new_key"),
}
"""What a witness must hear of, since their copies fit less well after it, and its public fields."""


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The people outside who keep checkpoints."""

    store: Store
    audience: Audience
    clock: Clock

    def tell(self, verifier: VerifierKey, *, only_events: bool = False) -> int:
        """Send this week's checkpoint to whoever has not had it; how many mails were raised.

        Asked every day: a week whose Monday went by while the service was down is made up for. What
        befell the log (a restored backup, a new key) is told before the week is over, as soon as a
        checkpoint covers it; with `only_events` nothing else is.
        """
        config, now = self.audience.config, self.clock.now()
        checkpoints = self.store.log.checkpoints()
        if not config.evidence.witnesses or not checkpoints:
            return 0
        _size, note, _at = checkpoints[-1]
        size = stated(note).size
        facts = {"size": size, "note": note, "verifier": str(verifier)}
        events = self.store.log.of_kinds(_EVENTS, since=0, until=size)
        year, week, _day = now.astimezone(config.zone).isocalendar()
        key = f"{year}-{week:02d}" + (f":{events[-1][0]}" if events else "")
        raised = 0
        for each in config.evidence.witnesses:
            untold = self._untold(each, events)
            if untold or not only_events:
                raised += self._raise(each, key, {**facts, "events": untold})
        return raised

    def _untold(
        self, witness: WitnessConfig, events: Sequence[tuple[int, OpenedLeaf]]
    ) -> list[dict[str, Any]]:
        """Those that the witness's last mail could not know, since its checkpoint ended before."""
        last = self.store.outbox.last_to(_person(witness), AlertKind.WITNESS)
        told_until = json.loads(last.text)["size"] if last else 0
        return [_event(index, opened) for index, opened in events if index >= told_until]

    def _raise(self, witness: WitnessConfig, key: str, facts: dict[str, Any]) -> bool:
        now = self.clock.now()
        person = _person(witness)
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
            key=f"{person}:{key}",
            kind=AlertKind.WITNESS,
            text=json.dumps(facts, ensure_ascii=False),
            addressees=[(addressee, hearing)],
            at=now,
        )
        return raised is not None


def _person(witness: WitnessConfig) -> str:
    return f"witness:{witness.email}"


def _event(index: int, opened: OpenedLeaf) -> dict[str, Any]:
    public = {name: opened.public.get(name) for name in _EVENTS[opened.kind]}
    return {"kind": opened.kind, "entry": index, "at": write_time(opened.at), **public}
