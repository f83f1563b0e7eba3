"""Puts an export together: files, then an entry that fixes them all, then the proofs, then the ZIP.

The order is the point. Every file is made and its digest taken; the log then takes an entry with
those digests, who asked and why; a checkpoint signs it; and only then does content leave.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from importlib.resources import files
from typing import IO, Any, Final

from monitor.errors import EvidenceError
from monitor.evidence.checkpoint import Checkpoint, sign, stated
from monitor.evidence.leaf import Json, Leaf
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.evidence.verify import BLOB_FIELD, PICTURE_FIELD, StoredEntry
from monitor.export import bag, proofs
from monitor.export.archived import archived, originals
from monitor.export.commands import Stamp, commands
from monitor.export.contents import Occasion, contents
from monitor.export.redact import Shown, closure, show, show_all
from monitor.export.report import typeset
from monitor.export.request import Request
from monitor.export.traces import Trace, TracesError
from monitor.export.traces import find as find_traces
from monitor.export.wording import Speech
from monitor.storage.dossier import SignedNote
from monitor.storage.store import Store

FORMAT: Final = "staff-mentions/export/v1"
EXPORTED: Final = "evidence.exported"
EARLIER: Final = 400
"""The newest checkpoints that travel along, so that a witness can compare an old one."""

LISTED: Final = 4_000
"""Mentions that the log names one by one; an entry of the log is bounded."""

ENTRIES: Final = "data/entries.json"
REPORT: Final = "data/report.pdf"
PROOF: Final = "proof.json"
CHECKPOINT: Final = "checkpoint.txt"
PAGE: Final = "verify.html"
COMMANDS: Final = "VERIFY.txt"

_TEXT: Final = ("text/", "application/json", "application/rss+xml", "application/xml")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything but the proofs: nothing of it has left yet."""

    entries: tuple[Shown, ...]
    payload: tuple[bag.Member, ...]
    tags: tuple[bag.Member, ...]
    earlier: tuple[SignedNote, ...]
    occasion: Occasion


