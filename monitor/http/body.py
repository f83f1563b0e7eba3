"""Expands a body as it arrives, and stops at the cap instead of after it."""

from __future__ import annotations

import zlib

from monitor.errors import MalformedError

_GZIP = 16 + zlib.MAX_WBITS
_DEFLATE = zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_MEMBERS = 100
"""A gzip stream may have several members; thousands of empty ones would only burn time."""
_GZIP_MAGIC = b"\x1f\x8b"


class Body:
    """Collects one answer's body under a cap for the wire and a cap for what it expands to.

    Args:
        encoding: the value of Content-Encoding; identity, gzip and deflate are understood.
        wire_bytes: the cap on bytes received.
        body_bytes: the cap on bytes after expansion.

    Raises:
        MalformedError: for an encoding that was not asked for, and from `feed` and `end`.
    """

    def __init__(self, encoding: str, *, wire_bytes: int, body_bytes: int) -> None:
        self._coding = _coding(encoding)
        self._expander = self._fresh(b"") if self._coding == "gzip" else None
        self._wire_left = wire_bytes
        self._wire_bytes = wire_bytes
        self._body_bytes = body_bytes
        self._members = 1
        self._head = b""
        self._content = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes from the wire."""
        self._wire_left -= len(chunk)
        if self._wire_left < 0:
            raise MalformedError(f"the answer is longer than {self._wire_bytes} bytes")
        if self._coding == "identity":
            self._content += chunk
            self._check()
            return
        chunk, self._head = self._head + chunk, b""
        if self._expander is None:
            # Deflate comes with or without a zlib header; two bytes tell which.
            if len(chunk) < len(_GZIP_MAGIC):
                self._head = chunk
                return
            self._expander = self._fresh(chunk)
        self._expand(chunk)

    def end(self) -> bytes:
        """The whole expanded body, once the wire is silent."""
        if self._coding == "identity" or self._empty():
            return bytes(self._content)
        if self._expander is None or not self._expander.eof:
            raise MalformedError("the compressed answer ends too early")
        return bytes(self._content)

    def _empty(self) -> bool:
        return self._wire_left == self._wire_bytes

    def _expand(self, chunk: bytes) -> None:
        while chunk:
            assert self._expander is not None
            if self._expander.eof and not self._next_member(chunk):
                return
            room = self._body_bytes - len(self._content) + 1
            try:
                self._content += self._expander.decompress(chunk, room)
            except zlib.error as error:
                raise MalformedError("the compression of the answer is broken") from error
            self._check()
            chunk = self._expander.unconsumed_tail or self._expander.unused_data

    def _next_member(self, chunk: bytes) -> bool:
        """Whether another gzip member begins; anything else after the end is padding."""
        if self._coding == "gzip" and chunk == _GZIP_MAGIC[:1]:
            self._head = chunk  # the next chunk tells
        if self._coding != "gzip" or not chunk.startswith(_GZIP_MAGIC):
            return False
        self._members += 1
        if self._members > _MEMBERS:
            raise MalformedError("the compressed answer is made of too many pieces")
        self._expander = self._fresh(chunk)
        return True

    def _fresh(self, head: bytes) -> zlib._Decompress:
        if self._coding == "gzip":
            return zlib.decompressobj(_GZIP)
        # RFC 1950: the low four bits name deflate, and the first two bytes divide by 31.
        wrapped = head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head[:2], "big") % 31 == 0
        return zlib.decompressobj(_DEFLATE if wrapped else _RAW_DEFLATE)

    def _check(self) -> None:
        if len(self._content) > self._body_bytes:
            raise MalformedError(f"the answer expands to more than {self._body_bytes} bytes")


def _coding(encoding: str) -> str:
    known = {"": "identity", "identity": "identity", "gzip": "gzip", "x-gzip": "gzip"}
    known["deflate"] = "deflate"
    coding = known.get(encoding.strip().lower())
    if coding is None:
        raise MalformedError("the answer is compressed in a way that was not asked for")
    return coding
