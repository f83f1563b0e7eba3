"""How fast evidence is sealed, appended, proved and verified: `python bench/evidence.py [ENTRIES]`.

First one core, one process, no database: each line is the median of five passes; the ratio compares
it with hashing the same bytes and no more. Then a log of ENTRIES (a million if not said) with rows
and originals as a school has them (`bench/logs.py`), verified as `evidence verify` does it.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlmodel import Session

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import logs
from bench.pipeline import postgres, sqlite
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
from monitor.storage import schema
from monitor.storage.engine import Database
from monitor.storage.store import Store
from monitor.storage.stretches import LENGTH, Stretches

PASSES = 5
SLOWLY = 20_000
STORED = """
A log as a database holds it, with its rows and originals: ten entries for each mention, 2.6 secret
fields an entry. All that `evidence verify` does is timed: entries, fields, rows, originals, nodes,
checkpoints, and the start of the processes. Medians of three; load average at the start: {load:.1f}

| a log with its rows | measured | |
| --- | ---: | ---: |"""
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
        "entries verified a second in memory, every field opened",
        f"{reading:,.0f}",
        f"{reading / floor:.3f}",
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


@dataclass(slots=True)
class Spent:
    """Seconds that the one-process pass spent on rows and on blobs."""

    rows: float = 0.0
    blobs: float = 0.0


class Watched(Stretches):
    """Reads stretches as `evidence verify` does, with a watch in its hand."""

    def __init__(self, session: Session, vault: Vault, spent: Spent) -> None:
        super().__init__(session, vault.get)
        self._spent = spent

    def ask(self, query: str) -> list[Any]:
        began = time.perf_counter()
        found = super().ask(query)
        self._spent.rows += time.perf_counter() - began
        return found

    def get_blob(self, digest: str) -> None:
        began = time.perf_counter()
        super().get_blob(digest)
        self._spent.blobs += time.perf_counter() - began


def verified(store: Store, vault: Path, key: SigningKey, processes: int) -> float:
    """Seconds of verifying all of a log, the start of the processes included."""
    began = time.perf_counter()
    with store.log.verifying(vault, processes=processes) as (_view, whole):
        whole.verify([key.verifier])
    return time.perf_counter() - began


def stored_lines(name: str, url: str, count: int) -> None:
    """Build a log in a database, and verify it in every way."""
    schema.migrate(url)
    key = SigningKey.generate(logs.ORIGIN)
    with tempfile.TemporaryDirectory() as directory:
        vault, database = Path(directory) / "vault", Database(url)
        logs.build(database, vault, count, key)
        database.close()
        verified_lines(name, url, vault, key)


def verified_lines(name: str, url: str, vault: Path, key: SigningKey) -> None:
    """Verify a log that was built, by one process and by as many as there are cores."""
    with closing(Store(url, mail_domain="x")) as store:
        size = store.log.head()[0]
        name = f"{name}, {size:,} entries"
        for processes in (1, len(os.sched_getaffinity(0))):
            taken = statistics.median(verified(store, vault, key, processes) for _ in range(3))
            several = "one process" if processes == 1 else f"{processes} processes"
            line(f"{name}: verified a second by {several}", f"{size / taken:,.0f}")
        line(f"{name}: a process's time for rows; originals; the rest", shares(url, vault, size))
        with store.log.reading() as view:
            began = time.perf_counter()
            some = itertools.islice(view.entries(), SLOWLY)
            get_blob, check_row = Vault(vault).get, view.row_check()
            verify_log(some, [], [key.verifier], get_blob, check_row=check_row)
            slow = SLOWLY / (time.perf_counter() - began)
        line(f"{name}: entry by entry, as where something is wrong", f"{slow:,.0f}")


def shares(url: str, vault: Path, size: int) -> str:
    """How much of its time one process spends on what, over a tenth of the log."""
    spent, database = Spent(), Database(url)
    with database.read() as session:
        watched = Watched(session, Vault(vault), spent)
        began = time.perf_counter()
        for start in range(0, size // 10, LENGTH):
            watched.read(start, start + LENGTH, ())
        whole = time.perf_counter() - began
    database.close()
    rows, blobs = spent.rows / whole, spent.blobs / whole
    return f"{rows:.0%}; {blobs:.0%}; {1 - rows - blobs:.0%}"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    print("| evidence | median | of bare hashing |\n| --- | ---: | ---: |")
    log_lines(20_000)
    proof_lines()
    key_and_vault_lines()
    print(STORED.format(load=os.getloadavg()[0]))
    with sqlite() as url:
        stored_lines("SQLite", url, count)
    if os.environ.get("STAFF_MENTIONS_TEST_POSTGRES"):
        with postgres() as url:
            stored_lines("PostgreSQL", url, count // 5)


if __name__ == "__main__":
    main()
