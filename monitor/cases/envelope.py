"""What every message has around its content: subject, warnings on top, closing lines."""

from __future__ import annotations

import re

from monitor.cases.inert import inert, place
from monitor.cases.views import AlertView, MailWords, Recipient
from monitor.cases.wording import ROLES, SELF_EXPLANATION

_REFERENCE = re.compile(r"[A-Z]{1,6}-[0-9]{4}-[0-9]{1,9}(?:/[0-9]{1,6})?")
_CODE = re.compile(r"[A-Za-z0-9-]{1,40}")


def subject(*, what: str, then: str = "", reference: str = "", drill: bool, again: bool) -> str:
    """A subject from fixed words and a case reference.

    What does not look like a reference is left out: it might be somebody's name.
    """
    start = ("DRILL: " if drill else "") + ("Not answered yet: " if again else "")
    end = f" ({reference})" if _REFERENCE.fullmatch(reference) else ""
    return f"{start}{what}{': ' if then else ''}{then}{end}"


def warnings(words: MailWords, *, drill: bool = False) -> tuple[str, ...]:
    """What stands above everything else: a drill, and that the school is not lawful yet."""
    lines = []
    if drill:
        lines.append(
            "THIS IS A DRILL. The post below is invented. Do what you would do inside the school; "
            "ring nobody outside it: not 999, not the police, not a council."
        )
    if words.not_yet_lawful:
        missing = "; ".join(inert(each, limit=120) for each in words.not_yet_lawful)
        lines.append(f"Not yet lawful to rely on: {missing}.")
    return tuple(lines)


def closing(words: MailWords, recipient: Recipient, *, about_posts: bool) -> tuple[str, ...]:
    """Why this person gets the message, in what zone its times are, and what it does not do."""
    school = inert(words.school, limit=120)
    lines = [f"You get this as {ROLES[recipient.role]} of {school}."]
    lines.append(f"Times are those of {words.zone.key}.")
    if about_posts:
        lines.append(SELF_EXPLANATION)
    return tuple(lines)


def how_to_answer(view: AlertView, words: MailWords) -> str:
    """One quiet line, or none: where or how to say that somebody has this in hand."""
    pages = place(words.public_url).href if words.public_url else ""
    if pages:
        return f"To say that you have this in hand, log in at {pages}"
    if _CODE.fullmatch(view.ack_code):
        return (
            "To record that you have this in hand, whoever runs the server can type: "
            f"staff-mentions alert ack {view.ack_code}"
        )
    return ""
