"""Who hears of a mention when its whole post is looked at: its other targets, its other versions.

Whoever is told of one target reads the post. So a post that accuses somebody is heard of only by
those who may know of the accusation, whatever else it says; and it goes on being so when it is
edited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from monitor.cases.procedure import graver, in_one_alert, notices, notices_beside_allegation
from monitor.model import AlertKind, Flag, Notice, Role, Target, Urgency, Verdict

_FOR_THE_DIGEST = (Notice(AlertKind.DIGEST, Urgency.DIGEST, (Role.HEADTEACHER,)),)


@dataclass(frozen=True, slots=True)
class Routing:
    """The verdicts on one post, in all its versions, in the order of their mentions."""

    verdicts: tuple[Verdict, ...]
    is_headteacher: Callable[[Target], bool]

    @classmethod
    def of(
        cls,
        known: Iterable[Verdict],
        fresh: Iterable[Verdict],
        is_headteacher: Callable[[Target], bool],
    ) -> Routing:
        """Put new verdicts beside those that stand, or in their place."""
        standing = {verdict.mention_id: verdict for verdict in (*known, *fresh)}
        return cls(tuple(standing[number] for number in sorted(standing)), is_headteacher)

    def accused(self, mine: Verdict) -> Target | None:
        """The person by whom it is decided who may hear of this mention; None: nobody is accused.

        The headteacher where they are one of the accused, else this mention's own target.
        """
        accused = [each.target for each in self.verdicts if Flag.ALLEGATION in each.grade.flags]
        headteacher = next(filter(self.is_headteacher, accused), None)
        if headteacher is not None or not accused:
            return headteacher
        return mine.target if mine.target in accused else accused[0]

    def asked(self, mine: Verdict) -> tuple[Notice, ...]:
        """What a mention asks for; an edit no graver than before waits for the digest."""
        asked = self._asked_alone(mine)
        before = tuple(
            each
            for each in self.verdicts
            if each.version != mine.version and each.mention_id < mine.mention_id
        )
        earlier = next((each for each in reversed(before) if each.target == mine.target), None)
        if earlier is not None:
            then = Routing(before, self.is_headteacher)
            if not graver(asked, then._asked_alone(earlier)):
                # What accuses stands in no digest, and who may know of it has heard of it.
                return () if self.accused(mine) is not None else _FOR_THE_DIGEST
        others = tuple(
            notice
            for each in self.verdicts
            if each.version == mine.version
            for notice in self._asked_alone(each)
        )
        return in_one_alert(asked, others)

    def _asked_alone(self, mine: Verdict) -> tuple[Notice, ...]:
        accused = self.accused(mine)
        decisive = mine.target if accused is None else accused
        about_headteacher = self.is_headteacher(decisive)
        if accused is None or Flag.ALLEGATION in mine.grade.flags:
            return notices(
                mine.grade,
                certainty=mine.certainty,
                about_headteacher=about_headteacher,
                first_look=mine.first_look,
            )
        return notices_beside_allegation(
            mine.grade, certainty=mine.certainty, about_headteacher=about_headteacher
        )
