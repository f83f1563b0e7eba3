"""What ties a post to a school: its words, its accounts and its places."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from monitor.matching.index import Index, PhraseRef
from monitor.matching.phrases import handle_key, words_of
from monitor.matching.text import Reading, Token
from monitor.matching.words import is_ordinary, word_list
from monitor.model import PostField

_SOFT = re.compile(r"^(?: |-|'|\. ?)?$")
_ABBREVIATED = frozenset({"st", "dr", "mr", "mrs", "ms", "prof"})
_NOT_A_SCHOOL = word_list("context.not_a_school")
_KINDS_OF_SCHOOL = word_list("context.kinds_of_school")
_SOCIAL = re.compile(
    r"^(?:https?://)?(?:[a-z0-9-]+\.)*"
    r"(?:instagram|tiktok|twitter|x|facebook|fb|threads|youtube|bsky|linkedin|snapchat|twitch|"
    r"pinterest|reddit|tumblr|mastodon|linktr)\.[a-z.]{2,8}/"
    r"(?:(?:profile|in|add|user|u|c|channel)/)?@?(?P<handle>[\w.-]+)"
)
_AT_PATH = re.compile(r"/@(?P<handle>[\w.-]+)")
_MANY_SCHOOLS = 20


class Ref(NamedTuple):
    """A word of the roster found in a field: tokens [first, last), characters [start, end)."""

    ref: PhraseRef
    first: int
    last: int
    start: int
    end: int

    def tokens(self, tokens: list[Token]) -> range:
        """Return the numbers of the tokens that this word covers, also where it is an account."""
        if self.first >= 0:
            return range(self.first, self.last)
        first = bisect_right(tokens, self.start, key=lambda token: token.end)
        return range(first, bisect_left(tokens, self.end, key=lambda token: token.start))


@dataclass(slots=True)
class Ties:
    """Which schools a post is tied to and by what ("scope:school", "name:wexmoor", "place:…")."""

    named: dict[int, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    placed: dict[int, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    scoped: set[int] = field(default_factory=set)

    def schools(self) -> set[int]:
        return {*self.named, *self.placed}

    def words(self, school: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.named.get(school, ()), *self.placed.get(school, ()))))


def find_refs(reading: Reading, index: Index) -> list[Ref]:
    """Return every word of the roster in a field that stands for itself: phrases and accounts."""
    found = list(_phrases(reading.tokens, index))
    found.extend(_accounts(reading, index))
    return found


def _phrases(tokens: list[Token], index: Index) -> Iterable[Ref]:
    taken_to: dict[tuple[int, int], int] = {}
    begins = index.phrase_words
    for at, token in enumerate(tokens):
        word = token.word
        if word not in begins and not (word[-1] == "s" and word[:-1] in begins):
            continue
        if token.hidden or token.tag:
            continue
        entries = _entries(tokens, at, index)
        if len(entries) > 1:
            entries.sort(key=_longest_first)
        fitting: dict[tuple[str, ...], bool] = {}  # many schools may bear the same words
        for words, ref in entries:
            last = at + len(words)
            fit = fitting.get(words)
            if fit is None:
                fit = fitting[words] = fits(tokens, at, words)
            if not fit or taken_to.get((ref.school, ref.person), 0) > at:
                continue
            if (
                ref.person < 0
                and ref.kind != "place"
                and _is_elsewhere(tokens, at, last, ref, index)
            ):
                continue
            taken_to[ref.school, ref.person] = last
            yield Ref(ref, at, last, token.start, tokens[last - 1].end)


def _longest_first(entry: tuple[tuple[str, ...], PhraseRef]) -> int:
    return -len(entry[0])


_SHORTEST_PLURAL = 4


def _entries(tokens: list[Token], at: int, index: Index) -> list[tuple[tuple[str, ...], PhraseRef]]:
    """Return the phrases that may begin at a token: they are kept by their first two words."""
    word, known = tokens[at].word, index.phrases.get
    found = [*known(word, ())]
    if word[-1] == "s":
        found += known(word[:-1], ())
    if at + 1 < len(tokens):
        after = tokens[at + 1].word
        found += known(f"{word} {after}", ())
        if after[-1] == "s":
            found += known(f"{word} {after[:-1]}", ())
    return found


def fits(tokens: list[Token], at: int, words: tuple[str, ...]) -> bool:
    """Whether these words stand at a place, in one piece."""
    if at + len(words) > len(tokens):
        return False
    for step, word in enumerate(words):
        token = tokens[at + step]
        if token.word != word and not (
            step == len(words) - 1 and token.word == word + "s" and len(word) >= _SHORTEST_PLURAL
        ):
            return False
        if token.hidden or (step and not _SOFT.match(token.gap)):
            return False
        if step and "." in token.gap and tokens[at + step - 1].word not in _ABBREVIATED:
            return False
    return True


def _is_elsewhere(tokens: list[Token], at: int, last: int, ref: PhraseRef, index: Index) -> bool:
    """Whether a school's word is only the beginning of another place's name ("Wexmoor Road")."""
    if at > 0 and tokens[at].gap == "-" and not tokens[at - 1].word.isdigit():
        return tokens[at - 1].word not in {"ex", "non", "anti", "pro", "pre", "post"}
    if last >= len(tokens) or tokens[last].gap not in {" ", "-"}:
        return False
    if tokens[last - 1].owner:
        return False
    after = tokens[last].word
    if after in _NOT_A_SCHOOL:
        return True
    if after not in _KINDS_OF_SCHOOL:
        return False
    own = " ".join((index.schools[ref.school].name, *index.schools[ref.school].aliases)).lower()
    return after not in own


def _accounts(reading: Reading, index: Index) -> Iterable[Ref]:
    for span in reading.accounts:
        yield from _account(span.text.lstrip("@"), span.start, span.end, index)
    for span in reading.hashtags:
        for ref in index.hashtags.get(span.text[1:].replace("_", ""), ()):
            yield Ref(ref, -1, -1, span.start, span.end)
    for span in reading.emails:
        person = index.emails.get(span.text.strip("."))
        if person is not None and _is_visible(reading, span.start):
            ref = PhraseRef("email", index.school_of(person), person)
            yield Ref(ref, -1, -1, span.start, span.end)
    for span in reading.urls:
        found = _SOCIAL.match(span.text) or _AT_PATH.search(span.text)
        if found is not None:
            start = span.start + found.start("handle")
            yield from _account(found["handle"], start, start + len(found["handle"]), index)
    yield from _bare_accounts(reading, index)


def _bare_accounts(reading: Reading, index: Index) -> Iterable[Ref]:
    """Find the names of accounts that stand without "@", where no word looks like them."""
    for found in reading.chunks():
        key = found[0].rstrip(".")
        if key in index.handles and is_distinctive_handle(key):
            for ref in index.handles[key]:
                yield Ref(ref, -1, -1, found.start(), found.start() + len(key))


def _is_visible(reading: Reading, start: int) -> bool:
    return not any(mark.start <= start < mark.end for mark in reading.signatures)


def _account(name: str, start: int, end: int, index: Index) -> Iterable[Ref]:
    key = name.partition("@")[0].rstrip(".-/")
    for form in (key, key.removesuffix(".bsky.social")):
        refs = index.handles.get(form)
        if refs:
            for ref in refs:
                yield Ref(ref, -1, -1, start, min(end, start + len(key) + 1))
            return


def is_distinctive_handle(key: str) -> bool:
    """Whether an account's name means the account even without an "@"."""
    odd = any(not sign.isalpha() for sign in key)
    return len(key) >= 5 and (odd or (len(key) >= 8 and not is_ordinary(key)))  # noqa: PLR2004


