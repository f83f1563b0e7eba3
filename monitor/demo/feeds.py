"""A real HTTP server on loopback that publishes RSS feeds, newest post first."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from xml.sax.saxutils import escape


@dataclass(frozen=True, slots=True)
class FeedPost:
    """One invented post: the feed it stands in, a name that lasts, and its words."""

    feed: str
    guid: str
    author: str
    title: str
    text: str


class FeedServer:
    """Serves `/<feed>.xml` for every feed that something was published in."""

    def __init__(self) -> None:
        self.requests = 0
        self._feeds: dict[str, dict[str, tuple[FeedPost, datetime]]] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._requests())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """The port that was free."""
        return int(self._server.server_address[1])

    def publish(self, *posts: FeedPost) -> None:
        """Add posts; one with a known guid replaces its earlier words, as an edit does."""
        with self._lock:
            for post in posts:
                feed = self._feeds.setdefault(post.feed, {})
                known = feed.get(post.guid)
                feed[post.guid] = (post, known[1] if known else datetime.now(UTC))

    def document(self, name: str) -> bytes | None:
        """The feed as RSS 2.0; None where there is none of that name."""
        with self._lock:
            feed = self._feeds.get(name)
            posts = list(feed.values()) if feed is not None else None
        if posts is None:
            return None
        rows = "".join(self._row(post, at) for post, at in reversed(posts))
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"'
            ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
            f"<title>{escape(name)}</title><link>http://127.0.0.1:{self.port}/</link>"
            f"<description>invented</description>{rows}</channel></rss>"
        ).encode()

    def _row(self, post: FeedPost, at: datetime) -> str:
        link = f"http://127.0.0.1:{self.port}/{post.feed}/{post.guid}"
        return (
            f"<item><guid isPermaLink='true'>{link}</guid><link>{link}</link>"
            f"<title>{escape(post.title)}</title><dc:creator>{escape(post.author)}</dc:creator>"
            f"<pubDate>{format_datetime(at)}</pubDate>"
            f"<description>{escape(post.text)}</description></item>"
        )

    def _requests(self) -> type[BaseHTTPRequestHandler]:
        feeds = self

        class Requests(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                feeds.requests += 1
                name = self.path.removeprefix("/").removesuffix(".xml")
                body = feeds.document(name)
                if body is None:
                    self.send_error(404)
                    return
                tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                if self.headers.get("If-None-Match") == tag:
                    self.send_response(304)
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", tag)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                """Stay silent: the terminal belongs to the demonstration."""

        return Requests

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
