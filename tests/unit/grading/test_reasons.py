"""The deciding words: whole pieces of the text, enough to bring the grade, in bounded reads."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from monitor.grading.grader import Grader
from monitor.grading.influence import CALM, Influence, log_odds, only
from monitor.grading.network import _batches
from monitor.grading.phrases import clauses_of, names_of, phrases_of, runs_of, words_of
from monitor.grading.question import Question, spans_of
from monitor.grading.reasons import MOST_REASONS, reasons_for
from monitor.grading.windows import Window
from monitor.model import Scores, Severity

MOST_READS = 700
"""Readings of a text at the most, whatever it is; an ordinary post takes some forty."""
HEAD = "Mr Kay"
STORY = "The fair was lovely and the cake stall did well, thank you all. "
TEXTS = {
    "an insult": "Honestly Mr Kay you vile little man 👀",
    "two threats": "I will find you Mr Kay. You will regret it, I have got a knife.",
    "a clause with the name in it": "somebody should burn Mr Kay's house down tonight",
    "nothing but emoji": "Mr Kay 🔪🔪🔪",
    "letters set apart": "Mr Kay i w i l l k i l l y o u",
    "a long post": f"{STORY * 12}I am going to stab Mr Kay on the way home. {STORY * 12}",
    "one sentence without an end": "stab " * 4000 + "Mr Kay",
    "a name on every line": "Mr Kay is a vile little man.\n" * 600,
    "no words that tell": "Mr Kay it is what it is and so are you",
    "a name that overlaps itself": "Mr Kay Mr Kay you pathetic worm",
}


class Keywords:
    """A model of one sure rule, that counts its readings: any of its words is a threat."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.reads = 0

    def __call__(self, questions: Sequence[Question]) -> list[Scores]:
        self.reads += len(questions)
        found = [any(word in asked.text for word in self.words) for asked in questions]
        return [Scores(0.9, 0.05, 0.05) if hit else Scores(0.01, 0.01, 0.98) for hit in found]


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader.load()


def asked(text: str, name: str = HEAD) -> Question:
    return Question(text, spans_of(text, name))


def told(text: str, *threats: str) -> list[str]:
    found = reasons_for(asked(text), Severity.THREATENING, Keywords(*threats), 0.2)
    return [reason.text for reason in found]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_reasons_are_pieces_of_the_text_and_never_the_name(grader: Grader, text: str) -> None:
    question = asked(text)
    for reason in grader.grade(question).reasons:
        assert text[reason.start : reason.end] == reason.text
        assert reason.text.strip(" .,!?-'\"") == reason.text
        assert all(reason.end <= start or end <= reason.start for start, end in question.spans)
        assert 0 <= reason.weight <= 1


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_the_readings_of_a_text_are_bounded(text: str) -> None:
    model = Keywords("stab", "vile", "kill")
    found = reasons_for(asked(text), Severity.THREATENING, model, 0.2)
    assert model.reads <= MOST_READS
    assert len(found) <= MOST_REASONS
    assert sum(reason.weight for reason in found) <= 1.001


def test_the_same_question_has_the_same_reasons(grader: Grader) -> None:
    question = asked(TEXTS["two threats"])
    assert grader.grade(question).reasons == Grader.load().grade(question).reasons


def test_a_reason_is_the_clause_of_the_telling_word_and_not_that_word_alone() -> None:
    text = "Lovely fair today. Mr Kay will be stabbed at the gate. Thanks to all."
    assert told(text, "stabbed") == ["will be stabbed at the gate"]


def test_what_is_said_by_two_clauses_is_told_by_both() -> None:
    text = "Mr Kay parks on Weir Lane. The cake stall went well. Bring petrol on Friday, boys."
    found = reasons_for(asked(text), Severity.THREATENING, _Together("Weir", "petrol"), 0.2)
    both = {"parks on Weir Lane", "Bring petrol on Friday, boys"}
    assert {reason.text for reason in found} == both


def test_what_is_said_twice_is_told_twice() -> None:
    text = "Mr Kay will be stabbed. It rained all day in the yard. Stab him, lads."
    assert set(told(text, "stab", "Stab")) == {"will be stabbed", "Stab him, lads"}


def test_words_that_only_join_are_never_a_reason_by_themselves() -> None:
    assert told("it is Mr Kay who will be stabbed at the gate", "stabbed") == [
        "who will be stabbed at the gate"
    ]
    assert told("Mr Kay it is what it is", "what") == []


def test_a_longer_text_is_not_told_whole_where_less_of_it_brings_the_grade() -> None:
    text = (
        "Mr Kay will be stabbed at the gate. Stab him at the bus stop as well then."
        " And stab him once more on Friday, says my uncle Pete."
    )
    marked = sum(len(each.split()) for each in told(text, "stab", "Stab"))
    assert 0 < marked <= 0.8 * len(text.split())


def test_a_telling_clause_deep_in_a_long_post_is_found(grader: Grader) -> None:
    reasons = grader.grade(asked(TEXTS["a long post"])).reasons
    assert any("stab" in reason.text for reason in reasons)
    assert all("cake" not in reason.text for reason in reasons)


