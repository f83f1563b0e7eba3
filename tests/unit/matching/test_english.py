"""The large list of English words and names, and what counts as nearly a word."""

from __future__ import annotations

from importlib.resources import files

import pytest

from monitor.matching.normalise import fold
from monitor.matching.words import english, is_english, is_misspelt, is_ordinary


def test_the_list_is_folded_and_sorted_and_repeats_nothing_that_is_known_already() -> None:
    text = files("monitor.data").joinpath("english.txt").read_text(encoding="utf-8")
    head, _, rest = text.partition("[words]\n")
    words, _, names = rest.partition("[names]\n")
    assert all(line.startswith("#") for line in head.splitlines())
    for section, known in ((words, english().words), (names, english().names)):
        listed = section.split()
        assert listed == sorted(set(listed))
        assert set(listed) == known
        assert fold(section) == section
        assert not any(is_ordinary(word) for word in listed[::50])
    assert english().words.isdisjoint(english().names)


def test_the_notice_that_must_stay_with_the_list_stands_beside_it() -> None:
    notice = files("monitor.data").joinpath("english.copyright.txt").read_text(encoding="utf-8")
    assert "Copyright 2000-2011 by Kevin Atkinson" in notice
    assert "english.copyright.txt" in files("monitor.data").joinpath("english.txt").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("word", ["ululated", "pontificates", "belittling", "yessss", "flounced"])
def test_rare_and_inflected_words_are_english(word: str) -> None:
    assert is_english(word)


@pytest.mark.parametrize(
    "word", ["wnats", "punhced", "skrieked", "prepaerd", "shoutign", "hwo", "hatess", "hollored"]
)
def test_one_slip_makes_nearly_a_word(word: str) -> None:
    assert is_misspelt(word)


@pytest.mark.parametrize(
    "word", ["quenderby", "abernathy", "hathersage", "vandersloot", "frostick"]
)
def test_surnames_are_neither(word: str) -> None:
    assert not is_english(word)
    assert not is_misspelt(word)
