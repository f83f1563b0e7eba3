"""An access request: a person decides on every item, and nothing leaves before that."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import ConfigError, EvidenceError
from monitor.evidence import entries
from monitor.export.access import Decision, items
from monitor.export.draft import decided, written
from monitor.export.request import Request
from monitor.export.traces import TracesError
from monitor.model import Flag, Grade, Severity
from tests.export import stranger
from tests.export.house import School, unpacked
from tests.export.test_bundle import disclosed, printed

REFERENCE = "access request 2026-11-23"
LOWE = "desmond-lowe"


def draft(school: School, path: Path, decide: Callable[[str, str], str] | None = None) -> Path:
    """A draft on disk; `decide` gets an item's id and words and gives a decision for it."""
    text = written(LOWE, items(school.store.dossiers, LOWE), school.make.now)
    if decide is not None:
        rows = re.split(r"(?=\n\[\[item\]\])", text)
        for number, row in enumerate(rows[1:], start=1):
            item = tomllib.loads(row)["item"][0]
            answer = decide(item["id"], item["words"])
            changed = re.sub(r'decision = ".*"', f'decision = "{answer}"', row)
            if answer == "redact":
                changed = changed.replace("redact = []", 'redact = ["author"]')
            if answer != "release":
                changed = changed.replace('reason = ""', 'reason = "names another parent"')
            rows[number] = changed
        text = "".join(rows)
    path.write_text(text, encoding="utf-8")
    return path


def sealed(
    school: School, path: Path, file: Path, *, despite_traces: bool = False
) -> dict[str, bytes]:
    released = decided(file, school.store.dossiers, REFERENCE)
    occasion = school.occasion(reference=REFERENCE, withheld=len(released.kept_back))
    request = Request(
        released.chosen,
        occasion,
        per_entry=released.fields,
        kept_back=released.kept_back,
        despite_traces=despite_traces,
    )
    with path.open("wb") as target:
        school.exporter.write(request, target)
    return unpacked(path)


def release_posts(item: str, _words: str) -> str:
    return "release" if item.startswith("post") else "withhold"


def test_posts_start_undecided_and_what_names_colleagues_starts_at_withhold(
    with_case: School,
) -> None:
    found = items(with_case.store.dossiers, LOWE)
    posts = [each for each in found if each.id.startswith("post-")]
    others = [each for each in found if each not in posts]
    assert len(posts) == 3
    assert {each.decision for each in posts} == {Decision.UNDECIDED}
    assert {each.what for each in others} >= {"case: noted", "alert: raised"}
    assert {each.decision for each in others} == {Decision.WITHHOLD}
    assert all(each.reason for each in others)


def test_what_may_be_legal_advice_starts_at_withhold_and_says_so(with_case: School) -> None:
    with_case.store.reading.note(
        with_case.case, by="holt", text="Our solicitor says: wait.", at=with_case.make.now
    )
    reasons = {each.words: each.reason for each in items(with_case.store.dossiers, LOWE)}
    assert reasons["Our solicitor says: wait."] == "may be legal advice"


def test_a_locked_allegation_starts_at_withhold_and_marks_the_export(
    with_case: School, tmp_path: Path
) -> None:
    grade = Grade(
        Severity.ABUSIVE, flags=frozenset({Flag.ALLEGATION}), by="holt", note="a child was hurt"
    )
    judgement = with_case.make.judgement(2, grade=grade, restricted=True)
    with_case.store.judging.regrade(2, judgement, at=with_case.make.now + timedelta(days=1))
    found = items(with_case.store.dossiers, LOWE)
    (locked,) = [each for each in found if "waste of space" in each.words]
    assert locked.decision is Decision.WITHHOLD
    assert "allegation" in locked.reason
    only_others = draft(
        with_case,
        tmp_path / "a.toml",
        lambda item, words: "withhold" if item == locked.id else release_posts(item, words),
    )
    assert not decided(only_others, with_case.store.dossiers, REFERENCE).chosen.restricted
    all_posts = draft(with_case, tmp_path / "b.toml", release_posts)
    assert decided(all_posts, with_case.store.dossiers, REFERENCE).chosen.restricted


