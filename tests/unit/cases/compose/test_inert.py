"""What strangers wrote is bounded, printable, masked and unlinked before anybody sees it."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cases.inert import inert, masked, place, unlinked

ANYTHING = st.text(st.characters())


@given(text=ANYTHING, limit=st.integers(1, 200), lines=st.booleans())
def test_any_text_becomes_bounded_and_printable(text: str, limit: int, *, lines: bool) -> None:
    shown = inert(text, limit=limit, lines=lines)
    assert len(shown) <= limit + 50
    shown.encode()
    for letter in shown:
        assert letter in "\n\u200d" or unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co"}


@given(text=st.text(st.characters(categories=["L", "N", "P"]), max_size=50))
def test_ordinary_words_pass_unchanged(text: str) -> None:
    assert inert(text, limit=50) == text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("one\u202etwo\u202c", "onetwo"),
        ("ki\u200bll\u2060 her", "kill her"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("one\r\ntwo\u2028three", "one two three"),
        ("\ud800half", "\N{REPLACEMENT CHARACTER}half"),
        ("e" + "\u0301" * 500, "e" + "\u0301" * 4),
        ("\N{FAMILY}", "\N{FAMILY}"),
        ("👩\u200d🏫 and ع\u200dر", "👩\u200d🏫 and عر"),
    ],
)
def test_what_deceives_the_eye_is_taken_out(hostile: str, shown: str) -> None:
    assert inert(hostile, limit=2500) == shown


def test_lines_are_kept_where_asked_and_cut_where_there_are_too_many() -> None:
    assert inert("one\n\n\n\ntwo", limit=100, lines=True) == "one\n\ntwo"
    assert inert("row\n" * 500, limit=10_000, lines=True).count("\n") < 45
    assert "kept as evidence" in inert("row\n" * 500, limit=10_000, lines=True)


def test_a_cut_is_shown_as_a_cut() -> None:
    assert inert("abcdef", limit=3) == "abc…"
    assert inert("abc", limit=3) == "abc"


def test_a_hundred_megabytes_cost_no_more_than_their_beginning() -> None:
    huge = "\u0301a" * 50_000_000
    started = time.thread_time()
    inert(huge, limit=2000, lines=True)
    masked(huge)
    assert time.thread_time() - started < 0.5


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("kill you", "k··· y··"),
        ("KILL", "K···"),
        ("k i l l  him", "k··· h··"),
        ("k.i.l.l", "k······"),
        ("f***ing", "f······"),
        ("#SackMissOkonjo", "#S······"),
        ("@mrs.okonjo", "@m······"),
        ("14 Elm Road", "·· E·· R···"),
        ("07700 900123", "····· ······"),
        ("🔪🔪🐷", "[emoji]"),
        ("die 👩\u200d🏫", "d·· [emoji]"),
        ("tick🔪tock", "t···[emoji]···"),
        ("❤️ it", "[emoji] i·"),
        ("e\u0301clair", "e\u0301·····"),
        ("杀死你", "杀··"),
        ("अपमान", "अ···"),
        ("k\u200bill", "k···"),
        ("", ""),
        ("\u202e", ""),
    ],
)
def test_words_become_initials_and_dots(words: str, shown: str) -> None:
    assert masked(words) == shown


def test_a_long_reason_shows_twelve_words_at_most() -> None:
    assert masked("word " * 30).count("w···") == 12


@given(text=ANYTHING)
def test_no_two_letters_or_any_digit_of_a_word_survive_masking(text: str) -> None:
    shown = masked(text).replace("[emoji]", "")
    for word in shown.split():
        assert sum(unicodedata.category(letter)[0] == "L" for letter in word) <= 1
        assert not any(letter.isdecimal() for letter in word)


@pytest.mark.parametrize(
    "url",
    [
        "https://forum.dunnowby.example/t/412#post-9",
        "http://127.0.0.1:8080/a?b=c&d=%20",
        "https://x.example/a_(b)/~c;d=1,2",
    ],
)
def test_an_ordinary_address_is_a_link_to_itself(url: str) -> None:
    assert place(url).shown == place(url).href == url


def test_letters_beyond_ascii_in_a_path_are_percent_encoded() -> None:
    assert place("https://x.example/naïve").href == "https://x.example/na%C3%AFve"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,<b>x",
        "https://bank.example@evil.example/",
        "https://evil.example/\r\nBcc: x",
        'https://evil.example/"onmouseover="x',
        "https://evil.example/<script>",
        "https://xn--pple-43d.example/",
        "https://пример.example/",
        "https://evil.example\\@good.example/",
        "https://evil.example:99999/",
        "https://[::1",
        "https://",
        "//evil.example/x",
        "https://evil.example/" + "a" * 600,
        "https://evil.example/\u202egpj.exe",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_not_ordinary_is_never_a_link(url: str) -> None:
    where = place(url)
    assert where.href == ""
    assert "://" not in where.shown
    assert len(where.shown) < 2000


@given(url=ANYTHING)
def test_no_text_at_all_makes_a_link_that_is_not_plain_http(url: str) -> None:
    href = place(url).href
    assert href == "" or href.startswith(("http://", "https://"))
    assert href.isascii()
    assert not set(href) & set(" \r\n\"'<>\\")


def test_addresses_in_a_text_are_no_links_for_a_mail_program() -> None:
    assert unlinked("see www.evil.example/x") == "see www[.]evil[.]example/x"
    assert unlinked("https://evil.example") == "https[:]//evil[.]example"
    assert unlinked("It is 3.14. Then we stop...") == "It is 3.14. Then we stop..."
