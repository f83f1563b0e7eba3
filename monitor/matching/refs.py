"""The words and accounts of the roster that stand in a field, each where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable

from monitor.matching.found import CrowdRef, Found, Ref
from monitor.matching.index import Index
from monitor.matching.pointers import Crowd, Entry, PhraseRef
from monitor.matching.text import Reading, Token
from monitor.matching.words import is_ordinary, word_list

_SOFT = re.compile(r"^(?: |-|'|\. ?)?$")
_ABBREVIATED = frozenset({"st", "dr", "mr", "mrs", "ms", "prof"})
_NOT_A_SCHOOL = word_list("context.not_a_school")
KINDS_OF_SCHOOL = word_list("context.kinds_of_school")
_SOCIAL = re.compile(
    r"^(?:https?://)?(?:[a-z0-9-]+\.)*"
    r"(?:instagram|tiktok|twitter|x|facebook|fb|threads|youtube|bsky|linkedin|snapchat|twitch|"
    r"pinterest|reddit|tumblr|mastodon|linktr)\.[a-z.]{2,8}/"
    r"(?:(?:profile|in|add|user|u|c|channel)/)?@?(?P<handle>[\w.-]+)"
)
_BEFORE_A_SCHOOL = frozenset({"ex", "non", "anti", "pro", "pre", "post"})
_ELSEWHERE = "elsewhere"
_SHORTEST_WORD_AS_HANDLE = 8
_AT_PATH = re.compile(r"/@(?P<handle>[\w.-]+)")


def find_refs(reading: Reading, index: Index) -> Found:
    """Return every word of the roster in a field that stands for itself: phrases and accounts."""
    found = find_phrases(reading.tokens, index)
    found.refs.extend(_accounts(reading, index))
    return found


def find_phrases(tokens: list[Token], index: Index) -> Found:
    """Return the names, aliases and places of the roster; of those that overlap, the longest."""
    found = Found()
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
        fitting: dict[tuple[str, ...], bool] = {}  # several schools may bear the same words
        for words, ref in entries:
            fit = fitting.get(words)
            if fit is None:
                fit = fitting[words] = fits(tokens, at, words)
            if not fit:
                continue
            last = at + len(words)
            if isinstance(ref, Crowd):
                _add_crowd(found, tokens, (at, last), ref, taken_to, index)
            elif not (
                _is_taken(ref, at, taken_to, found) or _is_other(ref, tokens, at, last, index)
            ):
                taken_to[ref.school, ref.person] = last
                found.refs.append(Ref(ref, at, last, token.start, tokens[last - 1].end))
    return found


def _is_taken(ref: PhraseRef, at: int, taken_to: dict[tuple[int, int], int], found: Found) -> bool:
    """Whether a longer phrase that covers this token already means the same."""
    return taken_to.get((ref.school, ref.person), 0) > at or (
        ref.person < 0 and any(one.last > at and one.names(ref.school) for one in found.crowds)
    )


def _add_crowd(
    found: Found,
    tokens: list[Token],
    span: tuple[int, int],
    crowd: Crowd,
    taken_to: dict[tuple[int, int], int],
    index: Index,
) -> None:
    at, last = span
    behind = _behind(tokens, at, last)
    if behind == _ELSEWHERE:
        return
    without = {school for (school, person), to in taken_to.items() if person < 0 and to > at}
    without.update(
        school
        for other in found.crowds
        if other.last > at
        for school in other.crowd.keys() & crowd.keys()
        if other.names(school)
    )
    if behind:
        without.update(school for school in crowd if not index.calls_itself(school, behind))
    start, end = tokens[at].start, tokens[last - 1].end
    found.crowds.append(CrowdRef(crowd, at, last, start, end, len(found.refs), without))


def _is_other(ref: PhraseRef, tokens: list[Token], at: int, last: int, index: Index) -> bool:
    """Whether a school's word belongs to another place or school ("Wexmoor Road")."""
    if ref.person >= 0 or ref.kind == "place":
        return False
    behind = _behind(tokens, at, last)
    return behind == _ELSEWHERE or (behind != "" and not index.calls_itself(ref.school, behind))


def _longest_first(entry: Entry) -> int:
    return -len(entry[0])


_SHORTEST_PLURAL = 4


def _entries(tokens: list[Token], at: int, index: Index) -> list[Entry]:
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


def _behind(tokens: list[Token], at: int, last: int) -> str:
    """Return the kind of school that stands behind a school's word, which may be another's.

    It is `_ELSEWHERE` where the word only begins another place's name, empty where it stands alone.
    """
    if at > 0 and tokens[at].gap == "-" and not tokens[at - 1].word.isdigit():
        return "" if tokens[at - 1].word in _BEFORE_A_SCHOOL else _ELSEWHERE
    if last >= len(tokens) or tokens[last].gap not in {" ", "-"} or tokens[last - 1].owner:
        return ""
    after = tokens[last].word
    if after in _NOT_A_SCHOOL:
        return _ELSEWHERE
    return after if after in KINDS_OF_SCHOOL else ""


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
    keys = (
        chunk.rstrip(".")
        for chunk in reading.chunk_texts()
        if len(chunk) >= _SHORTEST_WORD_AS_HANDLE or not chunk.isalpha()
    )
    if index.handles.keys().isdisjoint(keys):
        return
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
    return len(key) >= 5 and (  # noqa: PLR2004
        odd or (len(key) >= _SHORTEST_WORD_AS_HANDLE and not is_ordinary(key))
    )
