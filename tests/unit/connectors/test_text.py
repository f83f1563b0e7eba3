"""Plain text out of markup: what a reader sees, in linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text import clean, media_in, plain_text, unescape_once


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<p>Mrs Tin<b>da</b>le</p>", "Mrs Tindale"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two", "one\ntwo"),
        ("<li>one<li>two", "one\ntwo"),
        ("<a href=x>Karen</a><a href=y>Pike</a>", "Karen Pike"),
        ("a<script>var b = '<p>';</script>c", "ac"),
        ("a<SCRIPT>b</sCript >c", "ac"),
        ("a<style>b</style>c<!-- d -->e", "ace"),
        ("a<!-- never ends", "a never ends"),
        ("a<script>never ends", "anever ends"),
        ("5 < 6 and 7 > 2", "5 < 6 and 7 > 2"),
        ("I <3 Mr Pike", "I <3 Mr Pike"),
        ("see <https://x.example/>", "see <https://x.example/>"),
        ("he is <name and will pay", "he is <name and will pay"),
        ("a <b title='x > y'>c</b>", "a c"),
        ("&lt;b&gt; &amp;amp; &#x41;", "<b> &amp; A"),
        ("<img src=x alt='🙂'>", "🙂"),
        ("<o:p>Word</o:p>", "Word"),
        ("<![CDATA[x]]>", "x]]>"),
        ("a&nbsp;&nbsp;b", "a b"),
    ],
)
def test_markup_becomes_what_a_reader_sees(markup: str, words: str) -> None:
    assert plain_text(markup) == words


def test_entities_are_resolved_once_and_bare_ampersands_stay() -> None:
    assert unescape_once("AT&T &amp;lt; &copy 2026") == "AT&T &lt; © 2026"
    assert unescape_once("AT&T &copy 2026") == "AT&T &copy 2026"


def test_clean_text_can_be_stored() -> None:
    assert clean("a\0b\ud800c\x7f") == "a�b�c�"
    assert clean("a \r\n\r\n\r\n\n b") == "a\n\nb"
    assert clean("x" * 50, limit=10) == "x" * 10


def test_media_are_found_and_nothing_else() -> None:
    markup = (
        '<img src="a.png"><video poster=b.png src=\'c.mp4\'></video><a href="d">x</a>'
        '<iframe src="e&amp;f"></iframe><img data-src="g.png"><img src="a.png">'
    )
    assert media_in(markup) == ("a.png", "c.mp4", "b.png", "e&f")


@given(st.text(alphabet="<>/!-[]ab c\"'=&;#x&lt;script"))
def test_any_markup_is_read(markup: str) -> None:
    words = plain_text(markup)
    words.encode()
    media_in(markup)


HOSTILE = [
    "<a ",
    "<!--",
    "<![",
    "<div>",
    '<a "',
    "<a '\"",
    "&",
    "<script>",
    "<script></style>",
    "<script>x</scrip",
    " \r\n",
    "<img alt = ",
    "<?x ",
    "<p a=''",
    "<a></a>",
]


@pytest.mark.parametrize("shape", HOSTILE)
def test_hostile_markup_costs_time_in_proportion(shape: str) -> None:
    """Four times the length may take four times as long, not sixteen (3 ms of noise forgiven)."""

    def seconds(repeats: int) -> float:
        markup = shape * repeats
        runs = []
        for _ in range(3):
            start = time.process_time()
            plain_text(markup, limit=10**9)
            media_in(markup)
            runs.append(time.process_time() - start)
        return min(runs)

    assert seconds(16_000) < 9 * (seconds(4_000) + 0.003)