@pytest.mark.parametrize(
    "text",
    [
        "I will find you Mr Kay, you will regret it",
        "somebody should burn Mr Kay's house down tonight",
        "Mr Kay is a fat ugly cow and the bus was late again",
        "Honestly Mr Kay you vile little man. See you on Monday for the fair.",
    ],
)
def test_the_deciding_words_alone_bring_an_alert(grader: Grader, text: str) -> None:
    question = asked(text)
    reasons = grader.grade(question).reasons
    spans = [(reason.start, reason.end) for reason in reasons]
    words = tuple(
        word
        for word in words_of(question)
        if any(start <= word.span[0] < end for start, end in spans)
    )
    alone = only(question, words, names_of(question))
    assert grader.grade(alone, reasons=False).severity is not Severity.NEUTRAL


def test_few_words_are_read_beside_a_calm_sentence_too() -> None:
    read: list[str] = []

    def scores(questions: Sequence[Question]) -> list[Scores]:
        read.extend(question.text for question in questions)
        return [Scores(0.5, 0.0, 0.5)] * len(questions)

    question = asked("Mr Kay tick tock")
    words = words_of(question)
    Influence(question, Severity.THREATENING, scores).of(words)
    assert read == ["Mr Kay tick tock", f"Mr Kay tick tock{CALM}"]


def test_what_is_read_in_one_go_is_bounded_and_comes_back_in_order() -> None:
    sizes = [30, 200, 10, 90, 80, 300, 20]
    windows = [Window((0,) * size, (0,) * size, (0,) * size) for size in sizes]
    order = sorted(range(len(sizes)), key=lambda n: sizes[n])
    together = list(_batches(order, windows, 256))
    assert [n for batch in together for n in batch] == order
    assert all(len(b) == 1 or len(b) * max(sizes[n] for n in b) <= 256 for b in together)
    assert [len(batch) for batch in together] == [3, 2, 1, 1]
    assert [len(batch) for batch in _batches(list(range(20)), windows[:1] * 20, None)] == [16, 4]


def test_influence_is_shared_between_what_says_the_same_and_adds_up() -> None:
    question = asked("stab him. stab him. sunny day.")
    clauses = clauses_of(question, words_of(question))
    read = Influence(question, Severity.THREATENING, Keywords("stab"))
    first, second, third = read.shares(clauses)
    assert first == pytest.approx(second)
    assert third == pytest.approx(0)
    assert first + second == pytest.approx(log_odds(0.9) - log_odds(0.01))


def test_what_is_left_of_a_text_keeps_the_name_where_it_stood() -> None:
    question = asked("Light Mr Kay up, boys. It rained. Mr Kay was late.")
    words = words_of(question)
    kept = only(question, words[:3], names_of(question))
    assert kept.text == "Light Mr Kay up, boys. Mr Kay"
    assert [kept.text[start:end] for start, end in kept.spans] == ["Mr Kay", "Mr Kay"]


def test_a_name_that_is_an_insult_stays_one_in_what_is_left() -> None:
    text = "Nothing new. Slug Face was late again."
    question = Question(text, (), insulting=((13, 22),))
    kept = only(question, words_of(question)[2:], [])
    assert [kept.text[start:end] for start, end in kept.insulting] == ["Slug Face"]


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("You fat, ugly, useless cow.", ["You fat, ugly, useless cow"]),
        ("He is late. Get him sacked!", ["He is late", "Get him sacked"]),
        (
            "my lad came home in tears last night and she just laughed in his face again",
            ["my lad came home in tears last night", "and she just laughed in his face again"],
        ),
        ("write to p.lumley@school.example now", ["write to p.lumley@school.example now"]),
        ("w a t c h it", ["w a t c h it"]),
    ],
)
def test_a_text_is_divided_where_it_pauses(text: str, clauses: list[str]) -> None:
    question = Question(text, ())
    found = clauses_of(question, words_of(question))
    assert [text[own[0].span[0] : own[-1].span[1]] for own in found] == clauses


def test_a_phrase_leads_up_to_a_telling_word_and_keeps_what_follows_the_last() -> None:
    text = "we will be waiting by the gates for you"
    question = Question(text, ())
    found = phrases_of(words_of(question))
    assert [text[own[0].span[0] : own[-1].span[1]] for own in found] == [
        "we will be waiting",
        "by the gates for you",
    ]


def test_words_are_apart_where_the_name_or_another_word_stands_between() -> None:
    question = asked("you Mr Kay are a vile little man")
    words = words_of(question)
    assert [len(run) for run in runs_of(words)] == [1, 5]
    assert [len(run) for run in runs_of(words[:2] + words[3:])] == [1, 1, 3]


class _Together(Keywords):
    """A threat only where all of its words stand together."""

    def __call__(self, questions: Sequence[Question]) -> list[Scores]:
        self.reads += len(questions)
        found = [all(word in asked.text for word in self.words) for asked in questions]
        return [Scores(0.9, 0.05, 0.05) if hit else Scores(0.01, 0.01, 0.98) for hit in found]


def test_two_short_clauses_that_lean_on_each_other_are_told_together() -> None:
    text = "Mr Kay has a thatched roof. I will stab it"
    assert set(told(text, "stab")) == {"has a thatched roof", "I will stab it"}
