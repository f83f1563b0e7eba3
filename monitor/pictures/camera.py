"""Drives the installed Chromium, which has no network: whatever it asks for is fetched for it.

A page's words are what counts here. Images, videos, frames and fonts are refused three times over:
by the kind of the request, by a policy laid on the page (for what is written into it), and by what
an answer says and begins with.
"""

from __future__ import annotations

import asyncio
import base64
import html
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from playwright.async_api import Browser, Page, Request, Route, async_playwright
from playwright.async_api import Error as BrowserError

from monitor.contract import Fetched
from monitor.errors import RefusedError, RemoteError, TransientError
from monitor.pictures.fetching import Fetching
from monitor.pictures.job import TALLEST, WHY, WIDTH

CHROMIUMS: Final = ("chromium", "chromium-browser", "google-chrome")
LOADING: Final = 15.0
SETTLING: Final = 3.0
"""Seconds that a page may load, and that its scripts may then go on asking."""
_WANTED: Final = frozenset({"document", "stylesheet", "script", "xhr", "fetch"})
_POLICY: Final = (
    "img-src 'none'; media-src 'none'; font-src 'none'; object-src 'none'; frame-src 'none'; "
    "child-src 'none'; worker-src 'none'; manifest-src 'none'; prefetch-src 'none'; "
    "form-action 'none'; base-uri 'self'"
)
_MEDIA: Final = ("image/", "video/", "audio/", "font/", "application/font", "application/vnd.ms-f")
_SIGNS: Final = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"\x1aE\xdf\xa3", b"wOFF", b"wOF2", b"OggS",
    b"BM",
)  # fmt: skip
_HIDDEN: Final = (
    "canvas,video,audio,iframe,frame,object,embed,img,picture,svg image"
    "{visibility:hidden!important}*{animation:none!important;transition:none!important}"
)
ARGUMENTS: Final = (
    "--js-flags=--jitless",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--blink-settings=imagesEnabled=false",
    "--disable-3d-apis",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-gpu",
    "--disable-sync",
    "--dns-prefetch-disable",
    "--no-pings",
)
"""Chromium itself finds no name and reaches only a proxy that is not there.

Its scripts run without the compiler, through which most attacks on browsers go; the unit then
forbids memory that is both written and executed (MemoryDenyWriteExecute).
"""


def installed() -> str:
    """Where Chromium is; empty where there is none. Nothing is ever downloaded."""
    return next((found for name in CHROMIUMS if (found := shutil.which(name))), "")


@asynccontextmanager
async def chromium(*, sandbox: bool = True) -> AsyncIterator[Browser]:
    """The installed Chromium, fresh and empty.

    `sandbox` is false only in tests that run as root, where Chromium refuses to make one.

    Raises:
        RefusedError: there is none.
        TransientError: it does not start.
    """
    path = installed()
    if not path:
        raise RefusedError("there is no Chromium here: apt install chromium")
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(
                executable_path=path, args=list(ARGUMENTS), chromium_sandbox=sandbox
            )
        except BrowserError as error:
            # No page was asked for yet: what Chromium complains of holds nothing of anybody's.
            sys.stderr.write(f"{error}\n")
            raise TransientError(f"Chromium does not start; {WHY}") from error
        try:
            yield browser
        finally:
            await browser.close()


