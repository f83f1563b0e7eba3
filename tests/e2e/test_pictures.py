"""Pictures of pages: a real Chromium against pages on loopback that try what pages try."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.pictures import camera
from monitor.pictures.job import TALLEST, WIDTH, Job, Picture, measure, read_picture
from monitor.pictures.worker import answer

HOME = "127.0.0.1"
DOT = "data:image/gif;base64,R0lGODlhAQABAIABAP8AAP///yH5BAEAAAEALAAAAAABAAEAAAICRAEAOw=="
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)

pytestmark = pytest.mark.skipif(
    not camera.installed() and "STAFF_MENTIONS_REQUIRE_REAL" not in os.environ,
    reason="no Chromium here",
)


class Site:
    """A server of pages; `asked` lists what was asked of it, `said` what with."""

    def __init__(self, address: str = HOME) -> None:
        self.asked: list[str] = []
        self.cookies: list[str] = []
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.hanging = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                site.cookies += self.headers.get_all("Cookie", [])
                if self.path == "/endless":
                    site.hanging.wait(60)
                status, headers, body = site.pages.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the name that http.server calls

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer((address, 0), Handler)
        self.url = f"http://{address}:{self.server.server_port}"

    def page(self, path: str, words: str, **headers: str) -> str:
        kind = {"Content-Type": "text/html; charset=utf-8", "Set-Cookie": "tracked=1; Path=/"}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = (200, kind | more, words.encode())
        return self.url + path


@contextmanager
def serving(address: str = HOME) -> Iterator[Site]:
    site = Site(address)
    thread = threading.Thread(target=site.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.hanging.set()
        site.server.shutdown()
        site.server.server_close()
        thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.fixture
def neighbour() -> Iterator[Site]:
    """A server on a private address that nobody permitted."""
    with serving("127.0.0.2") as found:
        yield found


async def taken(url: str, hosts: tuple[str, ...] = (HOME,)) -> tuple[Picture, bytes]:
    sandbox = os.geteuid() != 0  # Chromium makes none for root
    return await answer(Job(url, hosts), clock=SystemClock(), private_home=HOME, sandbox=sandbox)


async def test_a_page_is_pictured_whole_with_its_address_above_it(site: Site) -> None:
    url = site.page("/post/1", "<h1>Brackwater notices</h1><div style='height:3000px'></div>end")
    picture, png = await taken(url)
    assert picture.trouble == ""
    assert picture.address == url
    assert picture.browser.startswith("Chromium ")
    width, height = measure(png)
    assert width == WIDTH
    assert 3000 < height < 3400
    assert len(png) == picture.size
    keep = os.environ.get("STAFF_MENTIONS_KEEP_PICTURE")
    if keep:
        Path(keep).write_bytes(png)  # noqa: ASYNC240 - for whoever wants to look


async def test_images_videos_frames_and_fonts_are_never_asked_for(
    site: Site, neighbour: Site
) -> None:
    site.pages["/style.css"] = (
        200,
        {"Content-Type": "text/css"},
        b"@font-face{font-family:f;src:url(/f.woff2)}body{font-family:f;background:url(/bg.png)}",
    )
    site.pages["/disguised"] = (200, {"Content-Type": "text/plain"}, PNG)
    parts = (
        "<link rel=stylesheet href=/style.css><link rel=icon href=/icon.png>"
        "<link rel=preload as=image href=/early.png><link rel=preload as=font href=/early.woff2>"
        "<img src=/a.png><img srcset='/b.png 2x'><picture><source srcset=/c.webp><img></picture>"
        "<svg width=9 height=9><image href=/d.png width=9 height=9 /></svg>"
        "<video src=/e.mp4 poster=/poster.png autoplay></video><audio src=/g.mp3 autoplay></audio>"
        "<iframe src=/frame.html></iframe><object data=/o.pdf></object><embed src=/p.swf>"
        f"<img src='{DOT}'><img src='{neighbour.url}/x.png'><input type=image src=/i.png>"
        "<script>new Image().src='/late.png';fetch('/disguised').then(r=>r.text())"
        ".then(()=>document.title='got it',()=>{})</script>words"
    )
    picture, _ = await taken(site.page("/post/2", parts))
    assert picture.trouble == ""
    assert set(site.asked) == {"/robots.txt", "/post/2", "/style.css", "/disguised"}
    assert neighbour.asked == []
    assert picture.refused >= 1  # the rest our policy refused before it was asked for


async def test_scripts_reach_no_private_address_by_any_way(site: Site, neighbour: Site) -> None:
    away = neighbour.url
    sockets = away.replace("http", "ws")
    script = (
        f"<script>fetch('{away}/fetch',{{mode:'no-cors'}}).catch(()=>0);"
        f"navigator.sendBeacon('{away}/beacon','x');new WebSocket('{sockets}/ws');"
        f"new EventSource('{away}/events');window.open('{away}/open');"
        f"let s=document.createElement('script');s.src='{away}/s.js';document.head.append(s);"
        f"fetch('/said',{{method:'POST',body:'x'}}).catch(()=>0);"
        f"setTimeout(()=>location='{away}/gone',300)</script>words"
    )
    picture, _ = await taken(site.page("/post/3", script))
    assert picture.trouble == ""
    assert neighbour.asked == []
    assert "/said" not in site.asked


async def test_a_redirect_to_a_private_or_unlisted_host_is_refused(
    site: Site, neighbour: Site
) -> None:
    site.pages["/away"] = (302, {"Location": f"{neighbour.url}/inner"}, b"")
    unlisted, _ = await taken(f"{site.url}/away")
    assert "does not list" in unlisted.trouble
    private, _ = await taken(f"{site.url}/away", (HOME, "127.0.0.2"))
    assert "not on the public internet" in private.trouble
    assert neighbour.asked == []
    assert not private.again


async def test_robots_txt_is_obeyed_on_the_way_too(site: Site) -> None:
    site.pages["/robots.txt"] = (200, {}, b"User-agent: *\nDisallow: /closed/\n")
    site.page("/closed/1", "words")
    site.pages["/open"] = (302, {"Location": "/closed/1"}, b"")
    for path in ("/closed/1", "/open"):
        picture, png = await taken(site.url + path)
        assert "robots.txt" in picture.trouble
        assert png == b""
    assert "/closed/1" not in site.asked


async def test_no_cookie_is_ever_sent(site: Site) -> None:
    site.pages["/more"] = (200, {"Content-Type": "text/javascript"}, b"")
    words = "<script>document.cookie='a=b'</script><script src=/more></script>"
    await taken(site.page("/post/4", words))
    assert "/more" in site.asked
    assert site.cookies == []


async def test_a_page_that_never_stops_loading_is_pictured_as_far_as_it_came(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera, "LOADING", 4.0)
    picture, png = await taken(site.page("/post/5", "words<script src=/endless></script>"))
    assert "had not finished loading" in " ".join(picture.notes)
    assert measure(png)[0] == WIDTH


async def test_a_huge_page_is_cut_and_says_so(site: Site) -> None:
    tall = site.page("/post/6", "<div style='height:900000px;width:90000px'>words</div>")
    picture, png = await taken(tall)
    assert f"only the first {TALLEST}" in picture.notes[0]
    assert measure(png)[0] == WIDTH
    heavy, _ = await taken(site.page("/post/7", "x" * 9_000_000))
    assert heavy.trouble != ""


def test_the_program_itself_permits_no_private_address_and_has_no_way_to_be_told_to(
    site: Site,
) -> None:
    """Nothing in the question and nothing in the environment opens loopback."""
    url = site.page("/post/8", "words")
    asked = json.dumps({"url": url, "hosts": [HOME], "private_home": HOME}).encode() + b"\n"
    done = subprocess.run(
        [sys.executable, "-c", "from monitor.pictures.worker import main; main()"],
        input=asked,
        capture_output=True,
        timeout=60,
        check=True,
    )
    line, _, rest = done.stdout.partition(b"\n")
    picture = read_picture(line)
    # Root's Chromium does not start; elsewhere the address is what is refused.
    assert "not on the public internet" in picture.trouble or "does not start" in picture.trouble
    assert rest == b""
    assert site.asked == []
