"""`evidence export` as a person types it, on an installation that has seen the demonstration."""

from __future__ import annotations

from pathlib import Path

import pyrage
import pytest

from tests.e2e.house import House
from tests.e2e.test_cli import ask, mail, own, seen
from tests.export import stranger

__all__ = ["mail", "own", "seen"]


def cases(house: House, *words: str) -> list[str]:
    return [row["number"] for row in ask(house, "case", "list", "--json", *words).rows]


def export(house: House, *words: str) -> int:
    return ask(house, "evidence", "export", *words).code


def test_every_case_of_the_demonstration_can_be_handed_over(own: House, tmp_path: Path) -> None:
    found = cases(own)
    assert found
    for number in found:
        path = tmp_path / f"{number}.zip"
        words = ("--case", number, "--reason", "police", "--out", str(path), "--by", "head")
        ran = ask(own, "evidence", "export", *words)
        assert ran.code == 0, ran.err
        assert str(path) in ran.out
        assert stranger.problems(str(path)) == []
    assert own.logged("evidence.exported") == len(found)
    assert ask(own, "evidence", "verify").code == 0


def test_an_export_has_a_reason_a_subject_and_a_place(own: House, tmp_path: Path) -> None:
    (number, *_) = cases(own)
    out = tmp_path / "case.zip"
    place = ("--out", str(out))
    before = own.logged("evidence.exported")
    assert export(own, "--case", number, *place) == 2
    assert export(own, "--case", number, "--reason", " ", *place) == 2
    assert export(own, "--reason", "police", *place) == 2
    assert export(own, "--case", number, "--mention", "1", "--reason", "x", *place) == 2
    assert export(own, "--case", "SM-1999-0001", "--reason", "x", *place) == 1
    assert export(own, "--mention", "99999", "--reason", "x", *place) == 1
    assert export(own, "--case", number, "--reason", "x", "--redact", "auhtor", *place) == 1
    assert not out.exists()
    out.write_bytes(b"older")
    assert export(own, "--case", number, "--reason", "x", *place) == 1
    assert out.read_bytes() == b"older"
    assert own.logged("evidence.exported") == before


def test_what_can_still_be_read_is_said_and_nothing_leaves_unless_that_is_meant(
    own: House, tmp_path: Path
) -> None:
    out = tmp_path / "mention.zip"
    before = own.logged("evidence.exported")
    words = ("--mention", "1", "--reason", "union", "--redact", "target", "--out", str(out))
    ran = ask(own, "evidence", "export", *words)
    assert ran.code == 2
    assert "stands in the original bytes of entry" in ran.err
    assert "leave out as well: raw,text" in ran.err
    assert "--despite-traces" in ran.err
    assert not out.exists()
    assert own.logged("evidence.exported") == before
    assert export(own, *words, "--despite-traces") == 0
    assert stranger.problems(str(out)) == []


def test_an_allegation_leaves_only_by_those_who_are_cleared(own: House, tmp_path: Path) -> None:
    words = ("1", "abusive", "--flag", "allegation", "--why", "it says that a child was hurt")
    assert ask(own, "mention", "regrade", *words).code == 0
    (number, *_) = cases(own, "--restricted", "--why", "audit")
    words = ("--case", number, "--reason", "LADO", "--out", str(tmp_path / "case.zip"))
    assert export(own, *words) == 2
    assert export(own, *words, "--restricted") == 0


def test_it_is_encrypted_to_whom_it_is_for(
    own: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipient = pyrage.x25519.Identity.generate()
    words = ("--mention", "1", "--reason", "union", "--recipient", str(recipient.to_public()))
    assert export(own, *words, "--for", "the union") == 0
    (path,) = tmp_path.glob("mention-1-*.zip.age")
    plain = tmp_path / "plain.zip"
    plain.write_bytes(pyrage.decrypt(path.read_bytes(), [recipient]))
    assert stranger.problems(str(plain)) == []


def test_an_access_request_goes_from_draft_to_zip(own: House, tmp_path: Path) -> None:
    person = ask(own, "mention", "list", "--json").rows[0]["target"]
    path, out = tmp_path / "draft.toml", tmp_path / "request.zip"
    looks = own.logged("evidence.viewed")
    drafted = ask(
        own, "evidence", "export", "--person", person, "--reason", "asked", "--out", str(path)
    )
    assert drafted.code == 0, drafted.err
    assert own.logged("evidence.viewed") == looks + 1
    assert path.stat().st_mode & 0o777 == 0o600
    seal = ("--draft", str(path), "--reason", "asked", "--out", str(out))
    refused = ask(own, "evidence", "export", *seal)
    assert refused.code == 2
    assert "is undecided" in refused.err
    text = path.read_text(encoding="utf-8").replace(
        '"undecided"',
        '"release"',
    )
    path.write_text(text, encoding="utf-8")
    assert export(own, *seal) == 0
    assert stranger.problems(str(out)) == []
    assert export(own, "--person", "nobody", "--reason", "x", "--out", str(tmp_path / "n")) == 1
