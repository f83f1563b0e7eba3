"""The weekly letter to somebody outside who keeps a checkpoint: short, and about nobody."""

from __future__ import annotations

from monitor.cases import envelope
from monitor.cases.letter import Fact, Facts, Letter, Paragraph, Step, Steps, Verbatim
from monitor.cases.views import MailWords, WitnessView
from monitor.cases.wording import when

_LEAD = (
    "Thank you for keeping watch with us. Please keep this mail; there is nothing else to do. It"
    " holds one line that fixes the school's log of evidence as it stands today: if anybody changed"
    " the log later, your copy would show it."
)
_NOBODY = (
    "It says nothing about anybody: not who was mentioned, not what was written, not by whom. It"
    " counts entries, and most of them say only that a source was looked at."
)


def witness_letter(view: WitnessView, words: MailWords) -> Letter:
    """The letter with this week's checkpoint; it names no member of staff and no mention."""
    subject = envelope.subject(what="Please keep: this week's checkpoint", drill=False, again=False)
    return Letter(
        subject=subject,
        banner=subject,
        lead=_LEAD,
        warnings=envelope.warnings(words),
        blocks=(
            Paragraph(_NOBODY),
            Verbatim("The checkpoint, as it is", view.note),
            Facts(
                "What it is",
                (
                    Fact("Entries in the log", str(view.size)),
                    Fact("Taken", when(view.at, words.zone)),
                ),
            ),
            Verbatim("The key that checks it", view.verifier),
            Steps(
                "If there is ever a doubt",
                (
                    Step(
                        "Ask the school to compare an old mail of yours with the log:",
                        "staff-mentions witness verify FILE, with the mail's text in FILE.",
                    ),
                    Step(
                        "Watch it being done,", "or take the answer to somebody who can check it."
                    ),
                ),
            ),
        ),
        closing=(
            f"{words.school} sends this once a week to the people who keep its checkpoints.",
            "If you would rather not, tell the school: somebody else will be asked.",
        ),
    )
