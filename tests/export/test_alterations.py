"""Each of these alterations is found by a stranger's program and by the page in a real browser."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from monitor.evidence.checkpoint import Checkpoint, sign, stated
from monitor.evidence.note import SigningKey
from tests.export import stranger
from tests.export.browser import Browser
from tests.export.house import a_png, packed, unpacked, with_new_manifests

PAGE = Path(__file__).parents[2] / "monitor" / "export" / "assets" / "verify.html"

Files = dict[str, bytes]
Alter = Callable[[Files, SigningKey], Files]


def _first(files: Files, folder: str) -> str:
    return next(name for name in sorted(files) if name.startswith(folder))


def _raw(files: Files) -> str:
    return _first(files, "data/raw/")


def _json(files: Files, name: str, change: Callable[[Any], None]) -> Files:
    value = json.loads(files[name])
    change(value)
    return files | {name: (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()}


def _entries(change: Callable[[list[dict[str, Any]]], None]) -> Alter:
    """Alter the entries, and write every manifest again."""

    def alter(files: Files, _key: SigningKey) -> Files:
        altered = _json(files, "data/entries.json", lambda found: change(found["entries"]))
        return with_new_manifests(altered)

    return alter


def _of_kind(entries: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    wanted = f'"kind":"{kind}"'.encode()
    return next(each for each in entries if wanted in base64.b64decode(each["content"]))


def a_bit_of_an_original(files: Files, _key: SigningKey) -> Files:
    name = _raw(files)
    return files | {name: bytes([files[name][0] ^ 1]) + files[name][1:]}


def an_original_and_its_manifests(files: Files, _key: SigningKey) -> Files:
    return with_new_manifests(files | {_raw(files): b"Mr Lowe was kind again"})


def an_original_taken_out(files: Files, _key: SigningKey) -> Files:
    return with_new_manifests({n: body for n, body in files.items() if n != _raw(files)})


def a_bit_of_a_warc_file(files: Files, _key: SigningKey) -> Files:
    name = _first(files, "data/warc/")
    middle = len(files[name]) // 2
    flipped = bytes([files[name][middle] ^ 1])
    return files | {name: files[name][:middle] + flipped + files[name][middle + 1 :]}


def a_warc_file_and_its_manifests(files: Files, _key: SigningKey) -> Files:
    name = _first(files, "data/warc/")
    altered = files[name].replace(b"break his legs", b"shake his hand")
    return with_new_manifests(files | {name: altered})


def a_warc_file_taken_out(files: Files, _key: SigningKey) -> Files:
    name = _first(files, "data/warc/")
    return with_new_manifests({n: body for n, body in files.items() if n != name})


def two_warc_files_exchanged(files: Files, _key: SigningKey) -> Files:
    one, two = [name for name in sorted(files) if name.startswith("data/warc/")][:2]
    return with_new_manifests(files | {one: files[two], two: files[one]})


def a_bit_of_a_picture(files: Files, _key: SigningKey) -> Files:
    name = _first(files, "data/pictures/")
    return files | {name: files[name][:-20] + bytes([files[name][-20] ^ 1]) + files[name][-19:]}


def a_picture_and_its_manifests(files: Files, _key: SigningKey) -> Files:
    return with_new_manifests(files | {_first(files, "data/pictures/"): a_png(top=9)})


def a_picture_taken_out(files: Files, _key: SigningKey) -> Files:
    name = _first(files, "data/pictures/")
    return with_new_manifests({n: body for n, body in files.items() if n != name})


def the_report(files: Files, _key: SigningKey) -> Files:
    report = files["data/report.pdf"].replace(b"/Title", b"/Titel", 1)
    return with_new_manifests(files | {"data/report.pdf": report + b"\n"})


def the_page(files: Files, _key: SigningKey) -> Files:
    page = files["verify.html"].replace(b"NOT WHOLE", b"Whole")
    return with_new_manifests(files | {"verify.html": page})


def the_commands(files: Files, _key: SigningKey) -> Files:
    said = files["VERIFY.txt"].replace(b"--strict ", b"")
    return with_new_manifests(files | {"VERIFY.txt": said})


def what_the_bag_says_of_itself(files: Files, _key: SigningKey) -> Files:
    info = files["bag-info.txt"].replace(b"Thornleigh", b"Thornlea")
    return with_new_manifests(files | {"bag-info.txt": info})


def a_file_more(files: Files, _key: SigningKey) -> Files:
    return files | {"data/raw/readme.txt": b"ignore the report"}


def a_file_more_in_the_manifests(files: Files, _key: SigningKey) -> Files:
    return with_new_manifests(files | {"data/letter.txt": b"ignore the report"})


def a_tag_file_more(files: Files, _key: SigningKey) -> Files:
    return with_new_manifests(files | {"README.txt": b"open data/report.pdf only"})


def _another_time(entries: list[dict[str, Any]]) -> None:
    captured = _of_kind(entries, "post.captured")
    content = base64.b64decode(captured["content"]).replace(
        b'"at":"2026-11-20', b'"at":"2026-11-19'
    )
    captured["content"] = base64.b64encode(content).decode()


def _another_word(entries: list[dict[str, Any]]) -> None:
    captured = _of_kind(entries, "post.captured")
    for number, encoded in enumerate(captured["disclosures"]):
        written = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        if b"break his legs" in written:
            changed = written.replace(b"break his legs", b"shake his hand")
            captured["disclosures"][number] = base64.urlsafe_b64encode(changed).decode().rstrip("=")


def _moved_field(entries: list[dict[str, Any]]) -> None:
    captured = _of_kind(entries, "post.captured")
    captured["disclosures"].append(_of_kind(entries, "mention.matched")["disclosures"].pop())


def _hidden_field(entries: list[dict[str, Any]]) -> None:
    _of_kind(entries, "mention.graded")["disclosures"].clear()


def _exchanged_entries(entries: list[dict[str, Any]]) -> None:
    one, two = entries[1], entries[2]
    one["index"], two["index"] = two["index"], one["index"]


def _erased(entries: list[dict[str, Any]]) -> None:
    _of_kind(entries, "post.captured")["erased"] = True


def a_proof(files: Files, _key: SigningKey) -> Files:
    def flip(proof: dict[str, Any]) -> None:
        path = proof["inclusion"]["2"]
        path[0] = base64.b64encode(bytes(32)).decode()

    return with_new_manifests(_json(files, "proof.json", flip))


def the_proof_of_an_earlier_checkpoint(files: Files, _key: SigningKey) -> Files:
    def drop(proof: dict[str, Any]) -> None:
        size = min(proof["checkpoints"], key=int)
        proof["checkpoints"][size] = proof["checkpoints"][size][:-1]

    return with_new_manifests(_json(files, "proof.json", drop))


def the_root(files: Files, _key: SigningKey) -> Files:
    lines = files["checkpoint.txt"].split(b"\n")
    lines[2] = base64.b64encode(bytes(32))
    return with_new_manifests(files | {"checkpoint.txt": b"\n".join(lines)})


def the_size(files: Files, _key: SigningKey) -> Files:
    lines = files["checkpoint.txt"].split(b"\n")
    lines[1] = b"%d" % (int(lines[1]) + 1)
    return with_new_manifests(files | {"checkpoint.txt": b"\n".join(lines)})


def the_signature(files: Files, _key: SigningKey) -> Files:
    head, _, written = files["checkpoint.txt"].rstrip(b"\n").rpartition(b" ")
    blob = bytearray(base64.b64decode(written))
    blob[40] ^= 1
    note = head + b" " + base64.b64encode(blob) + b"\n"
    return with_new_manifests(files | {"checkpoint.txt": note})


def the_key(files: Files, key: SigningKey) -> Files:
    forger = SigningKey.generate(key.name)
    point = stated(files["checkpoint.txt"].decode())
    files = files | {"checkpoint.txt": sign(point, forger).encode()}
    changed = _json(files, "proof.json", lambda proof: proof.update(key=str(forger.verifier)))
    return with_new_manifests(changed)


def an_earlier_checkpoint_of_a_rewritten_log(files: Files, key: SigningKey) -> Files:
    """By somebody who holds the school's own key."""
    name = min(n for n in files if n.startswith("data/checkpoints/"))
    size = int(name.rpartition("/")[2].removesuffix(".txt"))
    note = sign(Checkpoint(key.name, size, bytes(range(32))), key)
    return with_new_manifests(files | {name: note.encode()})


