"""Those who are watched for: the config's schools and staff, as matching and grading want them."""

from __future__ import annotations

from datetime import date

from monitor.config.schema import Config
from monitor.matching.roster import Alias, Person, Roster, School


def roster_of(config: Config, today: date) -> Roster:
    """Those whom posts are matched against today."""
    return Roster(
        tuple(
            School(
                id=school.id,
                name=school.name,
                aliases=school.aliases,
                handles=school.handles,
                hashtags=school.hashtags,
                places=school.places,
                staff=tuple(
                    Person(
                        id=person.id,
                        name=person.name,
                        title=person.title or "",
                        aliases=tuple(Alias(a.text, a.insulting) for a in person.aliases),
                        handles=person.handles,
                        roles=person.roles,
                        email=person.email or "",
                    )
                    for person in school.watched(today)
                ),
            )
            for school in config.schools
        )
    )


def insulting_of(config: Config) -> frozenset[tuple[str, str]]:
    """(person, alias in one case) of every alias that the roster marks as an insult."""
    return frozenset(
        (person.id, alias.text.casefold())
        for school in config.schools
        for person in school.staff
        for alias in person.aliases
        if alias.insulting
    )
