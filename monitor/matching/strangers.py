"""Signs in a sentence that a name is somebody else's: another school, town, trade or family."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from monitor.matching.found import Places
from monitor.matching.text import Token
from monitor.matching.words import (
    TITLES,
    common_surnames,
    english,
    is_english,
    is_misspelt,
    is_ordinary,
    known_forenames,
    of_kind,
    word_list,
)

TRADES = word_list("strangers.trades")
_TRADE_PLACES = word_list("strangers.trade_places")
_OURS = word_list("strangers.ours")
_GENERIC = word_list("strangers.generic")
_KINDS = word_list("strangers.kinds")
_FORMER = frozenset(["old", "previous", "last", "former", "primary", "other", "next"])
_ANY_ONE = frozenset(["a", "an", "another", "their", "some"])
_OTHERS_KIN = frozenset(["cousin", "niece", "nephew", "friend", "mate", "sister", "brother"])
_SPORTS = frozenset(["scored", "scores", "played", "plays", "signed", "signs", "netted", "headed"])
_POSITIONS = word_list("strangers.positions")
_SIDES = frozenset(["left", "right", "full", "half", "scrum", "fly", "centre", "in", "outside"])
_PLACES_ON_FIELD = frozenset(["back", "half", "wing", "goal", "forward", "midfield"])
_CLUBS = word_list("strangers.clubs")
_AUDIENCE = word_list("strangers.audience")
_GROUNDS = word_list("strangers.grounds")
_HEADS = frozenset(["head", "heads", "lead", "leader", "deputy", "principal", "chair"])
_COMES = frozenset(["came", "comes", "come", "coming", "moved", "moves", "moving", "transferred"])
_FAR = 25
_LONGEST_NAME = 25
_BESIDE = 6
_TOWNS = word_list("strangers.towns")
_ENDS_AS_WORD = re.compile(
    r".{2}(?:.{2}(?:ing|in|ly|ous|ful|able|ible|ion|ness|less|ment|ity|ises?|izes?)|e[ds]|ied)$"
)


def is_function(word: str) -> bool:
    return of_kind(word, "function")


def is_unknown(word: str) -> bool:
    """Whether a word is neither English nor a name that the program knows."""
    return not (
        is_ordinary(word)
        or word in known_forenames()
        or word in common_surnames()
        or word in TITLES
        or any(sign.isdigit() for sign in word)
        or len(word) < 3  # noqa: PLR2004
    )


def reads_as_name(word: str) -> bool:
    """Whether a word may be a surname: none that the program knows, nor nearly an English word."""
    if len(word) > _LONGEST_NAME or not is_unknown(word) or is_english(word):
        return False
    return word in english().names or not (_ENDS_AS_WORD.search(word) or is_misspelt(word))


def other_school(
    tokens: list[Token],
    first: int,
    last: int,
    places: Places,
    school: int,
    *,
    any_place: bool = False,
) -> bool:
    """Whether the words beside [first, last) put the name at a place that is not `school`.

    `places` tells, for each school of the roster, the tokens that name it or its places. With
    `any_place` even an unknown word after "at" is a place ("At Fenwick Park the head of drama").
    """
    ours = places.of(school)
    rivals = places.all - ours
    here = _Elsewhere(tokens, ours, rivals)
    if last + 1 < len(tokens) and tokens[last].word in {"at", "of", "from"} and last + 1 in ours:
        return False
    return here.before(first) or here.behind(last) or here.earlier(first, any_place=any_place)


class _Elsewhere:
    """Looks for other schools and towns around a name; `ours`, `rivals` number tokens."""

    def __init__(
        self, tokens: list[Token], ours: AbstractSet[int], rivals: AbstractSet[int]
    ) -> None:
        self.tokens = tokens
        self.ours = ours
        self.rivals = rivals

    def before(self, first: int) -> bool:
        """Whether another school owns the name: "tollgate's Miss Jones"."""
        at = first - 1
        if at < 0 or not self.tokens[at].owner or at in self.ours:
            return False
        word = self.tokens[at].word
        if at in self.rivals or reads_as_name(word):
            return True
        if at and self.tokens[at - 1].word in {"st", "saint"}:
            return True
        return word in _KINDS and at > 0 and self.tokens[at - 1].word not in _GENERIC

    def behind(self, last: int) -> bool:
        """Whether "at", "of" or "from" and another school or town follow in the same sentence."""
        sentence = self.tokens[last - 1].sentence
        for at in range(last, min(len(self.tokens), last + 7)):
            if self.tokens[at].sentence != sentence or at in self.ours:
                return False
            if self.tokens[at].word in {"at", "of", "from"} and self._place(
                at + 1,
                near=at - last < 3 and not self._is_part_of_phrase(at),  # noqa: PLR2004
            ):
                return not self._comes_to_us(at, sentence)
        return False

    def _is_part_of_phrase(self, at: int) -> bool:
        """Whether "of" belongs to the word before it: "stinks of polos", "sick of"."""
        before = self.tokens[at - 1].word
        return (
            self.tokens[at].word == "of"
            and before not in _HEADS
            and of_kind(before.removesuffix("s"), "verb", "adjective", "function", "adverb")
        )

    def _comes_to_us(self, at: int, sentence: int) -> bool:
        """Whether the sentence goes on to our school: "… before she came to ours"."""
        words = [token.word for token in self.tokens[at : at + _FAR] if token.sentence == sentence]
        return any(
            one in _COMES and two == "to" and three in {"ours", "us", "our"}
            for one, two, three in zip(words, words[1:], words[2:], strict=False)
        )

    def earlier(self, first: int, *, any_place: bool) -> bool:
        """Whether the sentence went to another school before ("goes to Fernlow, has a Mr Rose")."""
        sentence, begin = self.tokens[first].sentence, first
        while begin > max(0, first - _FAR) and self.tokens[begin - 1].sentence == sentence:
            begin -= 1
        if any(at in self.ours for at in range(begin, first)):
            return False
        any_one = first > 0 and self.tokens[first - 1].word in _ANY_ONE
        if any_one and begin + 1 < first and self._place(begin, near=False):
            return True
        if any_one and self._of_a_relative(begin, first):
            return True
        # "We moved from St Hilda's, where Mrs Winter was the head"
        where = first > 0 and self.tokens[first - 1].word == "where"
        leads = {"at", "to", "in", "of", *(["from"] if where else [])}
        return any(
            self.tokens[at].word in leads
            and self._place(at + 1, near=any_one or (any_place and self._leads_to(at + 1, first)))
            for at in range(begin, first - 1)
        )

    def _of_a_relative(self, begin: int, first: int) -> bool:
        """Whether a relative's school is spoken of: "my cousin's school has a Mr Marsh"."""
        return any(
            self.tokens[at].word in _KINDS
            and (self.tokens[at - 1].owner or self.tokens[at - 1].word[-1] == "s")
            and self.tokens[at - 1].word.removesuffix("s") in _OTHERS_KIN
            for at in range(begin + 1, first)
        )

    def _leads_to(self, at: int, first: int) -> bool:
        """Whether a proper name and "the" stand from `at` to `first`: "At Fenwick the head"."""
        return self.tokens[first - 1].word == "the" and all(
            token.word in _GROUNDS or reads_as_name(token.word)
            for token in self.tokens[at : first - 1]
        )

    def _place(self, at: int, *, near: bool) -> bool:
        """Whether the words from `at` on name a school, or (`near`) any place, that is not ours."""
        if at >= len(self.tokens) or not self.ours.isdisjoint(range(at, at + 4)):
            return False
        if at in self.rivals:
            return True
        word = self.tokens[at].word
        if word in {"st", "saint"}:
            return True
        if self._kind_follows(at):
            return True
        unknown = reads_as_name(word) and len(word) > 3 and not self.tokens[at].hidden  # noqa: PLR2004
        return near and (word in _TOWNS or unknown)

    def _kind_follows(self, at: int) -> bool:
        """Whether a phrase at `at` ends in a kind of school: "kelderby high", "my old school"."""
        word, sentence = self.tokens[at].word, self.tokens[at].sentence
        for ahead in range(at + 1, min(at + 5, len(self.tokens))):
            token = self.tokens[ahead]
            if token.sentence != sentence or "," in token.gap:
                return False
            if token.word in _KINDS:
                between = {self.tokens[step].word for step in range(at, ahead)}
                return word not in _GENERIC or not between.isdisjoint(_FORMER)
            if word not in _GENERIC and is_function(token.word):
                return False
        return False


