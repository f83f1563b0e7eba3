"""Alerts, and what became of them, as the very characters that were sealed (see `resealed`).

An alert is found by its entry. What is sealed later about it, or about a message, names it by its
number, so that is read in the entry first; whether it stands there as it should is found afterwards
like everything else. Of several attempts the row tells the last, so others are opened.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from monitor.model import Urgency
from monitor.storage.resealed import Columns, Resealed, columns_of
from monitor.storage.written import demand_text, ends, ends_of_few, moments, whole, written

_ALERT: Final = (
    "id", "key", "kind", "waits_for", "reference", "state", "step", "text", "raised_at",
    "answered_at", "answered_by", "answered_how",
)  # fmt: skip
_DELIVERY: Final = (
    "id", "alert_id", "person", "role", "recipient", "recipient_name", "channel", "step", "urgency",
    "state", "due_at", "attempts", "created_at", "message_id", "message_json", "last_error",
    "finished_at", "receipt", "escalated",
)  # fmt: skip
"""All columns are read, those too that are not sealed: a row that cannot be read is in doubt."""
_URGENCIES: Final = frozenset(ends("urgency", written([each.value for each in Urgency])))


def alerts(columns: Columns) -> Resealed:
    """What an entry is, and the columns of `_ALERT`; no row says how urgent it was.

    Raises:
        UnlikeError: as `resealed.posts` does; likewise below.
    """
    of = dict(zip(_ALERT, columns[1:], strict=True))
    demand_text(of["kind"], of["reference"])
    _demand_times(of["answered_at"])
    return Resealed(
        _times(of["raised_at"]),
        {},
        (),
        [()] * len(of["id"]),
        {
            "about": ends_of_few("about", of["kind"]),
            "reference": ends_of_few("reference", of["reference"]),
        },
        {},
        _first(of["id"]),
        {"urgency": _URGENCIES},
        frozenset({"urgency"}),
    )


def answers(columns: Columns) -> Resealed:
    """The number by which the row was found, and the columns of `_ALERT`."""
    of = dict(zip(_ALERT, columns[1:], strict=True))
    demand_text(of["answered_by"], of["answered_how"])
    _demand_times(of["raised_at"])
    return Resealed(
        _times(of["answered_at"]),
        {},
        ("how",),
        list(zip(of["answered_how"], strict=True)),
        {"by": ends_of_few("by", of["answered_by"])},
        {},
        _first(of["id"]),
        needed=frozenset({"by"}),
    )


def attempts(columns: Columns) -> Resealed:
    """The number by which the row was found, and the columns of `_DELIVERY`; likewise below."""
    of = dict(zip(_DELIVERY, columns[1:], strict=True))
    said = ("person", "recipient", "message_id")
    demand_text(of["channel"], of["message_json"], *(of[name] for name in said))
    _demand_times(of["due_at"], of["created_at"], of["finished_at"])
    digests = [sha256((each or "").encode()).hexdigest() for each in of["message_json"]]
    found = {name: ends_of_few(name, of[name]) for name in said}
    found["message_sha256"] = ends("message_sha256", written(digests))
    return Resealed(
        None,
        {b'"delivery":': written(whole(of["id"]))},
        ("channel",),
        list(zip(of["channel"], strict=True)),
        found,
        {},
        _first(of["alert_id"]),
        needed=frozenset(found),
    )


def taken(columns: Columns) -> Resealed:
    """What a channel took; its receipt is what it said."""
    return _settled(columns, "receipt")


def failed(columns: Columns) -> Resealed:
    """What it did not take."""
    return _settled(columns, "last_error")


def _settled(columns: Columns, said: str) -> Resealed:
    of = dict(zip(_DELIVERY, columns[1:], strict=True))
    demand_text(of["state"], of[said])
    _demand_times(of["due_at"], of["created_at"])
    return Resealed(
        _times(of["finished_at"]),
        {b'"delivery":': written(whole(of["id"]))},
        ("outcome", "attempt"),
        list(zip(of["state"], whole(of["attempts"]), strict=True)),
        {"said": ends_of_few("said", of[said])},
        {},
        needed=frozenset({"said"}),
    )


def _demand_times(*columns: Sequence[Any]) -> None:
    for values in columns:
        moments(values)


def _times(values: Sequence[Any]) -> list[bytes]:
    """Times of rows of which some have none, nor can an entry say so."""
    return [f"{moment}Z".encode() for moment in moments(values)]


def _first(numbers: Sequence[Any]) -> list[bytes]:
    """The field `alert`, whose name comes before that of the time."""
    return [b'"alert":%b,' % number for number in written(whole(numbers))]


ALERTS: Final = (
    alerts,
    f"select t.entry_index, {columns_of('t', _ALERT)} from alert t",  # noqa: S608 - our own names
)
"""How they are sealed, and how they are asked for."""
_BY_ALERT: Final = (
    re.compile(rb'"alert":([0-9]{1,16}),'),
    f"select t.id, {columns_of('t', _ALERT)} from alert t where t.id in",  # noqa: S608 - our own names
)
_BY_DELIVERY: Final = (
    re.compile(rb'"delivery":([0-9]{1,16}),'),
    f"select t.id, {columns_of('t', _DELIVERY)} from delivery t where t.id in",  # noqa: S608 - our own names
)
LATER: Final[Mapping[str, tuple[Callable[[Columns], Resealed], re.Pattern[bytes], str]]] = {
    "alert.acknowledged": (answers, *_BY_ALERT),
    "delivery.attempted": (attempts, *_BY_DELIVERY),
    "delivery.taken": (taken, *_BY_DELIVERY),
    "delivery.failed": (failed, *_BY_DELIVERY),
}
"""How some are sealed, where the number stands in an entry, and how rows are asked for by it."""
