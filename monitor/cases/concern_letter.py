"""The letter about one post: what happened, what to do, where it stands, why this grade."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.cases import envelope
from monitor.cases.concern import (
    concerns_of,
    deciding_words,
    gravest,
    is_possible,
    name_of,
    post_key,
    quote_for,
    whom,
)
from monitor.cases.entries import mention_list
from monitor.cases.inert import inert, place, unlinked
from monitor.cases.letter import Block, Fact, Facts, Letter, Paragraph, Quotation, Step, Steps
from monitor.cases.steps import red_lines, steps_for
from monitor.cases.views import AlertView, MailWords, MentionView, PostView, Quote
from monitor.cases.wording import (
    CERTAINTIES,
    FLAGS,
    HEADINGS,
    SEVERITIES,
    SHORT,
    TONES,
    UNSURE_HEADINGS,
    URGENCIES,
    Concern,
    lead_of,
    sureness,
    when,
)
from monitor.model import AlertKind, DateSource, Severity

_TEXT_LIMIT = 2000
_TITLE_LIMIT = 300
_TARGETS_SHOWN = 20


def concern_letter(view: AlertView, words: MailWords) -> Letter:
    """The letter for a post that somebody must look at, or that may be about one of the staff.

    Raises:
        ValueError: when the view has no mention.
    """
    worst = gravest(view.mentions)
    asked = sorted(frozenset().union(*map(concerns_of, view.mentions)), key=list(Concern).index)
    main = asked[0]
    possible = view.kind is AlertKind.POSSIBLE or is_possible(view.mentions)
    heading = UNSURE_HEADINGS.get(main, HEADINGS[main]) if worst.unsure else HEADINGS[main]
    subject = envelope.subject(
        what=f"{heading}, perhaps about your staff" if possible else heading,
        then=URGENCIES[view.urgency],
        reference=view.reference,
        drill=view.drill,
        again=view.times_told > 0,
    )
    return Letter(
        subject=subject,
        banner=subject,
        lead=_lead(main, worst, view, possible=possible),
        tone=TONES[main],
        warnings=envelope.warnings(words, drill=view.drill),
        blocks=tuple(_blocks(view, words, asked)),
        closing=(
            *envelope.closing(words, view.recipient, about_posts=True),
            *filter(None, (envelope.how_to_answer(view, words),)),
        ),
    )


def _lead(main: Concern, worst: MentionView, view: AlertView, *, possible: bool) -> str:
    to_reader = any(each.target_is_reader for each in view.mentions)
    lead = lead_of(main, whom(view.mentions), unsure=worst.unsure, to_reader=to_reader)
    if view.drill:
        lead = f"This is only a drill. {lead}"
    if possible:
        return f"We are not sure that this is about {_names(view.mentions)}. {lead}"
    return lead


def _names(mentions: tuple[MentionView, ...]) -> str:
    names = list(dict.fromkeys(name_of(each) for each in mentions))
    if len(names) > _TARGETS_SHOWN:
        names = [*names[:_TARGETS_SHOWN], f"{len(names) - _TARGETS_SHOWN} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _blocks(view: AlertView, words: MailWords, asked: list[Concern]) -> Iterator[Block]:
    post = gravest(view.mentions).post
    here = tuple(each for each in view.mentions if post_key(each.post) == post_key(post))
    elsewhere = tuple(each for each in view.mentions if post_key(each.post) != post_key(post))
    quote = quote_for(view.mentions, words.quote)
    to_reader = any(each.target_is_reader for each in view.mentions)
    if view.times_told:
        times = {1: "once", 2: "twice"}.get(view.times_told, f"{view.times_told:,} times")
        yield Paragraph(f"The school was told {times} before; nobody has answered.", note=True)
    yield Facts("The post", tuple(_glance(here, post, quote)))
    if quote is Quote.FULL:
        yield from _said(post)
    yield steps_for(asked[0], words.contacts, view.recipient.role, to_reader=to_reader)
    also = [SHORT[each] for each in asked[1:] if each is not Concern.NEUTRAL]
    if also:
        yield Paragraph(f"At the same time: {'; '.join(also)}. Weigh this too.", note=True)
    if elsewhere:
        yield mention_list("Other posts in this alert", elsewhere, words)
    yield red_lines(words.contacts)
    yield from _why(here, quote)
    yield _record(post, words)
    told = ", ".join(filter(None, (inert(each, limit=120) for each in view.told_also)))
    if told:
        yield Paragraph(f"{told[0].upper()}{told[1:]}.", heading="Who else was told")
    if words.help_lines:
        yield _help(words)


def _glance(mentions: tuple[MentionView, ...], post: PostView, quote: Quote) -> Iterator[Fact]:
    """What a reader wants to know before anything else, in a few rows."""
    for mention in mentions[:_TARGETS_SHOWN]:
        who = name_of(mention)
        yield Fact("It names", f"{who[0].upper()}{who[1:]} ({CERTAINTIES[mention.certainty]})")
    if len(mentions) > _TARGETS_SHOWN:
        yield Fact("And", f"{len(mentions) - _TARGETS_SHOWN} more")
    deciding = dict.fromkeys(deciding_words(each, quote) for each in mentions)
    shown = unlinked("; ".join(filter(None, deciding)))
    if quote is Quote.MASKED and shown:
        yield Fact("Deciding words", f"{shown} (shown as initials and dots)")
    elif quote is not Quote.FULL:
        yield Fact("What it says", "not shown in this mail: read it where it stands")
    where = place(post.url)
    yield Fact("Address", where.shown or "the source gave none", where.href)
    yield Fact("Written by", unlinked(inert(post.author, limit=80)) or "the source does not say")


def _said(post: PostView) -> Iterator[Block]:
    title = unlinked(inert(post.title, limit=_TITLE_LIMIT))
    text = unlinked(inert(post.text, limit=_TEXT_LIMIT, lines=True))
    said = f"{title}\n{text}" if title else text
    yield Quotation("What it says", said or "(no words)")
    if post.thread:
        answered = unlinked(inert(post.thread, limit=_TITLE_LIMIT))
        yield Quotation("What it answers", answered)


def _why(mentions: tuple[MentionView, ...], quote: Quote) -> Iterator[Block]:
    for mention in mentions[:_TARGETS_SHOWN]:
        facts = [Fact("Suggested grade", _grade(mention))]
        marks = [FLAGS[flag] for flag in sorted(mention.flags) if flag in FLAGS]
        if marks:
            facts.append(Fact("Also", "; ".join(marks)))
        deciding = deciding_words(mention, quote)
        if deciding and (len(mentions) > 1 or quote is Quote.FULL):
            facts.append(Fact("Deciding words", unlinked(deciding)))
        rule = inert(mention.rule, limit=60).replace("-", " ").replace("_", " ")
        if rule:
            facts.append(Fact("Found by", rule))
        about = f", towards {name_of(mention)}" if len(mentions) > 1 else ""
        yield Facts(f"Why it was graded so{about}", tuple(facts))


def _record(post: PostView, words: MailWords) -> Facts:
    """Where and when, as procedure section 6 asks: claimed, seen and kept are different times."""
    zone = words.zone
    claimed = "no time given"
    if post.published is not None:
        claimed = when(post.published, zone)
        if post.dated_by is DateSource.UPDATED:
            claimed += " (its time of last change; it gives no other)"
    kept = when(post.captured_at, zone)
    if post.clock_synchronised is not None:
        state = "synchronised" if post.clock_synchronised else "NOT synchronised"
        kept += f" (this computer's clock was {state})"
    source, platform = inert(post.source, limit=120), inert(post.platform, limit=60)
    facts = [
        Fact("Source", f"{source} ({platform})"),
        Fact("The source says", claimed),
        Fact("First seen by us", when(post.first_seen, zone)),
        Fact("Kept as evidence", kept),
    ]
    if post.edited:
        facts.append(Fact("Edited", "yes: an earlier version is kept too"))
    if post.reference:
        facts.append(Fact("Reference", inert(post.reference, limit=60)))
    return Facts("Where and when", tuple(facts))


def _grade(mention: MentionView) -> str:
    suggested = SEVERITIES[mention.severity]
    if mention.scores is None or mention.severity is Severity.UNGRADED:
        return f"{suggested}, but the program is unsure" if mention.unsure else suggested
    probability = {
        Severity.THREATENING: mention.scores.threatening,
        Severity.ABUSIVE: mention.scores.abusive,
        Severity.NEUTRAL: mention.scores.neutral,
    }[mention.severity]
    if mention.unsure:
        return f"{suggested}, as the graver reading: the program is not sure how to take it"
    return f"{suggested}: the program is {sureness(probability)}"


def _help(words: MailWords) -> Steps:
    return Steps(
        "Help for you and the person named",
        numbered=False,
        steps=tuple(
            Step(
                f"{inert(line.name, limit=120)}:",
                f"{inert(line.purpose, limit=200)}. {inert(line.reach, limit=200)}",
            )
            for line in words.help_lines[:8]
        ),
    )
