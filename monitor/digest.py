"""The digest: what each headteacher is told once a day of everything that did not need them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from monitor.clock import Clock
from monitor.model import AlertKind, Certainty, Role, Urgency
from monitor.people.audience import Audience
from monitor.storage.records import Addressee, Heard, Hearing, SourceState
from monitor.storage.store import Store

MONDAY = 0
MOST_LINES = 60
"""So many mentions one digest lists: a longer mail is cut off by some mail programs. What is more
waits for the next, because only what was listed has been told."""
MOST_GAPS = 100
"""So many gaps are remembered between two digests; the log holds every one."""

Gap = dict[str, str | None]
"""A time in which a source could not be read: `source`, `since`, `until` (None: still), `why`."""


@dataclass(frozen=True, slots=True)
class Digests:
    """Counts and lists for the readers of digests; `monitor.briefing` puts them into words."""

    store: Store
    audience: Audience
    clock: Clock

    def raise_today(self) -> int:
        """Raise today's digest for each headteacher; how many were raised.

        On a day without school nothing is sent but Monday's. Monday's comes even when there is
        nothing to list: a person who stops getting it knows that the watcher is dead. Asked again
        on the same day it does nothing.
        """
        now = self.clock.now()
        config = self.audience.config
        today = now.astimezone(config.zone).date()
        if not config.is_school_day(today) and today.weekday() != MONDAY:
            return 0
        kept = json.loads(self.store.remembered("digest") or "{}")
        if kept.get("day") == today.isoformat():
            return 0
        states = self.store.sources.states()
        fetched = sum(state.fetched for state in states)
        since = datetime.fromisoformat(kept["until"]) if kept else _beginning(states, now)
        span = Span(since, now, today, max(0, fetched - kept.get("fetched", 0)))
        gaps = [*self._gaps(), *_still_blind(states, now)]
        raised = sum(
            self._raise(addressee, schools, span, states, gaps)
            for addressee, schools in self._readers().values()
        )
        totals = {"day": today.isoformat(), "until": now.isoformat(), "fetched": fetched}
        self.store.remember("digest", json.dumps(totals))
        self.store.remember("gaps", "[]")
        return raised

    def was_missed(self) -> bool:
        """Whether today's time for the digest went by, with something read before it."""
        config, now = self.audience.config, self.clock.now()
        local = now.astimezone(config.zone)
        due = datetime.combine(local.date(), config.alerts.digest_at, config.zone)
        looked = (state.first_success_at for state in self.store.sources.states())
        return local >= due and any(at is not None and at < due for at in looked)

    def remember_gap(self, before: SourceState, *, until: datetime) -> None:
        """Keep for the next digest that a source could not be read; `before` is how it stood."""
        gap: Gap = {
            "source": before.name,
            "since": (before.failing_since or until).isoformat(),
            "until": until.isoformat(),
            "why": before.last_error,
        }
        self.store.remember("gaps", json.dumps([*self._gaps(), gap][-MOST_GAPS:]))

    def _gaps(self) -> list[Gap]:
        gaps: list[Gap] = json.loads(self.store.remembered("gaps") or "[]")
        return gaps

    def _raise(
        self,
        addressee: Addressee,
        schools: frozenset[str],
        span: Span,
        states: tuple[SourceState, ...],
        gaps: list[Gap],
    ) -> bool:
        """One reader's digest, where there is something in it or it is Monday."""
        lines = sorted(self.store.reading.digest_lines(addressee.person), key=_order)
        if not lines and not gaps and span.today.weekday() != MONDAY:
            return False
        matched, hidden = self._counted(schools, span)
        facts = {
            "since": span.since.isoformat(),
            "until": span.until.isoformat(),
            "posts_read": max(0, span.read - hidden),
            "matched": matched,
            "sources_read": sum(1 for state in states if state.last_success_at),
            "alerts_sent": self.store.outbox.told_apart(addressee.person, span.since, span.until),
            "blind": gaps,
            "waiting": max(0, len(lines) - MOST_LINES),
        }
        hearing = Hearing(
            AlertKind.DIGEST,
            addressee.person,
            Role.HEADTEACHER,
            Urgency.DIGEST,
            span.until,
            about_headteacher=False,
        )
        raised = self.store.judging.raise_alert(
            key=f"digest:{addressee.person}:{span.today.isoformat()}",
            kind=AlertKind.DIGEST,
            text=json.dumps(facts, ensure_ascii=False),
            addressees=[(addressee, hearing)],
            at=span.until,
            digest_for=addressee.person,
            listing={each.stored.id for each in lines[:MOST_LINES]},
        )
        return raised is not None

    def _counted(self, schools: frozenset[str], span: Span) -> tuple[int, int]:
        """Posts about these schools that a headteacher may count, and those that they may not."""
        shown, hidden = 0, 0
        for post in self.store.reading.counted_posts(span.since, span.until):
            accused = [target for target in post.accused if self.audience.about_headteacher(target)]
            if accused:
                hidden += 1
            elif any(self.audience.school_of(target) in schools for target in post.targets):
                shown += 1
        return shown, hidden

    def _readers(self) -> dict[str, tuple[Addressee, frozenset[str]]]:
        """Each headteacher with the schools that are theirs."""
        found: dict[str, tuple[Addressee, frozenset[str]]] = {}
        for school in self.audience.config.schools:
            addressee = self.audience.addressee(Role.HEADTEACHER, school.id)
            if addressee is not None:
                _same, schools = found.get(addressee.person, (addressee, frozenset()))
                found[addressee.person] = addressee, schools | {school.id}
        return found


@dataclass(frozen=True, slots=True)
class Span:
    """The time of one digest, the school's day of it, and how many posts were read in it."""

    since: datetime
    until: datetime
    today: date
    read: int


def _order(heard: Heard) -> tuple[bool, int]:
    """What is doubtful or flagged is listed before what is plainly neutral, then the oldest."""
    grade = heard.grade.grade
    possible = heard.stored.mention.certainty is Certainty.POSSIBLE
    return not (possible or grade.unsure or grade.flags), heard.stored.id


def _still_blind(states: tuple[SourceState, ...], now: datetime) -> Iterable[Gap]:
    for state in states:
        if state.failures:
            since = (state.failing_since or now).isoformat()
            yield {"source": state.name, "since": since, "until": None, "why": state.last_error}


def _beginning(states: tuple[SourceState, ...], now: datetime) -> datetime:
    """Just before the first turn that brought something: what the first digest reaches back to."""
    looked = [state.first_success_at for state in states if state.first_success_at is not None]
    return min([*looked, now - timedelta(days=1)]) - timedelta(seconds=1)
