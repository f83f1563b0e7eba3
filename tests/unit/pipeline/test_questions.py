"""What the grader is asked about a mention: which characters are a name, and which an insult."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.grading.grader import Grader
from monitor.judge import question_of
from monitor.model import (
    Certainty,
    GradingState,
    Match,
    Mention,
    Post,
    PostField,
    PostRef,
    Scope,
    Target,
    TargetKind,
)
from monitor.storage.records import StoredMention, StoredPost

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
LOWE = Target(TargetKind.PERSON, "edwin-lowe")
INSULTING = frozenset({("edwin-lowe", "lowelife")})


def stored(text: str, name: str, *, target: Target = LOWE, title: str = "") -> StoredMention:
    post = Post(PostRef("web", "1"), text, title=title)
    where = PostField.TITLE if name in title else PostField.TEXT
    start = (title if name in title else text).index(name)
    match = Match(target, where, "alias", start, start + len(name), name, 0.9)
    kept = StoredPost(1, post, "news", Scope.OPEN, NOW, NOW, True, "0" * 64, 1)
    mention = Mention(post, target, Certainty.CERTAIN, (match,))
    return StoredMention(1, kept, mention, False, GradingState.ACCEPTED, None, 2)


def test_a_name_is_given_as_a_name() -> None:
    question = question_of(stored("see Mr Lowe there", "Mr Lowe"), INSULTING)
    assert question.spans == ((4, 11),)
    assert question.insulting == ()


def test_an_insulting_name_is_given_as_an_insult_in_any_case() -> None:
    question = question_of(stored("see LoweLife there", "LoweLife"), INSULTING)
    assert question.insulting == ((4, 12),)
    assert question.spans == ()


def test_what_insults_one_person_may_be_the_name_of_another() -> None:
    other = Target(TargetKind.PERSON, "ann-lowelife")
    question = question_of(stored("see Lowelife there", "Lowelife", target=other), INSULTING)
    assert question.insulting == ()


def test_a_name_in_the_title_is_given_for_the_title() -> None:
    question = question_of(stored("trip", "Mr Lowe", title="Mr Lowe's trip"), INSULTING)
    assert question.title_spans == ((0, 7),)
    assert question.spans == ()


@pytest.mark.parametrize("insulting", [frozenset(), INSULTING])
def test_calling_somebody_an_insulting_name_changes_what_is_read(
    insulting: frozenset[tuple[str, str]],
) -> None:
    text, name = "seen in town again, old fatpig lowelife himself", "fatpig lowelife"
    marked = frozenset({("edwin-lowe", name)}) if insulting else frozenset()
    question = question_of(stored(text, name), marked)
    scores = Grader.load().grade(question, reasons=False).scores
    masked = Grader.load().grade(question_of(stored(text, name)), reasons=False).scores
    assert (scores != masked) is bool(insulting)
