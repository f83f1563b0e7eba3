"""One field of one post as the rules for people see it: names, titles, ties and verdicts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from monitor.matching import sayings
from monitor.matching.context import Ties
from monitor.matching.edges import Edge, disguised_edges, plain_edges, widened_edges
from monitor.matching.found import Found, Places
from monitor.matching.index import Index
from monitor.matching.kinds import BEGINS, LONGEST, NAME, OWNER
from monitor.matching.names import PREFIXES
from monitor.matching.text import Reading
from monitor.matching.words import TITLES, common_surnames, is_ordinary, known_forenames

# An emoji may stand between title and name.
_AFTER_TITLE = re.compile(r"^[ \t\n.\-_*]{0,4}(?:[\u2600-\u27bf\U0001f300-\U0001faff]{1,6} ?)?$")
_DOUBTFUL = 0.5
_KIN_TITLES = frozenset({"brother", "sister", "auntie", "father"})
_MINE_OR_SMALL = frozenset(
    [
        "my",
        "his",
        "her",
        "their",
        "your",
        "our",
        "a",
        "the",
        "little",
        "wee",
        "big",
        "baby",
        "older",
    ]
) | {"younger", "twin", "lil"}


class Hit(NamedTuple):
    """One reading of one stretch of tokens as one person; accounts have characters instead."""

    person: int
    first: int
    last: int
    rule: str
    confidence: float
    how: str = ""
    start: int = -1
    end: int = -1


class Refusal(NamedTuple):
    """Why a stretch that could be a person is not; `unless_threat` where a threat overrules it."""

    person: int
    first: int
    last: int
    why: str
    unless_threat: bool = False


class Scene:
    """The field, what is known about it, and what the rules have said so far.

    `forenames` and `surnames` map (first, last) tokens to the readings that are such names;
    `used` holds the tokens that a rule has already explained, so that a weaker one keeps off;
    `doubts` where names end that may be only the beginning of a longer one.
    """

    def __init__(self, reading: Reading, index: Index, refs: Found, ties: Ties) -> None:
        self.reading = reading
        self.tokens = reading.tokens
        self.index = index
        self.refs = refs.refs
        self.ties = ties
        self.hits: list[Hit] = []
        self.refusals: list[Refusal] = []
        self.used: set[int] = set()
        self.doubts: set[int] = set()
        self.answers: dict[tuple[tuple[int, int], Edge, bool, int], str] = {}
        self.locals = {school: index.local(school) for school in sorted(ties.schools())}
        self._halves = {word for local in self.locals.values() for word in local.halves}
        self.places = Places(refs, self.tokens)
        self.edges = list(self._plain_edges())
        disguised = list(disguised_edges(reading, self._is_name_or_piece, self._masked))
        self.edges.extend(disguised)
        self.edges.extend(widened_edges(self.tokens, disguised, index.has_surname, self._is_piece))
        self.titles = self._titles()
        self.forenames: dict[tuple[int, int], list[Edge]] = defaultdict(list)
        self.surnames: dict[tuple[int, int], list[Edge]] = defaultdict(list)
        self.forenames_from: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.forenames_to: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self.surnames_from: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._sort_edges()

    # --- what stands where -------------------------------------------------------------------

    def _plain_edges(self) -> Iterable[Edge]:
        index = self.index
        if self._halves:
            return plain_edges(self.tokens, self._kinds, self._is_of_roster, lambda _: True)
        return plain_edges(
            self.tokens,
            index.kinds.__getitem__,
            index.names.__contains__,
            index.first_pieces.__contains__,
        )

    def _sort_edges(self) -> None:
        for edge in self.edges:
            span = edge.first, edge.last
            if self._is_forename(edge):
                if span not in self.forenames:
                    self.forenames_from[edge.first].append(span)
                    self.forenames_to[edge.last].append(span)
                self.forenames[span].append(edge)
            if self._is_surname(edge):
                if span not in self.surnames:
                    self.surnames_from[edge.first].append(span)
                self.surnames[span].append(edge)

    def _is_name(self, word: str) -> bool:
        return (
            word in self.index.forenames
            or word in known_forenames()
            or word in self.index.surnames
            or word in self._halves
        )

    def _kinds(self, word: str) -> int:
        """Return the bits NAME, OWNER and BEGINS of a word; a half may be anybody's beginning."""
        kinds = self.index.kinds[word]
        if len(word) <= LONGEST:
            kinds |= BEGINS | (NAME if word in self._halves else 0)
            kinds |= OWNER if word[-1] == "s" and word[:-1] in self._halves else 0
        return kinds

    def _is_of_roster(self, word: str) -> bool:
        """Whether several words make a name that somebody on the roster bears."""
        return word in self.index.names or word in self._halves

    def _is_name_or_piece(self, word: str) -> bool:
        """Whether a word is a name, or a piece of one that may be joined with its neighbour."""
        return self._is_name(word) or word in self.index.pieces

    def _is_piece(self, word: str) -> bool:
        return word in self.index.pieces or word in PREFIXES

    def _masked(self, pattern: str) -> list[str]:
        shape = re.compile(re.escape(pattern).replace(r"\*", "[a-z]"))
        words = {
            word
            for local in self.locals.values()
            for word in (*local.surnames, *local.halves, *local.forms)
            if len(word) == len(pattern)
        }
        words = {word for word in words if shape.fullmatch(word)}
        words.update(self.index.surnames_of_shape(pattern), self.index.forms_of_shape(pattern))
        return sorted(words)

    def _is_forename(self, edge: Edge) -> bool:
        if edge.how == "joined":
            # "theres as" is no Theresa: only a whole forename may be written in pieces.
            length = sum(len(token.word) for token in self.tokens[edge.first : edge.last])
            return length == len(edge.word) and edge.word in self.index.forenames
        return edge.word in self.index.forenames or edge.word in known_forenames()

    def _is_surname(self, edge: Edge) -> bool:
        word = edge.word
        if not (self.index.has_surname(word) or word in self._halves):
            return False
        if edge.how == "possessive" and (
            is_ordinary(word + "s") or word + "s" in common_surnames() or is_ordinary(word)
        ):
            return bool(self.title_of(edge.first)) or self._owns(edge)
        return edge.how != "joined" or self._joins(edge)

    def _owns(self, edge: Edge) -> bool:
        """Whether an "s" without apostrophe makes an owner of a word: "slash swifts tyres"."""
        after = self.tokens[edge.last : edge.last + 1]
        return bool(after) and after[0].gap == " " and sayings.may_be_owned(after[0].word)

    def _joins(self, edge: Edge) -> bool:
        """Whether the breaks inside a joined word are breaks of the name."""
        pieces = [self.tokens[at].word for at in range(edge.first, edge.last)]
        if all(piece in PREFIXES for piece in pieces[:-1]):
            return True
        lengths, length = set(), 0
        for piece in pieces[:-1]:
            length += len(piece)
            lengths.add(length)
        person = self.index.one_of(edge.word)
        if person is None:
            return edge.word in self._halves
        cuts, length = set(), 0
        for part in self.index.name(person).parts:
            length += len(part)
            cuts.add(length)
        return lengths <= cuts

    def _titles(self) -> dict[int, tuple[int, str]]:
        """Return (first token, title) by the number of the token after each title."""
        found: dict[int, tuple[int, str]] = {}
        for at, token in enumerate(self.tokens):
            if token.word in TITLES and not token.hidden and not token.owner:
                mine = at and self.tokens[at - 1].word in _MINE_OR_SMALL
                if not (token.word in _KIN_TITLES and mine):
                    found[at + 1] = at, token.word
        for edge in self.edges:
            if edge.how not in {"", "joined", "possessive"} and edge.word in TITLES:
                found[edge.last] = edge.first, edge.word
        return found

    def title_of(self, at: int) -> str:
        """Return the title directly before the token at `at`; empty where there is none."""
        if at not in self.titles or at >= len(self.tokens):
            return ""
        return self.titles[at][1] if _AFTER_TITLE.match(self.tokens[at].gap) else ""

    # --- questions and verdicts ----------------------------------------------------------------

    def is_tied(self, person: int) -> bool:
        return bool(self.locals) and self.index.school_of(person) in self.locals

    def is_glued(self, first: int, last: int) -> bool:
        """Whether names stood in one word without a hashtag: taken for a name only where tied."""
        return any(self.tokens[at].glued for at in range(first, last))

    def leads_a_surname(self, span: tuple[int, int]) -> bool:
        """Whether somebody's surname from the roster follows this span directly."""
        last = span[1]
        return (
            last < len(self.tokens)
            and self.tokens[last].gap == " "
            and not self.tokens[last - 1].owner
            and last in self.surnames_from
        )

    def is_free(self, first: int, last: int) -> bool:
        return self.used.isdisjoint(range(first, last))

    def take(self, first: int, last: int) -> None:
        self.used.update(range(first, last))

    def is_cut(self, longer: str, last: int) -> bool:
        """Whether a name that ends at `last` is only the beginning of a longer one.

        Where nobody can tell ("maybe") it is kept, as possible.
        """
        if longer == "maybe":
            self.doubts.add(last)
        return longer == "yes"

    def doubt(self, span: tuple[int, int], reason: object) -> None:
        """Keep what ends where the span does as possible, if there is a reason to."""
        if reason:
            self.doubts.add(span[1])

    def hit(
        self, person: int, span: tuple[int, int], rule: str, confidence: float, how: str = ""
    ) -> None:
        confidence = min(confidence, _DOUBTFUL) if span[1] in self.doubts else confidence
        self.hits.append(Hit(person, span[0], span[1], rule, confidence, how))

    def refuse(
        self, person: int, span: tuple[int, int], why: str, *, unless_threat: bool = False
    ) -> None:
        self.refusals.append(Refusal(person, span[0], span[1], why, unless_threat))
