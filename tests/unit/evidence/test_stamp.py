"""Time-stamps of a real authority (`openssl ts`) are believed; any other answer is not."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.errors import EvidenceError
from monitor.evidence.stamp import MAX_TOKEN, ask, open_token, read_roots
from tests.authority import Authority, make_authority
from tests.programs import needs

NOTE = "school.example/log\n5\nJ1vmnTatHVCXKmPBE3Ww6g8+Qf24/2lUFBeYZD+rve8=\n\n— x y\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority") / "one")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority") / "two", "Other Stamps")


def test_an_answer_to_our_question_is_a_token_with_its_time_and_chain(authority: Authority) -> None:
    question = ask(NOTE)
    response = authority.answer(question.request)
    roots = read_roots(authority.root.read_bytes())
    token = open_token(response, NOTE, roots, nonce=question.nonce)
    assert abs(token.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert token.expires_at > token.at + timedelta(days=3000)
    assert token.chain.count("BEGIN CERTIFICATE") == 2
    again = open_token(response, NOTE, read_roots(token.chain.encode()))
    assert again == token


def test_openssl_verifies_the_same_answer_after_our_words(
    authority: Authority, tmp_path: Path
) -> None:
    response = authority.answer(ask(NOTE).request)
    token = open_token(response, NOTE, read_roots(authority.root.read_bytes()))
    (tmp_path / "note").write_bytes(NOTE.encode())
    (tmp_path / "tsr").write_bytes(token.response)
    (tmp_path / "chain").write_text(token.chain)
    words = ["ts", "-verify", "-data", "note", "-in", "tsr", "-CAfile", str(authority.root)]
    words += ["-untrusted", "chain", "-attime", str(int(token.at.timestamp()))]
    done = subprocess.run(
        [needs("openssl"), *words], cwd=tmp_path, capture_output=True, check=False
    )
    assert b"Verification: OK" in done.stdout + done.stderr


def test_an_answer_with_any_byte_changed_is_refused_or_says_the_same(authority: Authority) -> None:
    question = ask(NOTE)
    response = authority.answer(question.request)
    roots = read_roots(authority.root.read_bytes())
    good = open_token(response, NOTE, roots, nonce=question.nonce)
    believed = 0
    for place in range(0, len(response), 7):
        changed = bytearray(response)
        changed[place] ^= 1
        try:
            found = open_token(bytes(changed), NOTE, roots, nonce=question.nonce)
        except EvidenceError:
            continue
        # Certificates that a token carries along beside its signer's are not signed by it.
        assert (found.at, found.chain) == (good.at, good.chain)
        believed += 1
    assert believed < len(response) // 14


def test_a_token_of_another_note_nonce_or_root_is_refused(
    authority: Authority, other: Authority
) -> None:
    question = ask(NOTE)
    response = authority.answer(question.request)
    roots = read_roots(authority.root.read_bytes())
    with pytest.raises(EvidenceError, match="does not verify: Mismatch between messages"):
        open_token(response, NOTE + "x\n", roots)
    with pytest.raises(EvidenceError, match="does not verify: Nonce"):
        open_token(response, NOTE, roots, nonce=question.nonce + 1)
    with pytest.raises(EvidenceError, match="does not verify"):
        open_token(response, NOTE, read_roots(other.root.read_bytes()))


def test_rubbish_is_refused(authority: Authority) -> None:
    roots = read_roots(authority.root.read_bytes())
    for answer in (b"", b"<html>", b"0" * (MAX_TOKEN + 1), b"\x30\x03\x02\x01\x02"):
        with pytest.raises(EvidenceError):
            open_token(answer, NOTE, roots)


def test_a_refusal_is_told_as_one(authority: Authority) -> None:
    refused = authority.answer(b"\x30\x03\x02\x01\x07")  # asks for nothing that there is
    with pytest.raises(EvidenceError, match="refused a time-stamp: status 2"):
        open_token(refused, NOTE, read_roots(authority.root.read_bytes()))


def test_a_certificate_that_was_over_at_the_time_of_the_token_is_refused(tmp_path: Path) -> None:
    late = make_authority(tmp_path / "late")
    now = datetime.now(UTC)
    late.certify(since=now - timedelta(hours=20), until=now - timedelta(hours=1))
    response = late.answer(ask(NOTE).request)
    with pytest.raises(EvidenceError):
        open_token(response, NOTE, read_roots(late.root.read_bytes()))


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END", b"\xff"])
def test_a_file_without_a_root_is_named(pem: bytes) -> None:
    with pytest.raises(EvidenceError, match="certificate"):
        read_roots(pem)
