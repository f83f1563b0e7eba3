"""Folding of text: case, diacritics, invisible signs and look-alikes go, offsets stay."""

# ruff: noqa: RUF001 - letters that look alike are the subject
from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from functools import cached_property

_APOSTROPHES = (
    "\u2018\u2019\u201a\u201b\u02bc\u02b9\u02bb\u02bd\u02c8\u2032\u2035\u00b4\u0060\uff07"
    "\u055a\ua78c"
)
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d\u2043"
# Letters whose strokes are part of them, so that no decomposition removes them.
_LETTERS = {
    "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h",
    "ı": "i", "ŋ": "n", "ŧ": "t", "ɨ": "i", "ʉ": "u", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y",
    "ə": "e", "ɛ": "e", "ɔ": "o", "ƒ": "f", "ɡ": "g", "ɑ": "a", "ʀ": "r", "ʏ": "y", "ʙ": "b",
    "ɢ": "g", "ʜ": "h", "ɪ": "i", "ʟ": "l", "ɴ": "n", "ᴀ": "a", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e",
    "ᴊ": "j", "ᴋ": "k", "ᴍ": "m", "ᴏ": "o", "ᴘ": "p", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w",
    "ᴢ": "z", "ꜰ": "f", "ꜱ": "s", "ǫ": "q", "ƀ": "b", "ɇ": "e", "ɍ": "r", "ɏ": "y", "ƶ": "z",
    "ⱥ": "a", "ȼ": "c", "ⱡ": "l", "ꝁ": "k", "ɐ": "a",
}  # fmt: skip
# Letters of other scripts that look like Latin ones, in lower case; one for one.
_LOOKALIKES = str.maketrans(
    {
        "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "є": "e", "ғ": "f", "ԍ": "g", "н": "h",
        "һ": "h", "і": "i", "ј": "j", "к": "k", "ӏ": "l", "м": "m", "п": "n", "о": "o", "р": "p",
        "ԛ": "q", "г": "r", "я": "r", "ѕ": "s", "т": "t", "ц": "u", "ѵ": "v", "ш": "w", "ԝ": "w",
        "х": "x", "у": "y", "ү": "y", "з": "z", "ь": "b", "и": "n", "д": "d", "б": "b",
        "α": "a", "β": "b", "ε": "e", "η": "n", "ι": "i", "κ": "k", "λ": "l", "μ": "m", "ν": "v",
        "ο": "o", "ρ": "p", "ς": "s", "σ": "o", "τ": "t", "υ": "u", "χ": "x", "ω": "w", "ζ": "z",
        "γ": "y", "ϲ": "c", "ϳ": "j", "ո": "n", "ս": "u", "օ": "o", "հ": "h", "ց": "g", "ք": "f",
        "յ": "j", "ɩ": "i", "ꭺ": "a", "ꭼ": "e", "ꮋ": "h", "ꮮ": "l", "ꮇ": "m", "ꮲ": "p",
        "ꮯ": "c", "ꭲ": "t", "ꮶ": "k", "ꭱ": "r", "ꮪ": "s", "ꮃ": "w", "ꮓ": "z", "ꭰ": "d",
    }
)  # fmt: skip
_FOREIGN = re.compile(r"[\u0370-\u058f\u13a0-\u13ff\uab70-\uabbf\u0269]")
_FOREIGN_WORD = re.compile(r"[^\W\d_]*[\u0370-\u058f\u13a0-\u13ff\uab70-\uabbf\u0269][^\W\d_]*")
_LATIN = re.compile(r"[a-z]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_FEW_SIGNS = 8
_BLANK_SIGNS = "\u3164\u115f\u1160\uffa0\u2800"


_CIRCLED = range(0x1F150, 0x1F16A)
_SQUARED = range(0x1F170, 0x1F18A)


def _fold_sign(sign: str) -> str:  # noqa: PLR0911 - one return for each kind of sign
    """Return what one character becomes; nothing for marks and invisible characters."""
    if sign in _APOSTROPHES:
        return "'"
    if sign in _DASHES:
        return "-"
    if sign in _BLANK_SIGNS:
        return ""
    code = ord(sign)
    if 0x1F150 <= code <= 0x1F169 or 0x1F170 <= code <= 0x1F189:  # noqa: PLR2004
        return chr(ord("a") + (code - _CIRCLED.start) % 0x20)
    kind = unicodedata.category(sign)
    if kind in {"Mn", "Me", "Cf"}:
        return ""
    if kind in {"Cc", "Cs", "Co", "Cn"}:
        return "\n" if sign in "\n\x0b\x0c\r\x1c\x1d\x1e\x85" else " "
    if kind in {"Zl", "Zp"}:
        return "\n"
    # Both directions of case, so that what a capital becomes is what its small letter becomes.
    flat = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", sign).upper().casefold())
    kept = "".join(_LETTERS.get(part, part) for part in flat if not unicodedata.combining(part))
    return kept.replace("\u0307", "").replace("ʼ", "'") or " "


class _SignTable(dict[int, str]):
    """What every character becomes, worked out when first met; Unicode is the bound on its size."""

    def __missing__(self, code: int) -> str:
        folded = _fold_sign(chr(code))
        self[code] = folded
        return folded


_TABLE = _SignTable()


class Folded:
    """Text without case, diacritics, invisible signs and look-alikes, and the way back.

    `text` is what the rules read. Offsets given to `span` are code points of `text`; those it
    returns are code points of `original`.
    """

    __slots__ = ("__dict__", "original", "text")

    def __init__(self, original: str) -> None:
        self.original = original
        self.text = fold(original)

    @cached_property
    def _starts(self) -> array[int] | None:
        """For each code point of `text`, the index in `original` it came from; None if the same."""
        if self.original.isascii():
            return None
        if len(self.text) == len(self.original) and all(
            len(_TABLE[ord(sign)]) == 1 for sign in set(self.original) if not sign.isascii()
        ):
            return None
        starts = array("L")
        for index, sign in enumerate(self.original):
            starts.extend((index,) * len(_TABLE[ord(sign)]))
        return starts

    @property
    def aligned(self) -> bool:
        """Whether every character of `text` stands where it stood in `original`."""
        return self._starts is None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of `original` for the non-empty span [start, end) of `text`.

        Marks that sit on the last character belong to it.
        """
        starts = self._starts
        if starts is None:
            return start, end
        first, last = starts[start], starts[end - 1] + 1
        while last < len(self.original) and unicodedata.category(self.original[last]) in {
            "Mn",
            "Me",
        }:
            last += 1
        return first, last

    def place(self, index: int) -> int:
        """Return where the character at `index` of `original` stands in `text`."""
        starts = self._starts
        return index if starts is None else bisect_right(starts, index - 1)


def _quickly(original: str) -> str:
    """Return the folded text where few signs are not ASCII and all fold to what is; else nothing.

    Emoji, accents and curly quotes are such signs, letters of other scripts are not.
    """
    text = original
    if not original.isascii():
        odd = set("".join(_NOT_ASCII.findall(original)))
        if len(odd) > _FEW_SIGNS:
            return ""
        for sign in odd:
            folded = _TABLE[ord(sign)]
            if not folded.isascii():
                return ""
            text = text.replace(sign, folded)
    return text.lower().replace("`", "'") if text.isprintable() else text.translate(_TABLE)


def _latinised(text: str) -> str:
    """Turn look-alikes into Latin letters in mixed words, and in Latin texts in all words.

    Ordinary Russian or Greek text keeps its own letters: there a look-alike is no disguise.
    """
    foreign = len(_FOREIGN.findall(text))
    if not foreign:
        return text
    mostly_latin = len(_LATIN.findall(text)) > foreign

    def replace(found: re.Match[str]) -> str:
        word = found[0]
        latin = word.translate(_LOOKALIKES)
        if _FOREIGN.search(latin) or not (mostly_latin or _LATIN.search(word)):
            return word
        return latin

    return _FOREIGN_WORD.sub(replace, text)


def fold(text: str) -> str:
    """Return only the folded text."""
    return _quickly(text) or (_latinised(text.translate(_TABLE)) if text else "")
