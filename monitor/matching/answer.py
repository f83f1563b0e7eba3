"""What the matcher answers: mentions, refusals, and the words that a threat makes names again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

from monitor.model import Certainty, Match, Mention, Post, PostField, Target

RULE_IN_THREAT = "word-in-threat"
_CONFIDENCE = 0.4
_MOST_QUESTIONS = 8


@dataclass(frozen=True, slots=True)
class Refused:
    """A stretch of a field that could have been somebody, and why it is not.

    `unless_threat` where only the word speaks against it, in a place where a bare name counts: the
    person is meant all the same if the post threatens them. `context` names the ties to the school.
    """

    target: Target
    field: PostField
    start: int
    end: int
    text: str
    why: str
    unless_threat: bool = False
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a post is about, what ties it to which school, and the candidates that were refused."""

    mentions: tuple[Mention, ...]
    refused: tuple[Refused, ...]
    ties: tuple[tuple[str, tuple[str, ...]], ...]


Threatens = Callable[[Post, tuple[Refused, ...]], bool]
"""Whether a post threatens somebody, if these words of it, all one person's name, mean them."""


def overruled(post: Post, found: Explanation, threatens: Threatens) -> Explanation:
    """Return the answer with those people kept as possible whom the post threatens by a mere word.

    `threatens` is asked once for each such word, and of the first eight words of a post only.
    """
    answers: dict[tuple[tuple[PostField, int, int], ...], bool] = {}
    kept: list[Mention] = []
    for target, words in _doubtful(found).items():
        places = tuple((word.field, word.start, word.end) for word in words)
        if places not in answers:
            if len(answers) == _MOST_QUESTIONS:
                break
            answers[places] = threatens(post, tuple(words))
        if answers[places]:
            matches = tuple(map(_match, words))
            kept.append(Mention(post, target, Certainty.POSSIBLE, matches))
    if not kept:
        return found
    people = {mention.target for mention in kept}
    return replace(
        found,
        mentions=tuple(sorted((*found.mentions, *kept), key=lambda mention: mention.target.kind)),
        refused=tuple(
            each for each in found.refused if not (each.unless_threat and each.target in people)
        ),
    )


def _doubtful(found: Explanation) -> dict[Target, list[Refused]]:
    """Return the doubtful words of everybody whom nothing else in the post means."""
    mentioned = {mention.target for mention in found.mentions}
    words: dict[Target, list[Refused]] = defaultdict(list)
    for each in found.refused:
        if each.unless_threat and each.target not in mentioned:
            words[each.target].append(each)
    return words


def _match(word: Refused) -> Match:
    return Match(
        word.target, word.field, RULE_IN_THREAT, word.start, word.end, word.text, _CONFIDENCE,
        word.context,
    )  # fmt: skip
