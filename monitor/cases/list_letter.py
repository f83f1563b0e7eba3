"""The letters that list several posts: the digest, and the first look at a new source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from monitor.cases import envelope
from monitor.cases.concern import concern_of, gravest, post_key
from monitor.cases.entries import ROWS_SHOWN, entry_of, mention_list
from monitor.cases.inert import inert
from monitor.cases.letter import Block, Entries, Entry, Fact, Facts, Letter, Paragraph
from monitor.cases.steps import red_lines, steps_for
from monitor.cases.views import (
    AlertView,
    Blind,
    DigestReason,
    DigestRow,
    DigestView,
    MailWords,
    MentionView,
)
from monitor.cases.wording import (
    FIRST,
    SHORT,
    TONES,
    UNSURE_SHORT,
    URGENCIES,
    count,
    day,
    when,
)
from monitor.model import Flag

_BLIND_SHOWN = 20


def first_look_letter(view: AlertView, words: MailWords) -> Letter:
    """One letter about everything that a new source already held when it was first read.

    Mentions flagged `allegation` are left out: their notice is a message of its own.

    Raises:
        ValueError: when nothing is left to show.
    """
    shown = _clear(view.mentions)
    worst = gravest(shown)
    main = concern_of(worst)
    short = UNSURE_SHORT.get(main, SHORT[main]) if worst.unsure else SHORT[main]
    posts = count(len({post_key(each.post) for each in shown}), "older post")
    subject = envelope.subject(
        what="First look at a new source",
        then=f"{posts}, one {short}, {URGENCIES[view.urgency]}",
        reference=view.reference,
        drill=view.drill,
        again=view.times_told > 0,
    )
    source = inert(worst.post.source, limit=120)
    blocks: tuple[Block, ...] = (
        steps_for(main, words.contacts, view.recipient.role, to_reader=worst.target_is_reader),
        mention_list("What was found, the gravest first", shown, words),
        *_more(len(shown) - ROWS_SHOWN),
        red_lines(words.contacts),
    )
    return Letter(
        subject=subject,
        banner=subject,
        lead=f"We now read “{source}”. {posts[0].upper()}{posts[1:]} there "
        f"{'names' if posts.startswith('1 ') else 'name'} your staff or school; "
        f"the gravest {short}. {FIRST[main]}",
        tone=TONES[main],
        warnings=envelope.warnings(words, drill=view.drill),
        blocks=blocks,
        closing=(
            *envelope.closing(words, view.recipient, about_posts=True),
            *filter(None, (envelope.how_to_answer(view, words),)),
        ),
    )


def digest_letter(view: DigestView, words: MailWords) -> Letter:
    """What happened since the last digest, what could not be looked at, and what was left alone."""
    rows = tuple(row for row in view.rows if Flag.ALLEGATION not in row.mention.flags)
    mentions = count(len(rows), "mention")
    blind = f", {count(len(view.blind), 'gap')} in what we could read" if view.blind else ""
    subject = envelope.subject(
        what=f"Digest of {day(view.until, words.zone)}: {mentions}{blind}", drill=False, again=False
    )
    return Letter(
        subject=subject,
        banner=subject,
        lead=_digest_lead(view, mentions, nothing=not rows),
        warnings=envelope.warnings(words),
        blocks=tuple(_digest_blocks(view, rows, words)),
        closing=envelope.closing(words, view.recipient, about_posts=True),
    )


def _digest_lead(view: DigestView, mentions: str, *, nothing: bool) -> str:
    found = f"{mentions} since the last digest; none needs you now."
    if nothing:
        found = "Nothing to list since the last digest."
    if not view.blind:
        return found
    return f"{found} But some sources could not be read for a time, so something may be missing."


_REASONS = {
    DigestReason.POSSIBLE: "Perhaps about your staff",
    DigestReason.MILD: "Childish insult",
    DigestReason.EDITED: "Edited, and no graver than before",
    DigestReason.NEUTRAL: "Neutral",
}


def _digest_blocks(
    view: DigestView, rows: tuple[DigestRow, ...], words: MailWords
) -> Iterator[Block]:
    if view.blind:
        yield Entries("What we could not look at", tuple(_blind(view.blind, words)))
    from_until = f"{when(view.since, words.zone)} to {when(view.until, words.zone)}"
    yield Paragraph(f"{from_until}.", heading="In numbers")
    yield Facts("", tuple(_numbers(view, rows)), short=True)
    order = list(_REASONS)
    ordered = sorted(rows, key=lambda row: order.index(row.why))
    if ordered:
        entries = tuple(entry_of(row.mention, words, _REASONS[row.why]) for row in ordered)
        yield Entries("What was said", entries)
    if view.waiting:
        yield Paragraph(f"And {view.waiting:,} more, which the next digest lists.")
    yield Paragraph(
        "Criticism of a school, however angry, is lawful and was left alone: it is counted here, "
        "and nothing is done about it. A complaint goes the way of the complaints procedure."
    )


def _numbers(view: DigestView, rows: tuple[DigestRow, ...]) -> Iterator[Fact]:
    yield Fact("Sources read", f"{view.sources_read:,}")
    yield Fact("Posts read", f"{view.posts_read:,}")
    yield Fact("Posts that named somebody", f"{view.matched:,}")
    yield Fact("Alerts sent apart", f"{view.alerts_sent:,}")
    counted = Counter(row.why for row in rows)
    for why, label in _REASONS.items():
        if counted[why]:
            yield Fact(label, f"{counted[why]:,}")


def _blind(gaps: tuple[Blind, ...], words: MailWords) -> Iterator[Entry]:
    for gap in gaps[:_BLIND_SHOWN]:
        until = when(gap.until, words.zone) if gap.until else "now: it still cannot be read"
        yield Entry(
            label="Not read",
            title=inert(gap.source, limit=120),
            lines=(
                f"from {when(gap.since, words.zone)} until {until}",
                inert(gap.why, limit=200),
            ),
        )


def _clear(mentions: tuple[MentionView, ...]) -> tuple[MentionView, ...]:
    return tuple(each for each in mentions if Flag.ALLEGATION not in each.flags)


def _more(left_out: int) -> Iterator[Paragraph]:
    if left_out > 0:
        yield Paragraph(f"And {left_out:,} more, kept in the log.")
