"""Turns a view into the subject, text and HTML of one message: pure, values in, words out.

Three promises are kept whatever the caller fills in: a subject holds fixed words, counts and a case
reference only, so never a name; a message about an allegation says one sentence; and words of a
post flagged `allegation`, `private-information` or `sexual` are quoted by no setting.
"""

from __future__ import annotations

from monitor.cases import envelope
from monitor.cases.concern_letter import concern_letter
from monitor.cases.letter import Letter, as_html, as_text
from monitor.cases.list_letter import digest_letter, first_look_letter
from monitor.cases.service_letter import operator_letter, test_letter
from monitor.cases.views import (
    AlertView,
    DigestView,
    MailWords,
    OperatorView,
    Rendered,
    View,
    WitnessView,
)
from monitor.cases.witness_letter import witness_letter
from monitor.cases.wording import ALLEGATION, NEEDS_YOU
from monitor.model import AlertKind


def compose_alert(view: View, words: MailWords) -> Rendered:
    """Put one view into words.

    Raises:
        ValueError: when a CONCERN, POSSIBLE or FIRST_LOOK has no mention, or an `AlertView` is of
            a kind that has a view of its own (DIGEST, OPERATOR, WITNESS).
    """
    match view:
        case DigestView():
            letter = digest_letter(view, words)
        case OperatorView():
            letter = operator_letter(view, words)
        case WitnessView():
            letter = witness_letter(view, words)
        case AlertView():
            letter = _alert(view, words)
    return Rendered(subject=letter.subject, text=as_text(letter), html=as_html(letter))


def _alert(view: AlertView, words: MailWords) -> Letter:
    match view.kind:
        case AlertKind.ALLEGATION:
            return _allegation(view)
        case AlertKind.CONCERN | AlertKind.POSSIBLE:
            return concern_letter(view, words)
        case AlertKind.FIRST_LOOK:
            return first_look_letter(view, words)
        case AlertKind.TEST:
            return test_letter(view, words)
        case AlertKind.DIGEST | AlertKind.OPERATOR | AlertKind.WITNESS:
            raise ValueError(f"a message of kind {view.kind} is composed from its own view")


def _allegation(view: AlertView) -> Letter:
    """One sentence: no reference, no grade, no notice, nothing that a glance could gather."""
    subject = envelope.subject(
        what=NEEDS_YOU[view.urgency], drill=view.drill, again=view.times_told > 0
    )
    return Letter(subject=subject, lead=ALLEGATION)
