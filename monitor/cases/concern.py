"""Chooses what an alert about a post leads with, and how much of the post it may show."""

from __future__ import annotations

from monitor.cases.inert import inert, masked
from monitor.cases.views import MentionView, PostView, Quote
from monitor.cases.wording import Concern
from monitor.model import Certainty, Flag, Severity

_NEVER_QUOTED = {Flag.ALLEGATION, Flag.PRIVATE_INFORMATION, Flag.SEXUAL}
_REASONS_SHOWN = 5
_NAME_LIMIT = 120


def concern_of(mention: MentionView) -> Concern:
    """What this mention asks of its reader first: the most pressing of its grade and flags."""
    return min(concerns_of(mention), key=list(Concern).index)


def concerns_of(mention: MentionView) -> frozenset[Concern]:
    """Everything that this mention asks of its reader."""
    by_grade = {
        Severity.THREATENING: Concern.THREAT,
        Severity.ABUSIVE: Concern.ABUSE,
        Severity.UNGRADED: Concern.UNGRADED,
        Severity.NEUTRAL: Concern.NEUTRAL,
    }[mention.severity]
    by_flag = {
        Flag.DISTRESS: Concern.DISTRESS,
        Flag.WELFARE: Concern.WELFARE,
        Flag.SECOND_HAND: Concern.SECOND_HAND,
    }
    return frozenset({by_grade, *(by_flag[flag] for flag in mention.flags & by_flag.keys())})


def gravest(mentions: tuple[MentionView, ...]) -> MentionView:
    """The mention that decides how an alert reads; a sure one before an unsure one.

    Raises:
        ValueError: when there is none: an alert about a post has a mention.
    """
    order = list(Concern)
    return min(mentions, key=lambda each: (order.index(concern_of(each)), each.unsure))


def quote_for(mentions: tuple[MentionView, ...], setting: Quote) -> Quote:
    """How much may be shown: the setting, or nothing where one flag forbids it for the post."""
    if any(each.flags & _NEVER_QUOTED for each in mentions):
        return Quote.NONE
    return setting


def deciding_words(mention: MentionView, quote: Quote) -> str:
    """The five weightiest reasons in the order of the text: masked, whole, or none at all."""
    if quote is Quote.NONE:
        return ""
    weightiest = sorted(mention.reasons, key=lambda each: -each.weight)[:_REASONS_SHOWN]
    shown = []
    for reason in sorted(weightiest, key=lambda each: each.start):
        words = masked(reason.text) if quote is Quote.MASKED else inert(reason.text, limit=120)
        if words:
            shown.append(f"“{words}”")
    return ", ".join(shown)


def name_of(mention: MentionView) -> str:
    """The target as a reader knows them."""
    if mention.target_is_reader:
        return "you"
    return inert(mention.target_name, limit=_NAME_LIMIT) or "(no name)"


def whom(mentions: tuple[MentionView, ...]) -> str:
    """All targets without naming one: "a member of staff", "you and 2 members of staff"."""
    you = any(each.target_is_reader for each in mentions)
    school = any(each.target_is_school for each in mentions)
    others = sum(not (each.target_is_reader or each.target_is_school) for each in mentions)
    staff = "a member of staff" if others == 1 else f"{others} members of staff"
    if you and others:
        return "you and another member of staff" if others == 1 else f"you and {staff}"
    if you:
        return "you"
    if others:
        return staff
    return "the school" if school else "a member of staff"


def post_key(post: PostView) -> tuple[str, str, str, str]:
    """What makes two views one post to a reader, whatever reference each mention of it has."""
    return post.platform, post.url, post.title, post.text


def is_possible(mentions: tuple[MentionView, ...]) -> bool:
    """True when nobody is surely meant."""
    return all(each.certainty is Certainty.POSSIBLE for each in mentions)
