"""The letters that are about the service itself: a test, and what the administrator must hear."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.cases import envelope
from monitor.cases.inert import inert, unlinked
from monitor.cases.letter import Fact, Facts, Letter, Paragraph, Step, Steps, Tone
from monitor.cases.views import AlertView, MailWords, OperatorEvent, OperatorView
from monitor.cases.wording import when

_DETAIL_LIMIT = 400
_CHECK = Step("On the server, type:", "staff-mentions check")


@dataclass(frozen=True, slots=True)
class _Wording:
    """The words for one event; `{it}` in the lead is the name of the source or channel."""

    subject: str
    lead: str
    steps: tuple[Step, ...]
    tone: Tone = Tone.SERIOUS


_WORDINGS = {
    OperatorEvent.SOURCE_BROKEN: _Wording(
        "A source cannot be read",
        "The source {it} cannot be read. Posts there are not seen until it is repaired; this is "
        'not the same as "nothing was said".',
        (
            _CHECK,
            Step("Open the source's address in a browser.", "Has it moved, or closed?"),
            Step("Correct or remove it in the config;", "then reload the service."),
        ),
    ),
    OperatorEvent.SOURCE_STOPPED: _Wording(
        "A source was stopped",
        "The source {it} refuses us and was stopped. It is not asked again until somebody acts.",
        (
            Step("See whether its key or password has run out,", "or its terms have changed."),
            Step("Correct the config;", "then reload the service."),
            _CHECK,
        ),
    ),
    OperatorEvent.SOURCE_RECOVERED: _Wording(
        "A source can be read again",
        "The source {it} can be read again. What it still offers of the time between is read now.",
        (Step("Nothing needs doing.", "If it offers only its newest posts, some may be missing."),),
        Tone.CALM,
    ),
    OperatorEvent.CHANNEL_BROKEN: _Wording(
        "Alerts cannot be sent",
        "The channel {it} cannot send. Alerts are kept and tried again, but by this way they reach "
        "nobody now.",
        (
            _CHECK,
            Step("Look for open alerts:", "staff-mentions alert list"),
            Step("Tell the headteacher", "by telephone while this lasts."),
        ),
        Tone.GRAVE,
    ),
    OperatorEvent.CHANNEL_RECOVERED: _Wording(
        "Alerts can be sent again",
        "The channel {it} works again. Alerts that waited are being sent.",
        (Step("See that none is left:", "staff-mentions alert list"),),
        Tone.CALM,
    ),
    OperatorEvent.DELIVERY_FAILED: _Wording(
        "An alert could not be delivered",
        "The mail server refuses an alert for one recipient. The next person is told instead.",
        (
            Step("Look it up:", "staff-mentions alert list"),
            Step("Correct that person's address in the config;", "then reload the service."),
        ),
    ),
    OperatorEvent.ALERT_UNANSWERED: _Wording(
        "Nobody has answered an alert",
        "Everybody who should hear of an alert was told, and nobody answered. Please ring them.",
        (
            Step("Look it up:", "staff-mentions alert list"),
            Step("Ring the headteacher,", "or whoever stands in."),
            Step("Record the answer:", "staff-mentions alert ack CODE"),
        ),
        Tone.GRAVE,
    ),
    OperatorEvent.SELF_TEST_FAILED: _Wording(
        "The grader gives other answers than it should",
        "The grader fails its self-test. The service runs on and marks every grade as unsure, so "
        "more posts than usual are alerted.",
        (_CHECK, Step("Install the program again:", "its model file may be damaged.")),
    ),
    OperatorEvent.GRADER_MISSING: _Wording(
        "Posts cannot be graded",
        "The grader cannot be used. The service runs on; every mention is alerted without a grade.",
        (_CHECK, Step("Install the program again:", "its model file is missing or damaged.")),
        Tone.GRAVE,
    ),
    OperatorEvent.CLOCK_UNSYNCHRONISED: _Wording(
        "The clock is not synchronised",
        "This computer's clock is not synchronised. Evidence kept now says so, and is worth less.",
        (
            Step("See why:", "timedatectl status"),
            Step("Start a time service,", "such as chrony or systemd-timesyncd."),
        ),
    ),
    OperatorEvent.CLOCK_WENT_BACK: _Wording(
        "The clock went backwards",
        "This computer's clock was set back. The log of evidence keeps its order and records it.",
        (Step("See why:", "timedatectl status"),),
    ),
    OperatorEvent.ENDED_UNASKED: _Wording(
        "The service ended by itself and runs again",
        "The service ended without being stopped, and was started again. While it was away nobody "
        "looked; what the sources still offer of that time is read now.",
        (
            Step("See why:", "journalctl -u staff-mentions"),
            Step("Was it a power cut or a restart of the machine?", "Then nothing needs doing."),
            Step("Was it killed for memory, or by the watchdog?", "Then it will happen again."),
            _CHECK,
        ),
    ),
    OperatorEvent.DISK_LOW: _Wording(
        "The disk is nearly full",
        "The disk is nearly full. When it is, nothing can be kept as evidence, and reading stops.",
        (Step("Make room on the disk", "that holds the data folder."), _CHECK),
    ),
    OperatorEvent.EVIDENCE_BROKEN: _Wording(
        "The evidence does not verify",
        "The log of evidence does not verify. Do not repair, move or restore anything yet.",
        (
            Step("See what is named first:", "staff-mentions evidence verify"),
            Step("Copy the data folder as it is,", "before anything else is done."),
            Step("Tell the headteacher", "and the data-protection officer."),
        ),
        Tone.GRAVE,
    ),
}


def operator_letter(view: OperatorView, words: MailWords) -> Letter:
    """The letter about one event of the service; it holds no words of any post."""
    wording = _WORDINGS[view.event]
    it = inert(view.subject_of, limit=80)
    facts = [Fact("Noticed", when(view.at, words.zone))]
    if view.since is not None:
        facts.append(Fact("Since", when(view.since, words.zone)))
    if it:
        facts.insert(0, Fact("Name", it))
    if view.detail:
        facts.append(Fact("It says", unlinked(inert(view.detail, limit=_DETAIL_LIMIT))))
    subject = envelope.subject(what=f"staff-mentions: {wording.subject}", drill=False, again=False)
    return Letter(
        subject=subject,
        banner=subject,
        lead=wording.lead.format(it=f"“{it}”").replace(" “”", ""),
        tone=wording.tone,
        warnings=envelope.warnings(words),
        blocks=(Steps("What to do", wording.steps), Facts("What we know", tuple(facts))),
        closing=envelope.closing(words, view.recipient, about_posts=False),
    )


def test_letter(view: AlertView, words: MailWords) -> Letter:
    """The letter that shows that the way to a person works."""
    subject = envelope.subject(what="Test of the alert mail", drill=view.drill, again=False)
    return Letter(
        subject=subject,
        banner=subject,
        lead="This is a test. You can read it, so alerts reach you. Nothing has happened.",
        warnings=envelope.warnings(words),
        blocks=(
            Paragraph(
                "You need do nothing. Please see that this mail did not land among the junk, and "
                "that your telephone would have told you of it in the evening."
            ),
            Facts("This test", (Fact("Sent", when(view.sent_at, words.zone)),)),
        ),
        closing=envelope.closing(words, view.recipient, about_posts=False),
    )