def other_trade(tokens: list[Token], first: int, last: int, *, strict: bool) -> bool:
    """Whether the words beside the name give it a trade outside schools.

    With `strict` only words that belong to the name count ("Mrs Day the barber"); without it any
    such word within a few words of it, in the same sentence, does.
    """
    if _trade_before(tokens, first) or _trade_behind(tokens, last):
        return True
    if strict:
        return False
    if _plays(tokens, last):
        return True
    sentence = tokens[first].sentence
    return any(
        tokens[at].sentence == sentence
        and not first <= at < last
        and (tokens[at].word in TRADES or tokens[at].word in _TRADE_PLACES)
        for at in range(max(0, first - _BESIDE), min(len(tokens), last + _BESIDE))
    )


def _plays(tokens: list[Token], last: int) -> bool:
    """Whether a name plays for a club: "scored 24 points", "signs for the Rovers"."""
    if last + 1 >= len(tokens) or tokens[last].word not in _SPORTS:
        return False
    verb, ahead = tokens[last].word, tokens[last + 1 : last + 7]
    if verb.startswith("scored") and ahead[0].word.isdigit():
        return True
    words = [token.word for token in ahead]
    if "for" in words and (
        words[0] in _POSITIONS or (words[0] in _SIDES and words[1] in _POSITIONS | _PLACES_ON_FIELD)
    ):
        return True
    return any(
        one == "for"
        and (_is_club(three) or _is_team(verb, three) if two == "the" else _is_club(two))
        for one, two, three in zip(words, words[1:], [*words[2:], ""], strict=False)
    )