def test_nothing_leaves_while_one_item_is_undecided(with_case: School, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        decided(draft(with_case, tmp_path / "d.toml"), with_case.store.dossiers, REFERENCE)
    assert len(refused.value.problems) == 3
    assert all("is undecided" in str(each) for each in refused.value.problems)


def test_what_was_released_leaves_and_what_was_withheld_does_not(
    with_case: School, tmp_path: Path
) -> None:
    def decide(item: str, words: str) -> str:
        if "good on Mr Lowe" in words:
            return "withhold"
        return "redact" if "waste of space" in words else release_posts(item, words)

    path = tmp_path / "request.zip"
    file = draft(with_case, tmp_path / "d.toml", decide)
    with pytest.raises(TracesError, match="author: “@gate_mum” stands in author of entry 1"):
        sealed(with_case, path, file)
    files = sealed(with_case, path, file, despite_traces=True)
    assert stranger.problems(str(path)) == []
    found = disclosed(files)
    assert len(found["text"]) == 2
    assert len(found["author"]) == 1, "left out of the item for which it was asked"
    assert sum(name.startswith("data/raw/") for name in files) == 1
    said = json.dumps(found) + printed(files, tmp_path)
    for kept in ("good on Mr Lowe", "Rang the chair", "names another parent", "to decide what"):
        assert kept not in said
    assert "items were considered and kept back as a whole" in said


def test_the_reasons_stay_at_the_school_in_the_log(with_case: School, tmp_path: Path) -> None:
    path = tmp_path / "request.zip"
    sealed(with_case, path, draft(with_case, tmp_path / "d.toml", release_posts))
    with with_case.store.log.reading() as view:
        last = list(view.entries())[-1]
    kept = {name for name, _ in last.disclosures}
    assert "kept_back" in kept
    assert "kept_back" not in disclosed(unpacked(path))


def change(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


BAD: dict[str, tuple[Callable[[str], str], str]] = {
    "a decision that is none": (
        lambda text: change(text, 'decision = "release"', 'decision = "relase"'),
        "release, redact or withhold",
    ),
    "no reason": (
        lambda text: re.sub(r'reason = "[^"]+"', 'reason = " "', text, count=1),
        "withhold needs a reason",
    ),
    "no fields": (
        lambda text: change(text, 'decision = "release"', 'decision = "redact"').replace(
            'reason = ""', 'reason = "x"'
        ),
        "redact needs fields",
    ),
    "fields that are none": (
        lambda text: change(text, "redact = []", "redact = 7"),
        "is a list of fields",
    ),
    "an item of somebody else's": (
        lambda text: change(text, 'id = "post-', 'id = "post-9'),
        "is no item of this person's",
    ),
    "an item twice": (
        lambda text: text + "\n[[item]]" + text.split("\n[[item]]")[1],
        "stands there twice",
    ),
    "an item taken out": (
        lambda text: "\n[[item]]".join(text.split("\n[[item]]")[:-1]),
        "prepare it again",
    ),
    "no person": (lambda text: change(text, "person =", "persona ="), "person: is missing"),
    "no TOML": (lambda text: text + "[[item", "is not TOML"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_draft_that_is_not_right_is_refused_and_says_why(
    name: str, with_case: School, tmp_path: Path
) -> None:
    alter, said = BAD[name]
    path = draft(with_case, tmp_path / "d.toml", release_posts)
    path.write_text(alter(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        decided(path, with_case.store.dossiers, REFERENCE)


def test_a_post_that_came_since_makes_the_draft_too_old(with_case: School, tmp_path: Path) -> None:
    path = draft(with_case, tmp_path / "d.toml", release_posts)
    with_case.hear(with_case.make.post(9, "Mr Lowe again"))
    with pytest.raises(ConfigError, match="prepare it again"):
        decided(path, with_case.store.dossiers, REFERENCE)


def test_nothing_about_a_person_is_said_so(with_case: School) -> None:
    with pytest.raises(EvidenceError, match="nothing is kept about 'nobody'"):
        items(with_case.store.dossiers, "nobody")


@pytest.mark.parametrize(
    "words", ['"""', "\\u0000 \\", "\x00\x1f\x7f", "\u202e", '"\n[[item]]\nid = "x"', "é\U0001f52a"]
)
def test_what_strangers_wrote_cannot_break_out_of_the_draft(
    words: str, school: School, tmp_path: Path
) -> None:
    school.hear(school.make.post(1, f"Mr Lowe {words}"))
    path = draft(school, tmp_path / "d.toml")
    rows: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["item"]
    assert len(rows) == len(items(school.store.dossiers, LOWE))


def test_a_look_at_a_mention_is_an_item_too(with_case: School) -> None:
    mention = with_case.store.reading.mention(1)
    assert mention is not None
    look = entries.access(
        at=with_case.make.now,
        what="mention",
        mention_entry=mention.entry_index,
        by="osei",
        why="to see",
    )
    with_case.store.log.append([look])
    found = [each.what for each in items(with_case.store.dossiers, LOWE)]
    assert "evidence: viewed" in found
