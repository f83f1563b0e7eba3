"""The one table of states: what it allows, and that docs/architecture.md draws it."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest

from monitor.errors import MoveError
from monitor.moves import MOVES, move

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"
_ARROW = re.compile(r"^\s*(\[\*\]|\w+) --> (\[\*\]|\w+)(?:: .+)?$")
NOUNS = sorted(MOVES, key=lambda noun: noun.__name__)
for_every_noun = pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)


def _drawn(noun: type[StrEnum]) -> set[tuple[str, str]]:
    """The arrows of the one drawing that names this noun in its first comment."""
    drawings = re.findall(r"```mermaid\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (drawing,) = [each for each in drawings if f"%% {noun.__name__}:" in each]
    kind, _comment, *lines = drawing.strip().splitlines()
    assert kind == "stateDiagram-v2"
    arrows = set()
    for line in lines:
        found = _ARROW.match(line)
        assert found, f"not an arrow: {line}"
        # Mermaid has no hyphen in a name.
        arrows.add((found[1].replace("_", "-"), found[2].replace("_", "-")))
    assert len(arrows) == len(lines), "an arrow is drawn twice"
    return arrows


@for_every_noun
def test_every_allowed_move_is_drawn_and_no_other(noun: type[StrEnum]) -> None:
    allowed = {(old.value, new.value) for old, news in MOVES[noun].items() for new in news}
    assert {arrow for arrow in _drawn(noun) if "[*]" not in arrow} == allowed


@for_every_noun
def test_a_state_is_drawn_as_an_end_exactly_where_no_move_leads_on(noun: type[StrEnum]) -> None:
    ends = {old for old, new in _drawn(noun) if new == "[*]"}
    assert ends == {state.value for state, news in MOVES[noun].items() if not news}


@for_every_noun
def test_every_state_can_be_reached_from_the_one_beginning(noun: type[StrEnum]) -> None:
    arrows = _drawn(noun)
    (beginning,) = [new for old, new in arrows if old == "[*]"]
    reached = {beginning}
    while found := {new for old, new in arrows if old in reached} - reached - {"[*]"}:
        reached |= found
    assert reached == {state.value for state in noun}


@for_every_noun
def test_the_table_knows_every_state(noun: type[StrEnum]) -> None:
    assert set(MOVES[noun]) == set(noun)


@for_every_noun
def test_a_move_that_the_table_does_not_allow_is_refused(noun: type[StrEnum]) -> None:
    for old in noun:
        for new in noun:
            if new in MOVES[noun][old]:
                assert move(old, new) is new
            else:
                with pytest.raises(MoveError, match=f"{old.value} may not become {new.value}"):
                    move(old, new)


def test_the_page_draws_nothing_that_is_no_state() -> None:
    drawn = re.findall(r"^\s*%% (\w+):", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(drawn) == [noun.__name__ for noun in NOUNS]
