"""What an export holds, what it leaves out, and that the log knows of it before anybody else."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import EvidenceError
from monitor.evidence.checkpoint import hand_over
from monitor.evidence.leaf import Leaf, read_disclosure
from monitor.evidence.note import SigningKey
from monitor.evidence.verify import KEY_CHANGED
from monitor.export.bundle import EXPORTED
from monitor.export.redact import closure
from monitor.export.request import Request
from monitor.model import Author, Severity
from tests.export import stranger
from tests.export.house import School, unpacked
from tests.programs import needs


def disclosed(files: dict[str, bytes]) -> dict[str, list[Any]]:
    """Every disclosed value by the name of its field, of all entries."""
    listed = json.loads(files["data/entries.json"])["entries"]
    found: dict[str, list[Any]] = {}
    for each in (*listed, json.loads(files["proof.json"])["export"]):
        for encoded in each["disclosures"]:
            name, value = read_disclosure(encoded)
            found.setdefault(name, []).append(value)
    return found


def printed(files: dict[str, bytes], folder: Path) -> str:
    """The words of the report, as another program reads them, in lines as they come."""
    path = folder / "report.pdf"
    path.write_bytes(files["data/report.pdf"])
    done = subprocess.run([needs("pdftotext"), str(path), "-"], capture_output=True, check=True)
    return re.sub(r"\s+", " ", done.stdout.decode().replace("\u200b", ""))


def test_a_case_is_exported_with_everything_that_belongs_to_it(
    with_case: School, tmp_path: Path
) -> None:
    path = with_case.export(tmp_path / "case.zip")
    files = unpacked(path)
    kinds = [
        json.loads(base64.b64decode(each["content"])[1:])["kind"]
        for each in json.loads(files["data/entries.json"])["entries"]
    ]
    assert kinds.count("post.captured") == kinds.count("mention.graded") == 3
    assert {"log.opened", "case.opened", "case.noted", "alert.raised", "evidence.viewed"} <= set(
        kinds
    )
    assert sum(name.startswith("data/raw/") for name in files) == 3
    assert sum(name.startswith("data/warc/") for name in files) == 3
    assert "source.polled" not in kinds, "what belongs to no case does not leave"
    assert stranger.problems(str(path)) == []


def test_another_case_does_not_leave_with_it(school: School, tmp_path: Path) -> None:
    make = school.make
    theirs = make.post(2, "Miss Barr, we know where you park", author=Author("@other"))
    school.hear(make.post(1, "Mr Lowe, watch your back"), theirs)
    words = disclosed(unpacked(school.export(tmp_path / "case.zip")))["text"]
    assert words == ["Mr Lowe, watch your back"]


def test_the_export_is_sealed_and_signed_before_a_byte_is_written(with_case: School) -> None:
    class Watching(io.BytesIO):
        kinds: list[str] | None = None

        def write(self, data: Any) -> int:
            if self.kinds is None:
                with with_case.store.log.reading() as view:
                    sealed = list(view.entries())
                self.kinds = [json.loads(each.content[1:])["kind"] for each in sealed]
                newest = with_case.store.log.checkpoints()[-1]
                assert newest[0] == len(sealed), "the checkpoint covers the entry"
            return super().write(data)

    target = Watching()
    with_case.exporter.write(Request(with_case.chosen(), with_case.occasion()), target)
    assert target.kinds is not None
    assert target.kinds[-1] == EXPORTED


def test_who_when_and_why_stand_in_the_entry(with_case: School, tmp_path: Path) -> None:
    own = disclosed(unpacked(with_case.export(tmp_path / "case.zip")))
    assert "holt" in own["by"]
    assert "the police asked for it" in own["why"]
    assert own["recipient"] == ["PC Adeyemi"]


def test_a_second_export_tells_of_the_first(with_case: School, tmp_path: Path) -> None:
    with_case.export(tmp_path / "first.zip", why="for the union")
    files = unpacked(with_case.export(tmp_path / "second.zip"))
    assert "for the union" in printed(files, tmp_path)
    assert stranger.problems(str(tmp_path / "second.zip")) == []


@pytest.mark.parametrize(
    ("field", "secret"),
    [
        ("text", "break his legs"),
        ("author", "gate_mum"),
        ("url", "forum.school.example/posts"),
        ("target", "desmond-lowe"),
        ("thread", "Who was on the gate"),
    ],
)
def test_a_field_that_is_left_out_is_nowhere_and_the_rest_verifies(
    field: str, secret: str, with_case: School, tmp_path: Path
) -> None:
    path = with_case.export(tmp_path / "case.zip", field, despite_traces=field == "target")
    files = unpacked(path)
    assert stranger.problems(str(path)) == []
    values = json.dumps(disclosed(files))
    assert field not in disclosed(files)
    assert secret not in values
    assert secret not in printed(files, tmp_path)
    assert "withheld" in printed(files, tmp_path)
    assert not any(secret.encode() in body for name, body in files.items() if "raw" in name)


def test_with_content_left_out_the_originals_and_their_digests_stay_behind(
    with_case: School, tmp_path: Path
) -> None:
    files = unpacked(with_case.export(tmp_path / "case.zip", "author"))
    assert not [name for name in files if name.startswith(("data/raw/", "data/warc/"))]
    assert not {"raw_sha256", "answer", "native_id", "url"} & set(disclosed(files))


def test_a_digest_of_the_words_goes_with_the_words() -> None:
    assert {"version", "raw_sha256", "answer", "message_sha256", "reasons", "matches"} <= closure(
        ["text"]
    )
    assert "raw_sha256" not in closure(["why"])
    assert not {"manifest_sha256", "files"} & closure(["text", "files", "manifest_sha256"])


def test_a_slip_of_the_pen_does_not_disclose_what_was_to_be_left_out(
    with_case: School, tmp_path: Path
) -> None:
    before = with_case.store.log.head()
    with pytest.raises(EvidenceError, match="no entry has a secret field 'auhtor'"):
        with_case.export(tmp_path / "case.zip", "auhtor")
    assert with_case.store.log.head() == before, "nothing left, so nothing is told"


def test_a_damaged_original_stops_the_export(with_case: School, tmp_path: Path) -> None:
    blob = next(each for each in (tmp_path / "vault").glob("*/*") if len(each.name) == 64)
    blob.chmod(0o600)
    blob.write_bytes(b"Mr Lowe was kind")
    with pytest.raises(EvidenceError, match=blob.name):
        with_case.export(tmp_path / "case.zip")


def test_after_a_change_of_key_old_checkpoints_are_still_led_back_to_the_first(
    with_case: School, tmp_path: Path
) -> None:
    old, new = with_case.key, SigningKey.generate(with_case.key.name)
    with_case.store.log.append(
        [Leaf(KEY_CHANGED, with_case.make.now, dict(hand_over(old, new)), {})]
    )
    with_case.key = new
    path = with_case.export(tmp_path / "case.zip")
    assert stranger.problems(str(path), str(new.verifier)) == []
    assert stranger.problems(str(path), str(old.verifier))


def test_the_commands_of_verify_txt_do_what_they_say(with_case: School, tmp_path: Path) -> None:
    with zipfile.ZipFile(with_case.export(tmp_path / "case.zip")) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / with_case.case
    said = ran(folder)
    assert said == WHOLE
    (folder / "data" / "letter.txt").write_text("added")
    assert "NOT LISTED: data/letter.txt" in ran(folder)
    original = next((folder / "data" / "raw").iterdir())
    original.write_bytes(b"altered")
    assert f"data/raw/{original.name}: FAILED" in ran(folder)
    note = folder / "checkpoint.txt"
    note.write_text(note.read_text().replace("\n", "\n1", 1))
    assert "Verified Successfully" not in ran(folder)


WHOLE = "Signature Verified Successfully\nthe same\nin the log\n"
"""What the commands of VERIFY.txt print where nothing was altered."""


def ran(folder: Path) -> str:
    """What every command in VERIFY.txt prints, one after the other."""
    needs("openssl")
    text = (folder / "VERIFY.txt").read_text()
    commands = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    assert len(commands) == 21, commands
    done = subprocess.run(
        ["sh"], input="\n".join(commands).encode(), capture_output=True, cwd=folder, check=False
    )
    return done.stdout.decode()


def test_names_in_the_zip_are_ours_alone(school: School, tmp_path: Path) -> None:
    make = school.make
    name = "../../etc/\u202egnp.exe =cmd|'/C calc'!A0" + "x" * 1_000_000
    post = make.post(1, "Mr Lowe", author=Author(name, name, name, name), title=name, url=name)
    school.hear(post, severity=Severity.ABUSIVE)
    with zipfile.ZipFile(school.export(tmp_path / "case.zip")) as archive:
        for each in archive.namelist():
            assert re.fullmatch(r"SM-2026-0001/(?:data/)?(?:\w+/)?[A-Za-z0-9.-]+", each)


def test_a_mention_is_exported_by_itself(with_case: School, tmp_path: Path) -> None:
    chosen = with_case.store.dossiers.of_mentions([2], "mention 2")
    assert chosen is not None
    path = tmp_path / "mention.zip"
    with path.open("wb") as file:
        occasion = with_case.occasion(reference="mention 2")
        with_case.exporter.write(Request(chosen, occasion), file)
    assert len(disclosed(unpacked(path))["text"]) == 1
    assert stranger.problems(str(path)) == []
    assert with_case.store.dossiers.of_mentions([2, 99], "mentions") is None


def test_an_erased_record_is_shown_as_erased_and_the_rest_verifies(
    with_case: School, tmp_path: Path
) -> None:
    chosen = with_case.chosen()
    gone = chosen.posts[0]
    erase(with_case, gone)
    path = with_case.export(tmp_path / "case.zip")
    files = unpacked(path)
    assert stranger.problems(str(path)) == []
    assert "This record was erased by the school" in printed(files, tmp_path)
    assert sum(name.startswith("data/raw/") for name in files) == 2


def erase(school: School, index: int) -> None:
    """Destroy the disclosures of an entry as an erasure does, and say so in the log."""
    from sqlalchemy import text  # noqa: PLC0415 - by hand, beside the program

    at = school.make.now + timedelta(days=1)
    told = Leaf("record.erased", at, {"entries": [index]}, {"by": "holt", "why": "asked"})
    (where,) = school.store.log.append([told])
    database = school.store.dossiers._database
    with database.write() as session:
        found = session.connection()
        found.execute(text("delete from disclosure where entry_index = :n"), {"n": index})
        found.execute(
            text('update entry set erased_by = :by where "index" = :n'),
            {"n": index, "by": where},
        )
