"""What simpler graders reach on the same cases: word lists, a public classifier, a linear model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from better_profanity import profanity
from profanity_check import predict_prob
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion

from monitor.grading.reading import read
from monitor.grading.windows import Pieces
from training.batches import question_of
from training.report import ORDINARY, hatecheck, macro
from training.rows import SHARED, WORK, Row, in_domain, is_held, lines
from training.warm import BASE

if TYPE_CHECKING:
    from collections.abc import Callable

    Judge = Callable[[str, str], str]


def linear() -> Judge:
    """Train TF-IDF of words and characters with logistic regression on the same domain texts."""
    pieces = Pieces.load(BASE / "tokenizer.json")
    rows = [row for row in in_domain() if not is_held(row)]
    features = FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)),
            (
                "letters",
                TfidfVectorizer(
                    analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True
                ),
            ),
        ]
    )
    matrix = features.fit_transform([read(question_of(row), pieces.known).text for row in rows])
    model = LogisticRegression(C=4.0, max_iter=300, class_weight="balanced")
    model.fit(matrix, [row.grade for row in rows])

    def judge(text: str, mention: str) -> str:
        row = Row("", text, mention, None, "", "")
        shown = features.transform([read(question_of(row), pieces.known).text])
        return str(model.predict(shown)[0])

    return judge


def listed(text: str, _mention: str) -> str:
    """`better-profanity`: a listed word is abuse; it knows no threats."""
    return "abusive" if profanity.contains_profanity(text) else "neutral"


def classified(text: str, _mention: str) -> str:
    """`alt-profanity-check`: its probability of offence over one half is abuse."""
    return "abusive" if predict_prob([text])[0] >= 0.5 else "neutral"


def compared() -> str:
    """Measure every baseline on the development set, the ordinary stream and HateCheck."""
    judges = {
        "better-profanity": listed,
        "alt-profanity-check": classified,
        "TF-IDF linear": linear(),
    }
    result: dict[str, Any] = {}
    for name, judge in judges.items():
        result[name] = {}
        sets = {"dev": SHARED / "grading/staffcheck-dev.jsonl", "held-ordinary": ORDINARY}
        for label, file in sets.items():
            if not file.exists():
                continue
            pairs = [(row["label"], judge(row["text"], row["mention"])) for row in lines(file)]
            figures = macro(pairs)
            neutral = [said for truth, said in pairs if truth == "neutral"]
            figures["neutral called threatening"] = float(
                np.mean([s == "threatening" for s in neutral])
            )
            figures["neutral called hostile"] = float(np.mean([s != "neutral" for s in neutral]))
            result[name][label] = figures
        result[name]["hatecheck"] = hatecheck(judge)
    (WORK / "baselines.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    return json.dumps(result, indent=1)
