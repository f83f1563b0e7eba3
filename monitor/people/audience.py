"""Who plays which part for which school, how they are reached, and when they may be disturbed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from monitor.config.schema import Config
from monitor.model import Notice, Role, Target, TargetKind, Urgency
from monitor.storage.records import Addressee, Hearing

# Where a part is played by nobody, this one plays it instead; headteacher and second person,
# and the administrator, are never missing (the config refuses that).
_STANDS_IN = {Role.SAFEGUARDING_LEAD: Role.HEADTEACHER}


@dataclass(frozen=True, slots=True)
class Audience:
    """The people of one configuration, as those who must hear."""

    config: Config

    def school_of(self, target: Target) -> str | None:
        """The school that a target belongs to."""
        if target.kind is TargetKind.SCHOOL:
            return target.id
        school = self.config.school_of(target.id)
        return school.id if school else None

    def about_headteacher(self, target: Target) -> bool:
        """Whether the target is the head of their school."""
        return target.kind is TargetKind.PERSON and self.config.is_headteacher(target.id)

    def name_of(self, target: Target) -> str:
        """How a letter names the target."""
        if target.kind is TargetKind.SCHOOL:
            school = self.config.school(target.id)
            return school.name if school else target.id
        person = self.config.staff_member(target.id)
        return person.name if person else target.id

    def addressee(self, role: Role, school: str | None) -> Addressee | None:
        """The person in that part, or the one who stands in for a part that nobody plays."""
        person = self.config.person_for(role, school)
        if person is None and role in _STANDS_IN:
            person = self.config.person_for(_STANDS_IN[role], school)
        if person is None:
            return None
        channels = (self.config.channel().name,)
        return Addressee(person.id, person.name, person.email, channels)

    def staff_id(self, person: str) -> str | None:
        """The roster id of one who is told, if they are on the roster."""
        found = self.config.person(person)
        return found.staff if found else None

    def everybody(self) -> Mapping[str, Addressee]:
        """Everyone who can be told, by their id."""
        channels = (self.config.channel().name,)
        return {
            person.id: Addressee(person.id, person.name, person.email, channels)
            for person in self.config.people
        }

    def hearings(
        self, notices: tuple[Notice, ...], target: Target, *, now: datetime
    ) -> tuple[Hearing, ...]:
        """Turn the roles of a routing decision into people and times."""
        school = self.school_of(target)
        about = self.about_headteacher(target)
        found: dict[str, Hearing] = {}
        for notice in notices:
            for role in notice.roles:
                addressee = self.addressee(role, school)
                if addressee is None:
                    continue
                due = self.due_at(notice.urgency, now=now)
                hearing = Hearing(notice.kind, addressee.person, role, notice.urgency, due, about)
                held = found.get(addressee.person)
                if held is None or notice.urgency.rank < held.urgency.rank:
                    found[addressee.person] = hearing
        return tuple(found.values())

    def due_at(self, urgency: Urgency, *, now: datetime) -> datetime:
        """When to send: at once, or when the school's day begins."""
        if urgency is Urgency.NOW:
            return now
        local = now.astimezone(self.config.zone)
        alerts = self.config.alerts
        if alerts.day_from <= local.time() < alerts.day_until:
            return now
        return next_time(local, alerts.day_from).astimezone(now.tzinfo)


def next_time(local: datetime, wanted: time) -> datetime:
    """The next moment at which a clock in this zone shows `wanted`, strictly after `local`."""
    candidate = local.replace(
        hour=wanted.hour, minute=wanted.minute, second=wanted.second, microsecond=0
    )
    if candidate <= local:
        candidate += timedelta(days=1)
    # A time that summer time skips is read as the same instant with the old offset.
    return candidate