class Exporter:
    """Makes exports of one installation."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        key: SigningKey,
        speech: Speech,
        stamps: Callable[[], Sequence[Stamp]] = tuple,
    ) -> None:
        self._store = store
        self._vault = vault
        self._key = key
        self._speech = speech
        self._stamps = stamps

    def write(self, request: Request, target: IO[bytes]) -> int:
        """Seal that the export is made, then write its ZIP; the index of the entry that says so.

        Raises:
            EvidenceError: something in it does not verify, or a field to leave out is not known.
            TracesError: what is left out could still be read in it.
        """
        if not request.despite_traces and (found := self.traces(request)):
            raise TracesError(found)
        prepared = self._prepare(request)
        manifest = bag.manifest(prepared.payload)
        index = self._seal(request, prepared, manifest)
        note = self._sign(index, request.occasion)
        own = [bag.member(bag.MANIFEST, manifest), bag.member(CHECKPOINT, note.note.encode())]
        own.append(bag.member(PROOF, self._proof(prepared, index, note, request)))
        tags = (*prepared.tags, bag.member("bagit.txt", bag.DECLARATION), *own)
        last = bag.member(bag.TAG_MANIFEST, bag.manifest(tags))
        folder = folder_of(request.occasion.reference)
        at = request.occasion.at
        bag.write_zip(target, folder, (*tags, last, *prepared.payload), at)
        return index

    def traces(self, request: Request) -> tuple[Trace, ...]:
        """Where what the request leaves out could still be read.

        Raises:
            EvidenceError: an entry or an original is damaged, or a field is not known.
        """
        if not request.fields and not request.per_entry:
            return ()
        stored, shown = self._entries(request)
        told = request.occasion.without(closure(request.fields))
        said = {"by": self._speech.name(told.by), "why": told.why, "recipient": told.recipient}
        bytes_of = originals(shown, self._vault, self._key.name)
        return find_traces(
            stored, shown, bytes_of, said, asked=request.asked, name=self._speech.name
        )

    def _entries(self, request: Request) -> tuple[tuple[StoredEntry, ...], tuple[Shown, ...]]:
        """The entries in full, and as the export shows them."""
        stored = self._store.dossiers.entries(request.chosen.entries)
        return stored, show_all(stored, request.fields, request.per_entry)

    def _prepare(self, request: Request) -> Prepared:
        occasion = request.occasion.without(closure(request.fields))
        _, entries = self._entries(request)
        earlier, stamps = self._earlier()
        payload = [bag.member(ENTRIES, _entries_file(entries)), *self._raw(entries)]
        payload += self._archived(entries)
        shown = list(self._pictures(entries))
        payload += shown
        payload += [
            bag.member(f"data/checkpoints/{each.size}.txt", each.note.encode()) for each in earlier
        ]
        for number, stamp in enumerate(stamps, start=1):
            place = f"data/timestamps/{stamp.size}-{number}"
            payload.append(bag.member(f"{place}.tsr", stamp.token))
            if stamp.chain:
                payload.append(bag.member(f"{place}.pem", stamp.chain))
        told = [
            f"{each.at:%Y-%m-%d %H:%M:%S} UTC, {each.authority}, of the first {each.size} entries"
            for each in stamps
        ]
        said = contents(entries, occasion, self._speech, told)
        report = typeset(said, {each.digest: each.read for each in shown})
        payload.append(bag.member(REPORT, report))
        facts = {
            "Source-Organization": occasion.school,
            "External-Identifier": occasion.reference,
            "External-Description": "Evidence exported by staff-mentions: open verify.html",
        }
        page = files("monitor.export").joinpath("assets", PAGE).read_bytes()
        tags = [
            bag.member(bag.BAG_INFO, bag.bag_info(facts, payload, occasion.at)),
            bag.member(PAGE, page),
            bag.member(COMMANDS, commands(occasion, stamps).encode()),
        ]
        return Prepared(entries, tuple(payload), tuple(tags), earlier, occasion)

    def _earlier(self) -> tuple[tuple[SignedNote, ...], tuple[Stamp, ...]]:
        """The checkpoints that travel along: the newest, and all with a time-stamp."""
        notes = self._store.dossiers.checkpoints()
        stamps = tuple(sorted(self._stamps(), key=lambda each: each.size))
        stamped = {each.size for each in stamps}
        newest = {each.size for each in notes[-EARLIER:]}
        kept = tuple(each for each in notes if each.size in newest | stamped)
        there = {each.size for each in kept}
        return kept, tuple(each for each in stamps if each.size in there)

    def _raw(self, entries: Sequence[Shown]) -> list[bag.Member]:
        """The bytes as they arrived of every entry that still says which they are."""
        found: dict[str, bag.Member] = {}
        for each in entries:
            digest = each.opened.secret.get(BLOB_FIELD)
            if not isinstance(digest, str) or not digest or each.erased or digest in found:
                continue
            content = self._vault.get(digest)
            if sha256(content).hexdigest() != digest:
                raise EvidenceError(f"entry {each.index}: blob {digest} was altered")
            kind = str(each.get("raw_media_type") or "")
            path = f"data/raw/{digest}.{'txt' if kind.startswith(_TEXT) else 'bin'}"
            found[digest] = bag.Member(path, digest, len(content), _reader(self._vault, digest))
        return list(found.values())

    def _archived(self, entries: Sequence[Shown]) -> Iterator[bag.Member]:
        """Each original once more as a WARC file, where the answer it stood in is released too."""
        for each in entries:
            digest = each.opened.secret.get(BLOB_FIELD)
            if isinstance(digest, str) and digest and not each.erased:
                made = partial(archived, each, self._vault, digest, self._key.name)
                content = made()
                if content is not None:
                    path = f"data/warc/{each.index}.warc"
                    size, named = len(content), sha256(content).hexdigest()
                    yield bag.Member(path, named, size, partial(_there, made))

    def _pictures(self, entries: Sequence[Shown]) -> Iterator[bag.Member]:
        """The picture of each page whose digest is released."""
        for each in entries:
            digest = each.opened.secret.get(PICTURE_FIELD)
            if isinstance(digest, str) and digest and not each.erased:
                content = self._vault.get(digest)
                path = f"data/pictures/{each.index}.png"
                yield bag.Member(path, digest, len(content), _reader(self._vault, digest))

    def _seal(self, request: Request, prepared: Prepared, manifest: bytes) -> int:
        occasion, chosen = request.occasion, request.chosen
        public: dict[str, Json] = {
            "what": occasion.reference,
            "mention_entries": list(chosen.mentions) if len(chosen.mentions) <= LISTED else [],
        }
        secret: dict[str, Json] = {
            "by": occasion.by,
            "why": occasion.why,
            "recipient": occasion.recipient,
            "left_out": list(occasion.left_out),
            "kept_back": dict(request.kept_back),
            "manifest_sha256": sha256(manifest).hexdigest(),
            "files": {each.path: each.digest for each in prepared.tags},
        }
        (index,) = self._store.log.append([Leaf(EXPORTED, occasion.at, public, secret)])
        return index

    def _sign(self, index: int, occasion: Occasion) -> SignedNote:
        """A checkpoint that covers the entry: ours, or one that another process just signed."""
        key = self._key

        def signed(size: int, root: bytes) -> str:
            return sign(Checkpoint(key.name, size, root), key)

        self._store.log.checkpoint(signed, at=occasion.at)
        newest = self._store.dossiers.checkpoints()[-1]
        if newest.size <= index:
            raise EvidenceError("the log was not signed over the export: nothing was written")
        return newest

    def _proof(self, prepared: Prepared, index: int, note: SignedNote, request: Request) -> bytes:
        checkpoint = stated(note.note)
        (own,) = self._store.dossiers.entries([index])
        mine = show(own, closure(request.fields) | ({"kept_back"} if request.kept_back else set()))
        hashes = {each.index: each.leaf_hash for each in (*prepared.entries, mine)}
        sizes = [each.size for each in prepared.earlier]
        inclusion, consistency = proofs.prove(
            sorted(hashes), sizes, checkpoint.size, lambda p: p.found(self._store.dossiers)
        )
        proofs.check(inclusion, hashes, checkpoint.size, checkpoint.root)
        return _json(
            {
                "format": FORMAT,
                "key": str(self._key.verifier),
                "size": checkpoint.size,
                "inclusion": {str(at): proofs.written(path) for at, path in inclusion.items()},
                "checkpoints": {
                    str(size): proofs.written(path) for size, path in consistency.items()
                },
                "export": _entry(mine),
            }
        )


def folder_of(reference: str) -> str:
    """The name of the folder and of the ZIP: a case's number, or what the export is of."""
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in reference)


def _reader(vault: Vault, digest: str) -> Callable[[], bytes]:
    return lambda: vault.get(digest)


def _there(made: Callable[[], bytes | None]) -> bytes:
    content = made()
    assert content is not None, "it was there when the digest was taken"
    return content


def _entry(entry: Shown) -> dict[str, Any]:
    return {
        "index": entry.index,
        "content": base64.b64encode(entry.content).decode(),
        "disclosures": list(entry.disclosures),
        "erased": entry.erased,
    }


def _entries_file(entries: Sequence[Shown]) -> bytes:
    return _json({"format": FORMAT, "entries": [_entry(each) for each in entries]})


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode("ascii")