def _is_club(word: str) -> bool:
    """Whether one plays for this: a club by its nickname, a town, or a name that nobody knows."""
    return word in _CLUBS or word in _TOWNS or (len(word) > 3 and reads_as_name(word))  # noqa: PLR2004


def _is_team(verb: str, word: str) -> bool:
    """Whether "for the …" behind a verb of sport may be a team that nobody knows: "the Herons"."""
    return word.endswith("s") and not verb.startswith("sign") and word not in _AUDIENCE


def _trade_before(tokens: list[Token], first: int) -> bool:
    if first == 0 or tokens[first - 1].sentence != tokens[first].sentence:
        return False
    before = tokens[first - 1].word
    if before not in TRADES:
        return False
    gap = tokens[first].gap
    return gap in {" ", ", ", ": "} and before not in {
        "general",
        "private",
        "major",
        "director",
        "driver",
    }


def _trade_behind(tokens: list[Token], last: int) -> bool:  # noqa: PLR0911
    """Whether "the barber", "my dentist", "from the plumbers" or ", a builder" follows."""
    at, sentence = last, tokens[last - 1].sentence
    if at >= len(tokens) or tokens[at].sentence != sentence:
        return False
    if tokens[at].word in TRADES and tokens[at].gap in {" ", ", ", " ("}:
        return True
    if tokens[at].word in {"from", "at", "of"} or (
        tokens[at].word == "is" and at + 1 < len(tokens) and tokens[at + 1].word in _OURS
    ):
        at += 1
    if at >= len(tokens) or tokens[at].word not in _OURS:
        return False
    for ahead in range(at + 1, min(at + 4, len(tokens))):
        if tokens[ahead].sentence != sentence or "," in tokens[ahead].gap:
            return False
        if tokens[ahead].word in TRADES or tokens[ahead].word in {
            "company",
            "council",
            "garage",
            "surgery",
        }:
            return True
        if not is_ordinary(tokens[ahead].word):
            return False
    return False
