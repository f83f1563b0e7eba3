"""A message as a short list of blocks, shown the same way as text and as HTML.

Blocks hold plain strings that are already inert; only the template of this module turns them into
markup, with everything escaped.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import chain

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

_WIDTH = 72


class Tone(StrEnum):
    """The weight of a message; its words say the same, so that no colour stands alone."""

    GRAVE = "grave"
    SERIOUS = "serious"
    CALM = "calm"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Sentences, under a heading where there is one; `note` sets them apart as a notice."""

    text: str
    heading: str = ""
    note: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: what, in a few words, and the rest of it."""

    what: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Steps:
    """Things to do, in their order where they are `numbered`."""

    heading: str
    steps: tuple[Step, ...]
    numbered: bool = True


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what it says; `href` makes a link of it and was checked before."""

    label: str
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and what they say; `short` ones stay side by side on a telephone."""

    heading: str
    facts: tuple[Fact, ...]
    short: bool = False


@dataclass(frozen=True, slots=True)
class Quotation:
    """Somebody else's words, set apart so that they cannot pass for ours."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a list: a label in words, a first line, further lines, an address."""

    label: str
    title: str
    lines: tuple[str, ...] = ()
    address: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Entries:
    heading: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text that a program reads again: shown as it is, its lines never broken."""

    heading: str
    text: str


Block = Verbatim | Paragraph | Steps | Facts | Quotation | Entries


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: a banner, the sentence that matters, the blocks, and quiet closing lines.

    A letter without a banner is its lead and nothing else (an allegation reveals nothing).
    """

    subject: str
    lead: str
    banner: str = ""
    tone: Tone = Tone.CALM
    warnings: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    closing: tuple[str, ...] = ()


def as_html(letter: Letter) -> str:
    """The letter as one HTML document that asks nothing of any other machine."""
    return _template().render(letter=letter, kind=lambda block: type(block).__name__.lower())


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("monitor.cases", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("letter.html")


def as_text(letter: Letter) -> str:
    """The letter in lines of at most 72 characters, addresses excepted."""
    if not letter.banner:
        return f"{letter.lead}\n"
    parts = [_wrapped(letter.banner.upper()), *(_wrapped(line, "! ") for line in letter.warnings)]
    parts.append(_wrapped(letter.lead))
    parts.extend("\n".join(_block_lines(block)) for block in letter.blocks)
    parts.append("-" * 8)
    parts.extend(_wrapped(line) for line in letter.closing)
    return "\n\n".join(parts) + "\n"


def _block_lines(block: Block) -> Iterator[str]:
    if block.heading:
        yield block.heading.upper()
    match block:
        case Paragraph():
            yield _wrapped(block.text, "! " if block.note else "")
        case Verbatim():
            yield ""
            yield block.text
        case Steps():
            yield from _step_lines(block)
        case Facts():
            yield from chain.from_iterable(map(_fact_lines, block.facts))
        case Quotation():
            for line in block.text.split("\n"):
                yield _wrapped(line, "> ") or ">"
        case Entries():
            yield from chain.from_iterable(map(_entry_lines, block.entries))


def _step_lines(block: Steps) -> Iterator[str]:
    for at, step in enumerate(block.steps, start=1):
        mark = f"{at}. " if block.numbered else "*  "
        yield _wrapped(f"{step.what} {step.more}".strip(), mark, "   ")


def _entry_lines(entry: Entry) -> Iterator[str]:
    yield _wrapped(f"{entry.label}: {entry.title}", "* ", "  ")
    yield from (_wrapped(line, "  ") for line in entry.lines)
    if entry.address:
        yield f"  {entry.address}"


def _fact_lines(fact: Fact) -> Iterator[str]:
    if fact.href:
        yield f"{fact.label}:"
        yield f"  {fact.text}"
    else:
        yield _wrapped(f"{fact.label}: {fact.text}", "", "  ")


def _wrapped(text: str, first: str = "", rest: str | None = None) -> str:
    return textwrap.fill(
        text,
        width=_WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_on_hyphens=False,
    )
