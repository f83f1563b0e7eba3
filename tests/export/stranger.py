"""A stranger's verifier of an export, after docs/evidence-format.md and nothing of ours.

Only the standard library: `python3 stranger.py EXPORT.zip [KEY]`. It says what is wrong, one line
each, and exits 1; or "whole" and exits 0.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

FORMAT = "staff-mentions/export/v1"
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
UNSEALED = {"bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "checkpoint.txt"}
UNSEALED |= {"proof.json"}


class Wrong(Exception):  # noqa: N818 - what is wrong is no error of the program
    """Something does not fit."""


# --- Ed25519, as RFC 8032, appendix A has it ------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def plus(one: Point, two: Point) -> Point:
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, point: Point) -> Point:
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = plus(total, point)
        point, number = plus(point, point), number >> 1
    return total


def decompressed(written: bytes) -> Point:
    y = int.from_bytes(written, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if y >= P or (x * x - square) % P or (not x and sign):
        raise Wrong("a point of a signature is on no curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def signature_fits(key: bytes, signature: bytes, said: bytes) -> bool:
    base_y = 4 * pow(5, P - 2, P) % P
    base = decompressed(base_y.to_bytes(32, "little"))
    try:
        theirs, first = decompressed(key), decompressed(signature[:32])
    except Wrong:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    hashed = hashlib.sha512(signature[:32] + key + said).digest()
    number = int.from_bytes(hashed, "little") % ORDER
    left, right = times(scalar, base), plus(first, times(number, theirs))
    level = (left[0] * right[2] - right[0] * left[2]) % P
    upright = (left[1] * right[2] - right[1] * left[2]) % P
    return len(signature) == 64 and scalar < ORDER and not level and not upright


# --- the log --------------------------------------------------------------------------------------


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2."""
    node, last, current = index, size - 1, leaf
    for sibling in proof:
        if not last:
            raise Wrong(f"the proof of entry {index} is too long")
        if node & 1 or node == last:
            current = sha(b"\1", sibling, current)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            current = sha(b"\1", current, sibling)
        node, last = node >> 1, last >> 1
    if last or not 0 <= index < size:
        raise Wrong(f"the proof of entry {index} is too short")
    return current


