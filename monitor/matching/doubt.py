"""Which words, refused as ordinary ones, a threat could still mean: those not plainly the thing."""

from __future__ import annotations

from monitor.matching import sayings
from monitor.matching.text import Token
from monitor.matching.words import of_kind, word_list

_WANTED_BY = word_list("doubt.wanted_by")
_OBJECTS = word_list("doubt.objects")
_AROUND = frozenset([" ", "-"])
_TOLD = frozenset(["sure", "fair", "glad", "sorry", "free", "true", "sad", "happy"])
_NUMBERS = frozenset(["one", "two", "three", "four", "five", "six", "seven", "ten"])


def could_be_somebody(tokens: list[Token], first: int, last: int, word: str) -> bool:
    """Whether a word that does not stand as a name could, for all that its neighbours say.

    `word` is what the tokens [first, last) are read as. False behind an article or an adjective
    ("the church", "hard frost"), before what it only describes ("wood glue", "young people"), as a
    verb ("i hope it", "will they"), and where something is said that is only said of the thing.
    """
    if tokens[first].tag or (of_kind(word, "function") and not _is_subject(tokens, last)):
        return False
    before, after = _before(tokens, first), _after(tokens, last)
    owner = tokens[last - 1].owner
    if sayings.leads_a_thing(before) and not (owner and before == "its"):  # "its Wood's funeral"
        return False
    if _describes(before):
        return False
    if of_kind(word, "verb") and (before in _WANTED_BY or after in _OBJECTS):
        return False
    if after and not owner and _is_described(word, after):
        return False
    opens = not before or sayings.begins_after(tokens, first)
    return sayings.is_person(tokens, first, last, word, starts=opens) is not False


def _is_subject(tokens: list[Token], last: int) -> bool:
    return tokens[last - 1].owner or _after(tokens, last) in {"is", "was", "gets", "has", "isnt"}


def _describes(before: str) -> bool:
    """Whether a word before makes a thing of a word: an adjective, a number, a noun."""
    if before.isdigit() or before in _NUMBERS:
        return True
    return (
        of_kind(before, "adjective")
        and before not in _TOLD
        and not (of_kind(before, "function", "verb", "adverb", "chat"))
    )


def _is_described(word: str, after: str) -> bool:
    """Whether a word only says what kind of thing the next one is: "wood glue", "sharp knife"."""
    if of_kind(after, "function", "adverb", "chat") or sayings.tells_when(after):
        return False
    things = ("count", "mass", "school", "place")
    if of_kind(word, "adjective") and not of_kind(word, "count", "mass"):
        return of_kind(after, *things) or of_kind(after.removesuffix("s"), *things)
    return of_kind(after, *things) and not of_kind(after, "verb")


def _before(tokens: list[Token], first: int) -> str:
    near = first > 0 and tokens[first].gap in _AROUND
    return tokens[first - 1].word if near else ""


def _after(tokens: list[Token], last: int) -> str:
    near = last < len(tokens) and tokens[last].gap in _AROUND
    return tokens[last].word if near else ""