class Shot:
    """One page, drawn once: `notes` say what is missing on it, `refused` counts the blocked."""

    def __init__(self, browser: Browser, fetching: Fetching) -> None:
        self._browser = browser
        self._fetching = fetching
        self.notes: list[str] = []
        self.refused = 0

    async def take(self, url: str, *, now: datetime) -> tuple[str, bytes]:
        """The address where the page stood, and its picture with address and time printed on it.

        Raises:
            RemoteError: the page may not or cannot be pictured.
        """
        fetched = await self._fetching.page(url)
        if not _is_page(fetched):
            raise RefusedError("what stands there is no web page")
        try:
            png, height = await self._draw(fetched)
            return fetched.url, await self._print(png, height, fetched.url, now)
        except BrowserError as error:
            raise TransientError("Chromium could not draw the page") from error

    async def _draw(self, fetched: Fetched) -> tuple[bytes, int]:
        context = await self._browser.new_context(
            viewport={"width": WIDTH, "height": 900},
            accept_downloads=False,
            service_workers="block",
            reduced_motion="reduce",
        )
        try:
            page = await context.new_page()
            await context.route("**/*", lambda route: self._answer(route, page, fetched))
            await context.route_web_socket("**/*", lambda socket: socket.close())
            page.on("dialog", lambda dialog: dialog.dismiss())
            context.on("page", lambda other: other.close() if other is not page else None)
            await self._load(page, fetched.url)
            return await self._photograph(page)
        finally:
            await context.close()

    async def _load(self, page: Page, url: str) -> None:
        try:
            await page.goto(url, wait_until="load", timeout=LOADING * 1000)
            await page.wait_for_load_state("networkidle", timeout=SETTLING * 1000)
        except BrowserError as error:
            if "Timeout" not in str(error):
                raise
            self.notes.append("the page had not finished loading")

    async def _photograph(self, page: Page) -> tuple[bytes, int]:
        await page.add_style_tag(content=_HIDDEN)
        tall = await page.evaluate(
            "Math.max(document.documentElement.scrollHeight, document.body?.scrollHeight ?? 0)"
        )
        height = max(1, min(int(tall), TALLEST))
        if tall > TALLEST:
            self.notes.append(f"only the first {TALLEST} of {int(tall)} pixels are shown")
        png = await page.screenshot(
            full_page=True,
            clip={"x": 0, "y": 0, "width": WIDTH, "height": height},
            animations="disabled",
            timeout=LOADING * 1000,
        )
        return png, height

    async def _answer(self, route: Route, page: Page, fetched: Fetched) -> None:
        """Answer one request of the page, or refuse it."""
        asked = route.request
        try:
            if asked.resource_type not in _WANTED or asked.method != "GET":
                raise RefusedError("not of a kind that is fetched")
            if asked.resource_type == "document":
                if not _is_of(page, asked) or asked.url != _plain(fetched.url):
                    raise RefusedError("a frame, or another page")
                await route.fulfill(status=200, headers=_headers(fetched), body=fetched.body)
                return
            part = await self._fetching.part(asked.url)
            if _is_media(part):
                raise RefusedError("an image, a video or a font under another name")
            await route.fulfill(status=200, headers=_headers(part), body=part.body)
        except RemoteError:
            self.refused += 1
            await route.abort("blockedbyclient")

    async def _print(self, png: bytes, height: int, url: str, now: datetime) -> bytes:
        """The picture below a line with address and time, set by us where no script of it runs."""
        context = await self._browser.new_context(
            java_script_enabled=False, offline=True, viewport={"width": WIDTH, "height": 900}
        )
        try:
            page = await context.new_page()
            await page.set_content(_sheet(png, height, url, now, self.notes), wait_until="load")
            return await page.screenshot(full_page=True, timeout=LOADING * 1000)
        finally:
            await context.close()


def _sheet(png: bytes, height: int, url: str, now: datetime, notes: list[str]) -> str:
    said = "; ".join(["images, videos, frames and fonts left out", *notes])
    shown = html.escape(url[:1500])
    image = base64.b64encode(png).decode()
    return (
        "<!doctype html><style>body{margin:0}div{background:#fff;color:#000;font:21px sans-serif;"
        "padding:10px 14px;border-bottom:3px solid;overflow-wrap:anywhere}"
        "bdo{unicode-bidi:bidi-override}p{margin:0}"
        f"main{{display:block;width:{WIDTH}px;height:{height}px;"
        f"background:url(data:image/png;base64,{image}) 0 0/{WIDTH}px {height}px no-repeat}}"
        "</style>"
        f"<div><p><b><bdo dir=ltr>{shown}</bdo></b></p>"
        f"<p>{now:%Y-%m-%d %H:%M:%S} UTC &middot; {html.escape(said)}</p></div><main></main>"
    )


def _is_of(page: Page, asked: Request) -> bool:
    """Whether the page itself asks, and no frame or window; a window may not be there yet."""
    try:
        return asked.frame is page.main_frame
    except BrowserError:
        return False


def _plain(url: str) -> str:
    return url.partition("#")[0]


def _is_page(fetched: Fetched) -> bool:
    kind = _header(fetched, "content-type").lower()
    return kind.startswith(("text/html", "application/xhtml+xml", "text/plain"))


def _is_media(fetched: Fetched) -> bool:
    kind = _header(fetched, "content-type").strip().lower()
    body = fetched.body
    return kind.startswith(_MEDIA) or body.startswith(_SIGNS) or body[4:8] == b"ftyp"


def _headers(fetched: Fetched) -> dict[str, str]:
    """What the browser may hear of an answer: its kind, who may read it, and our policy."""
    kept = {"content-type": _header(fetched, "content-type") or "text/plain"}
    origin = _header(fetched, "access-control-allow-origin")
    if origin:
        kept["access-control-allow-origin"] = origin
    return kept | {"content-security-policy": _POLICY, "x-content-type-options": "nosniff"}


def _header(fetched: Fetched, wanted: str) -> str:
    found = (value for name, value in fetched.answer.headers if name.lower() == wanted)
    return next(found, "")


async def version(*, sandbox: bool = True) -> str:
    """What Chromium calls itself. Raises RemoteError where it is not there or does not start."""
    async with asyncio.timeout(LOADING):
        async with chromium(sandbox=sandbox) as browser:
            return f"Chromium {browser.version}"