def roots_of(old: int, new: int, proof: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """RFC 9162, 2.1.4.2."""
    if old == new and not proof:
        return old_root, old_root
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    path = list(proof) if node else [old_root, *proof]
    if not path or not 0 < old <= new:
        raise Wrong(f"the proof of the checkpoint of {old} entries is too short")
    first = second = path[0]
    for sibling in path[1:]:
        if node & 1 or node == last:
            first, second = sha(b"\1", sibling, first), sha(b"\1", sibling, second)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            second = sha(b"\1", second, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise Wrong(f"the proof of the checkpoint of {old} entries is too short")
    return first, second


def key_of(written: str) -> tuple[str, bytes, bytes]:
    """Name, id and bytes of "name+hash+base64"."""
    name, number, material = written.split("+", 2)
    raw = base64.b64decode(material, validate=True)
    if sha(name.encode(), b"\n", raw)[:4].hex() != number or raw[0] != 1:
        raise Wrong("the key is damaged")
    return name, bytes.fromhex(number), raw[1:]


def signed_by(note: str, key: str) -> str:
    """The text of a signed note, if this key signed it (C2SP signed-note)."""
    name, number, raw = key_of(key)
    body, _, tail = note.rpartition("\n\n")
    for line in tail.splitlines():
        dash, signer, written = line.split(" ")
        blob = base64.b64decode(written, validate=True)
        if dash == "—" and signer == name and blob[:4] == number:
            if signature_fits(raw, blob[4:], f"{body}\n".encode()):
                return f"{body}\n"
            raise Wrong("the signature does not fit the checkpoint")
    raise Wrong("the checkpoint is not signed with this key")


def checkpoint(note: str, key: str) -> tuple[int, bytes]:
    origin, size, root = signed_by(note, key).splitlines()[:3]
    if origin != key_of(key)[0]:
        raise Wrong("the checkpoint is of another log")
    return int(size), base64.b64decode(root, validate=True)


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


class Entry:
    """One entry, opened."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.index = given["index"]
        self.erased = given["erased"]
        content = base64.b64decode(given["content"], validate=True)
        self.hash = sha(b"\0", content)
        self.public = json.loads(content[1:])
        if content[:1] != b"\1" or canonical(self.public) != content[1:]:
            raise Wrong(f"entry {self.index} is not in its canonical form")
        left = set(self.public["_sd"])
        self.secret: dict[str, Any] = {}
        for encoded in given["disclosures"]:
            digest = base64.urlsafe_b64encode(sha(encoded.encode())).decode().rstrip("=")
            if digest not in left:
                raise Wrong(f"entry {self.index}: a field is not the one that was sealed")
            left.discard(digest)
            written = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
            _salt, name, value = json.loads(written)
            self.secret[name] = value


# --- the export -----------------------------------------------------------------------------------


def listed(written: bytes) -> dict[str, str]:
    found = {}
    for line in written.decode().splitlines():
        match = re.fullmatch(r"([0-9a-f]{64})  (\S.*)", line)
        if match is None or match[2] in found:
            raise Wrong("a manifest is damaged")
        found[match[2]] = match[1]
    return found


def read(path: str) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(set(names)) != len(names):
            raise Wrong("a file stands in the ZIP twice")
        files = {name: archive.read(name) for name in names}
    tops = {name.split("/")[0] for name in files}
    if len(tops) != 1:
        raise Wrong("the ZIP does not hold one folder")
    return {name.split("/", 1)[1]: content for name, content in files.items()}


class Check:
    """One export, checked step by step; `problems` grows."""

    def __init__(self, files: dict[str, bytes], expected: str = "") -> None:
        self.files = files
        self.digests = {name: hashlib.sha256(body).hexdigest() for name, body in files.items()}
        self.problems: list[str] = []
        self.entries: list[Entry] = []
        self.keys: list[str] = []
        self.size, self.root = 0, b""
        self.proof: dict[str, Any] = {}
        steps: list[Callable[[], None]] = [self.bag, self.fields, lambda: self.key(expected)]
        steps += [self.inclusion, self.originals, self.binding, self.erasures, self.checkpoints]
        for step in steps:
            with self.named():
                step()

    @contextmanager
    def named(self) -> Iterator[None]:
        try:
            yield
        except Wrong as error:
            self.problems.append(str(error))
        except (LookupError, ValueError, TypeError, AttributeError, StopIteration) as error:
            self.problems.append(f"cannot be read: {type(error).__name__} {error}")

    def bag(self) -> None:
        payload = listed(self.files["manifest-sha256.txt"])
        tags = listed(self.files["tagmanifest-sha256.txt"])
        for name, digest in (payload | tags).items():
            if self.digests.get(name) != digest:
                self.problems.append(f"{name} is missing or was altered")
        for name in self.files.keys() - {"tagmanifest-sha256.txt"}:
            if name not in (payload if name.startswith("data/") else tags):
                self.problems.append(f"{name} was added")
        octets = sum(len(self.files.get(name, b"")) for name in payload)
        if f"Payload-Oxum: {octets}.{len(payload)}\n".encode() not in self.files["bag-info.txt"]:
            self.problems.append("bag-info.txt tells of another size")
        if self.files["bagit.txt"] != BAGIT:
            self.problems.append("bagit.txt was altered")

    def fields(self) -> None:
        self.proof = json.loads(self.files["proof.json"])
        listing = json.loads(self.files["data/entries.json"])
        if {self.proof["format"], listing["format"]} != {FORMAT}:
            raise Wrong("of another form")
        for given in (*listing["entries"], self.proof["export"]):
            with self.named():
                self.entries.append(Entry(given))
        if len({each.index for each in self.entries}) != len(self.entries):
            raise Wrong("an entry stands there twice")

    def key(self, expected: str) -> None:
        self.keys = [self.proof["key"]]
        for each in sorted(self.entries, key=lambda e: -e.index):
            if each.public["kind"] == "key.changed":
                text = signed_by(each.public["note"], each.public["old_key"])
                if text != signed_by(each.public["note"], each.public["new_key"]):
                    raise Wrong("a hand-over is not signed by both keys")
                if each.public["new_key"] != self.keys[-1]:
                    raise Wrong("the chain of keys is broken")
                self.keys.append(each.public["old_key"])
        if next(e for e in self.entries if e.index == 0).public["verifier"] != self.keys[-1]:
            raise Wrong("the log began with another key")
        if expected not in {"", self.keys[0]}:
            raise Wrong("the key is not the one that was expected")
        note = self.files["checkpoint.txt"].decode()
        self.size, self.root = checkpoint(note, self.keys[0])
        if self.size != self.proof["size"]:
            raise Wrong("the proofs are for another checkpoint")

    def inclusion(self) -> None:
        for each in self.entries:
            with self.named():
                path = [base64.b64decode(h) for h in self.proof["inclusion"][str(each.index)]]
                if root_of(each.hash, each.index, self.size, path) != self.root:
                    raise Wrong(f"entry {each.index} is not in the log")

    def originals(self) -> None:
        raw = {name[9:73]: name for name in self.files if name.startswith("data/raw/")}
        wanted = {e.secret.get("raw_sha256") for e in self.entries if not e.erased} - {None, ""}
        if wanted != set(raw):
            raise Wrong("originals are missing or too many")
        if any(self.digests[name] != digest for digest, name in raw.items()):
            raise Wrong("an original was altered")
        for each in self.entries:
            sealed = each.secret.get("warc_sha256")
            if sealed and not each.erased and self.digests.get(self.warc(each)) != sealed:
                raise Wrong(f"the WARC file of entry {each.index} is missing or was altered")
            shown, place = each.secret.get("picture_sha256"), f"data/pictures/{each.index}.png"
            if shown and not each.erased and self.digests.get(place) != shown:
                raise Wrong(f"the picture of entry {each.index} is missing or was altered")

    @staticmethod
    def warc(entry: Any) -> str:
        return f"data/warc/{entry.index}.warc"

    def binding(self) -> None:
        own = next(e for e in self.entries if e.index == self.proof["export"]["index"])
        if own.public["kind"] != "evidence.exported":
            raise Wrong("there is no entry about this export")
        if own.secret["manifest_sha256"] != self.digests["manifest-sha256.txt"]:
            raise Wrong("the manifest is not the one that was sealed")
        tags = {name for name in self.files if not name.startswith("data/")} - UNSEALED
        if {name: self.digests[name] for name in tags} != own.secret["files"]:
            raise Wrong("a tag file is not the one that was sealed")

    def erasures(self) -> None:
        erasing = [e for e in self.entries if e.public["kind"] == "record.erased"]
        told = {index for each in erasing for index in each.public["entries"]}
        if any(each.erased and each.index not in told for each in self.entries):
            raise Wrong("an erasure is not recorded")

    def checkpoints(self) -> None:
        for name, body in self.files.items():
            if not name.startswith("data/checkpoints/"):
                continue
            key = next(k for k in self.keys if key_of(k)[1] in self._signers(body))
            size, root = checkpoint(body.decode(), key)
            path = [base64.b64decode(h) for h in self.proof["checkpoints"][str(size)]]
            if roots_of(size, self.size, path, root) != (root, self.root):
                raise Wrong(f"{name} does not fit the log")

    def _signers(self, note: bytes) -> set[bytes]:
        lines = note.decode().rpartition("\n\n")[2].splitlines()
        return {base64.b64decode(line.split(" ")[2])[:4] for line in lines}


def problems(path: str, expected: str = "") -> list[str]:
    """What is wrong with an export; nothing if it is whole."""
    try:
        files = read(path)
    except (Wrong, zipfile.BadZipFile, zlib.error, OSError, ValueError) as error:
        return [f"the ZIP cannot be read: {error}"]
    return Check(files, expected).problems


if __name__ == "__main__":
    found = problems(*sys.argv[1:3])
    print("\n".join(found) or "whole")  # noqa: T201 - a program by itself
    sys.exit(bool(found))