def the_entry_about_the_export(files: Files, _key: SigningKey) -> Files:
    def exchange(proof: dict[str, Any]) -> None:
        listed = json.loads(files["data/entries.json"])["entries"]
        proof["export"] = _of_kind(listed, "evidence.viewed")

    return with_new_manifests(_json(files, "proof.json", exchange))


def the_size_of_the_bag(files: Files, _key: SigningKey) -> Files:
    info = files["bag-info.txt"].replace(b"Payload-Oxum: ", b"Payload-Oxum: 1")
    return files | {"bag-info.txt": info}


ALTERATIONS: list[Alter] = [
    a_bit_of_an_original,
    an_original_and_its_manifests,
    an_original_taken_out,
    a_bit_of_a_warc_file,
    a_warc_file_and_its_manifests,
    a_warc_file_taken_out,
    two_warc_files_exchanged,
    a_bit_of_a_picture,
    a_picture_and_its_manifests,
    a_picture_taken_out,
    the_report,
    the_page,
    the_commands,
    what_the_bag_says_of_itself,
    a_file_more,
    a_file_more_in_the_manifests,
    a_tag_file_more,
    a_proof,
    the_proof_of_an_earlier_checkpoint,
    the_root,
    the_size,
    the_signature,
    the_key,
    an_earlier_checkpoint_of_a_rewritten_log,
    the_entry_about_the_export,
    the_size_of_the_bag,
]
OF_ENTRIES = {
    "a time": _another_time,
    "a word": _another_word,
    "a field moved": _moved_field,
    "a field hidden": _hidden_field,
    "entries exchanged": _exchanged_entries,
    "an entry taken out": lambda entries: entries.pop(2),
    "an entry twice": lambda entries: entries.append(entries[2]),
    "an entry called erased": _erased,
}
EVERY = {each.__name__.replace("_", " "): each for each in ALTERATIONS} | {
    name: _entries(change) for name, change in OF_ENTRIES.items()
}


