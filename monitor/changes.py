"""Seals that the config or the roster is not what it was when the service last saw it."""

from __future__ import annotations

import json
from datetime import date, datetime

from monitor.config.rosters import who_and_why
from monitor.config.schema import Config
from monitor.evidence import entries
from monitor.evidence.leaf import Leaf
from monitor.storage.store import Store

_ROSTER = "roster"
_CONFIG = "config"


def record_changes(store: Store, config: Config, *, why: str, at: datetime) -> None:
    """Seal what changed since the last call; where somebody joined, read every source anew.

    The entries and the memory of what was last seen are one commit. `why` is what brought the new
    config ("reloaded by signal"); who added or removed a person, and why, is what the roster says.
    """
    digest = config.digest()
    if store.remembered(_CONFIG) != digest:
        store.remember(_CONFIG, digest, [entries.config_changed(at=at, digest=digest, why=why)])
    now = _people(config, at.astimezone(config.zone).date())
    kept = store.remembered(_ROSTER)
    known = {tuple(pair) for pair in json.loads(kept)} if kept else set()
    if now == known:
        return
    store.remember(_ROSTER, json.dumps(sorted(now)), _leaves(config, now, known, at))
    if known and now - known:
        # What stands in a feed already may name whoever is watched for from now on.
        store.sources.forget_cursors()


def _leaves(
    config: Config, now: set[tuple[str, ...]], known: set[tuple[str, ...]], at: datetime
) -> list[Leaf]:
    changes = [("added", pair) for pair in sorted(now - known)]
    changes += [("removed", pair) for pair in sorted(known - now)]
    leaves = []
    for kind, (school, person) in changes:
        by, because = who_and_why(config, school, person)
        leaves.append(
            entries.roster_changed(
                at=at, kind=kind, school=school, person=person, by=by, because=because
            )
        )
    return leaves


def _people(config: Config, today: date) -> set[tuple[str, ...]]:
    return {(school.id, person.id) for school in config.schools for person in school.watched(today)}
