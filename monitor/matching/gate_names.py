"""What the gate asks of a forename in a text: does a surname that goes with it stand beside it?"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import takewhile
from typing import TypeVar

from monitor.matching.full_names import MOST_NAMESAKES, reads_as_words
from monitor.matching.gate_bytes import RUNS, first_word, last_word
from monitor.matching.gate_patterns import automaton, surname_edges
from monitor.matching.index import Index
from monitor.matching.names import PREFIXES, is_unusual
from monitor.matching.tags import cut_name, slips_at_the_end
from monitor.matching.words import TITLES, common_surnames, is_ordinary

NOBODY, NEEDS_A_TIE, SOMEBODY = range(3)
REACH = 96
"""Characters that are looked at on each side of a forename or an initial."""

# Never inside a name that begins with its forename; a "!" in a word may stand for a letter.
_PARTED = re.compile(rb'[,;:?"\xf0!]')
_EMOJI = re.compile(
    rb" ?(?:\xf0...|\xe2[\x98-\x9e].){1,4}(?: |(?=[a-z]))", re.IGNORECASE | re.DOTALL
)
_MOST_REMEMBERED = 100_000
_MOST_PIECES = 4
_PREFIXES = frozenset(prefix.encode() for prefix in PREFIXES)
_LONGEST_DRAWN_OUT = 200  # letters of a word that the rules would still shorten, and some more
Answer = TypeVar("Answer")
_APOSTROPHE_APART = bytes.maketrans(b"'", b" ")


class NamesBeside:
    """The surnames of an index, asked about the words of a text. Remembers what it was asked."""

    def __init__(self, index: Index, forms: AbstractSet[str]) -> None:
        self._index = index
        self._forms = forms
        self._glued = sorted(form for form in forms if len(form) > 2 and form.isalpha())  # noqa: PLR2004
        self._find_glued = automaton(
            [form.encode() for form in self._glued]
        ).find_matches_as_indexes
        self._begins, self._ends = surname_edges(index)
        self._first_parts = PREFIXES | {index.parts(name)[0] for name in index.parted}
        self._goes_with = lru_cache(maxsize=262_144)(self._named)
        # By the word behind, and the word before, a forename: whether it needs a closer look.
        self._looks_behind: dict[bytes, bool] = {}
        self._looks_before: dict[bytes, bool] = {}
        self._slips: dict[bytes, tuple[str, ...]] = {}
        self.answers = self._looks_behind, self._looks_before

    def looks(self, flat: bytes, start: int, end: int) -> bool:
        """Whether a word beside the forename [start, end) may be a surname, or part of one."""
        return self._look_behind(_word_behind(flat, end)) or self._look_before(
            _word_before(flat, start)
        )

    def _look_behind(self, word: bytes) -> bool:
        """Whether a word behind a forename may be, or begin, a surname; remembers the answer."""
        known = self._looks_behind.get(word)
        if known is not None:
            return known
        if not word:
            return False  # not to be remembered: the next word stands further off
        found = word in self._begins or not is_ordinary(word.decode())
        return _remember(self._looks_behind, word, found)

    def _look_before(self, word: bytes) -> bool:
        """Whether a word before a forename may be, or end, a surname; remembers the answer."""
        known = self._looks_before.get(word)
        if known is not None:
            return known
        return word != b"" and _remember(self._looks_before, word, word in self._ends)

    def beside(self, flat: bytes, form: str, start: int, end: int, raw: bytes) -> int:
        """Return whether a surname that goes with a forename stands behind or before it."""
        word = _word_behind(flat, end)
        best = NOBODY
        if len(word) < 2 or self._look_behind(word):  # noqa: PLR2004
            best = self._behind(flat, form, end, raw)
        if best == SOMEBODY or raw[start - 1 : start] == b"-":
            return best  # "Fletcher-Leonard" is one surname
        word = _word_before(flat, start + 1)
        if not (self._look_before(word) or (word and not is_ordinary(word.decode()))):
            return best
        return max(best, self._before(flat, form, start))

    def _behind(self, flat: bytes, form: str, end: int, raw: bytes) -> int:
        stop = _parting(raw, end - 1, end + REACH)
        if stop and stop[0] == b"\xf0":
            emoji = _EMOJI.match(raw, end - 1)  # "Adaeze 🤡 Okwuosa"
            stop = _parting(raw, emoji.end(), end + REACH) if emoji else stop
        reach = stop.start() + 1 if stop else end + REACH
        behind = flat[end:reach].split(None, 6)[:6]
        plain = raw != b"" and b"-" not in raw[end - 1 : reach]  # "Okwu-osa" may be one word
        best = NOBODY
        for begin, word in enumerate(behind[:3]):
            if self._look_behind(word):
                titled = begin > 0 or form in TITLES
                found = self._surname_from(
                    behind[begin : begin + 4], form, plain=plain, titled=titled
                )
                best = max(best, found)
            if best == SOMEBODY or (begin == 0 and self._is_slip(_led_by_prefixes(behind), form)):
                return SOMEBODY
            if len(word) > 1 and is_ordinary(word.decode()):
                break
        return best

    def _before(self, flat: bytes, form: str, start: int) -> int:
        surname, best = "", NOBODY
        for word in reversed(flat[max(0, start - REACH) : start + 1].rsplit(None, 4)[-4:]):
            surname = word.decode().replace("'", "") + surname
            if surname not in self._index.surnames:
                continue
            found = self._goes_with(surname, form)
            parted = flat[start - 1 : start + 1] == b"  "  # as a comma leaves it
            best = max(
                best, min(found, NEEDS_A_TIE) if is_ordinary(surname) and not parted else found
            )
        return best

    def _surname_from(self, words: list[bytes], form: str, *, plain: bool, titled: bool) -> int:
        """Return what the surnames are worth that the words behind a forename may begin with.

        `plain`: the words stand as written, so that a surname of several goes on as it begins, and
        an "s" is the end of an ordinary word ("trans") unless a title may stand before it.
        """
        known, joined, best = self._index.surnames, "", NOBODY
        prefixed = True
        for number, word in enumerate(words):
            written = word.decode().removesuffix("'s").replace("'", "")
            joined += written
            if joined in known:
                best = max(best, self._goes_with(joined, form))
            if joined[-1:] == "s" and joined[:-1] in known:
                ordinary = plain and not titled and number == 0 and is_ordinary(joined)
                best = best if ordinary else max(best, self._goes_with(joined[:-1], form))
            prefixed = prefixed and written in PREFIXES
            apart = len(written) < 3  # noqa: PLR2004 - "c o x" is read on
            if plain and not (apart or prefixed or joined in self._index.first_pieces):
                break
        return best

    def _named(self, surname: str, form: str) -> int:
        """Return whether few people bear a name, so that it counts anywhere, or many."""
        if surname not in self._index.surnames:
            return NOBODY
        most = MOST_NAMESAKES * 2 + 1  # rows, of which a person may have several
        count = self._index.count_named(surname, form, most=most)
        if not count:
            return NOBODY
        if count < most:
            count = len(self._index.named(surname, form))
        if count > MOST_NAMESAKES or reads_as_words(self._index, surname, form, turned=False):
            return NEEDS_A_TIE
        return SOMEBODY

    def may_repeat(self, flat: bytes, at: int, end: int) -> bool:
        """Whether the word around `at`, drawn out ("Okaforrr"), may be a name, a part or a title.

        It may also be the rest of a surname whose beginning stands before it, or the beginning.
        """
        begin = flat.rfind(b" ", 0, at) + 1
        if end - begin > _LONGEST_DRAWN_OUT:
            return b"'" in flat[begin:end]
        near = flat[max(0, begin - REACH) : end + REACH].translate(_APOSTROPHE_APART)
        at -= max(0, begin - REACH)
        begin, end = near.rfind(b" ", 0, at) + 1, near.find(b" ", at)
        before, behind = last_word(near, begin).decode(), first_word(near[end:]).decode()
        for kept in (r"\1", r"\1\1"):
            word = RUNS.sub(kept, near[begin:end].decode())
            for one in (word, word.removesuffix("s")):
                raw = one.encode()
                if (
                    not one.isalpha()
                    or one in TITLES
                    or one in self._forms
                    or raw in self._begins
                    or raw in self._ends
                    or not self._index.surnames.keys().isdisjoint((before + one, one + behind))
                ):
                    return True
        return False

    def _is_slip(self, word: bytes, form: str) -> bool:
        """Whether a word behind a forename is a surname that goes with it, written wrongly."""
        near = self._slips.get(word)
        if near is None:
            near = _remember(self._slips, word, self._near(word.decode()))
        return near != () and any(self._goes_with(surname, form) for surname in near)

    def _near(self, word: str) -> tuple[str, ...]:
        """Return the surnames one slip away from a word that is neither a word nor a surname."""
        index = self._index
        flat = word.removesuffix("'s").replace("'", "")
        if (
            len(flat) > 4  # noqa: PLR2004
            and flat.isalpha()
            and not is_ordinary(flat)
            and flat not in index.surnames
            and flat not in common_surnames()
        ):
            return index.near(flat)
        return ()

    def has_rare(self, behind: bytes) -> bool:
        joined = ""
        for part in behind.split(None, 4)[:4]:
            joined += part.decode().removesuffix("'s").replace("'", "")
            for word in (joined, joined.removesuffix("s")):
                if word in self._index.surnames and is_unusual(word):
                    return True
        return False

    def has_rare_before(self, flat: bytes, start: int) -> bool:
        before = [part.decode() for part in flat[max(0, start - REACH) : start].split()[-3:]]
        joined = ("".join(before[-count:]).replace("'", "") for count in range(1, len(before) + 1))
        return any(word in self._index.surnames and is_unusual(word) for word in joined)

    def is_glued_name(self, run: str, *, slips: bool = False) -> bool:
        """Whether a forename is directly followed, or led, by its surname in a run of letters.

        With `slips` the run may end in a surname written wrongly.
        """
        known = self._index.surnames
        for pattern, start, end in self._find_glued(run.encode("ascii", "replace"), True):
            form = self._glued[pattern]
            for stop in range(end + 2, min(len(run), end + 32) + 1):
                name = run[end:stop]
                if name in known and self._goes_with(name, form) == SOMEBODY:
                    return True
            for begin in range(max(0, start - 32), start - 1):
                name = run[begin:start]
                if name in known and self._goes_with(name, form) == SOMEBODY:
                    return True
            if slips and any(
                self._is_slip(one.encode(), form) for one in slips_at_the_end(run[end:])
            ):
                return True
        return False

    def holds_glued(self, flat: bytes) -> bool:
        """Whether a word is a title or forename and a surname in one ("mrhill"); needs a tie."""
        return any(
            len(word) > 5 and not is_ordinary(word) and cut_name(word, self._index)  # noqa: PLR2004
            for word in flat.translate(_APOSTROPHE_APART).decode().split()
        )

    def is_masked_forename(self, pattern: str, behind: str) -> bool:
        """Whether a masked word can be a forename that goes with the word, or mask, behind it."""
        if len(pattern) < 3 or not behind:  # noqa: PLR2004
            return False
        if behind in self._first_parts and self._index.forms_of_shape(pattern):
            return True  # the surname goes on behind it
        surnames = self._index.surnames_of_shape(behind) if "*" in behind else (behind, behind[:-1])
        return any(
            self._goes_with(surname, form) == SOMEBODY
            for form in self._index.forms_of_shape(pattern)
            for surname in surnames
        )

    def begins_surname(self, word: str) -> bool:
        """Whether a surname of several words may begin with this one."""
        return word in self._first_parts

    def is_masked_surname(self, pattern: str, form: str) -> bool:
        """Whether a masked word can be a surname that goes with a forename."""
        return any(
            self._goes_with(surname, form) == SOMEBODY
            for surname in self._index.surnames_of_shape(pattern)
        )

    def is_odd_name(self, word: str) -> bool:
        return (
            len(word) > 2  # noqa: PLR2004
            and (word in self._index.surnames or word in self._forms)
            and not is_ordinary(word)
        )

    def holds_surname(self, letters: str) -> bool:
        """Whether letters that stand apart make a surname, perhaps beside a plain forename."""
        return any(
            letters[begin:end] in self._index.surnames
            for begin in range(min(3, len(letters)))
            for end in range(begin + 4, len(letters) + 1)
        ) or any(letters[begin:] in self._index.surnames for begin in range(len(letters) - 3))


def _word_behind(flat: bytes, end: int) -> bytes:
    """Return the next word; one that stands behind a sign and a gap is tried before any other."""
    return (
        flat[end : flat.find(b" ", end)]
        or flat[end + 1 : flat.find(b" ", end + 1)]
        or first_word(flat[end : end + REACH])
    )


def _word_before(flat: bytes, start: int) -> bytes:
    nearer = max(0, start - 1)
    return (
        flat[flat.rfind(b" ", 0, start) + 1 : start]
        or flat[flat.rfind(b" ", 0, nearer) + 1 : nearer]
        or last_word(flat, start)
    )


def _led_by_prefixes(words: list[bytes]) -> bytes:
    """Return the first word; a prefix of surnames with what it leads to ("ocallaghan")."""
    if words[0] not in _PREFIXES:
        return words[0]
    led = takewhile(_PREFIXES.__contains__, words[: _MOST_PIECES - 1])
    return b"".join(words[: len(list(led)) + 1])


def _parting(raw: bytes, start: int, end: int) -> re.Match[bytes] | None:
    """Return the first sign from `start` on over which no name goes on."""
    found = _PARTED.search(raw, start, end)
    while found and found[0] == b"!" and raw[found.end() : found.end() + 1].strip():
        found = _PARTED.search(raw, found.end(), end)
    return found


def _remember(answers: dict[bytes, Answer], word: bytes, answer: Answer) -> Answer:
    """Keep an answer, and forget all when they are many."""
    if len(answers) >= _MOST_REMEMBERED:
        answers.clear()
    answers[word] = answer
    return answer
