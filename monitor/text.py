"""Turns markup that other people wrote into plain text, in time linear in its length.

No tree is built: the parsers that build one take seconds over half a megabyte of nested tags, and
cannot be interrupted (nested <div>, unclosed comments, thousands of attributes). What looks like a
tag but never ends stays as text: hiding words from us must be no easier than from a reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

LONGEST_TEXT = 500_000
"""Characters; the longest field that is kept of one post."""

_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_BLANKS = re.compile(r"[ \t\u00a0]+")
_LINE_ENDS = re.compile(r" ?(?:\r\n?|\n) ?")
_GAPS = re.compile(r"\n{3,}")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Possessive quantifiers: a tag is read once, up to the next "<" at the latest. None on a group that
# may be absent: Python 3.11.2, which Debian 12 has, then believes that the group was there.
_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9]*+(?::[A-Za-z0-9]++)?)(?=[\s/>])"
    r"(?P<rest>(?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+)>"
    r"|<!--|<!\[CDATA\[|<[!?][A-Za-z][^<>]*+>"
)
_ATTRIBUTE = re.compile(
    r"(?:^|[\s\"'/])(?P<name>alt|src|poster)\s{0,20}+=\s{0,20}+"
    r"(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)'|(?P<bare>[^\s\"'>]++))",
    re.IGNORECASE,
)
_INLINE = frozenset(
    {"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "del", "em", "font", "i"}
    | {"ins", "kbd", "mark", "q", "s", "small", "span", "strike", "strong", "sub", "sup", "tt"}
    | {"u", "var", "wbr"}
)
_SILENT = frozenset({"script", "style", "template"})
_SEAMLESS = _INLINE | _SILENT
_SILENT_END = re.compile(r"</(?P<name>script|style|template)(?=[\s/>])", re.IGNORECASE)
_MEDIA = frozenset({"img", "video", "audio", "source", "embed", "iframe"})


def clean(text: str, limit: int = LONGEST_TEXT) -> str:
    """`text` without lone surrogates and control characters, blanks tidied, cut to `limit`."""
    text = _UNFIT.sub("\ufffd", text[: 2 * limit])
    text = _LINE_ENDS.sub("\n", _BLANKS.sub(" ", text))
    return _GAPS.sub("\n\n", text).strip()[:limit]


def unescape_once(text: str) -> str:
    """`text` with its character references resolved one time; nothing else is touched."""
    return unescape(text) if _ENTITY.search(text) else text


def plain_text(markup: str, limit: int = LONGEST_TEXT) -> str:
    """What a reader sees of a piece of HTML: no tags, no scripts, entities resolved once.

    Inline tags vanish without a trace, so that half a name in bold is still the name; any other
    tag separates words. The `alt` of a picture is text: forums write faces so.
    """
    return clean("".join(_pieces(markup[: 4 * limit])), limit)


def _pieces(markup: str) -> Iterator[str]:
    position = 0
    last_ends = _last_ends(markup)
    while (tag := _TAG.search(markup, position)) is not None:
        yield unescape_once(markup[position : tag.start()])
        name = (tag["name"] or "").lower()
        # What never ends hides nothing: an endless comment's words stay.
        hidden = tag.group() == "<!--" or (name in _SILENT and not tag["end"])
        ends = hidden and tag.end() <= last_ends.get(name, -1)
        position = _end_of(markup, name, tag.end()) if ends else tag.end()
        if name == "a" and markup.startswith("<a", position):
            yield " "  # links side by side are a list, whatever they look like
        elif name == "img":
            yield f" {_attributes(tag['rest']).get('alt', '')} "
        elif name and name not in _SEAMLESS:
            yield "\n"
    yield unescape_once(markup[position:])


def _last_ends(markup: str) -> dict[str, int]:
    """Where each kind of hidden text ends for the last time; nothing is looked for after it."""
    last = {one["name"].lower(): one.start() for one in _SILENT_END.finditer(markup)}
    last[""] = markup.rfind("-->")
    return last


def _end_of(markup: str, name: str, position: int) -> int:
    if not name:
        return markup.index("-->", position) + len("-->")
    while True:
        end = _SILENT_END.search(markup, position)
        assert end is not None
        if end["name"].lower() == name:
            return end.start()
        position = end.end()


def media_in(markup: str, most: int = 50) -> tuple[str, ...]:
    """Addresses of pictures, sounds and frames in a piece of HTML: to be listed, never fetched."""
    found: dict[str, None] = {}
    for tag in _TAG.finditer(markup):
        if (tag["name"] or "").lower() in _MEDIA and not tag["end"]:
            named = _attributes(tag["rest"])
            found.update((named[key], None) for key in ("src", "poster") if named.get(key))
        if len(found) >= most:
            break
    return tuple(found)[:most]


def _attributes(rest: str) -> dict[str, str]:
    return {
        one["name"].lower(): unescape(one["double"] or one["single"] or one["bare"] or "").strip()
        for one in _ATTRIBUTE.finditer(rest)
    }
