"""Signed notes, checkpoints and keys: the vectors of others first, then our own.

Long because those vectors stand here as they were published.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import EvidenceError
from monitor.evidence.checkpoint import (
    Checkpoint,
    SigningKey,
    VerifierKey,
    first_key,
    hand_over,
    open_note,
    read_hand_over,
    sign,
    stated,
)
from monitor.evidence.note import open_text, sign_text

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "fixtures/evidence/vectors.json").read_text()
)
ORIGIN = "staff-mentions.hillview.example/log"
KEY = SigningKey(ORIGIN, bytes(range(32)))
NEXT = SigningKey(ORIGIN, bytes(range(32, 64)))
CHECKPOINT = Checkpoint(ORIGIN, 5, bytes.fromhex(VECTORS["roots"][5]))
NOTE = sign(CHECKPOINT, KEY)

# golang.org/x/mod/sumdb/note, note_test.go: Ed25519 is deterministic, so we must sign alike.
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_SIGNATURE = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngot"
    "pRZb6KE6RyyBwJnAM=\n"
)
GO_WITNESS = (
    "\u2014 EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWL"
    "ox33WWd1RvMc+QQ=\n"
)
# c2sp.org/signed-note: the example of its vkey section.
C2SP_VERIFIER = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi"
    "2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def save_text(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


# --- the vectors of others --------------------------------------------------------------------


def test_our_signature_is_the_one_that_go_makes(tmp_path: Path) -> None:
    key = SigningKey.load(save_text(tmp_path / "key", GO_PRIVATE + "\n"))
    assert str(key.verifier) == GO_VERIFIER
    assert sign_text(GO_TEXT, (key,)) == f"{GO_TEXT}\n{GO_SIGNATURE}"


def test_notes_of_others_open_and_unknown_signatures_are_ignored() -> None:
    key = VerifierKey.parse(GO_VERIFIER)
    note = f"{GO_TEXT}\n{GO_SIGNATURE}{GO_WITNESS}"
    assert open_text(note, [key]) == (GO_TEXT, (key,))
    example = VerifierKey.parse(C2SP_VERIFIER)
    assert open_text(C2SP_NOTE, [key, example])[0] == "This is an example message.\n"
    with pytest.raises(EvidenceError, match=r"no known key signed this; it carries .*EnochRoot"):
        open_text(note, [example])


def test_the_checkpoint_of_the_specification_is_understood() -> None:
    """c2sp.org/tlog-checkpoint gives no key for its example, so only its lines can be read."""
    note = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u"
        "5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dl"
        "rDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    checkpoint = stated(note)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert note.startswith(checkpoint.text)


# --- what was fixed for good ------------------------------------------------------------------


@pytest.mark.parametrize("size", range(6))
def test_checkpoints_are_those_of_the_first_release(size: int) -> None:
    root = bytes.fromhex(VECTORS["roots"][size])
    assert sign(Checkpoint(ORIGIN, size, root), KEY) == VECTORS["checkpoints"][size]
    verifier = VerifierKey.parse(VECTORS["key"]["verifier"])
    assert open_note(VECTORS["checkpoints"][size], [verifier]) == Checkpoint(ORIGIN, size, root)


def test_the_hand_over_is_that_of_the_first_release() -> None:
    assert hand_over(KEY, NEXT) == VECTORS["hand_over"]
    found = read_hand_over(VECTORS["hand_over"], [KEY.verifier])
    assert found == (KEY.verifier, NEXT.verifier)


# --- checkpoints ------------------------------------------------------------------------------


def test_a_checkpoint_opens_with_its_key_and_with_no_other() -> None:
    assert open_note(NOTE, [NEXT.verifier, KEY.verifier]) == CHECKPOINT
    with pytest.raises(EvidenceError, match="no known key"):
        open_note(NOTE, [NEXT.verifier])
    with pytest.raises(EvidenceError, match="no known key"):
        open_note(NOTE, [])


def test_signatures_of_witnesses_are_ignored_wherever_they_stand() -> None:
    witness = "\u2014 witness.example/w1 jWbPPwAAAABkGFDLEZMHwSRa\n"
    text, _, line = NOTE.rpartition("\n\n")
    for lines in (line + witness, witness + line, witness + line + witness):
        assert open_note(f"{text}\n\n{lines}", [KEY.verifier]) == CHECKPOINT


def test_a_bad_signature_of_a_known_key_refuses_the_note_even_beside_a_good_one() -> None:
    other = sign(Checkpoint(ORIGIN, 6, CHECKPOINT.root), KEY).rpartition("\n\n")[2]
    with pytest.raises(EvidenceError, match="was altered"):
        open_note(NOTE + other, [KEY.verifier])


def test_extension_lines_are_signed_but_not_ours() -> None:
    note = sign_text(CHECKPOINT.text + "an extension\n", (KEY,))
    assert open_note(note, [KEY.verifier]) == CHECKPOINT


def test_another_log_cannot_sign_for_this_one() -> None:
    stranger = SigningKey.generate("other.example/log")
    with pytest.raises(EvidenceError, match="does not sign for"):
        sign(CHECKPOINT, stranger)
    with pytest.raises(EvidenceError, match="not signed by its own key"):
        open_note(sign_text(CHECKPOINT.text, (stranger,)), [stranger.verifier])


@given(st.data())
def test_a_flipped_bit_anywhere_in_a_checkpoint_is_found(data: st.DataObject) -> None:
    octets = bytearray(NOTE.encode())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(EvidenceError):
        open_note(octets.decode(errors="surrogateescape"), [KEY.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "origin\n5\n",
        f"origin\n05\n{'A' * 43}=\n",
        f"origin\n-5\n{'A' * 43}=\n",
        f"origin\n+5\n{'A' * 43}=\n",
        f"origin\n\u0665\n{'A' * 43}=\n",
        f"origin\n{2**63}\n{'A' * 43}=\n",
        f"origin\n5\n{'A' * 43}\n",
        f"origin\n5\n{'A' * 44}\n",
        f"origin\n5\n{'A' * 42}B=\n",
        f"\n5\n{'A' * 43}=\n",
        f"origin\n5\n{'A' * 43}=\n\nextension after a gap\n",
    ],
)
def test_malformed_checkpoints_are_refused_though_they_are_signed(text: str) -> None:
    key = SigningKey("origin", bytes(32))
    with pytest.raises(EvidenceError):
        open_note(sign_text(text, (key,)), [key.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "text",
        "text\n\n",
        "text\n\nno dash\n",
        "text\n\n\u2014 name\n",
        "text\n\n\u2014 name AAAA\n",
        "text\n\n\u2014 name AAAAAAA\n",
        "text\n\n\u2014 name AAAAAAB=\n",
        "text\n\n\u2014 na+me AAAAAAA=\n",
        "text\n\n\u2014  AAAAAAA=\n",
        "text\n\n- name AAAAAAA=\n",
        "te\rxt\n\n\u2014 name AAAAAAA=\n",
        "te\ud800xt\n\n\u2014 name AAAAAAA=\n",
        "text\n\n\u2014 name AAAAAAA=",
        "text\n\n" + "\u2014 name AAAAAAA=\n" * 101,
        "x" * 1_048_577,
    ],
)
def test_what_is_not_a_signed_note_is_refused(note: str) -> None:
    with pytest.raises(EvidenceError):
        open_text(note, [KEY.verifier])


@pytest.mark.parametrize("text", ["", "no end", "bell \x07\n", "half \ud800\n"])
def test_what_cannot_be_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(EvidenceError):
        sign_text(text, (KEY,))


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [
        ("", 1, bytes(32)),
        ("two\nlines", 1, bytes(32)),
        ("staff-mentions/key-hand-over/v1", 1, bytes(32)),
        ("log", -1, bytes(32)),
        ("log", 2**63, bytes(32)),
        ("log", 1, bytes(31)),
    ],
)
def test_what_cannot_be_a_checkpoint_is_refused(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(EvidenceError):
        Checkpoint(origin, size, root)


# --- keys -------------------------------------------------------------------------------------


def test_a_key_is_saved_for_its_owner_only_and_loads_again(tmp_path: Path) -> None:
    key = SigningKey.generate(ORIGIN)
    key.save(tmp_path / "log.key")
    assert (tmp_path / "log.key").stat().st_mode & 0o777 == 0o600
    assert SigningKey.load(tmp_path / "log.key") == key
    assert (tmp_path / "log.key").read_text().startswith(f"PRIVATE+KEY+{ORIGIN}+")


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    KEY.save(tmp_path / "log.key")
    with pytest.raises(EvidenceError, match="never overwritten"):
        NEXT.save(tmp_path / "log.key")
    assert SigningKey.load(tmp_path / "log.key") == KEY


def test_a_key_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="cannot be written"):
        KEY.save(tmp_path / "nowhere" / "log.key")


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o602, 0o610, 0o644])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    KEY.save(tmp_path / "log.key")
    (tmp_path / "log.key").chmod(mode)
    with pytest.raises(EvidenceError, match="chmod 600"):
        SigningKey.load(tmp_path / "log.key")


def test_a_systemd_credential_whose_group_may_read_is_accepted(tmp_path: Path) -> None:
    KEY.save(tmp_path / "log.key")
    (tmp_path / "log.key").chmod(0o440)
    assert SigningKey.load(tmp_path / "log.key") == KEY


@given(st.data())
def test_a_flipped_bit_in_a_written_key_is_found(data: st.DataObject) -> None:
    octets = bytearray(GO_VERIFIER.encode())
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(EvidenceError):
        VerifierKey.parse(octets.decode(errors="surrogateescape"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key",
        GO_VERIFIER,
        GO_PRIVATE.replace("c74f20a3", "c74f20a4"),
        GO_PRIVATE.replace("AYEK", "AoEK"),
        GO_PRIVATE[:-4],
    ],
)
def test_a_damaged_key_file_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(EvidenceError):
        SigningKey.load(save_text(tmp_path / "key", text))


def test_an_absent_key_file_is_an_evidence_error(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="cannot be read"):
        SigningKey.load(tmp_path / "key")


@pytest.mark.parametrize(
    "name", ["", "two words", "plus+sign", "tab\there", "nbsp\u00a0", "\ud800"]
)
def test_a_name_that_a_key_cannot_have_is_refused(name: str) -> None:
    with pytest.raises(EvidenceError):
        SigningKey.generate(name)


def test_keys_are_of_32_bytes_and_never_printed() -> None:
    with pytest.raises(EvidenceError):
        SigningKey(ORIGIN, bytes(31))
    with pytest.raises(EvidenceError):
        VerifierKey(ORIGIN, bytes(33))
    assert str(KEY.seed) not in repr(KEY)
    assert "seed" not in repr(KEY)


# --- hand-over --------------------------------------------------------------------------------


def test_a_key_is_handed_over_only_by_a_key_that_is_trusted() -> None:
    with pytest.raises(EvidenceError, match="unknown key"):
        read_hand_over(hand_over(KEY, NEXT), [NEXT.verifier])


def test_a_key_is_handed_over_to_another_key_of_the_same_log() -> None:
    with pytest.raises(EvidenceError, match="another key of the same name"):
        hand_over(KEY, KEY)
    with pytest.raises(EvidenceError, match="another key of the same name"):
        hand_over(KEY, SigningKey.generate("other.example/log"))


def test_a_hand_over_that_was_changed_is_refused() -> None:
    thief = SigningKey.generate(ORIGIN)
    fields = dict(hand_over(KEY, NEXT))
    for changed in (
        {**fields, "new_key": str(thief.verifier)},
        {**fields, "note": hand_over(thief, NEXT)["note"]},
        {**fields, "note": sign(CHECKPOINT, KEY)},
        {**fields, "note": sign_text(CHECKPOINT.text, (KEY, NEXT))},
        {**fields, "note": sign_text(str(fields["note"]).rpartition("\n\n")[0] + "\n", (KEY,))},
        {**fields, "old_key": "nonsense"},
        {name: value for name, value in fields.items() if name != "note"},
        {},
    ):
        with pytest.raises(EvidenceError):
            read_hand_over(changed, [KEY.verifier])


def test_trust_in_the_current_key_reaches_back_to_the_first() -> None:
    last = SigningKey.generate(ORIGIN)
    chain = [hand_over(KEY, NEXT), hand_over(NEXT, last)]
    assert first_key(last.verifier, chain) == KEY.verifier
    assert first_key(KEY.verifier, []) == KEY.verifier
    for current, broken in (
        (NEXT, chain),
        (last, chain[:1]),
        (last, chain[::-1]),
        (last, [*chain, {}]),
        (last, [chain[0], {**chain[1], "note": chain[0]["note"]}]),
    ):
        with pytest.raises(EvidenceError):
            first_key(current.verifier, broken)


def test_a_hand_over_cannot_pass_for_a_checkpoint() -> None:
    with pytest.raises(EvidenceError, match="not a checkpoint"):
        open_note(str(hand_over(KEY, NEXT)["note"]), [KEY.verifier, NEXT.verifier])
