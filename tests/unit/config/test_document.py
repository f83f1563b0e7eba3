"""The example and the page of keys cannot fall behind the schema."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from monitor.config.document import keys, shipped_plugins, with_tables
from monitor.config.schema import Config
from monitor.contract import Settings

ROOT = Path(__file__).parents[3]
EXAMPLE = (ROOT / "config.example.toml").read_text("utf-8")
EVERYTHING = re.sub(r"(?m)^#(?=[a-z_]+ = |\[)", "", EXAMPLE)
"""The example with every commented key set."""
SECRET_FILES = ("mail-password", "database-password", "stamps-one-password")


@pytest.fixture
def read_example(read_shipped: Callable[[Path], Config], tmp_path: Path) -> Callable[[str], Config]:
    """Load a text in a folder that holds the files it names."""
    for name in SECRET_FILES:
        (tmp_path / name).write_text("correct horse")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "staff.csv").write_text("Code,Name\nbwren,Bridget Wren\n")

    def read_text(text: str) -> Config:
        path = tmp_path / "config.toml"
        path.write_text(text, "utf-8")
        return read_shipped(path)

    return read_text


def test_the_example_loads_without_a_warning(
    read_example: Callable[[str], Config], today: date
) -> None:
    config = read_example(EXAMPLE)

    assert config.warnings == ()
    assert config.not_yet_lawful(today) == ()
    assert config.stale_contacts(today) == ()
    assert config.contacts.missing() == ()


def test_the_example_loads_with_every_commented_key_set(
    read_example: Callable[[str], Config],
) -> None:
    assert read_example(EVERYTHING).schools[0].staff_file


def paths(value: Any, at: str = "") -> Iterator[str]:
    """Every key of a document, written as `document.keys` writes it."""
    if isinstance(value, list):
        for inner in value:
            yield from paths(inner, at)
        return
    for key, inner in value.items() if isinstance(value, dict) else ():
        is_named = at in {"sources", "channels"}
        many = "[]" if isinstance(inner, list) and any(isinstance(x, dict) for x in inner) else ""
        path = f"{at}.<name>" if is_named else f"{at}.{key}{many}".removeprefix(".")
        yield path
        yield from paths(inner, path)


def one_contact(path: str) -> str:
    """All contacts hold the same keys: one of them is enough to show each."""
    return re.sub(r"^contacts\.[a-z_]+(?:\[\])?\.", "contacts.<each>.", path)


def test_the_example_has_every_key_of_the_schema() -> None:
    present = {one_contact(path) for path in paths(tomllib.loads(EVERYTHING))}

    assert {one_contact(path) for path, _ in keys()} - present == set()


@pytest.mark.parametrize(("name", "settings"), shipped_plugins().items())
def test_the_example_has_every_key_of_the_plugins_that_we_ship(
    name: str, settings: type[Settings]
) -> None:
    table, kind = name.split(": ")
    tables = tomllib.loads(EVERYTHING)[table].values()
    present = {key for each in tables if each["kind"] == kind for key in each}

    assert {path for path, _ in keys(settings)} - present == set()


def test_the_page_of_keys_is_as_the_schema_makes_it() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")

    assert with_tables(page, shipped_plugins()) == page, (
        "run: python -m monitor.config.document docs/configuration.md"
    )


def test_every_key_of_the_core_says_what_it_means() -> None:
    assert [path for path, field in keys() if not field.description] == []


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no marks"):
        with_tables("# Configuration\n", {})
