"""The one table of states and their allowed moves; storage asks it before every change of state.

docs/architecture.md draws this table, and a test holds the drawing to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from monitor.errors import MoveError
from monitor.model import AlertState, CaseState, DeliveryState, GradingState

_D = DeliveryState
_A = AlertState
_C = CaseState
_G = GradingState

MOVES: Mapping[type[StrEnum], Mapping[StrEnum, frozenset[StrEnum]]] = {
    # "sending -> later" also covers a crash between sending and recording: the outcome is unknown,
    # so the same message (same Message-ID) is offered again.
    DeliveryState: {
        _D.WAITING: frozenset({_D.SENDING, _D.GIVEN_UP}),
        _D.LATER: frozenset({_D.SENDING, _D.GIVEN_UP}),
        _D.SENDING: frozenset({_D.TAKEN, _D.LATER, _D.BOUNCED, _D.GIVEN_UP}),
        _D.TAKEN: frozenset(),
        _D.BOUNCED: frozenset(),
        _D.GIVEN_UP: frozenset(),
    },
    AlertState: {
        _A.OPEN: frozenset({_A.ACKNOWLEDGED, _A.EXHAUSTED}),
        _A.EXHAUSTED: frozenset({_A.ACKNOWLEDGED, _A.OPEN}),
        _A.ACKNOWLEDGED: frozenset({_A.OPEN}),
    },
    CaseState: {
        _C.PROPOSED: frozenset({_C.OPEN, _C.CLOSED}),
        _C.OPEN: frozenset({_C.CLOSED}),
        _C.CLOSED: frozenset({_C.REOPENED}),
        _C.REOPENED: frozenset({_C.CLOSED}),
    },
    GradingState: {
        _G.ACCEPTED: frozenset({_G.JUDGED}),
        _G.JUDGED: frozenset(),
    },
}


S = TypeVar("S", bound=StrEnum)


def move(old: S, new: S) -> S:
    """Return `new` if the table allows the move."""
    if new not in MOVES[type(old)][old]:
        message = f"{type(old).__name__}: {old.value} may not become {new.value}"
        raise MoveError(message)
    return new
