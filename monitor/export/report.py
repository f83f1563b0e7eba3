"""Typesets the report: PDF/A-3a and PDF/UA-1, by Typst, with data that is never markup."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from unicodedata import combining

import typst

from monitor.errors import EvidenceError
from monitor.export.visible import visible

STANDARDS: Final = ("a-3a", "ua-1")
LONGEST_TEXT: Final = 6_000
"""Code points of a post that are printed; all of it is in entries.json."""
LONGEST_FIELD: Final = 400
LONG_EXHIBIT: Final = 3_000
"""Characters of an exhibit that surely fit on a page; a longer one may run over two."""
_LONG: Final = frozenset({"text", "thread", "why", "url"})
_ROUNDS: Final = 4
_MISSING: Final = re.compile(r'the text `"((?:[^"\\`]|\\.)*)"` could not be displayed')
_ESCAPED: Final = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}|\\(.)")
_LAST_ASCII: Final = 0x7E
_RARE: Final = re.compile("[^\x00-\u017f]")
"""Beyond the Latin alphabets of Europe, which the fonts inside Typst have."""
_PROBE: Final = '#set text(font: "Libertinus Serif")\n'
_OWN: Final = frozenset("\u2013\u2014\u2026\u201c\u201d\u2018\u2019\u27e8\u27e9")


def typeset(
    contents: dict[str, Any], pictures: Mapping[str, Callable[[], bytes]] = MappingProxyType({})
) -> bytes:
    """The report as a PDF; `pictures` reads each picture of a page that it shows, by digest.

    A character that no font has would refuse the whole document; such are written out by number
    and name, and the report set again.

    Raises:
        EvidenceError: the report cannot be set, which is a fault of ours.
    """
    with tempfile.TemporaryDirectory(prefix="staff-mentions-report-") as name:
        folder = Path(name)
        template = files("monitor.export").joinpath("assets", "report.typ").read_bytes()
        folder.joinpath("report.typ").write_bytes(template)
        for digest, read in pictures.items():
            folder.joinpath(f"{digest}.png").write_bytes(read())
        lack = _without_a_font(_rare(contents))
        for attempt in range(_ROUNDS):
            if attempt == _ROUNDS - 1:
                lack |= _rare(contents)
            shown = _visible(contents, lack, LONGEST_FIELD)
            for exhibit in shown["exhibits"]:
                # With a picture it would not fit below the heading of the chapter.
                exhibit["long"] = bool(exhibit.get("picture")) or (
                    len(json.dumps(exhibit, ensure_ascii=False)) > LONG_EXHIBIT
                )
            folder.joinpath("data.json").write_text(json.dumps(shown), encoding="utf-8")
            try:
                return _compile(folder)
            except typst.TypstError as error:
                missing = _missing(error)
                if missing <= lack:
                    raise EvidenceError(f"the report cannot be set: {error.message}") from error
                lack |= missing
    raise EvidenceError("the report cannot be set: no font has its characters")


def _compile(folder: Path) -> bytes:
    made = typst.compile(
        folder / "report.typ",
        root=folder,
        format="pdf",
        pdf_standards=list(STANDARDS),
    )
    assert isinstance(made, bytes)
    return made


def _missing(error: typst.TypstError) -> set[str]:
    """The characters for which there is no glyph, as the error lists them."""
    letters: set[str] = set()
    for written in _MISSING.findall(f"{error.message}\n{error.diagnostic}"):
        letters |= set(_ESCAPED.sub(_unescaped, written))
    return {letter for letter in letters if ord(letter) > _LAST_ASCII}


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else found[2]


def _visible(value: Any, lack: AbstractSet[str], limit: int) -> Any:
    """Every text in the contents, made harmless and bounded."""
    if isinstance(value, str):
        return visible(value, limit=limit, lack=lack)
    if isinstance(value, list):
        return [_visible(each, lack, limit) for each in value]
    if isinstance(value, dict):
        return {
            name: _visible(each, lack, LONGEST_TEXT if name in _LONG else limit)
            for name, each in value.items()
        }
    return value


def _without_a_font(letters: AbstractSet[str]) -> set[str]:
    """Those of the letters that no font here has, found on a page that holds only them."""
    if not letters:
        return set()
    page = f"{_PROBE}#for letter in json(bytes(sys.inputs.letters)) [#letter ]"
    # Marks stand on a letter, and the rest is asked for as it will be printed.
    shown = [f"a{each}" if combining(each) else each for each in sorted(letters)]
    try:
        typst.compile(
            page.encode(),
            format="pdf",
            pdf_standards=["a-3b"],
            sys_inputs={"letters": json.dumps(shown)},
        )
    except typst.TypstError as error:
        return _missing(error)
    return set()


def _rare(value: Any) -> set[str]:
    """Every character in some contents that our own fonts do not have for certain."""
    if isinstance(value, str):
        return set(_RARE.findall(value[:LONGEST_TEXT])) - _OWN
    if isinstance(value, list):
        return set().union(*map(_rare, value))
    if isinstance(value, dict):
        return set().union(*map(_rare, value.values()))
    return set()
