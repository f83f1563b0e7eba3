"""One mention as one row of a list, and the gravest first."""

from __future__ import annotations

from monitor.cases.concern import concern_of, is_possible, name_of
from monitor.cases.inert import inert, place
from monitor.cases.letter import Entries, Entry
from monitor.cases.views import MailWords, MentionView
from monitor.cases.wording import HEADINGS, UNSURE_HEADINGS, Concern, when

ROWS_SHOWN = 40


def mention_list(heading: str, mentions: tuple[MentionView, ...], words: MailWords) -> Entries:
    """At most 40 mentions, the gravest first, each with what it is, whom it names, and where."""
    shown = _by_gravity(mentions)[:ROWS_SHOWN]
    return Entries(heading, tuple(entry_of(each, words, _label(each)) for each in shown))


def entry_of(mention: MentionView, words: MailWords, label: str) -> Entry:
    """One row; it quotes nothing."""
    post = mention.post
    where = place(post.url)
    claimed = when(post.published or post.first_seen, words.zone)
    said = "published" if post.published else "first seen"
    unsure = " (not sure)" if is_possible((mention,)) else ""
    who = name_of(mention)
    return Entry(
        label=label,
        title=f"about {who}{unsure}",
        lines=(f"{inert(post.source, limit=120)}, {said} {claimed}", *_reference(post.reference)),
        address=where.shown,
        href=where.href,
    )


def _reference(reference: str) -> tuple[str, ...]:
    return (f"reference {inert(reference, limit=60)}",) if reference else ()


def _label(mention: MentionView) -> str:
    main = concern_of(mention)
    return UNSURE_HEADINGS.get(main, HEADINGS[main]) if mention.unsure else HEADINGS[main]


def _by_gravity(mentions: tuple[MentionView, ...]) -> list[MentionView]:
    order = list(Concern)
    return sorted(mentions, key=lambda each: (order.index(concern_of(each)), each.unsure))
