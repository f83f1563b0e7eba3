"""What is erased is gone from the rows, the files and the vault, and the log still verifies."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, make_url, text

from monitor.errors import EvidenceError
from monitor.evidence.vault import Vault
from monitor.model import (
    AlertKind,
    DeliveryState,
    Grade,
    Message,
    Severity,
    Target,
    TargetKind,
    Urgency,
)
from monitor.storage.store import Store

SECRET = "zebrafinch"
LOWE = Target(TargetKind.PERSON, "desmond-lowe")
BARR = Target(TargetKind.PERSON, "chloe-barr")


def kept(store: Store, vault: Vault, make: SimpleNamespace, *targets: Target) -> list[int]:
    """One judged post that nobody needs to be told of, and another that stays."""
    post = make.post(1, f"Mr Lowe keeps a {SECRET}", raw_body=f"<p>{SECRET}</p>".encode())
    stays = make.post(2, "Mr Lowe keeps a heron")
    captures = [
        make.capture(post, *targets, vault=vault),
        make.capture(stays, vault=vault),
    ]
    ids = store.sources.accept(make.turn(), captures).fresh
    for each in ids:
        hearing = make.hearing(AlertKind.DIGEST, urgency=Urgency.DIGEST)
        judgement = make.judgement(each, hearing, grade=Grade(Severity.NEUTRAL, model="constant"))
        store.judging.judge(judgement, at=make.now)
    return list(ids)


def erase(store: Store, ids: list[int], make: SimpleNamespace) -> int | None:
    return store.erasing.erase(
        ids, reason="asked for", by="holt", at=make.now, basis="person"
    ).entry


def words_in_database(url: str) -> bool:
    """Whether the secret stands in a file of SQLite, or in any row of PostgreSQL."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        assert parsed.database
        files = Path(parsed.database).parent.glob(Path(parsed.database).name + "*")
        return any(SECRET.encode() in file.read_bytes() for file in files)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            tables = "select tablename from pg_tables where schemaname = 'public'"
            return any(
                connection.execute(
                    text(f'select 1 from "{name}" t where t::text ilike :words limit 1'),
                    {"words": f"%{SECRET}%"},
                ).first()
                for (name,) in connection.execute(text(tables)).all()
            )
    finally:
        engine.dispose()


def warc_of(index: int, store: Store) -> str:
    opened = store.log.entry(index)
    assert opened is not None
    return str(opened.secret["warc_sha256"])


def test_erased_words_are_gone_and_the_log_verifies(
    store: Store, database_url: str, vault: Vault, make: SimpleNamespace
) -> None:
    gone, _stays = kept(store, vault, make)
    before = store.log.head()[0]
    stored = store.reading.mention(gone)
    assert stored is not None
    blob, archived = stored.kept.raw_sha256, warc_of(stored.kept.entry_index, store)
    assert vault.has(archived)
    assert words_in_database(database_url)
    entry = erase(store, [gone], make)
    assert entry is not None
    assert store.erasing.settle(vault)
    assert not words_in_database(database_url)
    assert not vault.has(blob)
    assert not vault.has(archived)
    found = make.verified(store, vault)
    assert found.size == before + 1
    assert found.erased == 3, "post, mention and grade"
    opened = store.log.entry(entry)
    assert (opened.secret["by"], opened.secret["reason"]) == ("holt", "asked for")
    assert [each.id for each, _ in store.reading.mentions()] == [_stays]


def test_erasing_again_changes_nothing(store: Store, vault: Vault, make: SimpleNamespace) -> None:
    gone, _stays = kept(store, vault, make)
    erase(store, [gone], make)
    head = store.log.head()
    assert erase(store, [gone], make) is None
    assert store.log.head() == head


def test_a_post_stays_while_another_mention_needs_it(
    store: Store, vault: Vault, make: SimpleNamespace
) -> None:
    lowe, barr, _stays = kept(store, vault, make, LOWE, BARR)
    erase(store, [lowe], make)
    store.erasing.settle(vault)
    other = store.reading.mention(barr)
    assert other is not None
    assert SECRET in other.mention.post.text
    assert vault.has(other.kept.raw_sha256)
    make.verified(store, vault)
    erase(store, [barr], make)
    store.erasing.settle(vault)
    assert not vault.has(other.kept.raw_sha256)
    make.verified(store, vault)


