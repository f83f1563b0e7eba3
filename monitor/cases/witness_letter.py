"""The weekly letter to somebody outside who keeps a checkpoint: short, and about nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from monitor.cases import envelope
from monitor.cases.events import Event, NewKey, Restored
from monitor.cases.letter import Block, Fact, Facts, Letter, Paragraph, Step, Steps, Verbatim
from monitor.cases.views import MailWords, WitnessView
from monitor.cases.wording import count, when

_LEAD = (
    "Thank you for keeping watch with us. Please keep this mail; there is nothing else to do. It"
    " holds one line that fixes the school's log of evidence as it stands today: if anybody changed"
    " the log later, your copy would show it."
)
_LEAD_AFTER = (
    "Something was done to the school's log of evidence that you should know of, since you keep"
    " watch over it. Please read this mail and keep it. It also holds one line that fixes the log"
    " as it stands today."
)
_NOBODY = (
    "It says nothing about anybody: not who was mentioned, not what was written, not by whom. It"
    " counts entries, and most of them say only that a source was looked at."
)
MOST_EVENTS: Final = 3
"""The newest are told; a mail that tells of more is read by nobody."""


def witness_letter(view: WitnessView, words: MailWords) -> Letter:
    """The letter with this week's checkpoint; it names no member of staff and no mention."""
    subject = envelope.subject(what=_what(view.events), drill=False, again=False)
    return Letter(
        subject=subject,
        banner=subject,
        lead=_LEAD_AFTER if view.events else _LEAD,
        warnings=envelope.warnings(words),
        blocks=(
            *_events(view, words),
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


def _what(events: tuple[Event, ...]) -> str:
    if any(isinstance(each, Restored) for each in events):
        return "Please read and keep: the log was restored from a backup"
    if events:
        return "Please read and keep: the log has a new key"
    return "Please keep: this week's checkpoint"


def _events(view: WitnessView, words: MailWords) -> Iterator[Block]:
    for each in view.events[-MOST_EVENTS:]:
        if isinstance(each, Restored):
            yield Paragraph(_restored(each, words), "The log was restored from a backup", note=True)
        else:
            yield Paragraph(_new_key(each, words), "The log has a new key", note=True)
            yield Verbatim("The key before, which checks your older mails", each.old)
    earlier = len(view.events) - MOST_EVENTS
    if earlier > 0:
        more = count(earlier, "more time", "more times")
        yield Paragraph(f"Before that the log was restored or got a new key {more}.")


def _restored(event: Restored, words: MailWords) -> str:
    made = f" made on {when(event.made_at, words.zone)}" if event.made_at else ""
    lost = None if event.lost_until is None else event.lost_until - event.size
    first = (
        f"On {when(event.at, words.zone)} the school put the log back from a backup{made}. Its"
        f" first {count(event.size, 'entry', 'entries')} are as they were."
    )
    older = (
        f"An older mail of yours that counts more than {count(event.size, 'entry', 'entries')} does"
        " not fit the log any more, and this is why. Keep it all the same. If nobody told you why"
        " the log was put back, ask."
    )
    if lost == 0:
        return f"{first} As far as is known, nothing was lost."
    if lost is None:
        return (
            f"{first} Nobody knows how many came after them and are lost: there was nothing to"
            f" compare the backup with. {older}"
        )
    numbers = f"numbers {event.size} to {event.size + lost - 1}"
    which = f"number {event.size}" if lost == 1 else numbers
    return f"{first} After them {count(lost, 'was', 'were')} lost ({which}). {older}"


def _new_key(event: NewKey, words: MailWords) -> str:
    return (
        f"On {when(event.at, words.zone)} the school changed the key that signs the log. Until"
        f" then it was {_short(event.old)}, from entry {event.entry} on it is {_short(event.new)}."
        " The old key signed in the log that the new one follows it. If nobody told you why, ask."
    )


def _short(verifier: str) -> str:
    """A key by its name and the eight digits of its fingerprint."""
    name, _plus, rest = verifier.partition("+")
    return f"{name}+{rest.partition('+')[0]}"
