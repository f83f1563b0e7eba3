"""A mail can be read: with poor eyes, in the dark, on an old mail program, without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from monitor.cases.compose import compose_alert
from monitor.cases.views import AlertView, DigestView, MailWords, OperatorView, Quote
from monitor.model import AlertKind

AA_FOR_TEXT = 4.5
VOID = {"meta", "br"}

Styles = dict[str, str]


def declared(css: str) -> Styles:
    pairs = (rule.split(":", 1) for rule in css.split(";") if ":" in rule)
    return {name.strip(): value.replace("!important", "").strip() for name, value in pairs}


def dark_rules(html: str) -> dict[str, Styles]:
    block = re.search(r"@media \(prefers-color-scheme:dark\)\{(.*?)\n\}", html, re.DOTALL)
    assert block is not None
    found = re.findall(r"\.([a-z]+)\{([^}]*)\}", block.group(1))
    return {name: declared(css) for name, css in found}


class Painted(HTMLParser):
    """Each piece of text with the colour it is written in and the colour it stands on."""

    def __init__(self, html: str, rules: dict[str, Styles]) -> None:
        super().__init__(convert_charrefs=True)
        self._rules = rules
        self._stack: list[Styles] = [{"color": "#000000", "background-color": "#ffffff"}]
        self.pieces: list[tuple[str, str, str]] = []
        self.feed(re.sub(r"<(style|title)>.*?</\1>", "", html, flags=re.DOTALL))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        given = {name: value or "" for name, value in attrs}
        own = declared(given.get("style", ""))
        for name in given.get("class", "").split():
            own |= self._rules.get(name, {})
        colours = {key: own[key] for key in ("color", "background-color") if key in own}
        self._stack.append(self._stack[-1] | colours)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._stack.pop()

    def handle_data(self, data: str) -> None:
        if data.strip():
            now = self._stack[-1]
            self.pieces.append((data.strip(), now["color"], now["background-color"]))


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture
def letters(
    concern: AlertView, digest: DigestView, broken_source: OperatorView, words: MailWords
) -> Iterator[str]:
    """One letter of each looks, as HTML."""
    full = replace(words, quote=Quote.FULL, not_yet_lawful=("notice to staff",))
    again = replace(concern, times_told=1)
    first = replace(concern, kind=AlertKind.FIRST_LOOK)
    return (
        compose_alert(view, full).html for view in (concern, again, first, digest, broken_source)
    )


def test_black_and_white_are_as_far_apart_as_the_guidelines_say() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_stands_out_from_its_ground(letters: Iterator[str], *, dark: bool) -> None:
    for html in letters:
        pieces = Painted(html, dark_rules(html) if dark else {}).pieces
        assert len(pieces) > 10
        for text, colour, ground in pieces:
            assert contrast(colour, ground) >= AA_FOR_TEXT, (text, colour, ground)


def test_nothing_is_loaded_and_nothing_reports_back(letters: Iterator[str]) -> None:
    for html in letters:
        for asking in ("src=", "url(", "@import", "<link", "<img", "<form", "<script", "<iframe"):
            assert asking not in html
        assert set(re.findall(r"https?://[^\s\"<)]+", html)) <= {
            "https://forum.dunnowby.example/t/exclusions/412#post-9",
            "https://northshire.police.example/report",
        }


def test_the_layout_is_one_that_old_mail_programs_know(letters: Iterator[str]) -> None:
    for html in letters:
        inline = " ".join(re.findall(r'style="([^"]*)"', html))
        for modern in ("flex", "grid", "position", "float", "var(", "calc("):
            assert modern not in inline
        assert 'lang="en-GB"' in html
        assert html.count("<h1") == 1
        assert html.count("<table") == html.count("</table>")


def test_a_colour_is_never_the_only_signal(letters: Iterator[str], concern: AlertView) -> None:
    assert concern.mentions
    for html in letters:
        banner = Painted(html, {}).pieces[0][0]
        assert re.search(r"post|source|Digest", banner), banner
