"""How fast evidence is sealed, appended, proved and verified: `python bench/evidence.py [ENTRIES]`.

One core, one process, no database: what the storage adds is measured where the storage is. Each
line is the median of five passes; the ratio compares it with hashing the same bytes and no more.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from monitor.evidence.checkpoint import Checkpoint, SigningKey, open_note, sign
from monitor.evidence.leaf import Leaf, Sealed, seal
from monitor.evidence.log import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_inclusion,
)
from monitor.evidence.vault import Vault
from monitor.evidence.verify import StoredEntry, verify_log

PASSES = 5
TEN_MILLION = 10_000_000
AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
ORIGIN = "staff-mentions.hillview.example/log"


def leaves(count: int) -> list[Leaf]:
    """The mix of an ordinary month: mostly polls, some posts, mentions, grades and deliveries."""
    text = "Mrs Orrell shouted at the whole class again and nobody dares to say anything. " * 2
    post = {
        "text": text,
        "title": "",
        "url": "https://news.hillview.example/posts/1234",
        "author": {"handle": "@someone", "name": "Some One", "native_id": "42", "url": ""},
        "headers": [["content-type", "text/html"], ["etag", '"5f3c"']],
        "raw_sha256": None,
    }
    scores = {"threatening": "0.010000", "abusive": "0.020000", "neutral": "0.970000"}
    kinds = [
        *[Leaf("source.polled", AT, {"source": "news", "status": 304, "fresh": 0}, {})] * 6,
        Leaf("post.captured", AT, {"source": "news", "platform": "feed"}, post),
        Leaf("mention.matched", AT, {"post_entry": 7}, {"target": "person:t-o", "matches": []}),
        Leaf("mention.graded", AT, {"mention_entry": 8}, {"severity": "neutral", "scores": scores}),
        Leaf("delivery.taken", AT, {"delivery": 3, "attempt": 1}, {"said": "250 2.0.0 Ok"}),
    ]
    return [kinds[number % len(kinds)] for number in range(count)]


def rate(work: Callable[[], object], count: int) -> float:
    """Things a second: the median of the passes."""
    passes = []
    for _ in range(PASSES):
        began = time.perf_counter()
        work()
        passes.append(count / (time.perf_counter() - began))
    return statistics.median(passes)


def appended(sealed: Iterable[Sealed]) -> Frontier:
    frontier = Frontier()
    for one in sealed:
        frontier.append(one.leaf_hash)
    return frontier


def bare(entries: Iterable[StoredEntry]) -> None:
    """The floor: a SHA-256 of every byte that a verifier must read."""
    for entry in entries:
        sha256(b"\x00" + entry.content).digest()
        for _, encoded in entry.disclosures:
            sha256(encoded.encode()).digest()


def line(what: str, value: str, ratio: str = "") -> None:
    print(f"| {what} | {value} | {ratio} |")


def log_lines(count: int) -> None:
    unsealed = leaves(count)
    sealed = [seal(leaf) for leaf in unsealed]
    entries = [
        StoredEntry(n, s.content, s.leaf_hash, tuple((d.name, d.encoded) for d in s.disclosures))
        for n, s in enumerate(sealed)
    ]
    key = SigningKey.generate(ORIGIN)
    frontier = appended(sealed)
    note = sign(Checkpoint(ORIGIN, frontier.size, frontier.root()), key)
    fields = sum(len(entry.disclosures) for entry in entries) / count

    def verified() -> None:
        verify_log(entries, [note], [key.verifier], lambda _: b"")

    floor = rate(lambda: bare(entries), count)
    sealing = rate(lambda: [seal(leaf) for leaf in unsealed], count)
    reading = rate(verified, count)
    size = statistics.mean(
        len(entry.content) + sum(len(text) for _, text in entry.disclosures) for entry in entries
    )
    line("entries a pass; secret fields and bytes an entry", f"{count:,}; {fields:.1f}; {size:.0f}")
    line("SHA-256 of the same bytes, a second", f"{floor:,.0f}", "1")
    line("entries sealed a second", f"{sealing:,.0f}", f"{sealing / floor:.3f}")
    appending = rate(lambda: appended(sealed), count)
    line("leaf hashes appended a second, nodes included", f"{appending:,.0f}")
    line(
        "entries verified a second, every field opened", f"{reading:,.0f}", f"{reading / floor:.3f}"
    )


def proof_lines() -> None:
    """A log of ten million equal leaves: each level has one hash, so it needs no 640 MB."""
    hashes = [leaf_hash(b"\x01{}")]
    while len(hashes) < TEN_MILLION.bit_length():
        hashes.append(node_hash(hashes[-1], hashes[-1]))
    reads = 0

    def get_node(level: int, _: int) -> bytes:
        nonlocal reads
        reads += 1
        return hashes[level]

    root = Frontier.of(TEN_MILLION, get_node).root()
    places = [number * 99_991 % TEN_MILLION for number in range(2_000)]
    proofs = [inclusion_proof(place, TEN_MILLION, get_node) for place in places]
    reads = 0
    proving = rate(lambda: [inclusion_proof(n, TEN_MILLION, get_node) for n in places], 2_000)
    mean_reads = reads / (PASSES * 2_000)
    between = rate(lambda: [consistency_proof(n + 1, TEN_MILLION, get_node) for n in places], 2_000)

    def checked() -> None:
        for place, proof in zip(places, proofs, strict=True):
            verify_inclusion(hashes[0], place, TEN_MILLION, proof, root)

    line(
        "inclusion proof in ten million, from stored nodes",
        f"{1e6 / proving:.0f} us and {mean_reads:.0f} reads of a node",
    )
    line("consistency proof to ten million", f"{1e6 / between:.0f} us")
    line("inclusion proof verified", f"{1e6 / rate(checked, 2_000):.0f} us")


def key_and_vault_lines() -> None:
    key = SigningKey.generate(ORIGIN)
    checkpoint = Checkpoint(ORIGIN, 1, bytes(32))
    note = sign(checkpoint, key)
    signing = rate(lambda: [sign(checkpoint, key) for _ in range(500)], 500)
    opening = rate(lambda: [open_note(note, [key.verifier]) for _ in range(500)], 500)
    line("checkpoints signed a second", f"{signing:,.0f}")
    line("checkpoints verified a second", f"{opening:,.0f}")
    with tempfile.TemporaryDirectory() as directory:
        vault = Vault(Path(directory) / "vault")
        numbers = iter(range(1_000_000))

        def put() -> None:
            for _ in range(100):
                vault.put(b"x" * 4096 + str(next(numbers)).encode())

        line("blobs of 4 kB put a second, each synced", f"{rate(put, 100):,.0f}")
        kept = list(vault.walk())
        reading = rate(lambda: [vault.get(digest) for digest in kept], len(kept))
        line("blobs of 4 kB got and verified a second", f"{reading:,.0f}")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    print("| evidence | median | of bare hashing |\n| --- | ---: | ---: |")
    log_lines(count)
    proof_lines()
    key_and_vault_lines()


if __name__ == "__main__":
    main()
