"""Signs that a bare forename is a child's, a relative's or an animal's, not a teacher's."""

from __future__ import annotations

from monitor.matching.text import Token
from monitor.matching.words import is_ordinary, known_forenames, word_list

KIN = word_list("strangers.kin")
_PARENTS = frozenset(["mum", "mam", "mom", "mums", "mummy", "dad", "tad", "dads", "parents"])


def of_a_family(tokens: list[Token], first: int, last: int) -> bool:
    """Whether a bare forename is plainly a child, a friend, a relative or an animal."""
    return (
        _led_by_kin(tokens, first) or _followed_by_kin(tokens, last) or _pupil(tokens, first, last)
    )


def _led_by_kin(tokens: list[Token], first: int) -> bool:
    """Whether kin stand before: "my daughter Hannah", "our Tomos", "a dog called Winter"."""
    for at in range(first - 1, max(-1, first - 5), -1):
        if tokens[at + 1].gap.strip(" ,(\"'-:") or tokens[at].sentence != tokens[first].sentence:
            break
        word = tokens[at].word
        if word in KIN or (at == first - 1 and word in {"my", "our"}):
            return True
        if word in {"little", "wee", "young", "tiny", "baby"}:
            return True
        if (
            word not in {"called", "named", "is", "little", "mate", "best", "old", "year", "s"}
            and not word.isdigit()
            and not _is_joined(tokens, at)
        ):
            break
    return False


def _followed_by_kin(tokens: list[Token], last: int) -> bool:
    """Whether kin stand behind: "Thomas's mum", "Martin the goldfish", "Hannah, my daughter"."""
    if last >= len(tokens):
        return False
    after = [token.word for token in tokens[last : last + 4]]
    if tokens[last - 1].owner and after[0] in _PARENTS:
        return True
    if after[0] == "the" and after[1:2] and after[1] in KIN:
        return True
    if tokens[last].gap in {" (", ", ", " - ", " "} and after[0] in {"my", "our"}:
        return not KIN.isdisjoint(after[1:])
    return tokens[last].gap in {" (", ", ", " - "} and after[0] in KIN


def _is_joined(tokens: list[Token], at: int) -> bool:
    """Whether a word belongs to a list of children ("my twins Beth and Niamh")."""
    word = tokens[at].word
    return word in {"and", "&"} or (word in known_forenames() and not is_ordinary(word))


def _pupil(tokens: list[Token], first: int, last: int) -> bool:
    """Whether a class or year stands to the name: "Daniel in 7C", "Hannah from year 9"."""
    if last >= len(tokens) or tokens[last].sentence != tokens[first].sentence:
        return False
    at = last
    if tokens[at].gap == " (" and tokens[at].word in {"year", "yr", "class", "form"}:
        return True
    if tokens[at].word in {"in", "from", "of"} and at + 1 < len(tokens):
        word = tokens[at + 1].word
        if word in {"year", "yr", "my", "class", "form"} or (
            word[0].isdigit() and word[-1].isalpha()
        ):
            return tokens[at + 1].word != "my" or (
                at + 2 < len(tokens)
                and tokens[at + 2].word in {"class", "form", "year", "set", "tutor"}
            )
    word = tokens[at].word
    return (
        tokens[at].gap in {" (", " ", ", "}
        and word[0].isdigit()
        and word[-1].isalpha()
        and len(word) <= 3  # noqa: PLR2004
    )
