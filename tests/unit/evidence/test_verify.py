"""Verifying a whole log: each thing that can be wrong with it is found, and named first.

Long because it is the list of those things.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, TypedDict, Unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import EvidenceError
from monitor.evidence.checkpoint import Checkpoint, SigningKey, VerifierKey, hand_over, sign
from monitor.evidence.leaf import Json, Leaf, OpenedLeaf, seal
from monitor.evidence.log import Frontier
from monitor.evidence.verify import CheckRow, StoredEntry, Verified, verify_log

ORIGIN = "staff-mentions.hillview.example/log"
KEY = SigningKey(ORIGIN, bytes(range(32)))
NEXT = SigningKey(ORIGIN, bytes(range(32, 64)))
START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


class Book:
    """A log, its vault and its checkpoints, held in lists that a test may spoil."""

    def __init__(self) -> None:
        self.entries: list[StoredEntry] = []
        self.blobs: dict[str, bytes] = {}
        self.checkpoints: list[str] = []
        self.frontier = Frontier()

    def append(self, kind: str, public: dict[str, Json], secret: dict[str, Json]) -> int:
        index = len(self.entries)
        sealed = seal(Leaf(kind, START + timedelta(seconds=index), public, secret))
        shown = tuple((one.name, one.encoded) for one in sealed.disclosures)
        self.entries.append(StoredEntry(index, sealed.content, sealed.leaf_hash, shown))
        self.frontier.append(sealed.leaf_hash)
        return index

    def capture(self, text: str) -> int:
        raw = f"<p>{text}</p>".encode()
        digest = sha256(raw).hexdigest()
        self.blobs[digest] = raw
        return self.append(
            "post.captured", {"source": "news"}, {"text": text, "raw_sha256": digest}
        )

    def sign(self, key: SigningKey = KEY) -> None:
        checkpoint = Checkpoint(ORIGIN, self.frontier.size, self.frontier.root())
        self.checkpoints.append(sign(checkpoint, key))

    def erase(self, index: int) -> None:
        self.entries[index] = replace(self.entries[index], disclosures=(), erased=True)

    def get_blob(self, digest: str) -> bytes:
        try:
            return self.blobs[digest]
        except KeyError:
            raise EvidenceError(f"the vault does not have {digest}") from None

    @property
    def head(self) -> tuple[int, bytes]:
        return self.frontier.size, self.frontier.root()


class Options(TypedDict, total=False):
    head: tuple[int, bytes] | None
    progress: Callable[[int], None]
    check_row: CheckRow | None
    redacted: bool


def verify(book: Book, *keys: VerifierKey, **options: Unpack[Options]) -> Verified:
    options.setdefault("head", book.head)
    return verify_log(
        iter(book.entries), book.checkpoints, keys or (KEY.verifier,), book.get_blob, **options
    )


def a_book() -> Book:
    """Twenty entries of several kinds, signed at 0, 7, 16 and 20."""
    book = Book()
    book.sign()
    book.append("log.opened", {"origin": ORIGIN}, {})
    for number in range(6):
        book.capture(f"Post number {number}")
    book.sign()
    for number in range(9):
        book.append(
            "mention.graded", {"mention_entry": number}, {"severity": "neutral", "note": ""}
        )
    book.sign()
    book.append("future.kind", {"anything": [1, {"a": None}]}, {"more": "words"})
    book.append("source.polled", {"source": "news", "fresh": 0}, {})
    book.append("post.captured", {"source": "news"}, {"text": "no bytes", "raw_sha256": None})
    book.append("case.noted", {"reference": "SM-1"}, {"by": "head", "text": "Spoken to."})
    book.sign()
    return book


@pytest.fixture
def book() -> Book:
    return a_book()


def renumbered(entries: list[StoredEntry]) -> list[StoredEntry]:
    return [replace(entry, index=index) for index, entry in enumerate(entries)]


# --- a log that is whole ----------------------------------------------------------------------


def test_a_whole_log_verifies_and_says_what_was_looked_at(book: Book) -> None:
    assert verify(book) == Verified(
        size=20,
        root=book.frontier.root(),
        checkpoints=4,
        blobs=6,
        withheld=0,
        signed=20,
        erased=0,
    )


def test_an_empty_log_verifies() -> None:
    assert verify(Book()).size == 0


def test_entries_after_the_last_checkpoint_are_counted_as_not_yet_signed(book: Book) -> None:
    book.append("source.polled", {"source": "news"}, {})
    verified = verify(book)
    assert (verified.size, verified.signed) == (21, 20)


def test_the_order_in_which_checkpoints_are_kept_does_not_matter(book: Book) -> None:
    book.checkpoints = [*reversed(book.checkpoints), book.checkpoints[1]]
    assert verify(book).checkpoints == 5


def test_progress_is_told_now_and_then_and_at_the_end() -> None:
    book = Book()
    leaf = seal(Leaf("source.polled", START, {}, {}))
    book.entries = [StoredEntry(n, leaf.content, leaf.leaf_hash) for n in range(10_000)]
    told: list[int] = []
    verify(book, head=None, progress=told.append)
    assert told == [4096, 8192, 10_000]


def test_entries_are_read_one_by_one_and_never_held(book: Book) -> None:
    taken = 0

    def one_by_one() -> Iterator[StoredEntry]:
        nonlocal taken
        for entry in book.entries:
            taken += 1
            yield entry
        raise EvidenceError("read to the end")

    with pytest.raises(EvidenceError, match="read to the end"):
        verify_log(one_by_one(), book.checkpoints, (KEY.verifier,), book.get_blob)
    book.entries[3] = replace(book.entries[3], content=b"\x01{}")
    taken = 0
    with pytest.raises(EvidenceError, match="entry 3"):
        verify_log(one_by_one(), book.checkpoints, (KEY.verifier,), book.get_blob)
    assert taken == 4


# --- one bit ----------------------------------------------------------------------------------


def flip(data: st.DataObject, octets: bytes) -> bytes:
    changed = bytearray(octets)
    changed[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    return bytes(changed)


BOOK = a_book()


def spoiled() -> Book:
    """A copy that may be changed; sealing anew for every example would cost more."""
    copy = Book()
    copy.entries, copy.blobs = list(BOOK.entries), dict(BOOK.blobs)
    copy.checkpoints, copy.frontier = list(BOOK.checkpoints), BOOK.frontier
    return copy


@given(st.data())
def test_a_flipped_bit_in_an_entry_names_the_entry(data: st.DataObject) -> None:
    book = spoiled()
    index = data.draw(st.integers(0, 19))
    entry = book.entries[index]
    part = data.draw(st.sampled_from(["content", "leaf hash", "name", "encoded"]))
    if part == "content":
        entry = replace(entry, content=flip(data, entry.content))
    elif part == "leaf hash" or not entry.disclosures:
        entry = replace(entry, leaf_hash=flip(data, entry.leaf_hash))
    else:
        which = data.draw(st.integers(0, len(entry.disclosures) - 1))
        pairs = [list(pair) for pair in entry.disclosures]
        side = 0 if part == "name" else 1
        pairs[which][side] = flip(data, pairs[which][side].encode()).decode("latin-1")
        entry = replace(entry, disclosures=tuple((a, b) for a, b in pairs))
    book.entries[index] = entry
    with pytest.raises(EvidenceError, match=rf"^entry {index}\b"):
        verify(book)


@given(st.data())
def test_a_flipped_bit_in_a_blob_names_the_entry_and_the_blob(data: st.DataObject) -> None:
    book = spoiled()
    index = data.draw(st.integers(0, 5))
    digest = list(book.blobs)[index]
    book.blobs[digest] = flip(data, book.blobs[digest])
    with pytest.raises(
        EvidenceError, match=rf"^entry {index + 1} \(post.captured\): the original: blob {digest}"
    ):
        verify(book)


@given(st.data())
def test_a_flipped_bit_in_a_checkpoint_is_found(data: st.DataObject) -> None:
    book = spoiled()
    which = data.draw(st.integers(0, 3))
    octets = flip(data, book.checkpoints[which].encode())
    book.checkpoints[which] = octets.decode(errors="surrogateescape")
    with pytest.raises(EvidenceError, match="checkpoint"):
        verify(book)


@given(st.data())
def test_a_flipped_bit_in_the_head_is_found(data: st.DataObject) -> None:
    with pytest.raises(EvidenceError, match="the database speaks of another root"):
        verify(BOOK, head=(20, flip(data, BOOK.frontier.root())))


# --- rows -------------------------------------------------------------------------------------


def test_a_deleted_row_is_named(book: Book) -> None:
    del book.entries[5]
    with pytest.raises(EvidenceError, match="missing from the log: entry 5; next comes entry 6"):
        verify(book)


def test_deleted_rows_at_the_beginning_are_named(book: Book) -> None:
    del book.entries[:3]
    with pytest.raises(EvidenceError, match="missing from the log: the entries 0 to 2"):
        verify(book)


def test_a_row_deleted_and_the_rest_renumbered_is_found_by_the_next_checkpoint(book: Book) -> None:
    del book.entries[9]
    book.entries = renumbered(book.entries)
    with pytest.raises(
        EvidenceError, match=r"checkpoint of 16 entries does not fit .* the entries 7 to 15"
    ):
        verify(book)


def test_rows_in_another_order_are_found(book: Book) -> None:
    swapped = [*book.entries[:3], book.entries[4], book.entries[3], *book.entries[5:]]
    book.entries = swapped
    with pytest.raises(EvidenceError, match="missing from the log: entry 3; next comes entry 4"):
        verify(book)
    book.entries = renumbered(swapped)
    with pytest.raises(EvidenceError, match="checkpoint of 7 entries does not fit"):
        verify(book)


def test_a_row_put_in_is_found(book: Book) -> None:
    forged = seal(Leaf("mention.graded", START, {}, {"severity": "threatening"}))
    row = StoredEntry(
        3, forged.content, forged.leaf_hash, (("severity", forged.disclosures[0].encoded),)
    )
    book.entries.insert(3, row)
    with pytest.raises(EvidenceError, match="entry 3 stands where entry 4 should"):
        verify(book)
    book.entries = renumbered(book.entries)
    with pytest.raises(EvidenceError, match="checkpoint of 7 entries does not fit"):
        verify(book)


def test_an_entry_sealed_anew_with_other_words_is_found(book: Book) -> None:
    other = seal(
        Leaf("case.noted", START, {"reference": "SM-1"}, {"by": "head", "text": "Nothing."})
    )
    shown = tuple((one.name, one.encoded) for one in other.disclosures)
    book.entries[19] = StoredEntry(19, other.content, other.leaf_hash, shown)
    with pytest.raises(EvidenceError, match=r"checkpoint of 20 entries .* the entries 16 to 19"):
        verify(book)


@pytest.mark.parametrize("lost", [1, 5, 20])
def test_the_last_entries_rolled_back_are_counted(book: Book, lost: int) -> None:
    del book.entries[20 - lost :]
    says = f"has {20 - lost} entries, but a checkpoint was signed when it had 20: gone from its end"
    with pytest.raises(EvidenceError, match=says):
        verify(book, head=None)


def test_entries_rolled_back_with_their_checkpoints_are_found_by_the_head_or_by_a_witness(
    book: Book,
) -> None:
    witnessed = book.checkpoints.pop()
    del book.entries[16:]
    assert verify(book, head=None).size == 16, "nothing inside this copy can tell"
    with pytest.raises(EvidenceError, match="16 entries, but the database speaks of 20 entries"):
        verify(book)
    book.checkpoints.append(witnessed)
    with pytest.raises(EvidenceError, match="gone from its end: the entries 16 to 19"):
        verify(book, head=None)


def test_a_lost_disclosure_is_not_taken_for_an_erasure(book: Book) -> None:
    entry = book.entries[19]
    book.entries[19] = replace(entry, disclosures=entry.disclosures[:1])
    with pytest.raises(EvidenceError, match=r"entry 19 .*: 1 of its 2 secret fields .*: by"):
        verify(book)
    assert verify(book, redacted=True).withheld == 1


def test_a_missing_blob_is_named(book: Book) -> None:
    digest = list(book.blobs)[2]
    del book.blobs[digest]
    with pytest.raises(EvidenceError, match=f"entry 3 .*: the vault does not have {digest}"):
        verify(book)


@pytest.mark.parametrize("digest", [7, True, "../../etc/passwd", ["x"]])
def test_a_digest_that_is_none_is_named(digest: Any) -> None:
    book = Book()
    book.append("post.captured", {}, {"raw_sha256": digest})
    with pytest.raises(EvidenceError, match="entry 0"):
        verify(book)


def test_the_caller_can_compare_its_rows_with_what_was_sealed(book: Book) -> None:
    def check_row(opened: OpenedLeaf, index: int) -> str | None:
        if opened.kind == "case.noted" and opened.secret["text"] != "Never spoken to.":
            return f"the row of note {index} says something else"
        return None

    with pytest.raises(EvidenceError, match=r"entry 19 \(case.noted\): the row of note 19 says"):
        verify(book, check_row=check_row)


# --- checkpoints and keys ---------------------------------------------------------------------


def test_checkpoints_of_another_key_are_refused(book: Book) -> None:
    with pytest.raises(EvidenceError, match="checkpoint of 0 entries: no known key"):
        verify(book, NEXT.verifier)


def test_a_log_rewritten_and_signed_with_another_key_is_refused(book: Book) -> None:
    book.checkpoints = []
    book.sign(NEXT)
    with pytest.raises(EvidenceError, match="checkpoint of 20 entries: no known key"):
        verify(book)


def test_two_checkpoints_of_one_size_with_different_roots_cannot_both_fit(book: Book) -> None:
    book.checkpoints.append(sign(Checkpoint(ORIGIN, 16, bytes(32)), KEY))
    with pytest.raises(EvidenceError, match="checkpoint of 16 entries does not fit"):
        verify(book)


def test_checkpoints_of_another_log_are_refused(book: Book) -> None:
    other = SigningKey.generate("other.example/log")
    size, root = book.head
    book.checkpoints.append(sign(Checkpoint("other.example/log", size, root), other))
    with pytest.raises(EvidenceError, match=r"belongs to another log, other.example/log"):
        verify(book, KEY.verifier, other.verifier)


def test_what_is_no_checkpoint_is_named_by_its_number(book: Book) -> None:
    book.checkpoints.insert(2, "nonsense")
    with pytest.raises(EvidenceError, match=r"^checkpoint number 3: not a signed note"):
        verify(book)


def rotated() -> Book:
    book = a_book()
    book.append("key.changed", dict(hand_over(KEY, NEXT)), {})
    book.sign(NEXT)
    book.append("source.polled", {"source": "news"}, {})
    book.sign(NEXT)
    return book


def test_a_key_that_was_handed_over_is_learnt_from_the_log() -> None:
    assert verify(rotated()).checkpoints == 6


def test_the_old_key_signs_nothing_after_it_was_handed_over() -> None:
    book = rotated()
    book.append("source.polled", {"source": "news"}, {})
    book.sign(KEY)
    with pytest.raises(EvidenceError, match="checkpoint of 23 entries: no known key"):
        verify(book, KEY.verifier, NEXT.verifier)


def test_a_hand_over_by_nobody_that_is_known_is_refused() -> None:
    thief = SigningKey.generate(ORIGIN)
    book = a_book()
    book.append("key.changed", dict(hand_over(thief, NEXT)), {})
    with pytest.raises(EvidenceError, match=r"entry 20 \(key.changed\): .* unknown key"):
        verify(book)


# --- erasure ----------------------------------------------------------------------------------


def erased() -> Book:
    book = a_book()
    book.append("record.erased", {"entries": [2, 4]}, {"by": "head", "reason": "retention"})
    for index in (2, 4):
        book.erase(index)
    del book.blobs[list(book.blobs)[1]], book.blobs[list(book.blobs)[2]]
    book.sign()
    return book


def test_a_log_with_erased_entries_verifies() -> None:
    verified = verify(erased())
    assert (verified.size, verified.erased, verified.withheld, verified.blobs) == (21, 2, 4, 4)


def test_nothing_secret_is_left_of_an_erased_entry() -> None:
    entry = erased().entries[2]
    assert b"Post number" not in entry.content
    assert entry.disclosures == ()


def test_an_erasure_that_nobody_recorded_is_named() -> None:
    book = erased()
    book.erase(6)
    with pytest.raises(EvidenceError, match="entry 6 is marked as erased, but no later entry says"):
        verify(book)


def test_a_record_that_came_back_after_its_erasure_is_named() -> None:
    book, before = erased(), a_book()
    book.entries[4] = replace(book.entries[4], erased=False)
    with pytest.raises(EvidenceError, match=r"entry 4 .*2 of its 2 secret fields are gone"):
        verify(book)
    book = a_book()
    book.append("record.erased", {"entries": [4]}, {"by": "head"})
    with pytest.raises(
        EvidenceError, match=r"entry 20 .*that entry 4 was erased, but entry 4 was not"
    ):
        verify(book)
    assert verify(before).erased == 0


@pytest.mark.parametrize("entries", [None, [], "4", [20], [-1], ["4"], [True, 2], {"4": 1}])
def test_an_erasure_that_does_not_say_of_what_is_named(entries: Any) -> None:
    book = a_book()
    book.append("record.erased", {"entries": entries}, {})
    with pytest.raises(EvidenceError, match=r"entry 20 \(record.erased\)"):
        verify(book)


def test_an_entry_may_be_erased_in_part_and_again_later() -> None:
    book = a_book()
    kept = book.entries[19].disclosures[:1]
    book.append("record.erased", {"entries": [19]}, {})
    book.append("record.erased", {"entries": [19]}, {})
    book.entries[19] = replace(book.entries[19], disclosures=kept, erased=True)
    assert verify(book).withheld == 1
