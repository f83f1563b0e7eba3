"""Full names with one typing slip in the surname, which may be one of several pieces."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.matching.edges import Edge
from monitor.matching.full_names import NAME_GAP, refusal_of_full_name
from monitor.matching.names import PREFIXES
from monitor.matching.scene import Scene
from monitor.matching.words import common_surnames, is_ordinary

_SLIP_LENGTHS = range(5, 25)
_MOST_PIECES = 4
_PIECE_GAPS = frozenset([" ", "'", "-", ""])


def find_slipped(scene: Scene) -> None:
    """Find one typing slip in a surname of six letters or more behind its forename."""
    for span, readings in list(scene.forenames.items()):
        first, last = span
        if last >= len(scene.tokens) or not NAME_GAP.match(scene.tokens[last].gap):
            continue
        for end, word in _words_from(scene, last):
            if not scene.is_free(first, end):
                break
            main = len(word) - len(scene.tokens[end - 1].word)
            for surname in scene.index.near(word) if word_may_be_slip(scene, word) else ():
                if surname[:main] == word[:main] and surname[main : main + 1] != word[main]:
                    continue  # "de la Puente" is nobody's slip for "de la Fuente"
                edge = Edge(last, end, surname, "slip")
                fitting = {p for r in readings for p in scene.index.named(surname, r.word)}
                _keep_slipped(scene, (first, end), edge, sorted(fitting))


def _keep_slipped(scene: Scene, span: tuple[int, int], edge: Edge, people: list[int]) -> None:
    for person in people:
        why = refusal_of_full_name(scene, person, span, edge, rare=True)
        scene.take(*span)
        if why:
            scene.refuse(person, span, why)
        else:
            scene.hit(person, span, "slip", 0.7)


def _words_from(scene: Scene, at: int) -> Iterator[tuple[int, str]]:
    """Yield (end, word) of what a surname may be that begins here: "shaugnessy", "o'shaugnessy"."""
    joined = ""
    for end in range(at, min(at + _MOST_PIECES, len(scene.tokens))):
        token = scene.tokens[end]
        if token.hidden or (joined and token.gap not in _PIECE_GAPS):
            return
        joined += token.word
        yield end + 1, joined
        if token.word not in PREFIXES:
            return


def word_may_be_slip(scene: Scene, word: str) -> bool:
    """Whether a word is nobody's name and no word, so that it may be a name written wrongly."""
    return (
        len(word) in _SLIP_LENGTHS
        and word.isalpha()
        and not scene.index.has_surname(word)
        and word not in common_surnames()
        and not is_ordinary(word)
    )
