"""Pictures of pages: listed for grave posts on listed hosts, sealed, retried, and erased."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from monitor.errors import EvidenceError
from monitor.evidence.vault import Vault
from monitor.model import AlertKind, Grade, Severity, Urgency
from monitor.storage.pictures import Wanted
from monitor.storage.store import Store

HOSTS = frozenset({"gazette.example"})
PNG = b"\x89PNG\r\n\x1a\n and the rest"
DAY = timedelta(days=1)


def kept(
    store: Store,
    vault: Vault,
    make: SimpleNamespace,
    severity: Severity = Severity.ABUSIVE,
    url: str = "https://gazette.example/1",
) -> int:
    """One judged post that nobody needs to be told of."""
    post = make.post(1, "Mr Lowe keeps a zebrafinch", url=url)
    (mention,) = store.sources.accept(make.turn(), [make.capture(post, vault=vault)]).fresh
    hearing = make.hearing(AlertKind.DIGEST, urgency=Urgency.DIGEST)
    grade = Grade(severity, model="constant")
    store.judging.judge(make.judgement(mention, hearing, grade=grade), at=make.now)
    return int(mention)


def listed(store: Store, now: datetime) -> Wanted:
    assert store.pictures.enqueue(HOSTS, since=now - DAY) == 1
    wanted = store.pictures.next(now=now)
    assert wanted is not None
    return wanted


@pytest.mark.parametrize(
    ("severity", "url"),
    [
        (Severity.NEUTRAL, "https://gazette.example/1"),
        (Severity.ABUSIVE, "https://elsewhere.example/1"),
        (Severity.ABUSIVE, "https://gazette.example.elsewhere.example/1"),
        (Severity.ABUSIVE, "ftp://gazette.example/1"),
        (Severity.ABUSIVE, ""),
    ],
)
def test_neutral_posts_and_hosts_that_are_not_listed_are_left_alone(
    store: Store, vault: Vault, make: SimpleNamespace, severity: Severity, url: str
) -> None:
    kept(store, vault, make, severity, url)
    assert store.pictures.enqueue(HOSTS, since=make.now - DAY) == 0


def test_a_picture_is_sealed_kept_and_verified(
    store: Store, vault: Vault, make: SimpleNamespace, tmp_path: Path
) -> None:
    kept(store, vault, make)
    wanted = listed(store, make.now)
    assert store.pictures.enqueue(HOSTS, since=make.now - DAY) == 0
    digest = vault.put(PNG)
    index = store.pictures.keep(wanted, digest, {"url": wanted.url}, at=make.now)
    assert index is not None
    assert store.log.entry(index).secret["picture_sha256"] == digest
    assert store.pictures.next(now=make.now + DAY) is None
    make.verified(store, vault)
    (blob,) = (tmp_path.rglob(digest),)
    for path in blob:
        path.write_bytes(PNG + b"altered")
    with pytest.raises(EvidenceError):
        make.verified(store, vault)


def test_a_picture_goes_with_its_mention(store: Store, vault: Vault, make: SimpleNamespace) -> None:
    mention = kept(store, vault, make)
    wanted = listed(store, make.now)
    digest = vault.put(PNG)
    store.pictures.failed(wanted, "a word of the page", again_at=make.now, at=make.now)
    index = store.pictures.keep(wanted, digest, {"url": wanted.url}, at=make.now)
    assert index is not None
    store.erasing.erase([mention], reason="asked for", by="holt", at=make.now, basis="person")
    store.erasing.settle(vault)
    assert not vault.has(digest)
    assert store.log.entry(index).secret == {}
    assert store.log.entry(index - 1).secret == {}
    make.verified(store, vault)


def test_a_picture_that_comes_after_its_post_was_erased_is_destroyed(
    store: Store, vault: Vault, make: SimpleNamespace
) -> None:
    mention = kept(store, vault, make)
    wanted = listed(store, make.now)
    store.erasing.erase([mention], reason="asked for", by="holt", at=make.now, basis="person")
    digest = vault.put(PNG)
    assert store.pictures.keep(wanted, digest, {}, at=make.now) is None
    store.erasing.settle(vault)
    assert not vault.has(digest)
    assert store.pictures.next(now=make.now + DAY) is None


def test_a_failed_try_is_an_entry_and_waits_and_ends(
    store: Store, vault: Vault, make: SimpleNamespace
) -> None:
    kept(store, vault, make)
    wanted = listed(store, make.now)
    store.pictures.failed(wanted, "no answer", again_at=make.now + DAY, at=make.now)
    assert store.pictures.next(now=make.now) is None
    again = store.pictures.next(now=make.now + DAY)
    assert again is not None
    assert again.attempts == 1
    store.pictures.failed(again, "no answer", again_at=None, at=make.now)
    assert store.pictures.next(now=make.now + DAY * 9) is None
    last = store.log.entry(store.log.head()[0] - 1)
    assert (last.kind, last.public["given_up"]) == ("page.not-pictured", True)
    assert store.pictures.counts() == {"given up": 1}
    make.verified(store, vault)
