"""A log with all that can be in one, read entry by entry and in stretches, and what comes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from monitor.errors import EvidenceError
from monitor.evidence import entries
from monitor.evidence.checkpoint import Checkpoint, sign
from monitor.evidence.note import SigningKey
from monitor.evidence.vault import Vault
from monitor.evidence.verify import Verified, verify_log
from monitor.model import Flag, Grade, RawItem, Reason, Scores, Severity, Urgency
from monitor.storage.store import Store

Make = Any

GRADE = Grade(
    Severity.NEUTRAL,
    scores=Scores(0.1, 0.2, 0.7),
    flags=frozenset({Flag.PILE_ON}),
    reasons=(Reason(0, 7, "Mr Lowe", 0.5),),
    model="constant",
)


def fill(store: Store, make: Make, vault: Vault, key: SigningKey, posts: int = 6) -> None:
    """Posts, mentions, grades, an erasure, other entries, and checkpoints at odd sizes."""
    for number in range(posts):
        words = f"Mr Lowe was late “again”, {number} times \\ in a row"
        fields = (
            {"title": ""}
            if number % 2
            else {"answer": None, "raw": RawItem(words.encode(), "text/plain", None)}
        )
        post = make.post(number, words, **fields)
        capture = make.capture(post, vault=vault)
        turn = make.turn(at=make.now + timedelta(minutes=number))
        for mention in store.sources.accept(turn, [capture]).fresh:
            judged = make.judgement(mention, make.hearing(urgency=Urgency.DIGEST), grade=GRADE)
            store.judging.judge(judged, at=make.now)
        store.log.append([entries.log_backed_up(at=make.now, by="holt")])
        signed(store, make, key)
    for _ in range(5):
        store.sources.accept(make.turn(), [])
    store.erasing.erase([2], reason="retention", by="holt", at=make.now, basis="person")
    signed(store, make, key)


def signed(store: Store, make: Make, key: SigningKey) -> None:
    def note(size: int, root: bytes) -> str:
        return sign(Checkpoint(make.origin, size, root), key)

    store.log.checkpoint(note, at=make.now)


def one_by_one(store: Store, vault: Vault, key: SigningKey) -> Verified:
    with store.log.reading() as view:
        return verify_log(
            view.entries(),
            view.checkpoints(),
            [key.verifier],
            vault.get,
            head=view.head(),
            check_row=view.row_check(),
        )


def in_stretches(
    store: Store, vault: Vault, key: SigningKey, *, processes: int = 1, length: int = 4
) -> Verified:
    found = store.log.verifying(vault.directory, processes=processes, length=length)
    with found as (_view, everything):
        return everything.verify([key.verifier])


def outcome(way: Any, *arguments: Any, **options: Any) -> Verified | str:
    try:
        found: Verified = way(*arguments, **options)
    except EvidenceError as error:
        return str(error)
    return found


def change(store: Store, statement: str) -> None:
    with store._database.write() as session:
        session.connection().execute(text(statement))
