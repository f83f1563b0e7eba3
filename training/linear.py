"""Trains the linear second reader on the same rows as the network, and writes its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from monitor.grading.ngrams import BUCKETS, features
from monitor.grading.reading import read
from training.batches import question_of
from training.rows import FLAGS, GRADES, in_domain, is_held

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.grading.windows import Pieces


def matrix(texts: list[str]) -> csr_matrix:
    """Return (texts, buckets) features."""
    rows = [features(text) for text in texts]
    starts = np.cumsum([0, *(len(found) for found, _ in rows)])
    columns = np.concatenate([found for found, _ in rows])
    values = np.concatenate([value for _, value in rows])
    return csr_matrix((values, columns, starts), shape=(len(texts), BUCKETS))


def train(pieces: Pieces, file: Path, strength: float = 8.0) -> None:
    """Fit the weights of grades and flags and write them in 8 bits.

    A flag learns from the rows where its absence is known; offsets are left to the thresholds.
    """
    rows = [row for row in in_domain() if not is_held(row)]
    seen = matrix([read(question_of(row), pieces.known).text for row in rows])
    columns = [*_fitted(seen, [GRADES.index(row.grade or "") for row in rows], strength)]
    for flag in FLAGS:
        told = [n for n, row in enumerate(rows) if flag in row.known_flags]
        columns += [*_fitted(seen[told], [flag in rows[n].flags for n in told], strength)]
    weights = np.stack(columns, axis=1).astype(np.float32)
    scale = np.abs(weights).max(axis=0) / 127
    np.savez_compressed(file, weights=np.round(weights / scale).astype(np.int8), scale=scale)


def _fitted(seen: csr_matrix, answers: list[int], strength: float) -> np.ndarray:
    model = LogisticRegression(C=strength, max_iter=200, class_weight="balanced")
    coefficients: np.ndarray = model.fit(seen, answers).coef_
    return coefficients
