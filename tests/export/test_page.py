"""The page on exports that are whole but not plain: redacted, erased, unpacked, hostile."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from monitor.evidence.checkpoint import hand_over
from monitor.evidence.leaf import Leaf
from monitor.evidence.note import SigningKey
from monitor.evidence.verify import KEY_CHANGED
from monitor.model import Author
from tests.export.browser import Browser
from tests.export.house import School
from tests.export.test_alterations import PAGE, asked
from tests.export.test_bundle import erase


@pytest.mark.parametrize("field", ["text", "author", "raw", "by"])
def test_a_redacted_export_is_whole_and_says_what_is_missing(
    field: str, with_case: School, browser: Browser, tmp_path: Path
) -> None:
    said = asked(browser, with_case.export(tmp_path / "case.zip", field))
    assert (said.whole, said.problems) == (True, [])
    if field != "raw":
        assert "Left out" in browser.ask("result.textContent")


def test_an_export_with_an_erased_record_is_whole(
    with_case: School, browser: Browser, tmp_path: Path
) -> None:
    erase(with_case, with_case.chosen().posts[0])
    said = asked(browser, with_case.export(tmp_path / "case.zip"))
    assert (said.whole, said.problems) == (True, [])
    assert "Erased1 entries" in browser.ask("result.textContent")


def test_a_key_that_was_handed_over_leads_back_to_the_first(
    with_case: School, browser: Browser, tmp_path: Path
) -> None:
    old, new = with_case.key, SigningKey.generate(with_case.key.name)
    public = dict(hand_over(old, new))
    with_case.store.log.append([Leaf(KEY_CHANGED, with_case.make.now, public, {})])
    with_case.key = new
    path = with_case.export(tmp_path / "case.zip")
    assert asked(browser, path, str(new.verifier)).whole
    assert not asked(browser, path, str(old.verifier)).whole


def test_the_unpacked_folder_can_be_chosen_instead_of_the_zip(
    exported: Path, browser: Browser, tmp_path: Path
) -> None:
    with zipfile.ZipFile(exported) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    for whole in (True, False):
        browser.open(PAGE)
        browser.choose("#folder", folder)
        browser.wait("result.querySelector('h2') !== null")
        assert (browser.ask("document.title") == "Whole") is whole, browser.ask(
            "result.textContent"
        )
        (folder / "data" / "report.pdf").write_bytes(b"altered")


def test_what_strangers_wrote_is_only_ever_text_on_the_page(
    school: School, browser: Browser, tmp_path: Path
) -> None:
    markup = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    school.hear(school.make.post(1, f"Mr Lowe {markup} \u202e"))
    said = asked(browser, school.export(tmp_path / "case.zip", why=f"{markup}\u202e", by=markup))
    assert said.whole
    assert browser.ask("document.querySelectorAll('#result img, #result script').length") == 0
    shown = browser.ask("result.textContent")
    assert markup in shown
    assert "\u202e" not in shown
    assert "⟨U+202E⟩" in shown


@pytest.mark.parametrize("letter", ["N", "\u202e", "\u2067", "=cmd|'/C calc'!A0"])
def test_names_without_end_and_names_that_turn_the_line_lie_still(
    letter: str, school: School, browser: Browser, tmp_path: Path
) -> None:
    name = (letter * 1_000_000)[:1_000_000]
    author = Author(name, name, name, name)
    school.hear(school.make.post(1, "Mr Lowe", author=author, title=name, thread=name))
    said = asked(browser, school.export(tmp_path / "case.zip", why=letter * 200, by=letter * 200))
    assert (said.whole, said.problems) == (True, [])
    browser.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
    shown = browser.ask("document.body.textContent")
    assert not set(shown) & set("\u202e\u2067")
    assert browser.ask("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(
    "content", [b"", b"not a zip", b"PK\x05\x06" + bytes(18), b"PK\x05\x06" + b"\xff" * 18]
)
def test_what_is_no_export_is_refused_in_plain_words(
    content: bytes, browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    said = asked(browser, path)
    assert not said.whole
    assert json.dumps(said.problems[0]).isascii()