def asked(browser: Browser, path: Path, expected: str = "") -> SimpleNamespace:
    """What the page says of a ZIP: whether it is whole, and each problem."""
    browser.open(PAGE)
    browser.ask(f"document.getElementById('expected').value = {json.dumps(expected)}")
    browser.choose("#zip", path)
    browser.wait("result.querySelector('h2') !== null")
    problems = browser.ask("[...document.querySelectorAll('.problem')].map(e => e.textContent)")
    return SimpleNamespace(whole=browser.ask("document.title") == "Whole", problems=problems)


def test_what_was_not_altered_is_whole(
    exported: Path, browser: Browser, signing_key: SigningKey
) -> None:
    key = str(signing_key.verifier)
    assert stranger.problems(str(exported), key) == []
    said = asked(browser, exported, key)
    assert (said.whole, said.problems) == (True, [])


def test_packing_it_again_is_no_alteration(
    exported: Path, browser: Browser, tmp_path: Path
) -> None:
    again = packed(with_new_manifests(unpacked(exported)), tmp_path / "again.zip")
    assert stranger.problems(str(again)) == []
    assert asked(browser, again).whole


@pytest.mark.parametrize("alter", EVERY.values(), ids=EVERY.keys())
def test_every_alteration_is_found_and_named(
    alter: Alter, exported: Path, browser: Browser, signing_key: SigningKey, tmp_path: Path
) -> None:
    files = unpacked(exported)
    altered = alter(dict(files), signing_key)
    assert altered != files, "nothing was altered"
    path = packed(altered, tmp_path / "altered.zip")
    assert stranger.problems(str(path))
    said = asked(browser, path)
    assert not said.whole
    assert said.problems


def test_another_key_than_the_one_that_was_given_is_named(exported: Path, browser: Browser) -> None:
    other = str(SigningKey.generate("school.example/staff-mentions").verifier)
    assert stranger.problems(str(exported), other)
    assert "another one than the one you were given" in asked(browser, exported, other).problems[0]


def test_a_flipped_bit_of_the_zip_is_found(
    exported: Path, browser: Browser, tmp_path: Path
) -> None:
    whole = exported.read_bytes()
    path = tmp_path / "flipped.zip"
    listed = whole.rindex(b"data/report.pdf")  # in the list of files at its end
    for place in (40, len(whole) // 3, len(whole) // 2, listed):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        assert stranger.problems(str(path)), place
        assert not asked(browser, path).whole, place


def test_half_a_zip_and_a_name_that_stands_twice_are_refused(
    exported: Path, browser: Browser, tmp_path: Path
) -> None:
    half = tmp_path / "half.zip"
    half.write_bytes(exported.read_bytes()[:-500])
    twice = packed(unpacked(exported), tmp_path / "twice.zip", ("data/report.pdf", b"%PDF-1.7"))
    for path in (half, twice):
        assert stranger.problems(str(path))
        assert not asked(browser, path).whole


def test_the_page_asks_the_network_for_nothing(exported: Path, browser: Browser) -> None:
    asked(browser, exported)
    assert all(address.startswith("file:") for address in browser.requested)


def test_a_witness_learns_whether_the_log_still_holds_an_old_checkpoint(
    exported: Path, browser: Browser, signing_key: SigningKey
) -> None:
    files = unpacked(exported)
    name = min(n for n in files if n.startswith("data/checkpoints/"))
    held = files[name].decode()
    size = stated(held).size
    forged = sign(Checkpoint(signing_key.name, size, bytes(32)), signing_key)
    assert asked(browser, exported).whole
    for note, answer in ((held, "still begins with"), (forged, "was rewritten")):
        browser.ask(f"older.value = {json.dumps(note)}; document.getElementById('compare').click()")
        assert answer in browser.ask("compared.textContent")


def test_the_page_hashes_and_checks_signatures_as_the_standards_do(browser: Browser) -> None:
    """FIPS 180-4 and RFC 8032, 7.1 (tests 1 to 3)."""
    browser.open(PAGE)
    for length in (0, 3, 55, 56, 63, 64, 111, 112, 127, 128, 1000):
        said = f"hex(sha256(new Uint8Array({length}).fill(97)))"
        from hashlib import sha256, sha512  # noqa: PLC0415 - beside what it checks

        assert browser.ask(said) == sha256(b"a" * length).hexdigest()
        assert browser.ask(said.replace("256", "512")) == sha512(b"a" * length).hexdigest()
    for key, message, signature in RFC_8032:
        call = (
            "ed25519(...[{}].map(h => Uint8Array.from(h.match(/../g) ?? [], b => parseInt(b, 16))))"
        )
        good = call.format(json.dumps([key, signature, message])[1:-1])
        bad = call.format(json.dumps([key, signature, f"{message}00"])[1:-1])
        assert browser.ask(good) is True
        assert browser.ask(bad) is False


RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]
