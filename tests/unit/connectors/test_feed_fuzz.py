"""Damaged feeds: the parser answers whatever comes, and what it answers can be stored."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.feed import cutting
from connectors.feed.parsing import parse

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "feed"
FEEDS = [path.read_bytes() for path in sorted(FIXTURES.glob("*.*")) if path.suffix != ".toml"]
SHARDS = [
    *(b"<item>", b"</item>", b"<entry", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&#xD800;", b"&#0"),
    *(b"&", b"<", b">", b'"', b"'", b"\x00", b"\xff\xfe", b"<!DOCTYPE x [", b"<!ENTITY a 'b'>"),
    *(b"<link href='//['/>", b"<guid>http://[</guid>", b"<pubDate>99999-99-99</pubDate>"),
    *(b"<div xmlns='http://www.w3.org/1999/xhtml'>", b"<rss:item>", b"<media:content url=''/>"),
]


@given(
    feed=st.sampled_from(FEEDS),
    damages=st.lists(
        st.tuples(st.integers(0, 3_000), st.integers(0, 40), st.sampled_from(SHARDS) | st.binary()),
        max_size=6,
    ),
)
@settings(max_examples=150, deadline=None)
def test_a_damaged_feed_is_read_or_said_to_be_broken(
    feed: bytes, damages: list[tuple[int, int, bytes]]
) -> None:
    for place, length, shard in damages:
        feed = feed[:place] + shard + feed[place + length :]
    found = parse(feed, {"content_type": "application/xml", "max_entries": "50"})
    json.dumps(found, ensure_ascii=False).encode()
    for entry in found.get("entries", []):
        if "start" in entry:
            assert 0 <= entry["start"] < entry["end"] <= len(feed)


@given(st.binary(max_size=400), st.sampled_from([1, 2, 4]))
def test_any_bytes_can_be_made_readable(body: bytes, unit: int) -> None:
    readable, _ = cutting.readable(body, unit, "text/xml")
    assert isinstance(readable, bytes)
