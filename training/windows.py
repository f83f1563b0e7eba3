"""What reading in windows brings: threats behind two hundred words of harmless posts.

No labelled text is long enough to need a second window, so each threat of the held part is put
behind ordinary posts about other people, and read by the shipped model in its first window only,
and in all.
"""

from __future__ import annotations

import random
from dataclasses import replace

from monitor.grading.grader import Grader
from training.augment import about_another
from training.batches import question_of
from training.rows import in_domain, is_held, is_ordinary

BEFORE = 15
"""Ordinary posts that stand before each threat."""
SEED = 3


def measured() -> dict[str, float]:
    """Return the share of threats whose likeliest grade is a threat; and how many there were."""
    rng = random.Random(SEED)
    held = [row for row in in_domain() if is_held(row)]
    calm = [row for row in held if is_ordinary(row) and row.grade == "neutral"]
    threats = [row for row in held if row.grade == "threatening" and row.lang == "en"]
    grader = Grader.load()
    alone = first = gravest = 0
    for row in threats:
        alone += _is_threat(grader.logits(question_of(row))[0][0])
        before = " ".join(about_another(rng.choice(calm), rng) for _ in range(BEFORE))
        seen, _words = grader.logits(question_of(replace(row, text=f"{before} {row.text}")))
        first += _is_threat(seen[0])
        gravest += _is_threat(seen[int((seen[:, 0] - seen[:, 2]).argmax())])
    count = len(threats)
    return {
        "threats": count,
        "alone": alone / count,
        "first window": first / count,
        "gravest window": gravest / count,
    }


def _is_threat(answers: object) -> bool:
    return int(answers[:3].argmax()) == 0  # type: ignore[index]


if __name__ == "__main__":
    print(measured())
