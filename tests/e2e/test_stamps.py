"""Checkpoints are time-stamped by a real authority on loopback, until each has its stamp."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.config.secrets import Secret
from monitor.errors import AuthError, RefusedError
from monitor.evidence.checkpoint import Checkpoint, sign
from monitor.evidence.note import SigningKey
from monitor.evidence.stamp import ask
from monitor.http import PoliteHttp
from monitor.stamping import Authority as Asked
from monitor.stamping import Customer, Stamper, doubts
from monitor.storage.store import Store
from monitor.testing import FakeClock
from tests.authority import Authority, make_authority, served
from tests.e2e.house import House
from tests.e2e.test_cli import typed

Make = Any
DAY = timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    with served(make_authority(tmp_path / "authority")) as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
async def http(clock: FakeClock) -> AsyncIterator[PoliteHttp]:
    polite = PoliteHttp(clock=clock)
    yield polite
    await polite.aclose()


@pytest.fixture
def build(store: Store, clock: FakeClock, http: PoliteHttp) -> Callable[..., Stamper]:
    def stamper(*authorities: Authority) -> Stamper:
        asked = [
            Asked(each.name, each.url, each.root, http.for_source(allow_private=True))
            for each in authorities
        ]
        return Stamper(store.stamps, asked, clock)

    return stamper


@pytest.fixture
def signs(store: Store, signing_key: SigningKey, clock: FakeClock, make: Make) -> Callable[[], int]:
    def checkpoint() -> int:
        found = store.log.checkpoint(
            lambda size, root: sign(Checkpoint(make.origin, size, root), signing_key),
            at=clock.now(),
        )
        assert found
        return found

    return checkpoint


def doubtful(store: Store, **ca_files: Path) -> list[str]:
    with store.log.reading() as view:
        notes = {size: note for size, note, _at in store.log.checkpoints()}
        return list(doubts(view.stamps(), notes, ca_files))


async def test_a_checkpoint_gets_one_stamp_of_each_authority_and_the_log_says_so(
    build: Callable[..., Stamper],
    signs: Callable[[], int],
    store: Store,
    authority: Authority,
    tmp_path: Path,
    make: Make,
    vault: Any,
) -> None:
    size = signs()
    with served(make_authority(tmp_path / "second", "Second Stamps")) as second:
        stamper = build(authority, second)
        assert stamper.missing() == 1
        assert await stamper.round() == 2
        assert (await stamper.round(), stamper.missing(), stamper.troubles()) == (0, 0, ())
    kept = store.stamps.of_checkpoint(size)
    assert {each.authority for each in kept} == {authority.name, "Second Stamps"}
    assert doubtful(store) == []
    for each in kept:
        said = store.log.entry(each.entry_index)
        assert said.kind == "checkpoint.stamped"
        assert said.public["token_sha256"] == each.token.response_sha256
    with store.log.reading() as view:
        differs = [
            view.row_check()(store.log.entry(each.entry_index), each.entry_index) for each in kept
        ]
    assert differs == [None, None]


async def test_an_authority_that_fails_is_asked_again_later_and_later_until_it_stamps(
    build: Callable[..., Stamper],
    signs: Callable[[], int],
    clock: FakeClock,
    authority: Authority,
) -> None:
    signs()
    stamper = build(authority)
    authority.status = 503
    assert await stamper.round() == 0
    (trouble,) = stamper.troubles()
    assert "answered 503" in trouble.error
    await stamper.round()
    assert authority.asked == 1  # not before its time
    for status, after in ((200, 2), (200, 10)):
        authority.status, authority.spoil = status, [b"<html>busy</html>"] if after == 2 else []
        clock.advance(timedelta(minutes=after))
        await stamper.round()
    assert (authority.asked, stamper.missing(), stamper.troubles()) == (3, 0, ())


async def test_a_stamp_is_renewed_before_its_certificate_ends_and_both_hold(
    build: Callable[..., Stamper],
    signs: Callable[[], int],
    store: Store,
    clock: FakeClock,
    authority: Authority,
) -> None:
    authority.certify(until=clock.now() + 61 * DAY)
    size = signs()
    stamper = build(authority)
    await stamper.round()
    clock.advance(2 * DAY)
    assert await stamper.round() == 0  # the authority still has the old certificate
    assert authority.asked == 2
    clock.advance(timedelta(hours=1))
    await stamper.round()
    assert authority.asked == 2  # it is not pestered meanwhile
    authority.certify(until=clock.now() + 365 * DAY)
    clock.advance(2 * DAY)
    assert await stamper.round() == 1
    first, second = store.stamps.of_checkpoint(size)
    assert second.token.expires_at > first.token.expires_at + 200 * DAY
    assert doubtful(store, **{authority.name: authority.root}) == []


async def test_a_token_of_another_checkpoint_or_another_root_is_named(
    build: Callable[..., Stamper],
    signs: Callable[[], int],
    store: Store,
    make: Make,
    authority: Authority,
    tmp_path: Path,
) -> None:
    size = signs()
    await build(authority).round()
    (kept,) = store.stamps.all()
    (found,) = doubts([kept], {size: "another\n"}, {})
    assert found.startswith(f"the time-stamp of {authority.name} on the checkpoint of {size} ent")
    assert next(doubts([kept], {}, {})).endswith("there is no such checkpoint")
    stranger = make_authority(tmp_path / "stranger", "Stranger")
    assert "does not verify" in doubtful(store, **{authority.name: stranger.root})[0]


async def test_an_answer_to_an_older_question_is_not_taken(
    build: Callable[..., Stamper], signs: Callable[[], int], authority: Authority, store: Store
) -> None:
    size = signs()
    note = store.log.checkpoints()[-1][1]
    authority.spoil = [authority.answer(ask(note).request)]
    stamper = build(authority)
    assert await stamper.round() == 0
    assert "Nonce" in stamper.troubles()[0].error
    assert store.stamps.of_checkpoint(size) == ()


# --- an authority that knows its customers ------------------------------------------------------

PASSWORD = "in:vented pässword"


@pytest.fixture
def known(authority: Authority, http: PoliteHttp) -> Callable[[str], Asked]:
    """The authority, which now serves one customer only, asked as that customer."""
    authority.customer = f"thornleigh:{PASSWORD}"

    def asked(password: str) -> Asked:
        customer = Customer("thornleigh", Secret(password))
        lent = http.for_source(allow_private=True, home=authority.url)
        return Asked(authority.name, authority.url, authority.root, lent, customer)

    return asked


async def test_an_authority_that_asks_for_a_password_is_told_it(
    known: Callable[[str], Asked], authority: Authority
) -> None:
    token = await known(PASSWORD).stamp("a note\n")
    assert token.at <= datetime.now(UTC)
    assert len(authority.told) == 1
    assert PASSWORD not in repr(known(PASSWORD))


async def test_a_password_that_is_refused_or_missing_is_told_in_words_without_it(
    known: Callable[[str], Asked], authority: Authority, http: PoliteHttp
) -> None:
    with pytest.raises(AuthError, match="refuses the user name or the password") as wrong:
        await known("an older one").stamp("a note\n")
    assert "older" not in str(wrong.value)
    nobody = Asked(authority.name, authority.url, authority.root, known("").http)
    with pytest.raises(AuthError, match=r"wants a user name and a password; write username and"):
        await nobody.stamp("a note\n")
    authority.customer, authority.status = "", 403
    with pytest.raises(AuthError, match=r"answered 403: it lets us in no further"):
        await nobody.stamp("a note\n")


async def test_a_password_goes_to_no_other_host_that_the_authority_sends_us_to(
    known: Callable[[str], Asked], authority: Authority, tmp_path: Path
) -> None:
    with served(make_authority(tmp_path / "other", "Other Stamps")) as other:
        authority.moved_to = other.url.replace("127.0.0.1", "localhost")
        with pytest.raises(RefusedError, match="has moved"):
            await known(PASSWORD).stamp("a note\n")
        assert (authority.asked, other.asked) == (1, 0)


# --- as a person sees it ------------------------------------------------------------------------


def test_the_commands_stamp_verify_and_say_what_waits(tmp_path: Path, authority: Authority) -> None:
    table = (
        f'\n[[evidence.authorities]]\nname = "invented"\nurl = "{authority.url}"\n'
        f'ca_file = "{authority.root}"\nallow_private_addresses = true\n'
    )
    (tmp_path / "house").mkdir()
    house = House(tmp_path / "house", smtp=9, more=table)
    house.data_dir.mkdir()
    house.migrate()
    where = ("--config", str(house.config))
    typed("evidence", "checkpoint", *where)
    lacking = typed("evidence", "verify", *where)
    assert lacking.code == 0
    assert "0 time-stamps hold; 1 checkpoints lack one" in lacking.out
    authority.status = 500
    failed = typed("evidence", "stamp", *where)
    assert failed.code == 1
    assert "invented: 127.0.0.1 answered 500" in failed.err
    authority.status = 200
    assert typed("evidence", "stamp", *where).code == 0
    assert "1 time-stamps hold\n" in typed("evidence", "verify", *where).out
    with closing(sqlite3.connect(house.database)) as database, database:
        database.execute("update stamp set at = '2020-01-01 00:00:00.000000'")
    assert re.search(
        r"checkpoint.stamped\): the time-stamp row was changed",
        typed("evidence", "verify", *where).err,
    )


def test_the_check_says_when_an_authority_refuses_the_password(
    tmp_path: Path, authority: Authority
) -> None:
    authority.customer = f"thornleigh:{PASSWORD}"
    secret = tmp_path / "stamps-password"
    table = (
        f'\n[[evidence.authorities]]\nname = "invented"\nurl = "{authority.url}"\n'
        f'ca_file = "{authority.root}"\nallow_private_addresses = true\n'
        f'username = "thornleigh"\npassword_file = "{secret}"\n'
    )
    (tmp_path / "house").mkdir()
    secret.write_text("an older one\n", "utf-8")
    secret.chmod(0o600)
    house = House(tmp_path / "house", smtp=9, more=table)
    house.data_dir.mkdir()
    house.migrate()
    where = ("--config", str(house.config))
    refused = typed("check", *where)
    (line,) = [each for each in refused.out.split("\n") if "authority invented" in each]
    assert "127.0.0.1 answered 401: it refuses the user name or the password" in line
    assert "older" not in refused.out + refused.err
    secret.write_text(PASSWORD + "\n", "utf-8")
    (line,) = [each for each in typed("check", *where).out.split("\n") if "invented" in each]
    assert "stamps; its certificate is good until" in line
    typed("evidence", "checkpoint", *where)
    assert typed("evidence", "stamp", *where).code == 0
    everything = b"".join(each.read_bytes() for each in tmp_path.rglob("*") if each.is_file())
    assert everything.count(PASSWORD.encode()) == 1  # in its own file and nowhere else
