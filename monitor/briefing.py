"""Fills in what one message may know: stored rows and the config in, a `Message` out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from loguru import logger

from monitor.cases.compose import compose_alert
from monitor.cases.events import event_of
from monitor.cases.views import (
    AlertView,
    Blind,
    Contact,
    Contacts,
    DigestReason,
    DigestRow,
    DigestView,
    HelpLine,
    MailWords,
    MentionView,
    OperatorEvent,
    OperatorView,
    PostView,
    Quote,
    Recipient,
    Rendered,
    View,
    WitnessView,
)
from monitor.cases.wording import ALLEGATION, NEEDS_YOU
from monitor.clock import Clock
from monitor.config import helplines
from monitor.config.people import ContactConfig
from monitor.config.school_days import Nation
from monitor.model import (
    AlertKind,
    Certainty,
    Flag,
    Message,
    PostField,
    Role,
    TargetKind,
    Urgency,
)
from monitor.people.audience import Audience
from monitor.storage.records import Heard, StoredAlert, StoredDelivery
from monitor.storage.store import Store


@dataclass(frozen=True, slots=True)
class Briefing:
    """Composes the message of a delivery."""

    store: Store
    audience: Audience
    clock: Clock

    def message(self, delivery: StoredDelivery) -> Message:
        """The message of a delivery: the kept one where it was sent before, else a new one."""
        if delivery.message is not None:
            return delivery.message
        alert = self.store.outbox.alert(delivery.alert_id)
        now = self.clock.now()
        try:
            rendered = compose_alert(self._view(alert, delivery, now), self._words(now))
        except Exception as error:  # noqa: BLE001 - a fault in wording must not silence an alert
            logger.bind(delivery=delivery.id, error=type(error).__name__).exception(
                "alert.unworded"
            )
            rendered = _plain(alert, delivery)
        return Message(
            message_id=delivery.message_id,
            recipient=delivery.recipient,
            recipient_name=delivery.recipient_name,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            urgent=delivery.urgency is Urgency.NOW,
            created_at=now,
        )

    # --- the three kinds of view ----------------------------------------------------------------

    def _view(self, alert: StoredAlert, delivery: StoredDelivery, now: datetime) -> View:
        recipient = Recipient(delivery.recipient_name, delivery.role)
        match alert.kind:
            case AlertKind.OPERATOR:
                return _operator(alert, recipient)
            case AlertKind.WITNESS:
                facts = json.loads(alert.text)
                return WitnessView(
                    recipient,
                    alert.raised_at,
                    facts["size"],
                    facts["note"],
                    facts["verifier"],
                    tuple(map(event_of, facts.get("events", ()))),
                )
            case AlertKind.DIGEST:
                return self._digest(alert, delivery, recipient)
            case _:
                return self._alert(alert, delivery, recipient, now)

    def _alert(
        self, alert: StoredAlert, delivery: StoredDelivery, recipient: Recipient, now: datetime
    ) -> AlertView:
        heard = self.store.reading.heard(alert.id, delivery.person)
        others = self.store.outbox.deliveries(alert.id)
        told = {each.recipient_name: None for each in others if each.person != delivery.person}
        return AlertView(
            kind=alert.kind,
            urgency=delivery.urgency,
            recipient=recipient,
            sent_at=now,
            reference=alert.reference,
            mentions=tuple(self._mention(each, delivery.person) for each in heard),
            told_also=tuple(told),
            times_told=delivery.step,
            ack_code=str(alert.id) if alert.kind is not AlertKind.TEST else "",
        )

    def _digest(
        self, alert: StoredAlert, delivery: StoredDelivery, recipient: Recipient
    ) -> DigestView:
        facts = json.loads(alert.text)
        lines = self.store.reading.digest_lines(delivery.person, listed_in=alert.id)
        return DigestView(
            recipient=recipient,
            since=datetime.fromisoformat(facts["since"]),
            until=datetime.fromisoformat(facts["until"]),
            posts_read=facts["posts_read"],
            matched=facts["matched"],
            sources_read=facts["sources_read"],
            alerts_sent=facts["alerts_sent"],
            rows=tuple(
                DigestRow(_why(each), self._mention(each, delivery.person)) for each in lines
            ),
            waiting=facts.get("waiting", 0),
            blind=tuple(
                Blind(
                    gap["source"],
                    datetime.fromisoformat(gap["since"]),
                    gap["why"],
                    datetime.fromisoformat(gap["until"]) if gap["until"] else None,
                )
                for gap in facts["blind"]
            ),
        )

    def _mention(self, heard: Heard, person: str) -> MentionView:
        stored, grade = heard.stored, heard.grade.grade
        target = stored.mention.target
        # Reasons are offsets into the text; what decided a title is shown by no quote.
        return MentionView(
            post=_post(heard),
            target_name=self.audience.name_of(target),
            severity=grade.severity,
            certainty=stored.mention.certainty,
            target_is_reader=target.kind is TargetKind.PERSON
            and self.audience.staff_id(person) == target.id,
            target_is_school=target.kind is TargetKind.SCHOOL,
            unsure=grade.unsure,
            flags=_shown_flags(heard),
            scores=grade.scores,
            reasons=grade.reasons,
            rule=_rule(heard),
        )

    # --- what the school settled ----------------------------------------------------------------

    def _words(self, now: datetime) -> MailWords:
        config = self.audience.config
        today = now.astimezone(config.zone).date()
        return MailWords(
            school=", ".join(school.name for school in config.schools),
            quote=Quote(config.mail.quote.value),
            timezone=config.timezone,
            public_url=config.web.public_url,
            contacts=_contacts(self.audience),
            help_lines=_help_lines(config.nation),
            not_yet_lawful=config.not_yet_lawful(today),
        )


def _plain(alert: StoredAlert, delivery: StoredDelivery) -> Rendered:
    """What is sent where the proper words cannot be made: that something is there, and no more."""
    if alert.kind is AlertKind.ALLEGATION:
        return Rendered(NEEDS_YOU[delivery.urgency], ALLEGATION, f"<p>{ALLEGATION}</p>")
    text = (
        f"Staff mentions has an alert for you (number {alert.id}), but could not write it in full."
        f" Ask the person who runs the server to type: staff-mentions alert show {alert.id}"
    )
    subject = f"{NEEDS_YOU[delivery.urgency]} (alert {alert.id})"
    return Rendered(subject, text, f"<p>{text}</p>")


def _operator(alert: StoredAlert, recipient: Recipient) -> OperatorView:
    facts = json.loads(alert.text)
    since = facts.get("since")
    return OperatorView(
        event=OperatorEvent(facts["event"]),
        recipient=recipient,
        at=alert.raised_at,
        subject_of=facts.get("subject_of", ""),
        detail=facts.get("detail", ""),
        since=datetime.fromisoformat(since) if since else None,
    )


def operator_text(
    event: OperatorEvent, *, subject_of: str = "", detail: str = "", since: datetime | None = None
) -> str:
    """What an operator alert keeps until it is put into words."""
    facts: dict[str, Any] = {"event": event.value, "subject_of": subject_of, "detail": detail}
    if since is not None:
        facts["since"] = since.isoformat()
    return json.dumps(facts, ensure_ascii=False)


def _why(heard: Heard) -> DigestReason:
    if heard.stored.mention.certainty is Certainty.POSSIBLE:
        return DigestReason.POSSIBLE
    if heard.stored.kept.edited:
        return DigestReason.EDITED
    if Flag.MILD in heard.grade.grade.flags:
        return DigestReason.MILD
    return DigestReason.NEUTRAL


def _shown_flags(heard: Heard) -> frozenset[Flag]:
    """What a message is worded by: a faint flag only where it is the reason for the message."""
    grade = heard.grade.grade
    firm = grade.flags - grade.faint
    if heard.role is Role.SAFEGUARDING_LEAD:
        return firm | (grade.flags & {Flag.DISTRESS})
    return firm


def _rule(heard: Heard) -> str:
    matches = heard.stored.mention.matches
    shown = next((m for m in matches if m.field is not PostField.THREAD), None)
    return shown.rule if shown else (matches[0].rule if matches else "")


def _post(heard: Heard) -> PostView:
    kept = heard.stored.kept
    post = kept.post
    return PostView(
        reference=str(heard.stored.id),
        platform=post.ref.platform,
        source=kept.source,
        text=post.text,
        first_seen=kept.first_seen_at,
        captured_at=kept.captured_at,
        title=post.title,
        thread=post.thread,
        author=post.author.handle or post.author.name,
        url=post.url,
        published=post.published,
        dated_by=post.dated_by,
        clock_synchronised=kept.clock_synchronised,
        edited=kept.edited,
    )


def _help_lines(nation: Nation) -> tuple[HelpLine, ...]:
    """The national lines that somebody confirmed; an unconfirmed number stands in no alert."""
    found = []
    for line in helplines.help_lines():
        if line.is_confirmed and nation in line.nations:
            ways = [*line.telephone, *filter(None, (line.email, line.url, line.hours))]
            found.append(HelpLine(line.name, line.purpose, ", ".join(ways), line.checked_on))
    return tuple(found)


def _contacts(audience: Audience) -> Contacts:
    given = audience.config.contacts
    return Contacts(
        safeguarding_lead=_contact(given.safeguarding_lead),
        lado=_contact(given.lado),
        police_force=_contact(given.police_force),
        chair=_contact(given.chair),
        hr=_contact(given.hr),
        employee_assistance=_contact(given.employee_assistance),
        union=_contact(given.unions[0]) if given.unions else None,
    )


def _contact(given: ContactConfig | None) -> Contact | None:
    if given is None:
        return None
    checked: date | None = given.checked_on
    return Contact(
        name=given.name,
        phone=given.telephone or "",
        email=given.email or "",
        url=given.url or "",
        checked_on=checked,
    )
