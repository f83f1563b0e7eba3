"""What the model reads: names masked, disguises undone, what is welded to a name kept."""

from __future__ import annotations

import pytest

from monitor.grading.question import Question, spans_of
from monitor.grading.reading import AT_SCHOOL, INSTITUTION, PERSON, read
from monitor.model import Scope

VOCABULARY = frozenset({"kill", "die", "dead", "bastard", "hate", "you", "miss", "hello"})


def known(word: str) -> bool:
    return word in VOCABULARY


def reading_of(text: str, mention: str) -> str:
    return read(Question(text, spans_of(text, mention)), known).text


def test_every_occurrence_of_the_mention_is_a_span() -> None:
    assert spans_of("Mr Kay and Mr Kay", "Mr Kay") == ((0, 6), (11, 17))
    assert spans_of("Mr Kay", "") == ()


def test_the_name_is_masked_and_other_peoples_names_stay() -> None:
    assert reading_of("Mr Kay told Jake off", "Mr Kay") == f"{PERSON} told Jake off"


def test_a_school_is_marked_as_an_institution() -> None:
    assert reading_of("Larkmoor Primary is shut", "Larkmoor Primary") == f"{INSTITUTION} is shut"


@pytest.mark.parametrize(
    ("text", "mention", "expected"),
    [
        ("#SackMissOkafor now", "Okafor", f"# Sack {PERSON} now"),
        ("#SackMissOkafor now", "MissOkafor", f"# Sack {PERSON} now"),
        ("#OkaforOut", "Okafor", f"# {PERSON} Out"),
        ("see @miss.calloway.burnbook", "miss.calloway", f"see @ {PERSON} burnbook"),
        ("see @miss.calloway.burnbook", "@miss.calloway.burnbook", f"see {PERSON} burnbook"),
        ("ask @ms_keane_maths", "@ms_keane_maths", f"ask {PERSON}"),
    ],
)
def test_what_is_welded_to_the_name_stays(text: str, mention: str, expected: str) -> None:
    assert reading_of(text, mention) == expected


@pytest.mark.parametrize("titled", ["Mr Kay", "Mrs Kay", "Dr. Kay", "Miss Kay", "Sir Kay", "Kay"])
def test_a_title_before_the_name_leaves_no_trace(titled: str) -> None:
    assert reading_of(f"{titled} is late", "Kay") == f"{PERSON} is late"


@pytest.mark.parametrize("text", ["we will miss Mr Kay", "I'd miss Mr Kay", "kick his head Mr Kay"])
def test_a_verb_or_noun_that_looks_like_a_title_stays(text: str) -> None:
    assert reading_of(text, "Mr Kay") == text.replace("Mr Kay", PERSON)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("k1ll", "kill"),
        ("d.i.e", "die"),
        ("k i l l", "kill"),
        ("k\u200bill", "kill"),
        ("k\u0456ll", "kill"),
        ("\U0001d4f4\U0001d4f2\U0001d4f5\U0001d4f5", "kill"),
        ("deeeead", "dead"),
        ("b@stard", "bastard"),
        ("k*ll", "kill"),
        ("f*cking", "fucking"),
        ("\U0001f52a", ":knife:"),
        ("👍🏿", ":thumbs up:"),
    ],
)
def test_a_disguise_reads_like_what_it_hides(written: str, meant: str) -> None:
    assert reading_of(f"{written} Mr Kay", "Mr Kay") == f"{meant} {PERSON}"


@pytest.mark.parametrize("plain", ["Y4", "8am", "3rd", "Year10", "gr8", "4ever", "C of E", "P.E"])
def test_ordinary_numbers_and_abbreviations_are_left_alone(plain: str) -> None:
    assert reading_of(f"{plain} with Mr Kay", "Mr Kay") == f"{plain} with {PERSON}"


def test_an_insulting_alias_stays_readable_and_is_the_target() -> None:
    text = "Fatty Kay again"
    question = Question(text, ((6, 9),), insulting=((0, 5),))
    assert read(question, known).text == f"{PERSON} Fatty {PERSON} again"


def test_title_and_thread_are_masked_too() -> None:
    question = Question("same, Mr Kay", ((6, 12),), title="About MR KAY", thread="Mr Kay, Kay")
    assert read(question, known).context == f"About {PERSON} . {PERSON} , Kay"


def test_a_name_that_stands_only_in_the_thread_can_be_pointed_at() -> None:
    question = Question("count me in", (), thread="Kay out", thread_spans=((0, 3),))
    assert read(question, known).context == f"{PERSON} out"


def test_the_scope_opens_the_context() -> None:
    question = Question("late, Kay", ((6, 9),), scope=Scope.SCHOOL)
    assert read(question, known).context == AT_SCHOOL


def test_spans_outside_the_text_or_upside_down_are_ignored() -> None:
    assert read(Question("hello", ((9, 12), (3, 1), (-4, -1))), known).text == "hello"
