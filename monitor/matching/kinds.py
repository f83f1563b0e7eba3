"""What a word is to the names of a roster, remembered from post to post."""

from __future__ import annotations

from collections.abc import Container

from monitor.matching.words import known_forenames

LONGEST = 40
"""Letters of the longest word that is looked up."""
NAME, OWNER, BEGINS = 1, 2, 4
"""Of a word: it is a name, a name and "s", the beginning of a name in several words."""
_MOST_WORDS = 100_000


class Kinds(dict[str, int]):
    """Of every word met, the bits NAME, OWNER and BEGINS; forgets all when they are many."""

    def __init__(
        self, surnames: Container[str], forenames: Container[str], begins: Container[str]
    ) -> None:
        super().__init__()
        self._names = surnames, forenames, known_forenames()
        self._begins = begins

    def __missing__(self, word: str) -> int:
        if len(word) > LONGEST:
            return 0
        kinds = NAME if self._is_name(word) else 0
        kinds |= OWNER if word[-1] == "s" and self._is_name(word[:-1]) else 0
        kinds |= BEGINS if word in self._begins else 0
        if len(self) >= _MOST_WORDS:
            self.clear()
        self[word] = kinds
        return kinds

    def _is_name(self, word: str) -> bool:
        return any(word in names for names in self._names)