def tie_up(
    fields: dict[str, list[Ref]],
    index: Index,
    *,
    scoped: Iterable[int] = (),
    place: str | None = None,
    author: str = "",
) -> tuple[Ties, set[int]]:
    """Return the ties of a post, and the schools named in its text or title.

    `fields` holds the references of "title", "text" and "thread". A word that many schools bear
    counts only for those whose place, hashtag or account stands beside it.
    """
    ties = Ties()
    places = _places(fields, index, place)
    ties.scoped.update(scoped)
    mentioned = _named(fields, index, ties, places)
    if len(places) <= _MANY_SCHOOLS:
        for number, how in places.items():
            ties.placed[number][f"{how}:{index.schools[number].id}"] = None
    for number in ties.scoped:
        ties.named[number]["scope:school"] = None
    accounts = index.handles.get(handle_key(author), ()) if author else ()
    own = {account.school for account in accounts if account.person < 0}
    for number in own:
        ties.named[number]["author:school"] = None
    return ties, mentioned - own


def _places(fields: dict[str, list[Ref]], index: Index, place: str | None) -> dict[int, str]:
    """Return the schools whose town, road or postcode the post or its source names."""
    places = {
        ref.ref.school: "place"
        for refs in fields.values()
        for ref in refs
        if ref.ref.kind == "place"
    }
    if place:
        for ref in _phrases(Reading(place).tokens, index):
            if ref.ref.kind == "place":
                places[ref.ref.school] = "place-of-source"
    return places


def _named(
    fields: dict[str, list[Ref]], index: Index, ties: Ties, places: dict[int, str]
) -> set[int]:
    """Fill in the schools that the words of each field name; return those of text and title."""
    mentioned: set[int] = set()
    anchors = _anchors(fields)
    if not (anchors or places or ties.scoped):
        return mentioned  # words that many schools bear, and nothing beside them
    sharers: dict[tuple[str, int], set[int]] = defaultdict(set)
    for name, refs in fields.items():
        for ref in refs:
            if ref.ref.person < 0 and ref.ref.kind != "place":
                sharers[name, ref.start].add(ref.ref.school)
    for name, refs in fields.items():
        for ref in refs:
            target = ref.ref
            if target.person >= 0 or target.kind == "place":
                continue
            doubtful = target.kind in {"name", "alias"} and (
                not target.alone or len(sharers[name, ref.start]) > 1
            )
            school = target.school
            own = target.kind == "name" and sharers[name, ref.start] & ties.scoped == {school}
            if doubtful and not (
                school in places
                or anchors[school] - {(name, ref.start)}
                or (own and _says_its_kind(index.schools[school].name))
            ):
                continue
            how = "thread" if name == PostField.THREAD else target.kind
            ties.named[school][f"{how}:{index.schools[school].id}"] = None
            if name != PostField.THREAD:
                mentioned.add(school)
    return mentioned


def _says_its_kind(name: str) -> bool:
    """Whether a name ends in a kind of school: "St Mary's Primary School", no bare "The Moor"."""
    return (*words_of(name), "")[-2] in {*_KINDS_OF_SCHOOL, "school"}


def _anchors(fields: dict[str, list[Ref]]) -> dict[int, set[tuple[str, int]]]:
    """Return where each school is named beyond doubt: accounts, hashtags, names of its own."""
    anchors: dict[int, set[tuple[str, int]]] = defaultdict(set)
    for name, refs in fields.items():
        for ref in refs:
            sure = ref.ref.kind in {"hashtag", "handle"} or ref.ref.alone
            if ref.ref.person < 0 and ref.ref.kind != "place" and sure:
                anchors[ref.ref.school].add((name, ref.start))
    return anchors
