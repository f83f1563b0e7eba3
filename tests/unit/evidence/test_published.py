"""Notes, keys and signatures that others published: real witnesses, and the test data of others.

`ARCHE` is a checkpoint of the log arche2025h1.staging.ct.transparency.dev of 23 May 2026, with the
cosignatures (C2SP tlog-cosignature, v1) of four witnesses that different people run. Their keys are
listed in public repositories; that of remora.n621.de, and the keys that are none, in
transparency-dev/formats, note/note_cosigv1_test.go (091ce41666c0). The note of two signers is from
golang/mod, sumdb/note/note_test.go (02c991387e35).
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.errors import EvidenceError
from monitor.evidence.checkpoint import open_note
from monitor.evidence.cosignature import CosignerKey, cosignatures
from monitor.evidence.note import VerifierKey, open_text, split_note

ORIGIN = "arche2025h1.staging.ct.transparency.dev"
ARCHE = (Path(__file__).parents[2] / "fixtures/evidence/arche2025h1.txt").read_text("utf-8")
TEXT = ARCHE.partition("\n\n")[0] + "\n"
SIGNED = [line.split(" ")[1:] for line in ARCHE.splitlines() if line.startswith("\u2014")]
"""(name, base64) of each line; the first is of another kind (0x05) and is passed over."""
OF_THE_LOG = f"{ORIGIN}+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
WITNESSES = (
    (
        "transparency.dev/DEV:witness-little-garden+d8042a87"
        "+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM"
    ),
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
)
COSIGNED_AT = datetime.fromtimestamp(0x6A122120, UTC)
"""23 May 2026, 21:50:24 UTC: the eight bytes behind each key ID."""

SAYING = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
BY_PETER = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngot"
    "pRZb6KE6RyyBwJnAM=\n"
)
BY_ENOCH = (
    "\u2014 EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWL"
    "ox33WWd1RvMc+QQ=\n"
)


def test_the_checkpoint_of_a_real_log_is_signed_by_its_own_key() -> None:
    found = open_note(ARCHE, [VerifierKey.parse(OF_THE_LOG)])
    assert (found.origin, found.size) == (ORIGIN, 1_432_088_532)


@pytest.mark.parametrize("written", WITNESSES, ids=lambda each: each.split("+")[0])
def test_a_real_witness_cosigned_it(written: str) -> None:
    key = CosignerKey.parse(written)
    assert str(key) == written
    (found,) = cosignatures(ARCHE, [key])
    assert found.at == COSIGNED_AT
    assert found.line in ARCHE


def test_all_four_are_found_together_and_nobody_else() -> None:
    found = cosignatures(ARCHE, [CosignerKey.parse(each) for each in WITNESSES])
    assert [str(each.key) for each in found] == list(WITNESSES)
    assert len(split_note(ARCHE)[1]) == len(SIGNED)


@pytest.mark.parametrize("written", WITNESSES, ids=lambda each: each.split("+")[0])
def test_each_bit_of_a_cosignature_and_of_its_time_counts(written: str) -> None:
    key = CosignerKey.parse(written)
    (line,) = [each for name, each in SIGNED if name == key.name]
    signature = base64.b64decode(line)
    for bit in range(8 * len(key.key_id), 8 * len(signature)):
        altered = bytearray(signature)
        altered[bit // 8] ^= 1 << bit % 8
        note = ARCHE.replace(line, base64.b64encode(altered).decode())
        with pytest.raises(EvidenceError, match="the cosignature of"):
            cosignatures(note, [key])


def test_each_bit_of_the_text_counts_for_the_log_and_for_every_witness() -> None:
    log, witnesses = VerifierKey.parse(OF_THE_LOG), [CosignerKey.parse(each) for each in WITNESSES]
    for bit in range(7 * len(TEXT)):
        letter = chr(ord(TEXT[bit // 7]) ^ 1 << bit % 7)
        note = TEXT[: bit // 7] + letter + ARCHE[bit // 7 + 1 :]
        with pytest.raises(EvidenceError):
            open_note(note, [log])
        for key in witnesses:
            with pytest.raises(EvidenceError):
                cosignatures(note, [key])


@pytest.mark.parametrize("written", WITNESSES, ids=lambda each: each.split("+")[0])
def test_each_letter_of_a_witnesss_key_counts(written: str) -> None:
    for place, letter in enumerate(written):
        altered = written[:place] + chr(ord(letter) ^ 1) + written[place + 1 :]
        with pytest.raises(EvidenceError):
            CosignerKey.parse(altered)


@pytest.mark.parametrize(
    "written",
    [
        "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",  # signs notes, cosigns none
        "bananas.sigstore.dev+12344556",
        "rekor.sigstore.dev+12345678+THIS_IS_NOT_BASE64!",
        "rekor.sigstore.dev+12345678+AwEB",
        WITNESSES[2].replace("da77ade7", "NOT_A_NUMBER"),
        WITNESSES[2].replace("da77ade7", "00000000"),
    ],
)
def test_the_keys_that_others_refuse_are_refused(written: str) -> None:
    with pytest.raises(EvidenceError):
        CosignerKey.parse(written)


def test_a_logs_key_and_a_witnesss_key_are_not_taken_for_each_other() -> None:
    with pytest.raises(EvidenceError):
        VerifierKey.parse(WITNESSES[0])
    with pytest.raises(EvidenceError):
        CosignerKey.parse(OF_THE_LOG)


def test_a_note_of_two_signers_is_opened_by_either_key_and_by_both() -> None:
    peter, enoch = VerifierKey.parse(PETER), VerifierKey.parse(ENOCH)
    note = f"{SAYING}\n{BY_PETER}{BY_ENOCH}"
    for keys in ([peter], [enoch], [peter, enoch]):
        assert open_text(note, keys) == (SAYING, tuple(keys))
    with pytest.raises(EvidenceError, match="no known key signed this"):
        open_text(note, [])


@pytest.mark.parametrize(
    "note",
    [
        SAYING,
        f"{SAYING}\n",
        f"{SAYING}\n{BY_PETER}".removesuffix("\n"),
        f"\x01{SAYING}\n{BY_PETER}",
        f"{SAYING}\n{BY_PETER.replace('PeterNeumann', 'Bad Name')}",
        f"{SAYING}\n{BY_PETER}Unexpected line.\n",
        f"{SAYING}\n{BY_PETER[:60]}ABCD{BY_PETER[60:]}",
        f"{SAYING}\n{BY_PETER * 101}",
    ],
)
def test_the_notes_that_others_refuse_are_refused(note: str) -> None:
    with pytest.raises(EvidenceError):
        open_text(note, [VerifierKey.parse(PETER)])
