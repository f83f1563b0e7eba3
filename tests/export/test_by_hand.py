"""The commands of VERIFY.txt, run to the letter in a shell, find each of these alterations."""

from __future__ import annotations

import base64
import json
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from monitor.evidence.note import SigningKey
from tests.export.house import unpacked, with_new_manifests
from tests.export.test_alterations import EVERY, Alter, Files
from tests.export.test_bundle import WHOLE, ran

LEFT_TO_THE_PAGE = {"a proof", "the proof of an earlier checkpoint"}
"""They alter nothing that the export says, only what shows that another entry is in the log."""


def the_proof_of_the_export(files: Files, _key: SigningKey) -> Files:
    proof = json.loads(files["proof.json"])
    path = proof["inclusion"][str(proof["export"]["index"])]
    path[1] = base64.b64encode(bytes(32)).decode()
    return _with_proof(files, proof)


def a_proof_cut_short(files: Files, _key: SigningKey) -> Files:
    proof = json.loads(files["proof.json"])
    proof["inclusion"][str(proof["export"]["index"])].pop()
    return _with_proof(files, proof)


def a_field_that_was_never_sealed(files: Files, _key: SigningKey) -> Files:
    """A forger writes another report, every manifest, and a field that names the new one."""
    files = _with_another_report(files)
    return _naming_the_manifest(files, also_sealed=False)


def an_entry_that_is_not_in_the_log(files: Files, _key: SigningKey) -> Files:
    """The same, and the field's digest is put into the sealed bytes."""
    files = _with_another_report(files)
    return _naming_the_manifest(files, also_sealed=True)


def _with_another_report(files: Files) -> Files:
    """Of the same size, which the bag's own description tells."""
    report = files["data/report.pdf"].replace(b"/Title", b"/Titel", 1)
    assert report != files["data/report.pdf"]
    return with_new_manifests(files | {"data/report.pdf": report})


def _naming_the_manifest(files: Files, *, also_sealed: bool) -> Files:
    proof = json.loads(files["proof.json"])
    said = ["AAAAAAAAAAAAAAAAAAAAAA", "manifest_sha256"]
    said.append(sha256(files["manifest-sha256.txt"]).hexdigest())
    plain = json.dumps(said, separators=(",", ":")).encode()
    encoded = base64.urlsafe_b64encode(plain).decode().rstrip("=")
    export = proof["export"]
    content = base64.b64decode(export["content"])
    for number, each in enumerate(export["disclosures"]):
        if b'"manifest_sha256"' in base64.urlsafe_b64decode(each + "=="):
            export["disclosures"][number] = encoded
            if also_sealed:
                content = content.replace(_digest(each), _digest(encoded))
    export["content"] = base64.b64encode(content).decode()
    return _with_proof(files, proof)


def _digest(encoded: str) -> bytes:
    return base64.urlsafe_b64encode(sha256(encoded.encode()).digest()).rstrip(b"=")


def _with_proof(files: Files, proof: object) -> Files:
    written = (json.dumps(proof, indent=1, sort_keys=True) + "\n").encode()
    return with_new_manifests(files | {"proof.json": written})


def a_file_whose_name_begins_like_another(files: Files, _key: SigningKey) -> Files:
    return files | {"data/report": b"read this one"}


BY_HAND: dict[str, Alter] = {
    name: alter for name, alter in EVERY.items() if name not in LEFT_TO_THE_PAGE
} | {
    each.__name__.replace("_", " "): each
    for each in (
        the_proof_of_the_export,
        a_proof_cut_short,
        a_field_that_was_never_sealed,
        an_entry_that_is_not_in_the_log,
        a_file_whose_name_begins_like_another,
    )
}


def laid_out(files: Files, folder: Path) -> Path:
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return folder


def test_of_an_export_with_warc_files_and_a_picture_they_print_that_it_is_whole(
    exported: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(exported) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert {each.name for each in (folder / "data").iterdir()} >= {"warc", "pictures", "raw"}
    assert ran(folder) == WHOLE


@pytest.mark.parametrize("alter", BY_HAND.values(), ids=BY_HAND.keys())
def test_they_print_something_else_of_each_alteration(
    alter: Alter, exported: Path, signing_key: SigningKey, tmp_path: Path
) -> None:
    files = unpacked(exported)
    altered = alter(dict(files), signing_key)
    assert altered != files, "nothing was altered"
    assert ran(laid_out(altered, tmp_path / "bag")) != WHOLE


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (a_field_that_was_never_sealed, "Signature Verified Successfully\nin the log\n"),
        (an_entry_that_is_not_in_the_log, "Signature Verified Successfully\nthe same\n"),
        (the_proof_of_the_export, "Signature Verified Successfully\nthe same\n"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_each_forgery_fails_at_the_command_that_is_there_for_it(
    alter: Alter, said: str, exported: Path, signing_key: SigningKey, tmp_path: Path
) -> None:
    altered = alter(unpacked(exported), signing_key)
    assert ran(laid_out(altered, tmp_path / "bag")) == said
