"""Undoes spelling tricks and turns emoji into words, so that a disguise reads like plain text."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.grading.words import STARRED

if TYPE_CHECKING:
    from collections.abc import Callable

    Known = Callable[[str], bool]
    """Whether a word stands whole in the vocabulary of the model."""

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
_REPEATED_EMOJI = re.compile(r"( :[a-z ]{1,40}: )\1{3,}")
_STRUCK = re.compile("[\u0332-\u0338\u20d0-\u20f0]")
_UNREADABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\ufffe\uffff]"
)
_LINK = re.compile(r"(?:https?://|www\.)\S{1,2000}", re.IGNORECASE)
_ASCII = re.compile(r"[\x20-\x7e\n]*")

# Letters of other alphabets that are drawn like Latin ones; used only inside words that mix both.
_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһӏԛԝвкмнтАВЕКМНОРСТУХІЈЅαορτυνικεΑΒΕΖΗΙΚΜΝΟΡΤΥΧɑɡıƖ",
    "aeopcyxijsdhlqwbkmhtABEKMHOPCTYXIJSaoptuvikeABEZHIKMNOPTYXagil",
)
_FOREIGN_LETTER = re.compile(r"[Ͱ-ӿɐ-ʯ]")
_LATIN_LETTER = re.compile(r"[A-Za-z]")

_LEET = {
    "0": "o",
    "1": "i",
    "3": "e",
    "4": "a",
    "5": "s",
    "7": "t",
    "8": "b",
    "@": "a",
    "$": "s",
    "!": "i",
}
_LEET_WORD = re.compile(r"(?<![\w@#./$])(?!@)(?=[^\s]{0,30}[A-Za-z])[A-Za-z$0-9@!]{3,24}(?![\w@/])")
_ORDINARY_NUMBER = re.compile(
    r"[A-Za-z]*\d+(?:st|nd|rd|th|am|pm|k|m|s|x|p|yo|yrs?|mins?|hrs?|ish)?$", re.IGNORECASE
)
_SPACED = re.compile(r"(?<!\w)(?:[A-Za-z]([ .\-_*|·•])(?:[A-Za-z]\1){1,14}[A-Za-z])(?!\w)")
_STRETCHED = re.compile(r"[A-Za-z]*([A-Za-z])\1{2,}[A-Za-z]*")
_STARRED = re.compile(
    r"(?<!\w)[A-Za-z]+[*#@%!.\-]{1,4}[A-Za-z]+(?!\w)|(?<!\w)[A-Za-z]+\*{2,4}(?!\w)"
)


@cache
def emoji_words() -> dict[str, str]:
    """Return the frozen table of emoji and their words; "=x" marks a letter drawn as a symbol."""
    table = (Path(__file__).parent / "emoji.json").read_text(encoding="utf-8")
    words: dict[str, str] = json.loads(table)
    return words


def undo(text: str, known: Known) -> str:
    """Return `text` as it reads: one alphabet, no invisible characters, disguises undone.

    Linear in the length of the text; never raises, whatever the characters.
    """
    if not _ASCII.fullmatch(text):
        text = _plain_characters(text)
    text = _UNREADABLE.sub(" ", text)
    text = _LINK.sub(" link ", text)
    text = _SPACED.sub(lambda found: re.sub(r"[^A-Za-z]", "", found.group()), text)
    text = _STARRED.sub(_unstarred, text)
    text = _LEET_WORD.sub(lambda found: _unleeted(found.group(), known), text)
    return _STRETCHED.sub(lambda found: _unstretched(found.group(), known), text)


def _plain_characters(text: str) -> str:
    """Give every emoji its words, every decorated or look-alike letter its plain form."""
    text = _STRUCK.sub("", _INVISIBLE.sub("", text))
    text = _REPEATED_EMOJI.sub(r"\1\1\1", "".join(map(_spelled, text)))
    text = unicodedata.normalize("NFKC", text)
    if not _FOREIGN_LETTER.search(text):
        return text
    return re.sub(r"\w+", lambda found: _one_alphabet(found.group()), text)


def _spelled(character: str) -> str:
    if character < "\u203c":
        return character
    words = emoji_words().get(character)
    if words is None:
        return character
    if words.startswith("="):
        return words[1:]
    return f" :{words}: " if words else ""


def _one_alphabet(word: str) -> str:
    mixed = _FOREIGN_LETTER.search(word) and _LATIN_LETTER.search(word)
    return word.translate(_LOOKALIKES) if mixed else word


def _unstarred(found: re.Match[str]) -> str:
    word = found.group()
    lowered = word.lower()
    if "-" in word or "." in word:
        pattern = re.sub(r"[-.]+", "", lowered)
        return pattern if pattern in STARRED else word
    pattern = "".join(re.escape(c) if c.isalpha() else "[a-z]" for c in lowered)
    loose = re.sub(r"(?:\[a-z\])+", "[a-z]{1,4}", pattern)
    for form in (pattern, loose):
        for candidate in STARRED:
            if re.fullmatch(form, candidate):
                return candidate
    return word


def _unleeted(word: str, known: Known) -> str:
    letters = sum(c.isalpha() for c in word)
    swaps = [n for n, c in enumerate(word.removesuffix("!")) if c in _LEET]
    if not swaps or letters < 1 or _ORDINARY_NUMBER.fullmatch(word):
        return word
    inner = [n for n in swaps if (n and word[n - 1].isalpha()) or word[n + 1 : n + 2].isalpha()]
    if not inner or (word[:1].isdigit() and word[1:2].isdigit()):
        return word
    candidates = ["".join(_LEET.get(c, c) for c in word)]
    if "1" in word:
        candidates.append("".join(_LEET.get(c, c) for c in word.replace("1", "l")))
    for candidate in candidates:
        if known(candidate.lower()):
            return candidate
    return candidates[0] if letters > len(swaps) and inner != [0] else word


def _unstretched(word: str, known: Known) -> str:
    for times in (2, 1):
        shorter = re.sub(r"([A-Za-z])\1{2,}", r"\1" * times, word)
        if known(shorter.lower()):
            return shorter
    return re.sub(r"([A-Za-z])\1{2,}", r"\1\1", word)
