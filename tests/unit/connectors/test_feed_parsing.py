"""What the feed parser makes of well-formed, odd and broken feeds."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from connectors.feed.parsing import parse

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "feed"
SHARED = Path(
    os.environ.get("STAFF_MENTIONS_SHARED", Path(__file__).resolve().parents[3] / "../shared")
)
OBSERVED = SHARED / "fixtures" / "feedparser_observed.json"


def _parse(body: bytes, content_type: str = "application/xml", most: int = 500) -> dict[str, Any]:
    return parse(body, {"content_type": content_type, "max_entries": str(most)})


def _file(name: str, content_type: str = "application/xml") -> dict[str, Any]:
    return _parse((FIXTURES / name).read_bytes(), content_type)


def _rss(items: str, head: str = "") -> bytes:
    return f'<rss version="2.0">{head}<channel>{items}</channel></rss>'.encode()


def _only(found: dict[str, Any]) -> dict[str, Any]:
    (entry,) = found["entries"]
    assert isinstance(entry, dict)
    return entry


def test_a_title_escaped_twice_and_marked_up_is_read_as_words() -> None:
    assert _file("normal.xml")["entries"][0]["title"] == "Fish & chips at the fair"


def test_the_text_is_the_content_without_tags_and_scripts() -> None:
    text = _file("normal.xml")["entries"][0]["text"]
    assert "says Mrs Tindale." in text
    assert "track()" not in text
    assert "🙂" in text


def test_a_summary_that_only_repeats_the_beginning_is_left_out() -> None:
    assert _file("normal.xml")["entries"][0]["text"].count("great success") == 1


def test_a_summary_that_says_something_else_is_kept() -> None:
    found = _parse(
        _rss(
            '<item xmlns:c="http://purl.org/rss/1.0/modules/content/"><title>T</title>'
            "<description>Mr Pike again</description><c:encoded>Long story.</c:encoded></item>"
        )
    )
    assert _only(found)["text"] == "Mr Pike again\n\nLong story."


def test_media_are_listed() -> None:
    assert _file("normal.xml")["entries"][0]["media"] == [
        "https://pictures.dunnowby.example/fair-large.jpg",
        "https://blog.dunnowby.example/sound/fair.mp3",
        "/pictures/fair.jpg",
    ]


def test_an_item_in_a_comment_or_in_text_is_not_taken_for_an_item() -> None:
    body = (FIXTURES / "normal.xml").read_bytes()
    cuts = [body[each["start"] : each["end"]] for each in _parse(body)["entries"]]
    assert [cut.count(b"</item>") for cut in cuts] == [2, 1, 1]
    assert all(cut.startswith(b"<item>") and cut.endswith(b"</item>") for cut in cuts)


def test_a_date_that_cannot_be_read_keeps_its_words() -> None:
    entry = _file("normal.xml")["entries"][1]
    assert (entry["published"], entry["dated_by"]) == ("", "none")
    assert entry["published_raw"] == "Seg, 16 Nov 2026 as usual"


def test_dates_fall_back_from_published_to_updated() -> None:
    updated, published = _file("entries.atom")["entries"]
    assert (updated["published"], updated["dated_by"]) == ("2026-11-19T10:59:00+00:00", "updated")
    assert published["dated_by"] == "published"
    assert published["published"] == "2026-11-18T08:00:00+00:00"


def test_xhtml_content_is_read_as_text() -> None:
    assert _file("entries.atom")["entries"][0]["text"] == "Yes, I think so.\n\nReally."


def test_a_plain_atom_title_keeps_what_looks_like_markup() -> None:
    assert _file("entries.atom")["entries"][0]["title"] == "Is 5 < 6 & so on?"


def test_an_html_atom_title_loses_its_tags() -> None:
    assert _file("entries.atom")["entries"][1]["title"] == "Parking again"


def test_the_next_page_is_found() -> None:
    assert _file("entries.atom")["next"].endswith("feed.atom?page=2")


def test_latin_1_is_read_and_cut_in_its_own_bytes() -> None:
    body = (FIXTURES / "no_dates.rdf").read_bytes()
    entry = _only(_parse(body))
    assert entry["title"] == "The café is closed"
    assert entry["dated_by"] == "none"
    assert b"caf\xe9" in body[entry["start"] : entry["end"]]


@pytest.mark.parametrize(
    "content_type", ["application/xml; charset=utf-16le", "application/xml", "text/xml", ""]
)
def test_utf_16_without_a_mark_is_read_and_cut(content_type: str) -> None:
    body = (FIXTURES / "utf16.xml").read_bytes()
    first, second = _parse(body, content_type)["entries"]
    assert first["title"] == "Thé 丼 😡"
    cut = body[first["start"] : first["end"]].decode("utf-16-le")
    assert cut.startswith("<item><title>Thé 丼 😡</title>")
    assert cut.endswith("</item>")
    assert body[second["start"] : second["end"]].decode("utf-16-le").count("Second") == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-be", "utf-8-sig"])
def test_other_wide_encodings_are_cut_where_the_item_stands(encoding: str) -> None:
    body = _rss("<item><title>é</title></item><item><title>ö</title></item>").decode()
    found = _parse(body.encode(encoding))
    cuts = [body.encode(encoding)[one["start"] : one["end"]] for one in found["entries"]]
    plain = encoding if encoding.endswith("be") else encoding.replace("-sig", "")
    suffix = "" if plain in {"utf-8", "utf-16-be"} else "-le"
    assert [cut.decode(plain + suffix) for cut in cuts] == [
        "<item><title>é</title></item>",
        "<item><title>ö</title></item>",
    ]


def test_a_bare_ampersand_loses_no_item() -> None:
    found = _file("bare_ampersand.xml")
    assert [entry["title"] for entry in found["entries"]] == ["Before", "This & that", "After"]
    assert all("start" in entry for entry in found["entries"])


def test_items_that_cannot_be_told_apart_are_not_cut() -> None:
    assert all("start" not in entry for entry in _file("unclosed_item.xml")["entries"])


def test_a_feed_that_was_cut_off_says_so_and_keeps_what_came() -> None:
    found = _file("cut_off.xml")
    assert not found["closed"]
    assert found["entries"][0]["title"] == "Whole"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "empty"),
        (b" \r\n ", "empty"),
        (b"<html><body>Sign in</body></html>", "web page"),
        (b"<!DOCTYPE html><title>x</title>", "web page"),
        (b'{"version": "https://jsonfeed.org/version/1.1"}', "JSON"),
        (b"<note><to>x</to></note>", "not a feed"),
        (b"\x00\x01\x02garbage", "not a feed"),
        (gzip.compress(b"<rss/>"), "compressed file"),
        (b'<?xml version="1.0"?><rss version="2.0"><channel><title>Half', "before its first item"),
        (
            b'<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><rss version="2.0"></rss>',
            "entities",
        ),
        (b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss/>', "entities"),
        (b"<rss><item " + b'a="" ' * 300 + b"/></rss>", "attributes"),
        (b"<rss><item " + b"a=1 " * 300 + b"/></rss>", "attributes"),
        ("<rss><item " + 'a=">" ' * 300 + "/></rss>", "attributes"),
        ("<rss><channel>" + "<x>" * 6_000, "in one another"),
    ],
)
def test_what_is_no_feed_is_broken_and_says_why(body: bytes | str, why: str) -> None:
    found = _parse(body if isinstance(body, bytes) else body.encode())
    assert why in found["broken"]


def test_attributes_are_counted_in_wide_encodings_too() -> None:
    body = ("<rss><item " + 'a="" ' * 300 + "/></rss>").encode("utf-16")
    assert "attributes" in _parse(body)["broken"]


def test_markup_in_a_post_cannot_make_a_whole_feed_unreadable() -> None:
    bomb = "<p " + 'a="" ' * 400 + ">Hello</p>"
    found = _parse(_rss(f"<item><description><![CDATA[{bomb}]]></description></item>"))
    assert _only(found)["text"] == "Hello"


BOMBS = {
    "attributes": b"<p " + b"a='' " * 300 + b"/>",
    "attributes with brackets": b"<p " + b"a='>' " * 300 + b"/>",
    "nesting": b"<b>" * 6_000 + b"</b>" * 6_000,
    "open tags": b"<b>" * 6_000,
    "many tags": b"<b>x</b>" * 21_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_one_hostile_post_hides_no_other(bomb: str) -> None:
    good = b"<item><title>Good</title></item>"
    items = good + b"<item><title>Bad</title>" + BOMBS[bomb] + b"</item>" + good
    body = b'<rss version="2.0"><channel>' + items + b"</channel></rss>"
    found = _parse(body)
    assert [entry["title"] for entry in found["entries"]] == ["Good", "Good"]
    assert found["hostile"] == 1
    assert [body[one["start"] : one["end"]] for one in found["entries"]] == [good, good]


def test_a_post_about_entities_is_a_post() -> None:
    words = 'Look: &lt;!ENTITY a "&amp;b;"&gt; <![CDATA[<!ENTITY a "&b;">]]>'
    found = _parse(_rss(f"<item><title>T</title><description>{words}</description></item>"))
    assert _only(found)["text"].startswith("Look:")


def test_a_feed_that_closes_no_line_break_is_read() -> None:
    items = "<item><title>T</title><description>a" + "<br>" * 200 + "</description></item>"
    assert len(_parse(_rss(items * 60))["entries"]) == 60


def test_a_harmless_document_type_is_read() -> None:
    head = '<!DOCTYPE rss [<!ENTITY nbsp "&#160;">]>'
    body = head.encode() + _rss("<item><title>Hello</title></item>")
    assert _only(_parse(body))["title"] == "Hello"


def test_an_empty_feed_is_a_feed() -> None:
    found = _file("empty.xml")
    assert (found["entries"], found["closed"]) == ([], True)


def test_no_more_entries_are_read_than_asked_for_and_all_are_counted() -> None:
    found = _parse(_rss("<item><title>x</title></item>" * 7), most=5)
    assert (len(found["entries"]), found["all"]) == (5, 7)


def test_a_body_that_spells_a_path_is_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_bytes(_rss("<item><title>secret</title></item>"))
    assert "broken" in _parse(str(secret).encode())


@pytest.mark.parametrize(
    "forbidden",
    ["&#xD800;", "&#0;", "&#1114112;", "&#x110000;", "&#xD800", "&#99999999999999999999;", "\x0b"],
)
def test_one_forbidden_character_hides_no_other_post(forbidden: str) -> None:
    words = f"<item><title>a{forbidden}b</title></item><item><title>Other</title></item>"
    first, other = _parse(_rss(words))["entries"]
    first["title"].encode()
    assert (first["title"][0], first["title"][-1]) == ("a", "b")
    assert "\0" not in first["title"]
    assert other["title"] == "Other"


def test_the_answer_is_json() -> None:
    assert json.loads(json.dumps(_file("normal.xml"))) == _file("normal.xml")


def _shared_feeds() -> list[Any]:
    if not OBSERVED.exists():
        return []
    files = json.loads(OBSERVED.read_text())["files"]
    return [pytest.param(name, files[name]["entries"], id=name) for name in sorted(files)]


BETTER_THAN_OBSERVED = {"generic_feeds/utf16le.xml": 1}
"""feedparser sees nothing here; we tell it the encoding."""


@pytest.mark.parametrize(("name", "entries"), _shared_feeds())
def test_every_shared_feed_has_the_entries_that_feedparser_sees(name: str, entries: int) -> None:
    found = _parse((OBSERVED.parent / name).read_bytes())
    assert len(found.get("entries", [])) == BETTER_THAN_OBSERVED.get(name, entries)
    assert entries or "broken" in found or found["closed"]


@pytest.mark.parametrize(("name", "entries"), [one for one in _shared_feeds() if one.values[1]])
def test_every_entry_of_a_whole_shared_feed_is_cut_from_its_bytes(name: str, entries: int) -> None:
    body = (OBSERVED.parent / name).read_bytes()
    found = _parse(body)
    if found["closed"]:
        cuts = [body[one["start"] : one["end"]] for one in found["entries"]]
        assert len(set(cuts)) == entries
        assert all(cut.startswith((b"<item", b"<entry")) for cut in cuts)