def test_what_was_erased_is_not_captured_again_but_an_edit_is(
    store: Store, vault: Vault, make: SimpleNamespace
) -> None:
    gone, _stays = kept(store, vault, make)
    erase(store, [gone], make)
    same = make.post(1, f"Mr Lowe keeps a {SECRET}")
    assert store.sources.accept(make.turn(), [make.capture(same)]).fresh == ()
    edited = make.post(1, "Mr Lowe will be sorry")
    assert len(store.sources.accept(make.turn(), [make.capture(edited)]).fresh) == 1


def test_a_crash_after_the_commit_is_made_up_for(
    store: Store, database_url: str, vault: Vault, make: SimpleNamespace
) -> None:
    gone, _stays = kept(store, vault, make)
    stored = store.reading.mention(gone)
    assert stored is not None
    erase(store, [gone], make)
    assert vault.has(stored.kept.raw_sha256)
    with closing(Store(database_url, mail_domain="school.example")) as again:
        assert again.erasing.settle(vault)
    assert not vault.has(stored.kept.raw_sha256)
    assert not words_in_database(database_url)


def test_a_hold_outranks_an_erasure_until_it_is_released(
    store: Store, vault: Vault, make: SimpleNamespace
) -> None:
    gone, _stays = kept(store, vault, make)
    store.holding.hold(mention=gone, by="holt", why="the police asked", at=make.now)
    with pytest.raises(EvidenceError, match="legal hold"):
        erase(store, [gone], make)
    assert store.holding.release(mention=gone, by="holt", why="case over", at=make.now) == 1
    assert erase(store, [gone], make) is not None
    make.verified(store, vault)


def test_a_hold_covers_what_stands_in_the_same_post(
    store: Store, vault: Vault, make: SimpleNamespace
) -> None:
    lowe, barr, stays = kept(store, vault, make, LOWE, BARR)
    store.holding.hold(mention=lowe, by="holt", why="the police asked", at=make.now)
    with pytest.raises(EvidenceError, match="in the same post or message"):
        erase(store, [barr], make)
    assert erase(store, [stays], make) is not None
    store.holding.release(mention=lowe, by="holt", why="case over", at=make.now)
    assert erase(store, [lowe, barr], make) is not None
    make.verified(store, vault)


def test_what_is_still_to_be_told_is_not_erased(
    store: Store, vault: Vault, make: SimpleNamespace
) -> None:
    (waiting,) = store.sources.accept(make.turn(), [make.capture(make.post(3), vault=vault)]).fresh
    with pytest.raises(EvidenceError, match="waits for its grade"):
        erase(store, [waiting], make)
    store.judging.judge(make.judgement(waiting), at=make.now)
    with pytest.raises(EvidenceError, match="still to be told"):
        erase(store, [waiting], make)


def test_an_attempt_is_forgotten_with_its_message_though_the_clock_went_back_between(
    store: Store, vault: Vault, make: SimpleNamespace
) -> None:
    (heard,) = store.sources.accept(make.turn(), [make.capture(make.post(3), vault=vault)]).fresh
    store.judging.judge(make.judgement(heard), at=make.now)
    (delivery,) = store.outbox.deliveries(store.outbox.alerts(limit=1)[0].id)
    earlier = make.now - timedelta(hours=3)
    message = Message(
        delivery.message_id,
        delivery.recipient,
        "",
        SECRET,
        SECRET,
        "",
        urgent=True,
        created_at=earlier,
    )
    store.outbox.begin(delivery, message, digest=sha256(b"words").hexdigest(), at=earlier)
    attempt = store.log.head()[0] - 1
    store.outbox.settle(delivery.id, DeliveryState.TAKEN, said="250 ok", at=earlier)
    store.escalation.acknowledge(delivery.alert_id, by="holt", how="reply", at=earlier)
    assert store.log.entry(attempt).secret["message_sha256"]
    erase(store, [heard], make)
    assert "message_sha256" not in store.log.entry(attempt).secret
    make.verified(store, vault)
