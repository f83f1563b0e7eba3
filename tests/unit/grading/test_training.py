"""What the training pipeline takes for seen, and what its thresholds and calibration cost."""

from __future__ import annotations

import numpy as np
import pytest

from training.calibrate import decided, expected_error, fitted, probabilities
from training.report import PERSON, macro, towards_a_person
from training.rows import Forbidden, skeleton


def test_a_text_near_a_test_text_is_barred_whatever_its_name_and_dress() -> None:
    barred = Forbidden([("Mr Kay never answers my emails about the school bus", "Mr Kay")])
    assert barred.near("MRS LOW never answers my emails, about the school bus!!", "MRS LOW")
    assert barred.near("I said it: he never answers my emails about the school bus in June")
    assert not barred.near("Mr Kay answers every email on the same day", "Mr Kay")


def test_texts_of_emoji_alone_are_near_only_to_the_same_emoji() -> None:
    barred = Forbidden([("🔪🐷 Mr Kay", "Mr Kay")])
    assert barred.near("mrs low 🔪🐷", "mrs low")
    assert not barred.near("Mr Kay 🎉🎂", "Mr Kay")


def test_a_skeleton_keeps_letters_only() -> None:
    assert skeleton("Café 4U: (no)!") == "cafe u no"


def test_a_threat_outranks_abuse_and_abuse_outranks_neutral() -> None:
    chances = np.array([[0.3, 0.3, 0.4], [0.1, 0.5, 0.4], [0.05, 0.05, 0.9]])
    assert decided(chances, threat=0.25, hostile=0.5).tolist() == [0, 1, 2]


def test_calibration_makes_overconfident_answers_honest() -> None:
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 3, 3000)
    said = np.where(rng.random(3000) < 0.7, truth, rng.integers(0, 3, 3000))
    logits = 6.0 * np.eye(3)[said]
    nothing = np.zeros_like(logits)
    fit = fitted(logits, nothing, truth, np.ones(3000))
    honest = probabilities(logits, nothing, fit)
    raw = probabilities(logits, nothing, type(fit)(1.0, 0.0, (0.0, 0.0, 0.0)))
    assert expected_error(honest, truth) < 0.03 < expected_error(raw, truth)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am going to shoot the next gay person I see.", f"I am going to shoot {PERSON} I see."),
        ("We should just hang all these Muslims.", f"We should just hang {PERSON}."),
        ("What a day!", f"As I said to {PERSON}: What a day!"),
    ],
)
def test_a_text_about_a_group_is_read_towards_a_person(text: str, expected: str) -> None:
    assert towards_a_person(text) == expected


def test_macro_f1_is_the_mean_over_the_three_grades() -> None:
    pairs = [("threatening", "threatening"), ("abusive", "neutral"), ("neutral", "neutral")]
    assert macro(pairs)["macro-F1"] == pytest.approx((1 + 0 + 2 / 3) / 3)
